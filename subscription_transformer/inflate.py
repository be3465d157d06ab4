"""Take gzip off, with a cap, through every member.

A gzip of 200 KB can hold 200 MB: the cap is held while inflating, not after.
"""

from __future__ import annotations

import zlib
from typing import Any, Final

from subscription_transformer.errors import UndecodableError

_zlib: Any
try:
    from isal import isal_zlib

    _zlib = isal_zlib
except ImportError:  # the standard library does the same, more slowly
    _zlib = zlib

GZIP_MAGIC: Final = b"\x1f\x8b"
# One CloudWatch envelope of 1 MB gzip rarely holds more than 20 MB; ours.
MAX_INFLATED_BYTES: Final = 64 * 1024 * 1024
# Finding where a member ends copies what follows it: with tens of thousands of tiny
# ones a record of 1 MB would take minutes. AWS writes one; glued streams a few.
MAX_MEMBERS_COUNT: Final = 1_000
# zlib's way to say: 32 KiB window, gzip header.
_GZIP_WINDOW_BITS: Final = 31
_ERRORS: Final[tuple[type[Exception], ...]] = (
    zlib.error,
    getattr(_zlib, "error", zlib.error),
)


def inflate(data: bytes, max_bytes: int = MAX_INFLATED_BYTES) -> bytes:
    """Return what *data* holds: all members of a gzip, and a gzip inside a gzip.

    Bytes that are no gzip are returned as they are.

    Raises:
        UndecodableError: Broken or cut off, followed by something else, of too
            many members, or larger than *max_bytes* when inflated.
    """
    once = _inflate_members(data, max_bytes)
    return _inflate_members(once, max_bytes)


def _inflate_members(data: bytes, max_bytes: int) -> bytes:
    if not data.startswith(GZIP_MAGIC):
        return data
    parts: list[bytes] = []
    room_bytes = max_bytes
    rest = data
    while rest:
        if len(parts) == MAX_MEMBERS_COUNT:
            raise UndecodableError("gzip:too_many_members")
        part, rest = _inflate_member(rest, room_bytes)
        room_bytes -= len(part)
        parts.append(part)
        # Zeros may pad a gzip to a block; anything else is another member.
        rest = rest.lstrip(b"\0")
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _inflate_member(data: bytes, room_bytes: int) -> tuple[bytes, bytes]:
    member: Any = _zlib.decompressobj(_GZIP_WINDOW_BITS)
    try:
        part: bytes = member.decompress(data, room_bytes + 1)
    except _ERRORS:
        raise UndecodableError("gzip:broken") from None
    if len(part) > room_bytes:
        raise UndecodableError("gzip:too_large")
    if not member.eof:
        raise UndecodableError("gzip:truncated")
    return part, member.unused_data
