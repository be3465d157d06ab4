"""The grammar of time phrases.

::

    2h · 30m ago · -7d@d · now-1d/d · 17 nov 14:00        a point in time
    last tuesday · 2026-11-24 · last 7 days · this week   an interval
    since friday · 17 nov 14:00..15:00 · 17 nov..19 nov   an interval
    tuesday-1w                                            any of them, shifted

A day is the analyst's own day, from midnight to midnight of the zone.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from chatbot_audit.errors import WhenError
from chatbot_audit.query.calendar import UNITS, earliest, latest, midnight, shift, snap
from chatbot_audit.query.clock_time import ClockTime, read_clock_time
from chatbot_audit.query.days import Reference, read_days

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_PHRASE_CHARS: Final = 200
_SHOWN_CHARS: Final = 60
_DAYS_OF_WEEK_COUNT: Final = 7

_RANGE: Final = re.compile(
    "(.*?) ?(?:\\.\\.+|\u2026|\u2013|\u2014| to | until ) ?(.*)", re.IGNORECASE
)
_SINCE: Final = re.compile(r"(?:since|from) (.+)", re.IGNORECASE)
_FILLER: Final = re.compile(r"(?:(?:on|in|at|during|the) )+", re.IGNORECASE)
_MATH: Final = re.compile(
    r"(?:now)?((?:[+-]\d{0,6}[a-z]+|[@/][a-z]+[0-7]?)*)", re.ASCII | re.IGNORECASE
)
_STEP: Final = re.compile(
    r"([+-])(\d{0,6})([a-z]+)|[@/]([a-z]+)([0-7]?)", re.ASCII | re.IGNORECASE
)
_AGO: Final = re.compile(r"(\d{1,6}|an?|one) ?([a-z]+)(?: ago)?", re.ASCII)
_LAST: Final = re.compile(r"(?:last|past|previous) (\d{1,6}) ?([a-z]+)", re.ASCII)
_PAST: Final = re.compile(
    r"past ([a-z]+)|(?:last|previous) (hour|minute|second)", re.ASCII
)
_SHIFTED: Final = re.compile(r"(.+?) ?((?: ?[+-] ?\d{1,6} ?[a-z]+)+)", re.ASCII)
_OFFSET: Final = re.compile(r"([+-]) ?(\d{1,6}) ?([a-z]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Span:
    """What a phrase means; None stands for all time on that side.

    A point has both ends at the same clock time. They differ in the hour that comes
    twice when summer ends: the first reading begins, the second one ends.
    """

    start: dt.datetime | None
    end: dt.datetime | None
    is_point: bool = False
    has_clock_time: bool = False


@dataclass(frozen=True, slots=True)
class Viewpoint:
    """When and where a phrase is said.

    Attributes:
        now: The instant, in UTC.
        zone: The analyst's zone.
        begun: For the end of a range: what its beginning was read as.
        is_ahead: For the end of a range: whether an open year or week is to be
            read as the next one from the beginning on.
    """

    now: dt.datetime
    zone: dt.tzinfo
    begun: Span | None = None
    is_ahead: bool = False

    @property
    def reference(self) -> Reference:
        """Return the days that names of days are relative to."""
        return Reference(
            self._day(self.now),
            self._day(self.begun.start)
            if self.is_ahead and self.begun and self.begun.start
            else None,
        )

    def days_for_clock_time(self) -> tuple[dt.date, bool]:
        """Return the day that a time alone belongs to, and whether it may be past.

        ``14:00..15:00`` ends on the day it began; a time said by itself is today's.
        """
        if self.begun and self.begun.start and self.begun.has_clock_time:
            return self._day(self.begun.start), False
        return self._day(self.now), True

    def _day(self, moment: dt.datetime) -> dt.date:
        return moment.astimezone(self.zone).date()


def read_span(phrase: str, view: Viewpoint) -> Span:
    """Return what *phrase* means, as seen from *view*.

    Raises:
        WhenError: It is no phrase of the grammar, or means no time at all.
    """
    text = " ".join(phrase.split())
    if not text or len(text) > MAX_PHRASE_CHARS:
        raise _unreadable(text)
    try:
        return _read_range(text, view) or _read_since(text, view) or _read(text, view)
    except WhenError:
        raise
    except (ValueError, OverflowError) as error:
        raise WhenError(f'"{_shown(text)}" is not in the calendar') from error


def read_end(phrase: str, begun: Span, view: Viewpoint) -> Span:
    """Return what *phrase* means as the end of what has *begun*.

    A year or week left open is the last one up to now, unless that lies before the
    beginning: then it is the next one.

    Raises:
        WhenError: As `read_span`.
    """
    seen = replace(view, begun=begun)
    span = read_span(phrase, seen)
    if span.end and begun.start and span.end <= begun.start:
        return read_span(phrase, replace(seen, is_ahead=True))
    return span


def _read(text: str, view: Viewpoint) -> Span:
    text = _FILLER.sub("", text, count=1) if _FILLER.match(text) else text
    for reader in _READERS:
        span = reader(text, view)
        if span is not None:
            return span
    raise _unreadable(text)


def _read_range(text: str, view: Viewpoint) -> Span | None:
    match = _RANGE.fullmatch(text)
    if match is None:
        return None
    left, right = match.groups()
    if not (left or right) or _RANGE.fullmatch(right):
        raise _unreadable(text)
    begun = read_span(left, view) if left else Span(None, None)
    if not right:
        return Span(begun.start, view.now)
    ended = read_end(right, begun, view)
    if begun.start and ended.end and begun.start >= ended.end:
        raise WhenError(f'"{_shown(text)}" ends before it begins')
    return Span(begun.start, ended.end)


def _read_since(text: str, view: Viewpoint) -> Span | None:
    match = _SINCE.fullmatch(text)
    return Span(_read(match[1], view).start, view.now) if match else None


def _math(text: str, view: Viewpoint) -> Span | None:
    """Read ``-7d@d``, ``now-1d/d``, ``@w1``: the date math of Splunk and Lucene.

    An upper-case M is a month, as in Lucene; weeks begin on Monday, ``@w0`` on Sunday.
    """
    if _MATH.fullmatch(text) is None:
        return None
    moment = view.now
    for sign, count, unit, snapped, weekday in _STEP.findall(text):
        if snapped:
            moment = _snap_to(moment, _unit(snapped), weekday, view.zone)
        else:
            moment = shift(moment, int(sign + (count or "1")), _unit(unit), view.zone)
    return Span(moment, moment, is_point=True)


def _snap_to(
    moment: dt.datetime, unit: str, weekday: str, zone: dt.tzinfo
) -> dt.datetime:
    if not weekday:
        return snap(moment, unit, zone)
    if unit != "week":
        raise WhenError("only a week is snapped to a numbered day, as in @w1")
    day = moment.astimezone(zone).date()
    back = (day.isoweekday() - int(weekday)) % _DAYS_OF_WEEK_COUNT
    return midnight(day - dt.timedelta(days=back), zone)


def _ago(text: str, view: Viewpoint) -> Span | None:
    match = _AGO.fullmatch(text.lower())
    if match is None or match[2] not in UNITS:
        return None
    count = int(match[1]) if match[1].isdigit() else 1
    moment = shift(view.now, -count, UNITS[match[2]], view.zone)
    return Span(moment, moment, is_point=True)


def _rolling(text: str, view: Viewpoint) -> Span | None:
    match = _LAST.fullmatch(text.lower())
    if match is not None:
        count, unit = int(match[1]), match[2]
    else:
        match = _PAST.fullmatch(text.lower())
        count, unit = 1, (match[1] or match[2]) if match else ""
    if unit not in UNITS:
        return None
    if count == 0:
        raise WhenError(f'"{_shown(text)}" means no time at all')
    return Span(shift(view.now, -count, UNITS[unit], view.zone), view.now)


def _days(text: str, view: Viewpoint) -> Span | None:
    days = read_days(text.lower(), view.reference)
    if days is None:
        return None
    first, after = days
    return Span(midnight(first, view.zone), midnight(after, view.zone))


def _moment(text: str, view: Viewpoint) -> Span | None:
    found = read_clock_time(text.lower())
    if found is None:
        return None
    day_text, time = found
    if not day_text:
        return _time_alone(time, view)
    days = read_days(_FILLER.sub("", day_text, count=1), view.reference)
    if days is None or days[1] - days[0] != dt.timedelta(days=1):
        return None
    return _at(days[0], time, view.zone)


def _time_alone(time: ClockTime, view: Viewpoint) -> Span:
    day, may_be_past = view.days_for_clock_time()
    span = _at(day, time, view.zone)
    if may_be_past:
        is_to_come = span.start is not None and span.start > view.now
        return _at(day - dt.timedelta(days=1), time, view.zone) if is_to_come else span
    begun = view.begun.start if view.begun else None
    if begun and span.end and span.end <= begun:
        return _at(day + dt.timedelta(days=1), time, view.zone)
    return span


def _at(day: dt.date, time: ClockTime, zone: dt.tzinfo) -> Span:
    wall = dt.datetime.combine(day, dt.time()) + time.since_midnight
    place = time.zone or zone
    return Span(
        earliest(wall, place), latest(wall, place), is_point=True, has_clock_time=True
    )


def _shifted(text: str, view: Viewpoint) -> Span | None:
    match = _SHIFTED.fullmatch(text.lower())
    if match is None:
        return None
    span = _read_unshifted(match[1], view)
    for sign, count, unit in _OFFSET.findall(match[2]):
        if span is None or unit not in UNITS:
            return None
        span = _moved(span, int(sign + count), UNITS[unit], view.zone)
    return span


def _read_unshifted(text: str, view: Viewpoint) -> Span | None:
    found = (reader(text, view) for reader in _READERS if reader is not _shifted)
    return next((span for span in found if span is not None), None)


def _moved(span: Span, count: int, unit: str, zone: dt.tzinfo) -> Span:
    return replace(
        span,
        start=span.start and shift(span.start, count, unit, zone),
        end=span.end and shift(span.end, count, unit, zone),
    )


def _unit(spelling: str) -> str:
    unit = "month" if spelling == "M" else UNITS.get(spelling.lower())
    if unit is None:
        raise WhenError(
            f'"{_shown(spelling)}" is no unit of time; expected s, m, h, d, w, mon or y'
        )
    return unit


def _unreadable(text: str) -> WhenError:
    return WhenError(
        f'cannot read "{_shown(text)}" as a time; expected something like'
        ' "last tuesday", "last 7 days", "2h", "-7d@d", "2026-11-24" or'
        ' "17 nov 14:00..15:00"'
    )


def _shown(text: str) -> str:
    shown = text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 1] + "…"
    return "".join(c if c.isprintable() else "�" for c in shown)


_READERS: Final[tuple[Callable[[str, Viewpoint], Span | None], ...]] = (
    _math,
    _ago,
    _rolling,
    _days,
    _moment,
    _shifted,
)
