"""What the collector does with a request."""

from __future__ import annotations

import json

import pytest

from chatbot_audit.sandbox.clock import DrivenClock
from chatbot_audit.sandbox.faults import HecFaults
from chatbot_audit.sandbox.hec import acks
from chatbot_audit.sandbox.hec.collector import Collector, HecError, HecToken
from tests.unit.chatbot_audit.sandbox.rig import MemoryStore

CHANNEL = "11111111-2222-4333-8444-555555555555"
TOKEN = "00000000-0000-4000-8000-000000000000"


def event(**changes):
    value = {"time": 1795560000, "event": {"document_id": "d"}} | changes
    return json.dumps(value).encode()


@pytest.fixture
def store():
    return MemoryStore()


def make(store, **token):
    return Collector(store, HecToken(TOKEN, **token), HecFaults(), DrivenClock())


def code_of(call, *arguments):
    with pytest.raises(HecError) as caught:
        call(*arguments)
    return caught.value.code, caught.value.event_number


@pytest.mark.parametrize(
    ("authorization", "query", "code"),
    [
        (None, {}, 2),
        ("", {}, 2),
        (None, {"token": TOKEN}, 16),
        ("Bearer x", {}, 3),
        ("Splunk", {}, 3),
        ("Splunk ", {}, 3),
        (TOKEN, {}, 3),
        ("Splunk another", {}, 4),
    ],
)
def test_a_request_without_the_token_is_refused(store, authorization, query, code):
    """Only the header counts, and only with the token that is known."""
    assert code_of(make(store).check_token, authorization, query) == (code, None)


def test_the_token_is_taken(store):
    """The scheme's case does not matter."""
    make(store).check_token(f"splunk {TOKEN}", {})


def test_a_disabled_token_is_refused(store):
    """Known but switched off is a code of its own."""
    collector = make(store, is_enabled=False)

    assert code_of(collector.check_token, f"Splunk {TOKEN}", {}) == (1, None)


def test_a_channel_is_demanded_with_acknowledgement(store):
    """Missing is one code, no GUID another; a GUID in any case is the same."""
    collector = make(store)

    assert code_of(collector.check_channel, "")[0] == 10
    assert code_of(collector.check_channel, "my channel")[0] == 11
    assert collector.check_channel(CHANNEL.upper()) == CHANNEL


def test_without_acknowledgement_no_channel_is_needed(store):
    """A plain client gets a plain answer and cannot ask."""
    collector = make(store, has_ack=False)

    answer = collector.take_events(event(), collector.check_channel(""), "i")

    assert answer == {"text": "Success", "code": 0}
    assert code_of(collector.take_acks, b'{"acks":[0]}', "", "i") == (14, None)


def test_events_are_indexed_and_acknowledged(store):
    """Ids count up; each is true once."""
    collector = make(store)

    answers = [collector.take_events(event(), CHANNEL, "i") for _ in range(2)]

    assert [answer["ackId"] for answer in answers] == [0, 1]
    assert set(store.documents) == {"d"}
    asked = collector.take_acks(b'{"acks":[0,1,7]}', CHANNEL, "i")
    assert asked == {"acks": {"0": True, "1": True, "7": False}}
    again = collector.take_acks(b'{"acks":[0]}', CHANNEL, "i")
    assert again == {"acks": {"0": False}}


@pytest.mark.parametrize(
    "body",
    [b"", b"x", b"[]", b"{}", b'{"acks":0}', b'{"acks":["0"]}', b'{"acks":[true]}'],
)
def test_a_question_must_be_a_list_of_ids(store, body):
    """Anything else is no question."""
    assert code_of(make(store).take_acks, body, CHANNEL, "i") == (6, None)


def test_one_bad_event_fails_all_of_its_request(store):
    """None of them is indexed, and the bad one is numbered."""
    collector = make(store)

    outcome = code_of(collector.take_events, event() + event(event=""), CHANNEL, "i")

    assert outcome == (13, 1)
    assert store.documents == {}


def test_no_data_has_no_number(store):
    """There is no event to blame."""
    assert code_of(make(store).take_events, b"", CHANNEL, "i") == (5, None)


def test_an_index_that_the_token_may_not_write_fails_the_request(store):
    """The number is that of the event with the wrong index."""
    collector = make(store, indexes=frozenset(["main"]))
    body = event(index="main") + event(index="other")

    assert code_of(collector.take_events, body, CHANNEL, "i") == (7, 1)
    assert store.documents == {}
    assert collector.take_events(event(), CHANNEL, "i")["code"] == 0


@pytest.mark.parametrize("code", [8, 9, 23, 26, 27])
def test_a_busy_collector_refuses_so_often(store, code):
    """The fault runs down; then the same request is taken."""
    collector = make(store)
    collector.faults.refusal_code = code
    collector.faults.refused_calls.set(1)

    assert code_of(collector.take_events, event(), CHANNEL, "i") == (code, None)
    assert collector.take_events(event(), CHANNEL, "i")["code"] == 0


def test_a_failing_store_is_a_server_error(store):
    """What was not indexed is not acknowledged."""
    store.failures = 1

    assert code_of(make(store).take_events, event(), CHANNEL, "i") == (8, None)


def test_a_channel_that_never_asks_is_stopped(store, monkeypatch):
    """Acknowledgements that nobody fetches do not pile up for ever."""
    monkeypatch.setattr(acks, "MAX_PENDING", 1)
    collector = make(store)
    collector.take_events(event(), CHANNEL, "i")

    assert code_of(collector.take_events, event(), CHANNEL, "i") == (27, None)


def test_raw_lines_are_events_of_text(store):
    """Each line that is not blank is one event at the time of arrival."""
    collector = make(store)
    collector.take_raw(b"one\n\n two\r\n", CHANNEL, "i", {"source": "s"})

    texts = {d["raw_text"] for d in store.documents.values()}
    assert texts == {"one", " two"}
    assert code_of(collector.take_raw, b" \n", CHANNEL, "i", {}) == (5, None)


def test_the_health_can_be_bad(store):
    """17 is healthy; the knob makes it another code."""
    collector = make(store)

    before = collector.health_code()
    collector.faults.unhealthy_code = 18

    assert (before, collector.health_code()) == (17, 18)
