"""Put records back into the stream: what a response cannot carry comes round again.

PutRecordBatch takes at most 500 records and 4 MiB, a record at most 1,000 KiB, all
before base64 (AWS docs, Firehose API reference). Failures are reported by position;
only those are sent again, with full jitter, never past the deadline.
"""

from __future__ import annotations

import gzip
import time
from typing import TYPE_CHECKING, Any, Final

from audit_record import limits
from audit_record.codec import dumps
from subscription_transformer.envelope import PUT_BACK_KEY, PUT_BACK_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MAX_ATTEMPTS: Final = 12
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 5.0
# Service errors that more time can mend; botocore's names.
_RETRYABLE: Final = frozenset(
    {
        *("ServiceUnavailableException", "ThrottlingException", "Throttling"),
        *("InternalFailure", "InternalServerError", "RequestLimitExceeded"),
        *("SlowDown", "LimitExceededException", "RequestTimeout", "500", "503"),
    }
)


def wrap(kind: str, data: bytes, generation: int) -> bytes:
    """Return the gzip wrapper that the transformer recognises and takes off.

    Args:
        kind: ``document``, ``envelope`` or ``bytes``.
        data: JSON; for ``bytes`` a string of base64.
        generation: How often this was put back, from 1.
    """
    head = {PUT_BACK_KEY: PUT_BACK_VERSION, "generation": generation, "kind": kind}
    wrapper = b'%b,"data":%b}' % (dumps(head)[:-1], data.strip())
    return gzip.compress(wrapper, compresslevel=6, mtime=0)


class PutBack:
    """Puts records into one delivery stream.

    Args:
        delivery_stream: The stream's name.
        client: Makes the Firehose client when something is first put, so that the
            AWS library is not loaded on the normal path.
        sleep: Waits that many seconds.
        jitter: Returns a number from 0 to its argument; evenly spread by default.
    """

    def __init__(
        self,
        delivery_stream: str,
        client: Callable[[], Any],
        *,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[float], float] | None = None,
    ) -> None:
        self._delivery_stream = delivery_stream
        self._make_client = client
        self._sleep = sleep
        self._jitter = jitter or _full_jitter
        self.throttled_count = 0

    def put(
        self, records: Sequence[bytes], remaining_s: Callable[[], float]
    ) -> list[bool]:
        """Put *records*; return for each whether Firehose has taken it.

        Args:
            records: What to put, each as it shall arrive.
            remaining_s: Seconds until the work has to be done.
        """
        is_put = [False] * len(records)
        for batch in pack_batches(records):
            self._put_batch(records, batch, is_put, remaining_s)
        return is_put

    def _put_batch(
        self,
        records: Sequence[bytes],
        batch: list[int],
        is_put: list[bool],
        remaining_s: Callable[[], float],
    ) -> None:
        pending = batch
        for attempt in range(MAX_ATTEMPTS):
            if not pending or remaining_s() <= 0:
                return
            if attempt:
                self._pause(attempt, remaining_s())
            failed = self._attempt([records[index] for index in pending])
            if failed is None:
                return
            self.throttled_count += len(failed)
            for position, index in enumerate(pending):
                is_put[index] = position not in failed
            pending = [pending[position] for position in sorted(failed)]

    def _attempt(self, batch: list[bytes]) -> set[int] | None:
        """Send once; return the failed positions, None if trying again is useless."""
        try:
            answer = self._make_client().put_record_batch(
                DeliveryStreamName=self._delivery_stream,
                Records=[{"Data": data} for data in batch],
            )
        except Exception as error:  # noqa: BLE001 - the record's fate tells it
            return set(range(len(batch))) if _is_retryable(error) else None
        responses = answer.get("RequestResponses", ())
        if len(responses) != len(batch):
            # No telling which were taken; one put twice collapses in the index.
            return set(range(len(batch)))
        return {n for n, item in enumerate(responses) if item.get("ErrorCode")}

    def _pause(self, attempt: int, remaining_s: float) -> None:
        longest_s = min(_FIRST_PAUSE_S * 2**attempt, _LONGEST_PAUSE_S)
        self._sleep(min(self._jitter(longest_s), max(remaining_s, 0)))


def _full_jitter(longest_s: float) -> float:
    import random  # noqa: PLC0415 - like the AWS library, for put-backs only

    return random.uniform(0, longest_s)  # noqa: S311 - a pause, not a key


def pack_batches(records: Sequence[bytes]) -> Iterator[list[int]]:
    """Yield indices of *records* in batches that one PutRecordBatch accepts.

    A record that is too large for any is in none of them.
    """
    batch: list[int] = []
    batch_bytes = 0
    for index, data in enumerate(records):
        if len(data) > limits.MAX_FIREHOSE_RECORD_BYTES:
            continue
        is_full = len(batch) == limits.MAX_PUT_RECORD_BATCH_COUNT
        if is_full or batch_bytes + len(data) > limits.MAX_PUT_RECORD_BATCH_BYTES:
            yield batch
            batch, batch_bytes = [], 0
        batch.append(index)
        batch_bytes += len(data)
    if batch:
        yield batch


def _is_retryable(error: Exception) -> bool:
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        code = str(response.get("Error", {}).get("Code", ""))
        return code in _RETRYABLE
    # Connection errors have no response; a missing library has no cure.
    return not isinstance(error, ImportError | TypeError | AttributeError)
