"""The engine of Data Firehose: buffer, transform, deliver, keep what failed.

Numbers and order of things are those of the AWS guide (quotas, data transformation,
delivery failure handling); where the guide leaves room the engine is stricter. What
it cannot even keep goes back into the buffer: nothing is ever lost silently.
"""

from __future__ import annotations

import threading
import uuid
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING, Final, Protocol

from audit_record.limits import MAX_FIREHOSE_RECORD_BYTES
from chatbot_audit.sandbox.backup_objects import (
    PROCESSING_FAILED,
    BackupBucket,
    FailedRecord,
)
from chatbot_audit.sandbox.destinations import Destination, Failure, Outgoing
from chatbot_audit.sandbox.errors import ServerError
from chatbot_audit.sandbox.function.contract import (
    OK,
    REFUSED,
    CheckedResult,
    ContractError,
    check_answer,
)
from chatbot_audit.sandbox.function.invocations import (
    StreamRecord,
    make_event,
    pack_invocations,
)
from chatbot_audit.sandbox.function.process import FunctionError

if TYPE_CHECKING:
    from chatbot_audit.sandbox.clock import Clock
    from chatbot_audit.sandbox.settings import FirehoseSettings

# Waits between tries of the Lambda; Firehose does not publish its own.
_RETRY_PAUSE_S: Final = 1.0
# As captured objects have them.
_STATUS_CODE: Final = "Lambda.ProcessingFailedStatus"
_STATUS_TEXT: Final = "ProcessingFailed status set for record"
_ERROR_TEXT: Final = (
    "The Lambda function was successfully invoked but it returned an error result."
)
_EMPTY_TEXT: Final = "An Ok result carries no data."
_THROTTLE_CODE: Final = "Lambda.InvokeLimitExceeded"
_THROTTLE_TEXT: Final = (
    "The Lambda function was not invoked because its concurrency was exhausted."
)
Progress = Callable[[str, int, int], None]


class Function(Protocol):
    """Whatever transforms: the zip in its process, or a test's own."""

    def invoke(self, payload: bytes) -> bytes:
        """Run once; raise `FunctionError` when it fails."""


class DeliveryStream:
    """One Direct PUT stream with a transformation and a destination.

    Args:
        settings: Buffers and retries.
        function: The transformation.
        destination: Where results go.
        backup: Where failures go.
        clock: Time.
        worker_count: Invocations at the same time.
    """

    def __init__(
        self,
        settings: FirehoseSettings,
        function: Function,
        destination: Destination,
        backup: BackupBucket,
        clock: Clock,
        worker_count: int = 2,
    ) -> None:
        self._settings = settings
        self._function = function
        self._destination = destination
        self._backup = backup
        self._clock = clock
        self._pool = ThreadPoolExecutor(worker_count, "firehose")
        self._lock = threading.Lock()
        self._buffer: deque[StreamRecord] = deque()
        self.counts: Counter[str] = Counter()

    def put(self, data: bytes) -> str:
        """Take one record; return its id.

        Raises:
            ValueError: The record is over 1,000 KiB.
        """
        if len(data) > MAX_FIREHOSE_RECORD_BYTES:
            raise ValueError(f"a record of {len(data)} bytes is over 1,000 KiB")
        # 56 digits, as AWS's ids have.
        name = f"{uuid.uuid4().int:039d}" + "0" * 17
        record = StreamRecord(name, data, self._clock.now_ms())
        with self._lock:
            self._buffer.append(record)
            self.counts["put"] += 1
        return name

    def has_work(self, *, is_due: bool = False) -> bool:
        """Tell whether records wait; with *is_due*, long or large enough to go."""
        with self._lock:
            if not self._buffer:
                return False
            age_s = (self._clock.now_ms() - self._buffer[0].arrival_ms) / 1_000
            size = sum(len(record.data) for record in self._buffer)
        return not is_due or (
            size >= self._settings.buffer_bytes
            or age_s >= self._settings.buffer_interval_s
        )

    def run_once(self, progress: Progress | None = None) -> None:
        """Transform and deliver what is in the buffer now.

        Raises:
            ServerError: Something could not even be kept; it is in the buffer again.
        """
        with self._lock:
            waiting, self._buffer = self._buffer, deque()
        batches = pack_invocations(waiting, self._settings.buffer_bytes)
        running = {self._pool.submit(self._process, batch): batch for batch in batches}
        done, total = 0, len(waiting)
        unkept: list[Future[None]] = []
        for future in as_completed(running):
            if future.exception() is not None:
                self._return(running[future])
                unkept.append(future)
                continue
            done += len(running[future])
            if progress is not None:
                progress("transform", done, total)
        if unkept:
            raise ServerError(
                f"{total - done} records could not be delivered or kept; "
                "they wait in the buffer"
            ) from unkept[0].exception()

    def close(self) -> None:
        """End the engine's threads; what they do now is done first."""
        self._pool.shutdown(cancel_futures=True)

    def _return(self, batch: list[StreamRecord]) -> None:
        with self._lock:
            self._buffer.extendleft(reversed(batch))

    def _process(self, batch: list[StreamRecord]) -> None:
        results = self._transform(batch)
        if results is None:
            return
        answered = list(zip(batch, results, strict=True))
        for result in results:
            self._count(result.result)
        refused = [r for r, result in answered if result.result == REFUSED]
        self._keep(refused, _STATUS_CODE, _STATUS_TEXT, 1)
        # Nothing to deliver, nothing to replay: the original is what is left.
        empty = [r for r, result in answered if result.result == OK and not result.data]
        self._keep(empty, self._destination.bad_data_code, _EMPTY_TEXT, 1)
        self._deliver(
            [
                Outgoing(record.firehose_record_id, result.data, record.arrival_ms)
                for record, result in answered
                if result.result == OK and result.data
            ]
        )

    def _transform(self, batch: list[StreamRecord]) -> list[CheckedResult] | None:
        """Return the results of *batch*; None when all of it was kept as failed."""
        payload = make_event(batch)
        names = [record.firehose_record_id for record in batch]
        attempts = self._settings.lambda_retry_count + 1
        code = ""
        for attempt in range(1, attempts + 1):
            try:
                return check_answer(self._function.invoke(payload), names)
            except ContractError as error:
                # An answer that was read is final: the function did answer.
                self._keep(batch, error.code, str(error), 1)
                return None
            except FunctionError as error:
                code = error.code
            if attempt < attempts:
                self._count("retries")
                self._clock.sleep(_RETRY_PAUSE_S)
        text = _THROTTLE_TEXT if code == _THROTTLE_CODE else _ERROR_TEXT
        self._keep(batch, code, text, attempts)
        return None

    def _deliver(self, outgoing: Sequence[Outgoing]) -> None:
        if not outgoing:
            return
        failures = self._destination.deliver(outgoing)
        self._count("delivered", len(outgoing) - len(failures))
        if not failures:
            return
        now_ms = self._clock.now_ms()
        kept = [_undelivered(failure, now_ms) for failure in failures]
        self._backup.write(self._destination.error_type, kept)
        self._count("delivery failed", len(kept))

    def _keep(
        self, records: Sequence[StreamRecord], code: str, message: str, attempts: int
    ) -> None:
        if not records:
            return
        now_ms = self._clock.now_ms()
        failed = [
            FailedRecord(
                record.firehose_record_id,
                record.data,
                code,
                message,
                attempts,
                record.arrival_ms,
                now_ms,
            )
            for record in records
        ]
        self._backup.write(PROCESSING_FAILED, failed)
        self._count("processing failed", len(failed))

    def _count(self, name: str, count: int = 1) -> None:
        with self._lock:
            self.counts[name] += count


def _undelivered(failure: Failure, now_ms: int) -> FailedRecord:
    return FailedRecord(
        failure.outgoing.firehose_record_id,
        failure.outgoing.data,
        failure.error_code,
        failure.error_message,
        failure.attempts_count,
        failure.outgoing.arrival_ms,
        now_ms,
    )
