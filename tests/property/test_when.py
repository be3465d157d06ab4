"""Time phrases: any text, any zone, any moment."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from hypothesis import assume, given
from hypothesis import strategies as st

from chatbot_audit.errors import WhenError
from chatbot_audit.query.calendar import UNITS
from chatbot_audit.query.when import resolve

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Havana",
    "Africa/Cairo",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
)
zones = st.sampled_from(ZONES).map(ZoneInfo)
moments = st.datetimes(
    dt.datetime.fromisoformat("2001-01-01"),
    dt.datetime.fromisoformat("2037-12-31"),
    timezones=st.just(dt.UTC),
)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WORDS = (
    *("last", "past", "this", "since", "tuesday", "mon", "week", "month", "day"),
    *("now", "today", "17", "nov", "feb", "29", "2026-11-24", "14:00", "2 pm", "@w1"),
    *("-7d", "@d", "/d", "..", "to", "ago", "2h", "-1w", "+1mon", "Z", "+01:00", "30"),
)


@given(phrase=st.text(max_size=40), now=moments, zone=zones)
def test_any_text_is_an_interval_or_a_clear_error(phrase, now, zone):
    """Nothing else comes out, whatever is typed."""
    try:
        found = resolve(phrase, now=now, zone=zone)
    except WhenError as error:
        assert str(error).isprintable()  # noqa: PT017 - one of two good ends
    else:
        assert found.start is None or found.end is None or found.start < found.end


@given(
    words=st.lists(st.sampled_from(WORDS), min_size=1, max_size=5),
    glue=st.sampled_from(["", " "]),
    now=moments,
    zone=zones,
)
def test_any_words_of_the_grammar_are_an_interval_or_a_clear_error(
    words, glue, now, zone
):
    """Nonsense made of real words ends well too, and never in an empty interval."""
    try:
        found = resolve(glue.join(words), now=now, zone=zone)
    except WhenError:
        return
    assert found.start is not None or found.end is not None
    if found.start and found.end:
        assert found.start < found.end
        assert found.since_ms <= found.until_ms


@given(now=moments, zone=zones, days=st.integers(0, 400))
def test_a_date_is_exactly_the_instants_of_that_local_day(now, zone, days):
    """Its first and last millisecond are of that day, their neighbours are not."""
    day = (now.astimezone(zone) - dt.timedelta(days=days)).date()
    # Samoa had no 30 December 2011: there is nothing to find on it.
    noon = dt.datetime.combine(day, dt.time(12), zone)
    assume(noon.astimezone(dt.UTC).astimezone(zone).date() == day)
    tick = dt.timedelta(milliseconds=1)

    found = resolve(day.isoformat(), now=now, zone=zone)

    assert found.start.astimezone(zone).date() == day
    assert (found.end - tick).astimezone(zone).date() == day
    assert (found.start - tick).astimezone(zone).date() < day
    assert found.end.astimezone(zone).date() > day


@given(now=moments, zone=zones)
def test_yesterday_and_today_touch(now, zone):
    """No instant is in both, none between."""
    yesterday = resolve("yesterday", now=now, zone=zone)
    today = resolve("today", now=now, zone=zone)

    assert yesterday.end == today.start
    assert today.start <= now < today.end


@given(
    count=st.integers(1, 500),
    unit=st.sampled_from(sorted(UNITS)),
    now=moments,
    zone=zones,
)
def test_every_way_to_say_a_time_span_means_the_same(count, unit, now, zone):
    """`last 3 days`, `3d`, `3 days ago` and `-3d` begin at one instant."""
    forms = (f"last {count} {unit}", f"{count}{unit}", f"{count} {unit} ago")

    starts = {resolve(form, now=now, zone=zone).start for form in forms}
    starts.add(resolve(f"-{count}{unit}", now=now, zone=zone).start)

    assert len(starts) == 1
    assert starts.pop() < now


@given(now=moments, zone=zones, name=st.sampled_from(WEEKDAYS))
def test_a_weekday_is_the_last_one_up_to_today(now, zone, name):
    """It is never ahead and never more than six days back."""
    # Samoa once went without a Friday.
    assume(zone.key != "Pacific/Apia")

    found = resolve(name, now=now, zone=zone)

    day = found.start.astimezone(zone).date()
    assert day.strftime("%a").lower() == name
    assert 0 <= (now.astimezone(zone).date() - day).days <= 6
