"""Time phrases; the base is Wednesday 2026-11-25 09:30 in Berlin."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from chatbot_audit.errors import WhenError
from chatbot_audit.query.when import Interval, describe, resolve

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
NOW = dt.datetime(2026, 11, 25, 9, 30, tzinfo=BERLIN)


def local(interval, zone=BERLIN):
    """Return both ends as the wall clock shows them."""
    form = "%Y-%m-%d %H:%M"
    return tuple(
        end and end.astimezone(zone).strftime(form)
        for end in (interval.start, interval.end)
    )


def read(since, until=None, now=NOW, zone=BERLIN):
    return local(resolve(since, until, now=now, zone=zone), zone)


def day(first, last=None):
    after = dt.date.fromisoformat(last or first) + dt.timedelta(days=1)
    return f"{first} 00:00", f"{after} 00:00"


def until_now(start):
    return start, "2026-11-25 09:30"


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        # The table of the specification, then more of each kind.
        pytest.param("last tuesday", day("2026-11-24"), id="last-tuesday"),
        pytest.param("tuesday", day("2026-11-24"), id="tuesday"),
        pytest.param("last week", day("2026-11-16", "2026-11-22"), id="last-week"),
        pytest.param("2h", until_now("2026-11-25 07:30"), id="2h"),
        pytest.param("30m", until_now("2026-11-25 09:00"), id="30m"),
        pytest.param("last 7 days", until_now("2026-11-18 09:30"), id="last-7-days"),
        pytest.param("past 3 days", until_now("2026-11-22 09:30"), id="past-3-days"),
        pytest.param("1w", until_now("2026-11-18 09:30"), id="1w"),
        pytest.param("since friday", until_now("2026-11-20 00:00"), id="since-friday"),
        pytest.param("-7d@d", until_now("2026-11-18 00:00"), id="minus-7d-at-d"),
        pytest.param("now-1d/d", until_now("2026-11-24 00:00"), id="now-1d-slash-d"),
        pytest.param("now-7d/d", until_now("2026-11-18 00:00"), id="now-7d-slash-d"),
        pytest.param("tuesday-1w", day("2026-11-17"), id="tuesday-1w"),
        pytest.param(
            "17 nov 14:00..15:00",
            ("2026-11-17 14:00", "2026-11-17 15:00"),
            id="day-and-times",
        ),
        pytest.param("today", day("2026-11-25"), id="today"),
        pytest.param("yesterday", day("2026-11-24"), id="yesterday"),
        pytest.param(
            "day before yesterday", day("2026-11-23"), id="day-before-yesterday"
        ),
        pytest.param("tomorrow", day("2026-11-26"), id="tomorrow"),
        pytest.param("this week", day("2026-11-23", "2026-11-29"), id="this-week"),
        pytest.param("this month", day("2026-11-01", "2026-11-30"), id="this-month"),
        pytest.param("last month", day("2026-10-01", "2026-10-31"), id="last-month"),
        pytest.param("last day", day("2026-11-24"), id="last-day"),
        pytest.param("last quarter", day("2026-07-01", "2026-09-30"), id="quarter"),
        pytest.param("last year", day("2025-01-01", "2025-12-31"), id="last-year"),
        pytest.param("last hour", until_now("2026-11-25 08:30"), id="last-hour"),
        pytest.param("past week", until_now("2026-11-18 09:30"), id="past-week"),
        pytest.param("last 2 weeks", until_now("2026-11-11 09:30"), id="last-2-weeks"),
        pytest.param("last 3 months", until_now("2026-08-25 09:30"), id="months"),
        pytest.param("previous 1 year", until_now("2025-11-25 09:30"), id="1-year"),
        pytest.param("wednesday", day("2026-11-25"), id="the-day-itself"),
        pytest.param("last wednesday", day("2026-11-18"), id="last-of-the-day-itself"),
        pytest.param("this friday", day("2026-11-27"), id="this-friday"),
        pytest.param("thurs", day("2026-11-19"), id="short-name"),
        pytest.param("on Monday", day("2026-11-23"), id="filler-and-case"),
        pytest.param("tuesday last week", day("2026-11-17"), id="day-of-last-week"),
        pytest.param("last week tuesday", day("2026-11-17"), id="last-weeks-day"),
        pytest.param("friday of this week", day("2026-11-27"), id="day-of-this-week"),
        pytest.param("2 hours ago", until_now("2026-11-25 07:30"), id="hours-ago"),
        pytest.param("an hour ago", until_now("2026-11-25 08:30"), id="an-hour-ago"),
        pytest.param("3 days ago", until_now("2026-11-22 09:30"), id="days-ago"),
        pytest.param("-90m", until_now("2026-11-25 08:00"), id="minus-minutes"),
        pytest.param("-1mon@mon", until_now("2026-10-01 00:00"), id="month-snap"),
        pytest.param("now-1M/M", until_now("2026-10-01 00:00"), id="upper-case-month"),
        pytest.param("@w", until_now("2026-11-23 00:00"), id="week-snap"),
        pytest.param("@w1", until_now("2026-11-23 00:00"), id="week-snap-monday"),
        pytest.param("@w0", until_now("2026-11-22 00:00"), id="week-snap-sunday"),
        pytest.param("@y", until_now("2026-01-01 00:00"), id="year-snap"),
        pytest.param("@h", until_now("2026-11-25 09:00"), id="hour-snap"),
        pytest.param("-d@d+8h", until_now("2026-11-24 08:00"), id="snap-then-shift"),
        pytest.param("2026-11-24", day("2026-11-24"), id="iso-day"),
        pytest.param("2026-11", day("2026-11-01", "2026-11-30"), id="iso-month"),
        pytest.param("2026", day("2026-01-01", "2026-12-31"), id="iso-year"),
        pytest.param("2026-W48", day("2026-11-23", "2026-11-29"), id="iso-week"),
        pytest.param(
            "2026-11-24T15:04:05.123Z", until_now("2026-11-24 16:04"), id="iso-utc"
        ),
        pytest.param(
            "2026-11-24T15:04-0500", until_now("2026-11-24 21:04"), id="iso-offset"
        ),
        pytest.param(
            "2026-11-24 15:04 +05", until_now("2026-11-24 11:04"), id="iso-short-offset"
        ),
        pytest.param("2026-11-24 15:04", until_now("2026-11-24 15:04"), id="iso-local"),
        pytest.param("24.11.2026", day("2026-11-24"), id="dotted"),
        pytest.param("17 nov", day("2026-11-17"), id="day-month"),
        pytest.param("Nov 17th", day("2026-11-17"), id="month-day"),
        pytest.param("17 November 2025", day("2025-11-17"), id="day-month-year"),
        pytest.param("november 17, 2025", day("2025-11-17"), id="month-day-year"),
        pytest.param("26 nov", day("2025-11-26"), id="no-year-means-the-last-one"),
        pytest.param("29 feb", day("2024-02-29"), id="leap-day-means-the-last-one"),
        pytest.param("29 feb 2024", day("2024-02-29"), id="leap-day"),
        pytest.param("in october", day("2026-10-01", "2026-10-31"), id="month"),
        pytest.param("feb 2024", day("2024-02-01", "2024-02-29"), id="leap-month"),
        pytest.param("dec", day("2025-12-01", "2025-12-31"), id="month-to-come"),
        pytest.param("08:00", until_now("2026-11-25 08:00"), id="time"),
        pytest.param("14:00", until_now("2026-11-24 14:00"), id="time-to-come"),
        pytest.param("2 pm yesterday", until_now("2026-11-24 14:00"), id="time-first"),
        pytest.param("tuesday at 12am", until_now("2026-11-24 00:00"), id="12-am"),
        pytest.param("tuesday 12:30pm", until_now("2026-11-24 12:30"), id="12-pm"),
        pytest.param("tuesday 24:00", until_now("2026-11-25 00:00"), id="24-oclock"),
        pytest.param("17 nov..19 nov", day("2026-11-17", "2026-11-19"), id="days"),
        pytest.param("monday to friday", day("2026-11-23", "2026-11-27"), id="to"),
        pytest.param(
            "from monday until tuesday", day("2026-11-23", "2026-11-24"), id="from"
        ),
        pytest.param(
            "28 dec..3 jan", day("2025-12-28", "2026-01-03"), id="across-new-year"
        ),
        pytest.param(
            "17 nov 22:00 .. 02:00",
            ("2026-11-17 22:00", "2026-11-18 02:00"),
            id="across-midnight",
        ),
        pytest.param(
            "yesterday..08:00", ("2026-11-24 00:00", "2026-11-25 08:00"), id="to-time"
        ),
        pytest.param("monday..", until_now("2026-11-23 00:00"), id="open-end"),
        pytest.param("..yesterday", (None, "2026-11-25 00:00"), id="open-start"),
        pytest.param(
            "yesterday \u2013 today", day("2026-11-24", "2026-11-25"), id="dash"
        ),
        pytest.param("yesterday - 1 week", day("2026-11-17"), id="shift-with-spaces"),
        pytest.param("yesterday+1d", day("2026-11-25"), id="shift-ahead"),
        pytest.param(
            "this month-1mon", day("2026-10-01", "2026-10-31"), id="shift-mon"
        ),
        pytest.param("  LAST   TUESDAY ", day("2026-11-24"), id="case-and-space"),
    ],
)
def test_reads_phrases(phrase, expected):
    """A phrase is a half-open interval in the analyst's zone."""
    assert read(phrase) == expected


@pytest.mark.parametrize(
    "phrase",
    [
        *("", "  ", "foo", "tuesdays ago", "next week", "lastweek", "11/24/2026"),
        *(
            "30 feb",
            "29 feb 2025",
            "2026-13-01",
            "2026-11-31",
            "2026-W54",
            "31.11.2026",
        ),
        *("25:00", "14:60", "0 am", "13 pm", "14:00:61", "24:01"),
        *("-3x", "@x", "@d3", "now-", "now now", "2h30", "last 0 days", "last x days"),
        *("a..b", "..", "1..2..3", "tuesday..monday-1w", "yesterday..-3d"),
        *("now", "+2d", "tomorrow 10:00", "2026-11-24T15:04+25:00"),
        *("last 999999 years", "-999999y", "9999-12-31", "0000-01-01", "10000"),
        *("this month 14:00", "last 99999999 days", "tuesday-1x", "week", "last foo"),
        *("\x1b[31m", "\0", "x" * 5_000, "٢h", "\uff11h", "since since friday"),
    ],
    ids=lambda phrase: ascii(phrase)[:24],
)
def test_what_cannot_be_read_is_one_clear_sentence(phrase):
    """The error says what is wrong or expected, harmlessly and shortly."""
    with pytest.raises(WhenError) as caught:
        resolve(phrase, now=NOW, zone=BERLIN)

    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 260


def test_an_unknown_phrase_is_answered_with_examples():
    """The error names what was expected."""
    with pytest.raises(WhenError, match=r'cannot read "foo".*"last tuesday"'):
        resolve("foo", now=NOW, zone=BERLIN)


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        pytest.param(None, None, (None, None), id="all-time"),
        pytest.param(None, "yesterday", (None, "2026-11-25 00:00"), id="until-alone"),
        pytest.param(
            "last tuesday", "today", day("2026-11-24", "2026-11-25"), id="two-days"
        ),
        pytest.param("last tuesday", "now", until_now("2026-11-24 00:00"), id="now"),
        pytest.param("2d", "1d", ("2026-11-23 09:30", "2026-11-24 09:30"), id="points"),
        pytest.param(
            "2d",
            "last hour",
            ("2026-11-23 09:30", "2026-11-25 09:30"),
            id="interval-end",
        ),
        pytest.param(
            "17 nov 14:00", "15:00", ("2026-11-17 14:00", "2026-11-17 15:00"), id="time"
        ),
        pytest.param(
            "last month",
            "tuesday",
            ("2026-10-01 00:00", "2026-11-25 00:00"),
            id="latest-day-if-it-fits",
        ),
        pytest.param("..monday", "today", (None, "2026-11-26 00:00"), id="open-start"),
    ],
)
def test_until_ends_what_since_begins(since, until, expected):
    """The time runs from the start of the one to the end of the other."""
    assert read(since, until) == expected


@pytest.mark.parametrize(
    ("since", "until"), [("today", "last week"), ("1h", "2h"), ("now", "now")]
)
def test_an_interval_that_ends_before_it_begins_is_an_error(since, until):
    """An empty search is not answered with nothing found."""
    with pytest.raises(WhenError, match="ends before"):
        resolve(since, until, now=NOW, zone=BERLIN)


@pytest.mark.parametrize(
    ("zone", "now", "hours"),
    [
        pytest.param(BERLIN, (2026, 3, 30), 23, id="berlin-spring"),
        pytest.param(BERLIN, (2026, 3, 29), 24, id="berlin-day-before"),
        pytest.param(BERLIN, (2026, 10, 26), 25, id="berlin-autumn"),
        pytest.param(NEW_YORK, (2026, 3, 9), 23, id="new-york-spring"),
        pytest.param(NEW_YORK, (2026, 11, 2), 25, id="new-york-autumn"),
        pytest.param(ZoneInfo("Africa/Cairo"), (2026, 4, 25), 23, id="no-midnight"),
        pytest.param(ZoneInfo("America/Havana"), (2026, 11, 2), 25, id="two-midnights"),
        pytest.param(ZoneInfo("Australia/Lord_Howe"), (2026, 4, 6), 24.5, id="half"),
    ],
)
def test_a_day_is_as_long_as_the_clock_makes_it(zone, now, hours):
    """Yesterday has 23, 24 or 25 hours, and no instant of another day."""
    moment = dt.datetime(*now, 9, 30, tzinfo=zone)

    found = resolve("yesterday", now=moment, zone=zone)

    assert (found.end - found.start).total_seconds() == hours * 3_600
    yesterday = moment.date() - dt.timedelta(days=1)
    last = found.end - dt.timedelta(milliseconds=1)
    before = found.start - dt.timedelta(milliseconds=1)
    assert found.start.astimezone(zone).date() == yesterday
    assert last.astimezone(zone).date() == yesterday
    assert before.astimezone(zone).date() == yesterday - dt.timedelta(days=1)


def test_a_day_that_a_zone_skipped_is_an_error():
    """Samoa went from 29 to 31 December 2011: there is nothing to find between."""
    with pytest.raises(WhenError, match="skipped"):
        resolve("2011-12-30", now=NOW, zone=ZoneInfo("Pacific/Apia"))


def test_days_follow_the_calendar_and_hours_the_clock():
    """Across the change one day back is the same clock time, 24 hours are not."""
    now = dt.datetime(2026, 10, 25, 12, tzinfo=BERLIN)

    assert read("1d", now=now)[0] == "2026-10-24 12:00"
    assert read("24h", now=now)[0] == "2026-10-24 13:00"


def test_a_doubled_hour_is_searched_whole():
    """From its first reading to its second one: nothing falls between."""
    now = dt.datetime(2026, 10, 26, 12, tzinfo=BERLIN)

    found = resolve("yesterday 02:00..02:30", now=now, zone=BERLIN)

    assert found.start == dt.datetime(2026, 10, 25, 0, 0, tzinfo=dt.UTC)
    assert found.end == dt.datetime(2026, 10, 25, 1, 30, tzinfo=dt.UTC)


def test_a_skipped_time_is_searched_around():
    """A clock time that did not exist takes in what happened about then."""
    now = dt.datetime(2026, 3, 30, 12, tzinfo=BERLIN)

    found = resolve("yesterday 02:15..02:45", now=now, zone=BERLIN)

    assert found.start <= dt.datetime(2026, 3, 29, 1, tzinfo=dt.UTC) < found.end


def test_a_month_less_from_its_31st_is_its_last_day():
    """31 March less a month is the last of February."""
    now = dt.datetime(2028, 3, 31, 12, tzinfo=BERLIN)

    assert read("-1mon", now=now)[0] == "2028-02-29 12:00"


def test_snapping_in_the_doubled_hour_stays_in_it():
    """@h in the second 02:30 is the second 02:00."""
    now = dt.datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1)

    found = resolve("@h", now=now, zone=BERLIN)

    assert found.start == dt.datetime(2026, 10, 25, 1, tzinfo=dt.UTC)


def test_the_day_is_the_analysts_not_utc():
    """Just after midnight in Berlin it is already the next day."""
    now = dt.datetime(2026, 11, 24, 23, 30, tzinfo=dt.UTC)

    assert read("today", now=now) == day("2026-11-25")
    assert read("today", now=now, zone=NEW_YORK) == day("2026-11-24")


def test_milliseconds_divide_where_the_interval_does():
    """The first millisecond belongs to it, the end's does not."""
    start = dt.datetime(1970, 1, 1, 0, 0, 1, 500, tzinfo=dt.UTC)

    interval = Interval(start, start + dt.timedelta(seconds=1))

    assert (interval.since_ms, interval.until_ms) == (1_001, 2_001)
    assert (Interval().since_ms, Interval().until_ms) == (None, None)


@pytest.mark.parametrize(
    ("since", "zone", "expected"),
    [
        pytest.param(
            "last tuesday",
            BERLIN,
            "Tue 2026-11-24 00:00 CET to Wed 2026-11-25 00:00 CET"
            " (UTC: Mon 2026-11-23 23:00 to Tue 2026-11-24 23:00)",
            id="both-clocks",
        ),
        pytest.param(
            "..yesterday",
            dt.UTC,
            "the beginning to Wed 2026-11-25 00:00 UTC",
            id="utc-once",
        ),
        pytest.param(None, BERLIN, "all time", id="all"),
    ],
)
def test_describes_the_interval_on_both_clocks(since, zone, expected):
    """The analyst sees which time was searched."""
    found = resolve(since, now=NOW, zone=zone)

    assert describe(found, zone) == expected


def test_seconds_are_told_where_they_matter():
    """A point in time is described to the second."""
    found = resolve("2026-11-24T15:04:05Z", now=NOW, zone=dt.UTC)

    assert describe(found, dt.UTC).startswith("Tue 2026-11-24 15:04:05 to ")
