r"""The fallback line: what Lambda ships by itself when CloudWatch's API fails us.

A second subscription carries lines with this marker to the index (see the Terraform
module `bot_access`), so that they arrive without anybody's help. One line, shortened::

    BOT_AUDIT_FALLBACK {"log_group":"/aws/...","log_stream":"Vera/2026/...",
    "line_sha256":"9f2c...","line":"{\"timestamp\":...}"}
"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
from typing import TYPE_CHECKING, Final

from audit_record import limits
from audit_record.codec import decode, dumps, encode
from audit_record.fields import TEXT_FIELDS
from audit_record.shorten import fit
from emitter.errors import SinkError
from emitter.forks import tell_after_fork

if TYPE_CHECKING:
    from emitter.sinks.entry import Entry

MARKER: Final = "BOT_AUDIT_FALLBACK "
# The first cut leaves room for the escapes that a line gets inside a line; each
# further cut halves it. Quotes and backslashes at most double, so that the smallest
# record there is always fits.
_CUTS: Final = tuple(
    max(200_000 >> step, limits.MIN_MAX_RECORD_BYTES) for step in range(4)
)
# Fields that carry content, left out where only metadata may be written.
# People's words stand in titles and file names too.
_CONTENT: Final = (
    *TEXT_FIELDS,
    *("feedback_comment", "attributes", "sources", "attachments"),
)


class StdoutSink:
    """Writes one marked JSON line to the standard output.

    Args:
        with_content: Whether the line holds what was said; without it the record
            keeps who, when and which bot.
    """

    def __init__(self, *, with_content: bool = True) -> None:
        self._with_content = with_content

    def write(self, entry: Entry) -> None:
        """Write one line, whole or not at all.

        Raises:
            SinkError: The output is closed or full.
        """
        line = fallback_line(entry, with_content=self._with_content)
        try:
            # A record waits; whoever is in a hurry leaves it behind on its thread.
            write_line(line, timeout_s=_FOR_EVER)
        except (OSError, ValueError, AttributeError):
            raise SinkError("stdout_closed") from None


def fallback_line(entry: Entry, *, with_content: bool = True) -> str:
    """Return the marked line of at most 250,000 bytes with its newline to come.

    `line_sha256` is of the full line, also where a shortened one is written.
    """
    digest = hashlib.sha256(entry.line).hexdigest()
    line = entry.line if with_content else _metadata(entry.line)
    text = _wrapped(entry, line, digest)
    for max_bytes in _CUTS:
        if len(text) < limits.MAX_FALLBACK_LINE_BYTES:
            break
        line = encode(fit(decode(line), max_bytes))
        text = _wrapped(entry, line, digest)
    return text.decode()


# A pipe that nobody reads keeps whoever writes to it; the next is not to wait for ever.
_LOCK_WAIT_S: Final = 1.0
_FOR_EVER: Final = -1.0


class _Lock:
    """Keeps our own lines apart; a new one in a forked child."""

    def __init__(self) -> None:
        self.begin_anew()
        tell_after_fork(self)

    def begin_anew(self) -> None:
        self.lock = threading.Lock()


_writing: Final = _Lock()


def write_line(line: str, *, timeout_s: float = _LOCK_WAIT_S) -> None:
    """Write a line to the standard output in one piece, after what waits there.

    Goes to the file itself, so that nothing another thread prints gets between;
    where the output is no file, as in tests, it is written as text.

    Args:
        line: Without its newline.
        timeout_s: What another thread's line is waited for; negative is for ever.

    Raises:
        OSError: The output is closed or full, or keeps another thread.
        ValueError: The same, of a closed text stream.
        AttributeError: There is no standard output.
    """
    lock = _writing.lock
    if not lock.acquire(timeout=timeout_s):
        raise OSError("another thread is kept by the standard output")
    try:
        _write_line(line)
    finally:
        lock.release()


def _write_line(line: str) -> None:
    sys.stdout.flush()
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError, AttributeError):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
        return
    rest = memoryview(line.encode() + b"\n")
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _wrapped(entry: Entry, line: bytes, digest: str) -> bytes:
    parts = {
        "log_group": entry.log_group,
        "log_stream": entry.log_stream,
        "line_sha256": digest,
        "line": line.decode(),
    }
    return MARKER.encode() + dumps(parts)


def _metadata(line: bytes) -> bytes:
    record = decode(line)
    blank = dict.fromkeys(TEXT_FIELDS, "")
    return encode(record.replace(**dict.fromkeys(_CONTENT)).replace(**blank))
