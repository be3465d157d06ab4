"""Send what waits in a spool to the streams it was meant for.

At least once: a record leaves the spool only when the service has taken it. After a
crash in between it is sent again, with the same bytes, which the index collapses.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from audit_record import limits
from emitter.errors import SinkError
from emitter.sinks.batches import is_too_large, pack_batches
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
_serial: Final = itertools.count(1)


@dataclass
class SpoolReport:
    """What became of the records in a spool.

    Attributes:
        sent_count: Taken by the service, gone from the spool.
        kept_count: Still in the spool: the service refused or could not be reached.
        too_old_count: Of those kept, older than CloudWatch takes (14 days).
        unreadable_count: Lines torn or altered, set aside in ``unreadable.txt``.
        reason: Why sending stopped early; "" if it did not.
    """

    sent_count: int = 0
    kept_count: int = 0
    too_old_count: int = 0
    unreadable_count: int = 0
    reason: str = ""


def send_spool(
    folder: str | Path, write_batch: WriteBatch, *, now_ms: int, max_age_ms: int | None
) -> SpoolReport:
    """Send every record that waits in *folder*; keep those that are not taken.

    Several processes may do so at once: each takes files that no other holds. The
    first call that fails as a whole ends it.

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
        with _claimed(path) as claim:
            if claim is not None:
                _send_file(_Sending(claim, write_batch, oldest_ms, report), report)
        if report.reason:
            break
    return report


def _send_file(sending: _Sending, report: SpoolReport) -> None:
    try:
        sending.run()
    except OSError:
        # What could not be put back is still in the file that was being sent.
        report.reason = "spool_error"


def send_to_cloudwatch(
    folder: str | Path, write_batch: WriteBatch, now_ms: int
) -> SpoolReport:
    """As `send_spool`, for a destination that refuses what is over 14 days old."""
    return send_spool(
        folder, write_batch, now_ms=now_ms, max_age_ms=limits.MAX_LOG_EVENT_AGE_MS
    )


def _waiting(folder: Path) -> list[Path]:
    """Return files to send, first those that a crash left half sent."""
    left = sorted(folder.glob("*" + SENDING_SUFFIX))
    return left + sorted(folder.glob("*" + SUFFIX))


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
    name = f"{path.stem}.{os.getpid()}-{next(_serial)}{SENDING_SUFFIX}"
    with folder_lock(path.parent):
        return path.rename(path.with_name(name))


class _Sending:
    """Sends one claimed file and puts back what was not taken."""

    def __init__(
        self, claim: Path, write_batch: WriteBatch, oldest_ms: int, report: SpoolReport
    ) -> None:
        self._claim = claim
        self._write_batch = write_batch
        self._oldest_ms = oldest_ms
        self._report = report

    def run(self) -> None:
        with self._claim.open("rb") as file:
            while lines := file.readlines(_READ_BYTES):
                self._send(lines)
        self._claim.unlink()
        sync_folder(self._claim.parent)

    def _send(self, lines: list[bytes]) -> None:
        kept: list[Entry] = []
        sendable: list[Entry] = []
        for line in lines:
            entry = read_spool_line(line)
            if entry is None:
                self._set_aside(line)
            elif self._report.reason or self._is_hopeless(entry):
                kept.append(entry)
            else:
                sendable.append(entry)
        for batch in pack_batches(sendable):
            kept += self._entries_refused(batch)
        self._put_back(kept)

    def _is_hopeless(self, entry: Entry) -> bool:
        is_old = entry.timestamp_ms < self._oldest_ms
        self._report.too_old_count += is_old
        return is_old or is_too_large(entry)

    def _entries_refused(self, batch: Sequence[Entry]) -> list[Entry]:
        if self._report.reason:
            return list(batch)
        try:
            refused = [item.entry for item in self._write_batch(batch)]
        except SinkError as error:
            self._report.reason = error.reason
            return list(batch)
        self._report.sent_count += len(batch) - len(refused)
        return refused

    def _put_back(self, entries: list[Entry]) -> None:
        self._report.kept_count += len(entries)
        for (group, stream), data in _by_stream(entries).items():
            self._append(spool_name(group, stream), data)

    def _set_aside(self, line: bytes) -> None:
        if line.strip():
            self._report.unreadable_count += 1
            self._append(UNREADABLE_NAME, line.rstrip(b"\n") + b"\n")

    def _append(self, name: str, data: bytes) -> None:
        with folder_lock(self._claim.parent):
            append(self._claim.with_name(name), data)


def _by_stream(entries: list[Entry]) -> dict[tuple[str, str], bytes]:
    by_stream: dict[tuple[str, str], list[bytes]] = {}
    for entry in entries:
        stream = (entry.log_group, entry.log_stream)
        by_stream.setdefault(stream, []).append(spool_line(entry))
    return {stream: b"".join(lines) for stream, lines in by_stream.items()}


def read_spool(folder: str | Path) -> Iterator[Entry]:
    """Give every record that waits in *folder*, leaving it there."""
    for path in _waiting(Path(folder)):
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
