"""Ids and names: record ids, document ids, log stream names."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from typing import Any, Final

from audit_record.limits import MAX_BOT_NAME_BYTES, MAX_LOG_STREAM_NAME_BYTES
from audit_record.text import clean_text

RandomBits = Callable[[int], int]

_MAX_UUID_TIME_MS: Final = 2**48 - 1
_DOCUMENT_ID_DIGITS: Final = 32
_STREAM_DIGEST_DIGITS: Final = 8
# CloudWatch refuses these two in a stream's name. AWS docs, CreateLogStream.
_STREAM_NAME_TABLE: Final = str.maketrans({":": "_", "*": "_"})
# What a bot is called that has no usable name.
UNKNOWN_BOT_NAME: Final = "unknown"
_NOT_IN_BOT_NAME: Final = r"[^A-Za-z0-9._-]"


def system_random_bits(count: int) -> int:
    """Return an integer of *count* random bits from the operating system.

    As `secrets.randbits`, whose module would load half a dozen others.
    """
    bytes_count = (count + 7) // 8
    return int.from_bytes(os.urandom(bytes_count)) >> (8 * bytes_count - count)


def clean_bot_name(name: Any) -> str:
    """Return *name* with only letters, digits, dots, underscores and dashes.

    Other characters become underscores; 64 bytes at most; "unknown" for nothing.
    """
    text = name if isinstance(name, str) else ""
    return re.sub(_NOT_IN_BOT_NAME, "_", text)[:MAX_BOT_NAME_BYTES] or UNKNOWN_BOT_NAME


def new_record_id(
    now_ms: int | None = None, *, random_bits: RandomBits = system_random_bits
) -> str:
    """Make a UUIDv7 without dashes: 32 hex digits that sort by time.

    Args:
        now_ms: Milliseconds since the epoch; the system's clock by default.
        random_bits: Gives an integer of that many random bits.
    """
    stamp_ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    bounded_ms = min(max(stamp_ms, 0), _MAX_UUID_TIME_MS)
    value = bounded_ms << 80 | 0x7 << 76 | random_bits(12) << 64
    return f"{value | 0b10 << 62 | random_bits(62):032x}"


def new_random_hex(digits: int, *, random_bits: RandomBits = system_random_bits) -> str:
    """Return *digits* random hex digits, for nonces and chain ids."""
    return f"{random_bits(4 * digits):0{digits}x}"


def document_id(
    owner: str,
    log_group: str,
    log_stream: str,
    message: bytes,
    event_ms: int | None = None,
) -> str:
    """Name one log line by where it came from and what it says.

    The same line from the same stream always gets the same id, however often it
    is delivered; a second line that reuses another's `record_id` gets its own.

    Args:
        owner: Account that owns the log group.
        log_group: Name of the log group.
        log_stream: Name of the log stream.
        message: The message's bytes as they stood in CloudWatch.
        event_ms: The event's time, for messages that carry no record id, so
            that two equal lines of plain text stay two.

    Returns:
        32 hex digits: the first 128 bits of SHA-256 over the parts, NUL between.
    """
    import hashlib  # noqa: PLC0415 - slow to load, and a bot starts without it

    digest = hashlib.sha256()
    for part in (owner, log_group, log_stream):
        digest.update(clean_text(part).encode() + b"\0")
    digest.update(message)
    if event_ms is not None:
        digest.update(b"\0%d" % event_ms)
    return digest.hexdigest()[:_DOCUMENT_ID_DIGITS]


def log_stream_name(bot_name: str, session_id: str) -> str:
    """Name the stream of one bot's execution environment.

    Returns:
        ``{bot_name}/{session_id}`` of at most 512 bytes without ``:`` and ``*``.
        A name that had to be changed ends in ``-`` and 8 hex digits of the
        SHA-256 of the one asked for, so that no two sessions share a stream.
    """
    wanted = clean_text(f"{bot_name}/{session_id}")
    name = wanted.translate(_STREAM_NAME_TABLE)
    if name == wanted and len(name.encode()) <= MAX_LOG_STREAM_NAME_BYTES:
        return name
    import hashlib  # noqa: PLC0415 - as above

    digest = hashlib.sha256(wanted.encode()).hexdigest()[:_STREAM_DIGEST_DIGITS]
    room_bytes = MAX_LOG_STREAM_NAME_BYTES - len(digest) - 1
    return name.encode()[:room_bytes].decode(errors="ignore") + f"-{digest}"
