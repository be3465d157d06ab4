"""Send what waits in a spool to the streams it was meant for.

At least once: a record leaves the spool only when the service has taken it. After a
crash in between it is sent again, with the same bytes, which the index collapses.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from audit_record import limits
from emitter.sinks.aws_errors import PASSING
from emitter.sinks.batches import is_too_large, pack_batches, reason_of_sink
from emitter.sinks.entry import Entry, Refused
from emitter.sinks.spool_files import (
    SENDING_SUFFIX,
    SUFFIX,
    UNREADABLE_NAME,
    append,
    folder_lock,
    read_spool_line,
    spool_line,
    spool_name,
    sync_folder,
    try_lock,
    unlock,
)

WriteBatch = Callable[[Sequence[Entry]], list[Refused]]

# Lines read before they are sent: a few calls' worth, whatever a file holds.
_READ_BYTES: Final = 4 * 1_048_576
# Bytes of chance in a claim's name: containers that share a folder share process ids.
_CLAIM_BYTES: Final = 16
# What every other stream would meet as well; anything else may be one stream's alone.
_STOPPING: Final = PASSING | {
    "bad_credentials",
    "boto3_missing",
    "expired_credentials",
    "no_credentials",
    "no_region",
    "tls",
}
# What one line may bring on a whole batch, and the batches of one file that are halved
# to find it: with ten thousand lines fourteen for each.
_BAD_LINE: Final = frozenset({"invalid_parameter", "too_large"})
_MAX_HALVED_COUNT: Final = 200


@dataclass
class SpoolReport:
    """What became of the records in a spool.

    Attributes:
        sent_count: Taken by the service, gone from the spool.
        kept_count: Still in the spool: the service refused, could not be reached, or
            was not asked any more.
        too_old_count: Of those kept, older than CloudWatch takes (14 days).
        unreadable_count: Lines torn or altered, set aside in ``unreadable.txt``.
        held_count: In files that another process has; it sends them.
        reason: Why sending stopped early; "" if it did not.
        refused: Why records were not taken, each reason with their number.
    """

    sent_count: int = 0
    kept_count: int = 0
    too_old_count: int = 0
    unreadable_count: int = 0
    held_count: int = 0
    reason: str = ""
    refused: Counter[str] = field(default_factory=Counter)

    def note(self, reason: str, count: int = 1) -> None:
        """Count records that were not taken; stop if the next would not be either."""
        self.refused[reason] += count
        if reason in _STOPPING:
            self.reason = self.reason or reason


def send_spool(
    folder: str | Path, write_batch: WriteBatch, *, now_ms: int, max_age_ms: int | None
) -> SpoolReport:
    """Send every record that waits in *folder*; keep those that are not taken.

    Several processes may do so at once: each takes files that no other holds. A
    stream that is refused does not hold up the others; a service that is down or
    does not know us is asked once.

    Args:
        folder: The spool; one that does not exist is empty.
        write_batch: Takes lines of one stream in order of time, returns those
            refused, and raises `SinkError` if it took none.
        now_ms: Milliseconds since 1970.
        max_age_ms: Older records are kept without asking; None sends all.
    """
    report = SpoolReport()
    oldest_ms = 0 if max_age_ms is None else now_ms - max_age_ms
    for path in _waiting(Path(folder)):
        if report.reason:
            _count_kept(path, oldest_ms, report)
            continue
        with _claimed(path) as claim:
            if claim is None:
                report.held_count += len(_times_in(path))
            else:
                _send_file(_Sending(claim, write_batch, oldest_ms, report), report)
    return report


def _send_file(sending: _Sending, report: SpoolReport) -> None:
    kept_count, too_old_count = report.kept_count, report.too_old_count
    try:
        sending.run()
    except OSError:
        # What could not be put back is still in the file that was being sent.
        report.reason = "spool_error"
        report.kept_count, report.too_old_count = kept_count, too_old_count
        _count_kept(sending.claim, sending.oldest_ms, report)


def _count_kept(path: Path, oldest_ms: int, report: SpoolReport) -> None:
    """Count what a file holds that is not sent now."""
    times_ms = _times_in(path)
    report.kept_count += len(times_ms)
    report.too_old_count += sum(time_ms < oldest_ms for time_ms in times_ms)


def _times_in(path: Path) -> list[int]:
    """Return the time of each record in a file; none of one that is gone."""
    try:
        return [entry.timestamp_ms for entry in _entries_in(path)]
    except OSError:
        return []


def send_to_cloudwatch(
    folder: str | Path, write_batch: WriteBatch, now_ms: int
) -> SpoolReport:
    """As `send_spool`, for a destination that refuses what is over 14 days old."""
    return send_spool(
        folder, write_batch, now_ms=now_ms, max_age_ms=limits.MAX_LOG_EVENT_AGE_MS
    )


def _waiting(folder: Path) -> list[Path]:
    """Return files to send, last those that a crash left half sent.

    What is kept of these is put back among the others, which have had their turn.
    """
    left = sorted(folder.glob("*" + SENDING_SUFFIX))
    return sorted(folder.glob("*" + SUFFIX)) + left


@contextlib.contextmanager
def _claimed(path: Path) -> Iterator[Path | None]:
    """Rename a file and hold its lock; None if another process was quicker."""
    try:
        claim = _rename(path)
        descriptor = os.open(claim, os.O_RDWR)
    except OSError:
        yield None
        return
    try:
        yield claim if try_lock(descriptor) and claim.exists() else None
    finally:
        unlock(descriptor)
        os.close(descriptor)


def _rename(path: Path) -> Path:
    if path.suffix == SENDING_SUFFIX:
        return path
    serial = os.urandom(_CLAIM_BYTES).hex()
    claim = path.with_name(f"{path.stem}.{serial}{SENDING_SUFFIX}")
    with folder_lock(path.parent):
        if claim.exists():
            # To rename onto it would be the end of the records in it.
            raise FileExistsError(claim.name)
        return path.rename(claim)


class _Sending:
    """Sends one claimed file and puts back what was not taken."""

    def __init__(
        self, claim: Path, write_batch: WriteBatch, oldest_ms: int, report: SpoolReport
    ) -> None:
        self.claim = claim
        self.oldest_ms = oldest_ms
        self._write_batch = write_batch
        self._report = report
        self._refused_streams: set[tuple[str, str]] = set()
        self._halved_count = 0

    def run(self) -> None:
        with self.claim.open("rb") as file:
            while lines := file.readlines(_READ_BYTES):
                self._send(lines)
        self.claim.unlink(missing_ok=True)
        sync_folder(self.claim.parent)

    def _send(self, lines: list[bytes]) -> None:
        kept: list[Entry] = []
        sendable: list[Entry] = []
        for line in lines:
            entry = read_spool_line(line)
            if entry is None:
                self._set_aside(line)
            elif self._is_hopeless(entry):
                kept.append(entry)
            else:
                sendable.append(entry)
        for batch in pack_batches(sendable):
            kept += self._entries_refused(batch)
        self._put_back(kept)

    def _is_hopeless(self, entry: Entry) -> bool:
        is_old = entry.timestamp_ms < self.oldest_ms
        self._report.too_old_count += is_old
        return is_old or is_too_large(entry)

    def _entries_refused(self, batch: Sequence[Entry]) -> list[Entry]:
        if self._report.reason or _stream_of(batch[0]) in self._refused_streams:
            return list(batch)
        try:
            refused = self._write_batch(batch)
        except Exception as error:  # noqa: BLE001 - a sink of the bot's own
            return self._entries_of_failed(batch, reason_of_sink(error))
        self._report.sent_count += len(batch) - len(refused)
        for item in refused:
            self._report.note(item.reason)
        return [item.entry for item in refused]

    def _entries_of_failed(self, batch: Sequence[Entry], reason: str) -> list[Entry]:
        """Keep a batch of which nothing was taken, all of it if no line is to blame."""
        may_be_one_line = reason in _BAD_LINE and len(batch) > 1
        if may_be_one_line and self._halved_count < _MAX_HALVED_COUNT:
            self._halved_count += 1
            middle = len(batch) // 2
            halves = (batch[:middle], batch[middle:])
            return [entry for half in halves for entry in self._entries_refused(half)]
        if reason not in _BAD_LINE or may_be_one_line:
            self._refused_streams.add(_stream_of(batch[0]))
        self._report.note(reason, len(batch))
        return list(batch)

    def _put_back(self, entries: list[Entry]) -> None:
        self._report.kept_count += len(entries)
        for (group, stream), data in _by_stream(entries).items():
            self._append(spool_name(group, stream), data)

    def _set_aside(self, line: bytes) -> None:
        if line.strip():
            self._report.unreadable_count += 1
            self._append(UNREADABLE_NAME, line.rstrip(b"\n") + b"\n")

    def _append(self, name: str, data: bytes) -> None:
        with folder_lock(self.claim.parent):
            append(self.claim.with_name(name), data)


def _by_stream(entries: list[Entry]) -> dict[tuple[str, str], bytes]:
    by_stream: dict[tuple[str, str], list[bytes]] = {}
    for entry in entries:
        by_stream.setdefault(_stream_of(entry), []).append(spool_line(entry))
    return {stream: b"".join(lines) for stream, lines in by_stream.items()}


def _stream_of(entry: Entry) -> tuple[str, str]:
    return entry.log_group, entry.log_stream


def read_spool(folder: str | Path) -> Iterator[Entry]:
    """Give every record that waits in *folder*, leaving it there."""
    for path in _waiting(Path(folder)):
        yield from _entries_in(path)


def _entries_in(path: Path) -> Iterator[Entry]:
    with _opened(path) as file:
        entries = (read_spool_line(line) for line in file or ())
        yield from (entry for entry in entries if entry is not None)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO | None]:
    """Open a file, or nothing if it has been sent meanwhile."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        yield None
        return
    with file:
        yield file
