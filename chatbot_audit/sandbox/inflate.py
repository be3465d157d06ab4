"""Undo gzip with a bound, so that a bomb is an error and not the end of memory."""

from __future__ import annotations

import zlib
from typing import Final

GZIP_MAGIC: Final = b"\x1f\x8b"
# Window bits that make zlib expect a gzip header and trailer.
_GZIP_WINDOW_BITS: Final = 31


def gunzip(data: bytes, max_bytes: int) -> bytes:
    """Return what the gzip members of *data* hold, one after the other.

    Raises:
        ValueError: Broken, cut short, followed by something else, or over
            *max_bytes*.
    """
    parts: list[bytes] = []
    left = max_bytes
    while data:
        inflater = zlib.decompressobj(wbits=_GZIP_WINDOW_BITS)
        try:
            part = inflater.decompress(data, left + 1)
        except zlib.error:
            raise ValueError("the gzip is broken") from None
        if len(part) > left:
            raise ValueError(f"the gzip holds more than {max_bytes} bytes")
        if not inflater.eof:
            raise ValueError("the gzip is cut short")
        parts.append(part)
        left -= len(part)
        data = inflater.unused_data
    return b"".join(parts)
