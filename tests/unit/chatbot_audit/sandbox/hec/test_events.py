"""Reading the body of an HEC request."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot_audit.sandbox.hec.events import (
    MAX_EVENT_BYTES,
    HecFormatError,
    documents_of,
    read_events,
)

GOOD = b'{"time":1795560000.123,"event":{"a":1}}'


@pytest.mark.parametrize("between", [b"", b"\n", b" ", b"\r\n\t ", b"\n\n\n"])
def test_objects_may_stand_back_to_back(between):
    """With white space between or without, every object is an event."""
    body = between + GOOD + between + GOOD + between

    events = read_events(body)

    assert [event.event for event in events] == [{"a": 1}, {"a": 1}]


def test_every_member_is_read():
    """Time in seconds, names, fields and event come as they were sent."""
    value = {
        "time": "1795560000.5",
        "host": "h",
        "source": "s",
        "sourcetype": "t",
        "index": "i",
        "fields": {"a": "1", "b": ["2", "3"]},
        "event": "some text",
    }

    (event,) = read_events(json.dumps(value).encode())

    assert (event.time_s, event.host, event.source) == (1795560000.5, "h", "s")
    assert (event.sourcetype, event.index, event.event) == ("t", "i", "some text")
    assert event.fields == {"a": "1", "b": ["2", "3"]}


def one(**changes):
    value = {"time": 1795560000.123, "event": {"a": 1}} | changes
    return json.dumps({k: v for k, v in value.items() if v is not ...}).encode()


REFUSED = [
    pytest.param(b"", 5, id="empty"),
    pytest.param(b" \n ", 5, id="blank"),
    pytest.param(b"\xff", 6, id="not-utf8"),
    pytest.param(b"[" + GOOD + b"]", 6, id="array"),
    pytest.param(GOOD + b",", 6, id="comma"),
    pytest.param(GOOD[:-1], 6, id="cut"),
    pytest.param(b'"text"', 6, id="text"),
    pytest.param(one(event=...), 12, id="no-event"),
    pytest.param(one(event=None), 12, id="null-event"),
    pytest.param(one(event=""), 13, id="empty-event"),
    pytest.param(one(event=" \n"), 13, id="blank-event"),
    pytest.param(one(event={}), 13, id="event-without-members"),
    pytest.param(one(event=[1]), 6, id="list-event"),
    pytest.param(one(event=1), 6, id="number-event"),
    pytest.param(one(time=...), 6, id="no-time"),
    pytest.param(one(time=None), 6, id="null-time"),
    pytest.param(one(time=1795560000123), 6, id="milliseconds"),
    pytest.param(one(time="1795560000123"), 6, id="milliseconds-text"),
    pytest.param(one(time=100_000_000_000), 6, id="beyond-the-year-5138"),
    pytest.param(one(time=-1), 6, id="before-1970"),
    pytest.param(one(time=True), 6, id="boolean-time"),
    pytest.param(one(time="now"), 6, id="word-time"),
    pytest.param(b'{"time":1.7955e9,"event":"x"}', 6, id="scientific"),
    pytest.param(b'{"time":1795560000E0,"event":"x"}', 6, id="scientific-upper"),
    pytest.param(b'{"time":NaN,"event":"x"}', 6, id="nan-time"),
    pytest.param(b'{"time":1,"event":{"a":NaN}}', 6, id="nan"),
    pytest.param(b'{"time":1,"event":{"a":-Infinity}}', 6, id="infinity"),
    pytest.param(b'{"time":1,"event":{"a":"\\ud83d"}}', 6, id="half-a-character"),
    pytest.param(one(fields={"a": 1}), 15, id="number-field"),
    pytest.param(one(fields={"a": {"b": "c"}}), 15, id="nested-field"),
    pytest.param(one(fields={"a": [1]}), 15, id="number-in-field"),
    pytest.param(one(fields={"a": None}), 15, id="null-field"),
    pytest.param(one(fields=["a"]), 15, id="list-of-fields"),
    pytest.param(one(host=1), 6, id="number-host"),
    pytest.param(one(index=None), 6, id="null-index"),
    pytest.param(one(Event={"a": 1}), 6, id="unknown-key"),
    pytest.param(b'{"a":' * 50_000, 6, id="nested"),
]


@pytest.mark.parametrize(("body", "code"), REFUSED)
def test_what_is_refused_has_its_code(body, code):
    """Each mistake of a sender is refused with HEC's code."""
    with pytest.raises(HecFormatError) as caught:
        read_events(body)

    assert caught.value.code == code


def test_the_first_bad_event_is_numbered():
    """The answer tells the sender which event to take out."""
    with pytest.raises(HecFormatError) as caught:
        read_events(GOOD + GOOD + one(event="") + b"rubbish")

    assert (caught.value.code, caught.value.event_number) == (13, 2)


def test_an_error_says_nothing_of_the_content():
    """The body is content; the error is not."""
    with pytest.raises(HecFormatError) as caught:
        read_events(b'{"canary":"canary","event":"canary"}')

    assert "canary" not in str(caught.value)


def test_a_whole_character_may_be_escaped():
    """A pair of surrogates is one character, and taken."""
    (event,) = read_events(b'{"time":1,"event":"\\ud83d\\ude00"}')

    assert event.event == "\N{GRINNING FACE}"


def test_scientific_notation_inside_an_event_is_its_own_affair():
    """Only HEC's own time is held to a plain number."""
    (event,) = read_events(b'{"time":1,"event":{"time":1e3}}')

    assert event.event == {"time": 1_000.0}


def test_the_size_limit_counts_bytes():
    """An event as large as Splunk takes passes; one byte more does not."""
    frame = len(b'{"time":1,"event":""}')
    text = "é" * ((MAX_EVENT_BYTES - frame) // 2)

    assert read_events(f'{{"time":1,"event":"{text}"}}'.encode())
    with pytest.raises(HecFormatError):
        read_events(f'{{"time":1,"event":"{text}é"}}'.encode())


def test_a_time_is_given_only_where_that_is_asked_for():
    """A collector may set the time of arrival; the pipeline demands the event's."""
    (event,) = read_events(b'{"event":"x"}', now_s=7.0)

    assert event.time_s == 7.0


def test_documents_have_the_index_time():
    """A record becomes a document under its own fields, with `@timestamp`."""
    documents = documents_of(read_events(one(event={"document_id": "d", "a": 1})))

    assert documents == [
        {"@timestamp": "2026-11-24T22:40:00.123Z", "document_id": "d", "a": 1}
    ]


def test_the_two_events_of_one_record_become_one_document():
    """Who asked and what was said meet again, where they had two indexes."""
    body = one(event={"document_id": "d", "who": "bob"}) + one(
        event={"document_id": "d", "text": "hello"}
    )

    (document,) = documents_of(read_events(body))

    assert (document["who"], document["text"]) == ("bob", "hello")


def test_documents_without_an_id_stay_apart():
    """Only a common id says that two events are one record."""
    assert len(documents_of(read_events(one() + one()))) == 2


def test_text_is_kept_as_text():
    """A line that is no record is a document of its own, the same each time."""
    first, again = (documents_of(read_events(one(event="line"))) for _ in range(2))

    assert first == again
    assert first[0]["raw_text"] == "line"
    assert len(first[0]["document_id"]) == 32


@given(
    st.lists(
        st.dictionaries(st.text(), st.text() | st.integers(), min_size=1), min_size=1
    )
)
def test_any_events_come_back_as_they_were(values):
    """Whatever is in the events, back to back they are read as they were written."""
    body = "".join(json.dumps({"time": 1, "event": v}) for v in values)

    assert [event.event for event in read_events(body.encode())] == values
