"""The fallback outside Lambda: records wait on disk for the next process."""

from __future__ import annotations

import errno
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from emitter.errors import SinkError
from emitter.sinks.entry import Entry, Refused
from emitter.sinks.spool_files import (
    LockedError,
    append,
    folder_lock,
    make_folder,
    size_bytes,
    spool_line,
    spool_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Room for what CloudWatch misses in an hour of a busy bot; what is older is kept.
DEFAULT_MAX_BYTES: Final = 256 * 1_048_576
_REASONS: Final = {
    errno.ENOSPC: "spool_disk_full",
    errno.EDQUOT: "spool_disk_full",
    errno.EACCES: "spool_forbidden",
    errno.EPERM: "spool_forbidden",
    errno.EROFS: "spool_forbidden",
    errno.ELOOP: "spool_forbidden",
}


class SpoolSink:
    """Appends lines to a file for each stream, on the disk when `write` returns.

    Safe among threads and processes that share a folder; files are readable by
    their owner alone.

    Args:
        folder: Made when first needed.
        max_bytes: Size of the folder from which new records are refused.
        sleep_s: Waits between attempts to get the folder's lock.
    """

    def __init__(
        self,
        folder: str | Path,
        max_bytes: int = DEFAULT_MAX_BYTES,
        sleep_s: Callable[[float], object] = time.sleep,
    ) -> None:
        self.folder = Path(folder)
        self._max_bytes = max_bytes
        self._sleep_s = sleep_s

    def write(self, entry: Entry) -> None:
        """Append one line.

        Raises:
            SinkError: The folder is full, locked for longer than a second, or
                cannot be written; nothing of the line is left in it.
        """
        for refused in self.write_batch([entry]):
            raise SinkError(refused.reason)

    def write_batch(self, entries: Sequence[Entry]) -> list[Refused]:
        """Append lines, of any streams; return those for which there is no room.

        Raises:
            SinkError: As `write`; some may be in the spool nevertheless.
        """
        try:
            return self._append(entries)
        except LockedError:
            raise SinkError("spool_locked") from None
        except OSError as error:
            raise SinkError(_REASONS.get(error.errno or 0, "spool_error")) from None

    def _append(self, entries: Sequence[Entry]) -> list[Refused]:
        make_folder(self.folder)
        with folder_lock(self.folder, self._sleep_s):
            room_bytes = self._max_bytes - size_bytes(self.folder)
            lines: dict[str, list[bytes]] = {}
            refused: list[Refused] = []
            for entry in entries:
                line = spool_line(entry)
                room_bytes -= len(line)
                if room_bytes < 0:
                    refused.append(Refused(entry, "spool_full"))
                else:
                    name = spool_name(entry.log_group, entry.log_stream)
                    lines.setdefault(name, []).append(line)
            for name, of_stream in lines.items():
                append(self.folder / name, b"".join(of_stream))
            return refused
