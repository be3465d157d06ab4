"""The engine of Data Firehose: buffer, transform, deliver, keep what failed.

Numbers and order of things are those of the AWS guide (quotas, data transformation,
delivery failure handling); where the guide leaves room the engine is stricter.
"""

from __future__ import annotations

import base64
import json
import threading
import uuid
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from audit_record.limits import MAX_FIREHOSE_RECORD_BYTES, MAX_LAMBDA_PAYLOAD_BYTES
from chatbot_audit.sandbox.backup_objects import (
    PROCESSING_FAILED,
    BackupBucket,
    FailedRecord,
)
from chatbot_audit.sandbox.contract import CheckedResult, ContractError, check_answer
from chatbot_audit.sandbox.destinations import Destination, Outgoing
from chatbot_audit.sandbox.lambda_runtime import FunctionError
from chatbot_audit.sandbox.settings import (
    ACCOUNT_ID,
    DELIVERY_STREAM,
    REGION,
    FirehoseSettings,
)

if TYPE_CHECKING:
    from chatbot_audit.sandbox.clock import Clock

STREAM_ARN: Final = (
    f"arn:aws:firehose:{REGION}:{ACCOUNT_ID}:deliverystream/{DELIVERY_STREAM}"
)
# The frame of one record in the Lambda's event, with the longest number.
_FRAME_BYTES: Final = 120
# Waits between tries of the Lambda; Firehose does not publish its own.
_RETRY_PAUSE_S: Final = 1.0
Progress = Callable[[str, int, int], None]


class Function(Protocol):
    """Whatever transforms: the zip in its process, or a test's own."""

    def invoke(self, payload: bytes) -> bytes:
        """Run once; raise `FunctionError` when it fails."""


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One record in the stream.

    Attributes:
        firehose_record_id: Made by the stream.
        data: As it was put.
        arrival_ms: When it was put.
    """

    firehose_record_id: str
    data: bytes
    arrival_ms: int


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
        self._pending: deque[StreamRecord] = deque()
        self.counts: Counter[str] = Counter()

    def put(self, data: bytes) -> str:
        """Take one record; return its id.

        Raises:
            ValueError: The record is over 1,000 KiB.
        """
        if len(data) > MAX_FIREHOSE_RECORD_BYTES:
            raise ValueError(f"a record of {len(data)} bytes is over 1,000 KiB")
        name = f"{uuid.uuid4().int:038d}" + "0" * 18
        record = StreamRecord(name, data, self._clock.now_ms())
        with self._lock:
            self._pending.append(record)
            self.counts["put"] += 1
        return name

    def has_work(self, *, is_due: bool = False) -> bool:
        """Tell whether records wait; with *is_due*, long or large enough to go."""
        with self._lock:
            if not self._pending:
                return False
            age_s = (self._clock.now_ms() - self._pending[0].arrival_ms) / 1_000
            size = sum(len(record.data) for record in self._pending)
        return not is_due or (
            size >= self._settings.buffer_bytes
            or age_s >= self._settings.buffer_interval_s
        )

    def run_once(self, progress: Progress | None = None) -> None:
        """Transform and deliver what is in the buffer now."""
        batches = self._take_batches()
        total = sum(len(batch) for batch in batches)
        done = 0
        for batch in self._pool.map(self._process, batches):
            done += batch
            if progress is not None:
                progress("transform and deliver", done, total)

    def close(self) -> None:
        """End the engine's threads."""
        self._pool.shutdown()

    def _take_batches(self) -> list[list[StreamRecord]]:
        with self._lock:
            waiting, self._pending = self._pending, deque()
        batches: list[list[StreamRecord]] = []
        size = sent_bytes = 0
        for record in waiting:
            encoded = len(record.data) * 4 // 3 + _FRAME_BYTES
            is_full = size + len(record.data) > self._settings.buffer_bytes
            if not batches or is_full or sent_bytes + encoded > _MAX_EVENT_BYTES:
                batches.append([])
                size = sent_bytes = 0
            batches[-1].append(record)
            size += len(record.data)
            sent_bytes += encoded
        return batches

    def _process(self, batch: list[StreamRecord]) -> int:
        results = self._transform(batch)
        outgoing: list[Outgoing] = []
        failed: list[StreamRecord] = []
        for record, result in zip(batch, results, strict=False):
            self._count(result.result)
            if result.result == "Ok":
                outgoing.append(
                    Outgoing(record.firehose_record_id, result.data, record.arrival_ms)
                )
            elif result.result == "ProcessingFailed":
                failed.append(record)
        if failed:
            message = "ProcessingFailed status set for record"
            self._keep(failed, "Lambda.ProcessingFailedStatus", message, 1)
        self._deliver(outgoing)
        return len(batch)

    def _transform(self, batch: list[StreamRecord]) -> list[CheckedResult]:
        """Return the results of *batch*; none when all of it was kept as failed."""
        payload = _event(batch)
        attempts = self._settings.lambda_retry_count + 1
        code = message = ""
        for attempt in range(1, attempts + 1):
            try:
                answer = self._function.invoke(payload)
                return check_answer(answer, [r.firehose_record_id for r in batch])
            except FunctionError as error:
                code, message = error.code, f"The function failed: {error.error_type}"
                if attempt < attempts:
                    self._clock.sleep(_RETRY_PAUSE_S)
            except ContractError as error:
                # An answer that was read is final: the function did answer.
                code, message, attempts = error.code, str(error), 1
                break
        self._keep(batch, code, message, attempts)
        return []

    def _deliver(self, outgoing: list[Outgoing]) -> None:
        if not outgoing:
            return
        failures = self._destination.deliver(outgoing)
        self._count("delivered", len(outgoing) - len(failures))
        if not failures:
            return
        now_ms = self._clock.now_ms()
        kept = [
            FailedRecord(
                failure.outgoing.firehose_record_id,
                failure.outgoing.data,
                failure.error_code,
                failure.error_message,
                failure.attempts_count,
                failure.outgoing.arrival_ms,
                now_ms,
            )
            for failure in failures
        ]
        self._backup.write(self._destination.error_type, kept)
        self._count("delivery failed", len(kept))

    def _keep(
        self, records: Sequence[StreamRecord], code: str, message: str, attempts: int
    ) -> None:
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


_MAX_EVENT_BYTES: Final = MAX_LAMBDA_PAYLOAD_BYTES - 1_024


def _event(batch: Sequence[StreamRecord]) -> bytes:
    records = [
        {
            "recordId": record.firehose_record_id,
            "approximateArrivalTimestamp": record.arrival_ms,
            "data": base64.b64encode(record.data).decode(),
        }
        for record in batch
    ]
    event = {
        "invocationId": str(uuid.uuid4()),
        "deliveryStreamArn": STREAM_ARN,
        "region": REGION,
        "records": records,
    }
    return json.dumps(event).encode()
