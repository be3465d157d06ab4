"""Timestamps: milliseconds since the epoch to RFC 3339 and back."""

from __future__ import annotations

import datetime as dt
from typing import Final

from audit_record.fields import TIMESTAMP_PATTERN

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND: Final = dt.timedelta(milliseconds=1)
# Years 1970 to 9999: what the fixed-width format can say.
MAX_TIMESTAMP_MS: Final = 253_402_300_799_999


def format_timestamp(epoch_ms: int) -> str:
    """Write *epoch_ms* as ``2026-11-24T15:04:05.123Z``.

    Args:
        epoch_ms: Milliseconds since 1970-01-01T00:00:00Z; what lies outside
            the years 1970 to 9999 becomes the nearest instant inside.
    """
    bounded_ms = min(max(epoch_ms, 0), MAX_TIMESTAMP_MS)
    moment = _EPOCH + dt.timedelta(milliseconds=bounded_ms)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{bounded_ms % 1_000:03d}Z"


def parse_timestamp_ms(text: str) -> int:
    """Read a timestamp of the record's own format into milliseconds.

    Raises:
        ValueError: *text* is not an instant in that format; the message does
            not repeat it.
    """
    if TIMESTAMP_PATTERN.fullmatch(text) is None:
        raise ValueError("not a timestamp like 2026-11-24T15:04:05.123Z")
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("not a day of the calendar") from None
    return (moment - _EPOCH) // _MILLISECOND
