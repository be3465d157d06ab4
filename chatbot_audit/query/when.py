"""Time phrases to a half-open interval in the analyst's zone; see `phrases`."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from chatbot_audit.errors import WhenError
from chatbot_audit.query.phrases import Span, Viewpoint, read_end, read_span

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND: Final = dt.timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Interval:
    """The time searched: *start* belongs to it, *end* does not.

    Attributes:
        start: An aware datetime in UTC; None is the beginning of time.
        end: The same; None is the end of it.
    """

    start: dt.datetime | None = None
    end: dt.datetime | None = None

    @property
    def since_ms(self) -> int | None:
        """Return the first millisecond since the epoch that belongs to it."""
        return None if self.start is None else _ceil_ms(self.start)

    @property
    def until_ms(self) -> int | None:
        """Return the first millisecond since the epoch that comes after it."""
        return None if self.end is None else _ceil_ms(self.end)


def resolve(
    since: str | None,
    until: str | None = None,
    *,
    now: dt.datetime,
    zone: dt.tzinfo,
) -> Interval:
    """Return the interval that the options ``--since`` and ``--until`` mean.

    A lone *since* that is an interval, such as "last tuesday", is that interval; one
    that is a point, such as "2h", lasts until *now*. With *until* the time runs from
    the start of the one to the end of the other. None given means all time.

    Args:
        since: A phrase, or None.
        until: A phrase, or None.
        now: An aware datetime.
        zone: Whose midnights divide the days.

    Raises:
        WhenError: A phrase cannot be read, or the interval would be empty.
    """
    view = Viewpoint(now.astimezone(dt.UTC), zone)
    if until is None:
        return _since_alone(since, view)
    begun = Span(None, None) if since is None else read_span(since, view)
    ended = read_end(until, begun, view)
    if begun.start and ended.end and begun.start >= ended.end:
        raise WhenError(
            "--until ends before --since begins:"
            f" {describe(Interval(begun.start, ended.end), zone)}"
        )
    return Interval(begun.start, ended.end)


def describe(interval: Interval, zone: dt.tzinfo) -> str:
    """Return *interval* in words, on the analyst's clock and in UTC."""
    start, end = interval.start, interval.end
    if start is None and end is None:
        return "all time"
    local, in_utc = _range(start, end, zone), _range(start, end, dt.UTC)
    return f"{in_utc} UTC" if local == in_utc else f"{local} (UTC: {in_utc})"


def _since_alone(since: str | None, view: Viewpoint) -> Interval:
    if since is None:
        return Interval()
    span = read_span(since, view)
    if not span.is_point:
        if span.start is not None and span.start == span.end:
            raise WhenError("--since names a day that this time zone skipped")
        return Interval(span.start, span.end)
    if span.start is not None and span.start >= view.now:
        raise WhenError("--since lies in the future, and there is no --until")
    return Interval(span.start, view.now)


def _range(start: dt.datetime | None, end: dt.datetime | None, zone: dt.tzinfo) -> str:
    first = "the beginning" if start is None else _moment(start, zone)
    last = "the end" if end is None else _moment(end, zone)
    return f"{first} to {last}"


def _moment(moment: dt.datetime, zone: dt.tzinfo) -> str:
    local = moment.astimezone(zone)
    seconds = ":%S" if local.second or local.microsecond else ""
    return local.strftime(f"%a %Y-%m-%d %H:%M{seconds} %Z").removesuffix(" UTC")


def _ceil_ms(moment: dt.datetime) -> int:
    return -((_EPOCH - moment) // _MILLISECOND)
