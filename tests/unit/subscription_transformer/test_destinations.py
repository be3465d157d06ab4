"""Documents as each destination wants them."""

from __future__ import annotations

import json
import re

import pytest

from tests.factories import LOG_GROUP, LOG_STREAM, make_envelope, make_line, pack


def test_splunk_gets_hec_events_line_by_line(run):
    """Seconds with three decimals, metadata beside the event, a newline after it."""
    answers = run(pack(make_envelope(make_line(outcome="answered"))))

    data = answers.records[0].data
    assert data.startswith(b'{"time":1795532645.123,')
    assert data.endswith(b"}\n")
    (event,) = answers.lines()
    assert event["host"] == "VeraSlack"
    assert event["source"] == f"{LOG_GROUP}:{LOG_STREAM}"
    assert event["sourcetype"] == "chatbot:audit"
    assert "index" not in event
    assert event["fields"] == {
        "audit_document_id": event["event"]["document_id"],
        "audit_record_id": event["event"]["record_id"],
        "audit_bot_name": "VeraSlack",
        "audit_user_id": "bob.smith",
        "audit_conversation_id": "C0123:1732460645.123",
        "audit_outcome": "answered",
        "audit_record_type": "interaction",
    }


@pytest.mark.parametrize("event_ms", [0, 1, 999, 1_000, 1_700_000_000_123])
def test_splunks_time_is_never_scientific(run, event_ms):
    """Any instant is plain decimal seconds."""
    envelope = make_envelope(make_line())
    envelope["logEvents"][0]["timestamp"] = event_ms

    data = run(pack(envelope)).records[0].data

    time = re.match(rb'\{"time":(\d+\.\d{3}),', data)
    assert round(float(time[1]) * 1_000) == event_ms


def test_splunk_sourcetypes_and_index(run):
    """Quarantined records have a type of their own; the index is set on request."""
    answers = run(
        pack(make_envelope("text")), splunk_index="audit", splunk_sourcetype="my:type"
    )

    (event,) = answers.lines()
    assert (event["sourcetype"], event["index"]) == ("my:type:invalid", "audit")


def test_splunk_lists_attributes(run):
    """A bot's extras explode no field list."""
    answers = run(pack(make_envelope(make_line(attributes={"a": "1", "b": "x=y"}))))

    assert answers.event()["attributes"] == ["a=1", "b=x=y"]


def test_splunk_can_keep_content_apart(run):
    """Texts go to an index of their own, joined by the document's id."""
    line = make_line(attributes={"a": "1"})

    answers = run(
        pack(make_envelope(line)),
        splunk_index="who",
        splunk_content_index="what",
    )

    facts, content = answers.lines()
    assert (facts["index"], content["index"]) == ("who", "what")
    texts = {"user_query", "response", "full_conversation", "attributes"}
    assert not texts & set(facts["event"])
    assert texts <= set(content["event"])
    assert (
        facts["fields"]["audit_document_id"] == content["fields"]["audit_document_id"]
    )
    assert facts["event"]["document_id"] == content["event"]["document_id"]


def test_opensearch_gets_one_line(run):
    """One JSON object on one line, with the index time first."""
    line = make_line(response='"quotes"\n\ttabs \\ and \x01 controls  twice')

    data = run(pack(make_envelope(line)), destination="opensearch").records[0].data

    assert data.count(b"\n") == 1
    document = json.loads(data)
    assert next(iter(document)) == "@timestamp"
    assert document["response"] == json.loads(line)["response"]


def test_keys_keep_the_contractual_order(run):
    """Filter fields first, texts last, each key once."""
    data = (
        run(pack(make_envelope(make_line(seq=1, outcome="answered")))).records[0].data
    )

    pairs = json.loads(data, object_pairs_hook=list)
    keys = [key for key, _ in dict(pairs)["event"]]
    assert len(keys) == len(set(keys))
    assert keys[0] == "timestamp"
    assert keys[-3:] == ["response", "user_query", "full_conversation"]
