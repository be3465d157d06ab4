"""Find a time of day in a phrase: ``14:00``, ``2 pm``, ``15:04:05.123Z``."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Final

_HALF_DAY_HOURS: Final = 12
_LAST_OF_SIXTY: Final = 59
_DAY: Final = dt.timedelta(days=1)
_TIME: Final = r"""
    (?: (?P<hour>\d{1,2}) : (?P<minute>\d\d)
        (?: : (?P<second>\d\d) (?: [.,] (?P<fraction>\d{1,6}) \d* )? )?
        (?: \ ? (?P<half>[ap]m) )?
      | (?P<hour_alone>\d{1,2}) \ ? (?P<half_alone>[ap]m)
    )
    (?: \ ? (?P<zone> z | utc | [+-]\d\d (?: :? \d\d )? ) )?
"""
_TIME_LAST: Final = re.compile(
    rf"(?: (?P<day>.+?) (?: \ at\ | \ | t ) )? {_TIME}", re.ASCII | re.VERBOSE
)
_TIME_FIRST: Final = re.compile(rf"{_TIME} \ (?P<day>.+)", re.ASCII | re.VERBOSE)


@dataclass(frozen=True, slots=True)
class ClockTime:
    """A time of day.

    Attributes:
        since_midnight: What a clock shows, 24:00 included.
        zone: The fixed offset given with it, if any.
    """

    since_midnight: dt.timedelta
    zone: dt.timezone | None


def read_clock_time(phrase: str) -> tuple[str, ClockTime] | None:
    """Return the rest of *phrase*, which names the day or is empty, and its time.

    Args:
        phrase: In lower case, with single spaces.

    Raises:
        ValueError: There is a time, and no clock shows it, such as 25:00.
    """
    match = _TIME_LAST.fullmatch(phrase) or _TIME_FIRST.fullmatch(phrase)
    if match is None:
        return None
    return match["day"] or "", ClockTime(_since_midnight(match), _zone(match["zone"]))


def _since_midnight(match: re.Match[str]) -> dt.timedelta:
    hour = int(match["hour"] or match["hour_alone"])
    half = match["half"] or match["half_alone"]
    if half:
        if not 1 <= hour <= _HALF_DAY_HOURS:
            raise ValueError("no such hour")
        hour = hour % _HALF_DAY_HOURS + (_HALF_DAY_HOURS if half == "pm" else 0)
    time = dt.timedelta(
        hours=hour,
        minutes=_below_sixty(match["minute"]),
        seconds=_below_sixty(match["second"]),
        microseconds=int((match["fraction"] or "0").ljust(6, "0")),
    )
    if time > _DAY:
        raise ValueError("no such hour")
    return time


def _below_sixty(digits: str | None) -> int:
    number = int(digits or 0)
    if number > _LAST_OF_SIXTY:
        raise ValueError("no such minute or second")
    return number


def _zone(text: str | None) -> dt.timezone | None:
    if text is None:
        return None
    if text in {"z", "utc"}:
        return dt.UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = dt.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return dt.timezone(-offset if text[0] == "-" else offset)
