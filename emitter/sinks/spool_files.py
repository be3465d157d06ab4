r"""The spool on disk: one file of JSON lines for each log stream, and its locks.

A file is named by a digest of its stream; each line says where it belongs, so that
any part of a file can be used. One line, shortened::

    {"log_group":"/aws/...","log_stream":"Vera/local/...","timestamp_ms":1795532645123,
     "line_sha256":"9f2c...","line":"{\"timestamp\":...}"}

A file that is being sent is renamed to ``*.sending`` and locked by who sends it; one
that nobody holds was left by a crash and is taken up again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from typing import TYPE_CHECKING, Any, Final

from audit_record.codec import dumps, loads
from audit_record.errors import DecodeError
from emitter.sinks.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

try:
    import fcntl

    _has_locks = True
except ImportError:  # then one process at a time has to use a folder
    _has_locks = False

SUFFIX: Final = ".jsonl"
SENDING_SUFFIX: Final = ".sending"
UNREADABLE_NAME: Final = "unreadable.txt"
_LOCK_NAME: Final = ".lock"
_FOLDER_MODE: Final = 0o700
_FILE_MODE: Final = 0o600
_LOCK_WAIT_S: Final = 1.0
_LOCK_PAUSE_S: Final = 0.01
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


class LockedError(OSError):
    """Another process has held the folder's lock for too long."""


def spool_name(log_group: str, log_stream: str) -> str:
    """Return the name of the file in which a stream's records wait."""
    digest = hashlib.sha256(f"{log_group}\0{log_stream}".encode()).hexdigest()
    return digest[:16] + SUFFIX


def spool_line(entry: Entry) -> bytes:
    """Return *entry* as one line of a spool file, with its newline."""
    parts = {
        "log_group": entry.log_group,
        "log_stream": entry.log_stream,
        "timestamp_ms": entry.timestamp_ms,
        "line_sha256": hashlib.sha256(entry.line).hexdigest(),
        "line": entry.line.decode(),
    }
    return dumps(parts) + b"\n"


def read_spool_line(line: bytes) -> Entry | None:
    """Read one line of a spool file; None if it is torn or was altered."""
    try:
        parts: Any = loads(line)
        entry = Entry(
            str(parts["log_group"]),
            str(parts["log_stream"]),
            int(parts["timestamp_ms"]),
            parts["line"].encode(),
        )
        digest = parts["line_sha256"]
    except (DecodeError, KeyError, TypeError, ValueError, AttributeError):
        return None
    is_whole = hashlib.sha256(entry.line).hexdigest() == digest
    return entry if is_whole else None


def make_folder(folder: Path) -> None:
    """Make the spool folder, for this user alone, unless it is there.

    Raises:
        OSError: It cannot be made.
    """
    folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)


def size_bytes(folder: Path) -> int:
    """Return the size of everything in the spool."""
    with os.scandir(folder) as items:
        return sum(item.stat(follow_symlinks=False).st_size for item in items)


def append(path: Path, data: bytes) -> None:
    """Add whole lines to a file, on the disk when this returns, all or none.

    A torn line that a crash left at the end is closed first.

    Raises:
        OSError: The disk is full, or the file is not ours to write.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | _NO_FOLLOW
    is_new = not path.exists()
    descriptor = os.open(path, flags, _FILE_MODE)
    try:
        before_bytes = os.fstat(descriptor).st_size
        try:
            _write(descriptor, _closing(descriptor, before_bytes) + data)
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, before_bytes)
            raise
    finally:
        os.close(descriptor)
    if is_new:
        sync_folder(path.parent)


def _closing(descriptor: int, size: int) -> bytes:
    if size == 0:
        return b""
    os.lseek(descriptor, size - 1, os.SEEK_SET)
    return b"" if os.read(descriptor, 1) == b"\n" else b"\n"


def _write(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def sync_folder(folder: Path) -> None:
    """Put the folder's own entries on the disk, where the system can do that."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def folder_lock(
    folder: Path, sleep_s: Callable[[float], object] = time.sleep
) -> Iterator[None]:
    """Hold the folder's lock among threads and processes.

    Waits for a second at most.

    Raises:
        LockedError: Somebody else held it all that time.
        OSError: The lock's file cannot be made.
    """
    path = folder / _LOCK_NAME
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _NO_FOLLOW, _FILE_MODE)
    try:
        _wait_for(descriptor, sleep_s)
        try:
            yield
        finally:
            unlock(descriptor)
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int, sleep_s: Callable[[float], object]) -> None:
    waited_s = 0.0
    while not try_lock(descriptor):
        if waited_s >= _LOCK_WAIT_S:
            raise LockedError("the spool folder is locked")
        sleep_s(_LOCK_PAUSE_S)
        waited_s += _LOCK_PAUSE_S


def try_lock(descriptor: int) -> bool:
    """Lock an open file unless another holds it; tell whether that was done."""
    if not _has_locks:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def unlock(descriptor: int) -> None:
    """Unlock for all who share the open file, a forked child included."""
    if _has_locks:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
