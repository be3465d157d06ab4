"""Read the names of days and longer periods: ``last tuesday``, ``17 nov``, ``2026-11``.

Every reader takes a phrase in lower case with single spaces and returns the first day
and the day after the last one, or None if the phrase is not of its kind.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from chatbot_audit.query.calendar import UNITS, first_day

if TYPE_CHECKING:
    from collections.abc import Callable

Days = tuple[dt.date, dt.date]

_ONE_DAY: Final = dt.timedelta(days=1)
_WEEK: Final = dt.timedelta(days=7)
_WEEKDAYS: Final = {
    spelling: number
    for number, spellings in enumerate(
        (
            "mon monday",
            "tue tues tuesday",
            "wed weds wednesday",
            "thu thur thurs thursday",  # codespell:ignore thur
            "fri friday",
            "sat saturday",
            "sun sunday",
        )
    )
    for spelling in spellings.split()
}
_MONTHS: Final = {
    spelling: number
    for number, spellings in enumerate(
        (
            "jan january",
            "feb february",
            "mar march",
            "apr april",
            "may",
            "jun june",
            "jul july",
            "aug august",
            "sep sept september",
            "oct october",
            "nov november",
            "dec december",
        ),
        start=1,
    )
    for spelling in spellings.split()
}
_NAMED_DAYS: Final = {
    "today": 0,
    "yesterday": -1,
    "day before yesterday": -2,
    "the day before yesterday": -2,
    "tomorrow": 1,
}
_THIS: Final = ("this", "current")
_LAST: Final = ("last", "previous", "past")
_MONTH: Final = "|".join(_MONTHS)
_ORDINAL: Final = "st|nd|rd|th"  # codespell:ignore nd
_DAY_FIRST: Final = re.compile(
    rf"(?P<day>\d{{1,2}})(?:{_ORDINAL}|\.)? (?:of )?(?P<month>{_MONTH})\.?"
    r"(?:,? (?P<year>\d{4}))?",
    re.ASCII,
)
_MONTH_FIRST: Final = re.compile(
    rf"(?P<month>{_MONTH})\.? (?P<day>\d{{1,2}})(?:{_ORDINAL})?"
    r"(?:,? (?P<year>\d{4}))?",
    re.ASCII,
)
_OF_WEEK: Final = re.compile(
    r"(?:(?P<before>[a-z]+) (?:of )?)?(?P<week>[a-z]+ week)(?: (?P<after>[a-z]+))?"
)
_WHOLE_MONTH: Final = re.compile(
    rf"(?P<month>{_MONTH})(?: (?P<year>\d{{4}}))?", re.ASCII
)
_ISO: Final = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?", re.ASCII)
_ISO_WEEK: Final = re.compile(r"(\d{4})-?w(\d\d)", re.ASCII)
_DOTTED: Final = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", re.ASCII)
_LEAP_CYCLE_YEARS: Final = 8  # 29 February is at most eight years away


@dataclass(frozen=True, slots=True)
class Reference:
    """What a phrase is seen from.

    Attributes:
        today: The day on which it is said.
        not_before: For the end of a range: its first day. A phrase that leaves the
            year or the week open then means the first such day from there on;
            otherwise the last one up to today.
    """

    today: dt.date
    not_before: dt.date | None = None


def read_days(phrase: str, reference: Reference) -> Days | None:
    """Return the days that *phrase* names; None if it names none.

    Raises:
        ValueError: It names a day that does not exist, such as 30 February.
    """
    for reader in _READERS:
        days = reader(phrase, reference)
        if days is not None:
            return days
    return None


def _one(day: dt.date) -> Days:
    return day, day + _ONE_DAY


def _named(phrase: str, reference: Reference) -> Days | None:
    offset = _NAMED_DAYS.get(phrase)
    if offset is None:
        return None
    return _one(reference.today + dt.timedelta(days=offset))


def _weekday(phrase: str, reference: Reference) -> Days | None:
    before, _, name = phrase.rpartition(" ")
    number = _WEEKDAYS.get(name)
    if number is None:
        return None
    today = reference.today
    latest = today - dt.timedelta(days=(today.weekday() - number) % 7)
    if before in _LAST:
        return _one(latest - _WEEK if latest == today else latest)
    if before in _THIS:
        return _one(first_day(today, "week") + dt.timedelta(days=number))
    if before:
        return None
    if reference.not_before is None:
        return _one(latest)
    ahead = (number - reference.not_before.weekday()) % 7
    return _one(reference.not_before + dt.timedelta(days=ahead))


def _weekday_of_week(phrase: str, reference: Reference) -> Days | None:
    """Read ``tuesday last week`` and ``last week tuesday``."""
    match = _OF_WEEK.fullmatch(phrase)
    if match is None:
        return None
    name = match["before"] or match["after"] or ""
    week = _this_or_last(match["week"], reference)
    if week is None or name not in _WEEKDAYS:
        return None
    return _one(week[0] + dt.timedelta(days=_WEEKDAYS[name]))


def _this_or_last(phrase: str, reference: Reference) -> Days | None:
    """Read ``this week``, ``last month``: a whole period of the calendar."""
    which, _, spelling = phrase.partition(" ")
    unit = UNITS.get(spelling)
    if unit in {None, "second", "minute", "hour"} or which not in (*_THIS, *_LAST):
        return None
    first = first_day(reference.today, str(unit))
    if which in _LAST:
        first = first_day(first - _ONE_DAY, str(unit))
    return first, _after(first, str(unit))


def _day_and_month(phrase: str, reference: Reference) -> Days | None:
    match = _DAY_FIRST.fullmatch(phrase) or _MONTH_FIRST.fullmatch(phrase)
    if match is None:
        return None
    month, day = _MONTHS[match["month"]], int(match["day"])
    if match["year"]:
        return _one(dt.date(int(match["year"]), month, day))
    return _one(_nearest(lambda year: dt.date(year, month, day), reference))


def _whole_month(phrase: str, reference: Reference) -> Days | None:
    match = _WHOLE_MONTH.fullmatch(phrase)
    if match is None:
        return None
    month = _MONTHS[match["month"]]
    if match["year"]:
        first = dt.date(int(match["year"]), month, 1)
    else:
        first = _nearest(lambda year: dt.date(year, month, 1), reference)
    return first, _after(first, "month")


def _iso(phrase: str, _: Reference) -> Days | None:
    match = _ISO.fullmatch(phrase)
    if match is None:
        return None
    year, month, day = match.groups()
    first = dt.date(int(year), int(month or 1), int(day or 1))
    if day:
        return _one(first)
    return first, _after(first, "month" if month else "year")


def _iso_week(phrase: str, _: Reference) -> Days | None:
    match = _ISO_WEEK.fullmatch(phrase)
    if match is None:
        return None
    first = dt.date.fromisocalendar(int(match[1]), int(match[2]), 1)
    return first, first + _WEEK


def _dotted(phrase: str, _: Reference) -> Days | None:
    """Read ``24.11.2026``; with slashes it would be another day in America."""
    match = _DOTTED.fullmatch(phrase)
    if match is None:
        return None
    return _one(dt.date(int(match[3]), int(match[2]), int(match[1])))


def _after(first: dt.date, unit: str) -> dt.date:
    """Return the first day of the period that follows the one of *first*."""
    longest = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}[unit]
    return first_day(first + dt.timedelta(days=longest), unit)


def _nearest(make: Callable[[int], dt.date], reference: Reference) -> dt.date:
    """Return the day of the year, past or to come, that *reference* asks for."""
    anchor = reference.not_before or reference.today
    step = 1 if reference.not_before else -1
    for distance in range(_LEAP_CYCLE_YEARS + 1):
        try:
            day = make(anchor.year + step * distance)
        except ValueError:
            continue
        if (day - anchor).days * step >= 0:
            return day
    raise ValueError("no such day")


_READERS: Final[tuple[Callable[[str, Reference], Days | None], ...]] = (
    _named,
    _weekday,
    _weekday_of_week,
    _this_or_last,
    _day_and_month,
    _whole_month,
    _iso,
    _iso_week,
    _dotted,
)
