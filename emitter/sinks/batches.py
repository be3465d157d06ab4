"""Batches that one PutLogEvents call accepts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from audit_record import limits
from audit_record.errors import RecordTooLargeError
from emitter.errors import SinkError
from emitter.sinks.entry import BatchSink, Entry, Refused, Sink

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """What one call may hold; PutLogEvents API page, read 2026-11.

    Attributes:
        max_bytes: Sum of the messages and of `overhead_bytes` for each.
        max_count: Events.
        max_span_ms: From the first event's time to the last's.
        overhead_bytes: What each event counts on top of its message.
    """

    max_bytes: int = limits.MAX_PUT_LOG_EVENTS_BYTES
    max_count: int = limits.MAX_PUT_LOG_EVENTS_COUNT
    max_span_ms: int = limits.MAX_PUT_LOG_EVENTS_SPAN_MS
    overhead_bytes: int = limits.LOG_EVENT_OVERHEAD_BYTES


PUT_LOG_EVENTS: Final = BatchLimits()


def is_too_large(entry: Entry, batch_limits: BatchLimits = PUT_LOG_EVENTS) -> bool:
    """Tell whether no call can take *entry*, not even alone."""
    return len(entry.line) + batch_limits.overhead_bytes > batch_limits.max_bytes


def pack_batches(
    entries: Iterable[Entry], batch_limits: BatchLimits = PUT_LOG_EVENTS
) -> Iterator[tuple[Entry, ...]]:
    """Split *entries* into batches that one PutLogEvents call accepts.

    Keeps every entry; each batch is of one stream and in order of time, entries of
    the same millisecond as they came. A batch ends at the count, byte or span
    limit, whichever comes first.

    Args:
        entries: In any order, of any streams.
        batch_limits: Counts, bytes and span.

    Raises:
        RecordTooLargeError: An entry alone exceeds the byte limit (see
            `is_too_large`); nothing is cut: the caller decides.
    """
    by_stream: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        if is_too_large(entry, batch_limits):
            room_bytes = batch_limits.max_bytes - batch_limits.overhead_bytes
            raise RecordTooLargeError(room_bytes, len(entry.line))
        by_stream.setdefault((entry.log_group, entry.log_stream), []).append(entry)
    for of_stream in by_stream.values():
        of_stream.sort(key=lambda entry: entry.timestamp_ms)
        yield from _split(of_stream, batch_limits)


def _split(
    entries: list[Entry], batch_limits: BatchLimits
) -> Iterator[tuple[Entry, ...]]:
    batch: list[Entry] = []
    size_bytes = 0
    for entry in entries:
        entry_bytes = len(entry.line) + batch_limits.overhead_bytes
        if batch and (
            size_bytes + entry_bytes > batch_limits.max_bytes
            or len(batch) == batch_limits.max_count
            or entry.timestamp_ms - batch[0].timestamp_ms > batch_limits.max_span_ms
        ):
            yield tuple(batch)
            batch, size_bytes = [], 0
        batch.append(entry)
        size_bytes += entry_bytes
    if batch:
        yield tuple(batch)


def write_many(sink: Sink, entries: Sequence[Entry]) -> list[Refused]:
    """Write *entries* in as few calls as *sink* allows; return those refused.

    Never raises, whatever a bot's own sink does.
    """
    small = [entry for entry in entries if not is_too_large(entry)]
    refused = [
        item
        for entry in entries
        if is_too_large(entry)
        for item in write_batch(sink, [entry])
    ]
    for batch in pack_batches(small):
        refused += write_batch(sink, batch)
    return refused


def write_batch(sink: Sink, batch: Sequence[Entry]) -> list[Refused]:
    """Write one batch, in one call if *sink* can; return those refused."""
    if not isinstance(sink, BatchSink):
        reasons = [write_one(sink, entry) for entry in batch]
        return [
            Refused(entry, reason)
            for entry, reason in zip(batch, reasons, strict=True)
            if reason
        ]
    try:
        return sink.write_batch(batch)
    except Exception as error:  # noqa: BLE001 - a sink of the bot's own
        return [Refused(entry, reason_of_sink(error)) for entry in batch]


def write_one(sink: Sink, entry: Entry) -> str:
    """Write one entry; return why *sink* did not take it, "" if it did."""
    try:
        sink.write(entry)
    except Exception as error:  # noqa: BLE001 - a sink of the bot's own
        return reason_of_sink(error)
    return ""


def reason_of_sink(error: BaseException) -> str:
    """Return why a sink did not take a record; of an error not ours, its name."""
    return error.reason if isinstance(error, SinkError) else type(error).__name__
