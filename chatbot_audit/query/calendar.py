"""Arithmetic with instants as a zone's wall clock and calendar show them.

Instants are aware datetimes in UTC. Seconds, minutes and hours are counted as they
pass; days, weeks and longer ones as the calendar has them, so that a day may last
23, 24 or 25 hours.
"""

from __future__ import annotations

import calendar
import datetime as dt
from typing import Final

_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3_600}
_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}

UNITS: Final[dict[str, str]] = {
    spelling: unit
    for unit, spellings in {
        "second": "s sec secs second seconds",
        "minute": "m min mins minute minutes",
        "hour": "h hr hrs hour hours",
        "day": "d day days",
        "week": "w wk wks week weeks",
        "month": "mo mon mons month months",
        "quarter": "q qtr quarter quarters",
        "year": "y yr yrs year years",
    }.items()
    for spelling in spellings.split()
}
"""Every spelling of a unit, in lower case, and the unit's name."""


def shift(moment: dt.datetime, count: int, unit: str, zone: dt.tzinfo) -> dt.datetime:
    """Return the instant *count* units later, earlier if negative.

    A day that a month lacks becomes its last one: 31 March less a month is the
    last of February.

    Raises:
        OverflowError: The result lies outside the years 1 to 9999.
        ValueError: The same.
    """
    if unit in _SECONDS:
        return moment + dt.timedelta(seconds=count * _SECONDS[unit])
    wall = moment.astimezone(zone).replace(tzinfo=None)
    if unit in _MONTHS:
        return earliest(_add_months(wall, count * _MONTHS[unit]), zone)
    days = count * (7 if unit == "week" else 1)
    return earliest(wall + dt.timedelta(days=days), zone)


def snap(moment: dt.datetime, unit: str, zone: dt.tzinfo) -> dt.datetime:
    """Return the beginning of the hour, day … that *moment* is in.

    Weeks begin on Monday.
    """
    local = moment.astimezone(zone)
    if unit in _SECONDS:
        # The very hour, also when the clock shows it twice.
        passed = dt.timedelta(
            seconds=local.second if unit != "second" else 0,
            minutes=local.minute if unit == "hour" else 0,
            microseconds=local.microsecond,
        )
        return moment - passed
    return midnight(first_day(local.date(), unit), zone)


def first_day(day: dt.date, unit: str) -> dt.date:
    """Return the first day of the week, month, quarter or year that *day* is in."""
    if unit == "week":
        return day - dt.timedelta(days=day.weekday())
    if unit == "month":
        return day.replace(day=1)
    if unit == "quarter":
        return day.replace(month=day.month - (day.month - 1) % 3, day=1)
    if unit == "year":
        return day.replace(month=1, day=1)
    return day


def midnight(day: dt.date, zone: dt.tzinfo) -> dt.datetime:
    """Return the first instant of *day*, also where midnight is skipped or doubled."""
    return dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC)


def earliest(wall: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    """Return the first instant at which clocks show *wall*.

    A time that the clock skips counts from the hour before the change.
    """
    return min(_readings(wall, zone))


def latest(wall: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    """Return the last instant at which clocks show *wall*."""
    return max(_readings(wall, zone))


def _readings(wall: dt.datetime, zone: dt.tzinfo) -> list[dt.datetime]:
    return [wall.replace(tzinfo=zone, fold=fold).astimezone(dt.UTC) for fold in (0, 1)]


def _add_months(wall: dt.datetime, count: int) -> dt.datetime:
    year, month = divmod(wall.year * 12 + wall.month - 1 + count, 12)
    dt.date(year, 1, 1)  # raises where monthrange would not
    last_day = calendar.monthrange(year, month + 1)[1]
    return wall.replace(year=year, month=month + 1, day=min(wall.day, last_day))
