"""The sum of a run."""

from __future__ import annotations

import base64
import json

import pytest

from chatbot_audit.sandbox.accounting import Ledger, Report
from tests.factories import CONTROL, make_envelope, make_line, pack
from tests.unit.chatbot_audit.sandbox.rig import MemoryStore

ONE, TWO, THREE = (f"{n:056d}" for n in (1, 2, 3))


def document(event_id, **changes):
    return {"event_id": event_id, "document_id": f"d{event_id}"} | changes


def error_line(data, kind="processing-failed"):
    return kind, {"rawData": base64.b64encode(data).decode()}


@pytest.fixture
def ledger():
    return Ledger(MemoryStore())


def test_holds_when_every_event_is_somewhere(ledger):
    """Delivered, quarantined, in an error object, dropped: together all."""
    ledger.see_put(pack(make_envelope("a", "b", " ")))
    ledger.see_put(pack(CONTROL))
    ledger.see_put(b"junk")
    ledger.write([document(ONE), document(TWO, record_type="invalid")])

    report = ledger.report([error_line(b"junk")])

    assert report.holds
    assert report.sentence() == (
        "in 5 = delivered 1 + quarantined 1 + in error objects 1 + dropped on purpose 2"
    )


def test_a_lost_event_is_named(ledger):
    """What went in and is nowhere is missing, by id."""
    ledger.see_put(pack(make_envelope("a", "b")))
    ledger.write([document(TWO)])

    report = ledger.report([])

    assert not report.holds
    assert report.missing == {ONE}
    assert report.sentence().endswith(f"; 1 missing: {ONE}")


def test_a_lost_record_that_nobody_could_read_is_missing_too(ledger):
    """Junk must be kept as well."""
    ledger.see_put(b"junk")

    assert not ledger.report([]).holds
    assert ledger.report([error_line(b"junk")]).holds


def test_an_event_that_never_went_in_is_named(ledger):
    """Something made up is a fault as well."""
    ledger.write([document(ONE)])

    report = ledger.report([])

    assert report.made_up == {ONE}
    assert "1 never sent" in report.sentence()


def test_an_event_that_cloudwatch_kept_to_itself_is_named(ledger):
    """The log group is read too: a hole before the stream is a hole."""
    report = ledger.report([], unforwarded=["7"])

    assert not report.holds
    assert "1 never forwarded: 7" in report.sentence()


def test_dropping_a_good_record_is_a_loss(ledger):
    """Only what is to be dropped may be."""
    ledger.see_put(pack(make_envelope("a", " ")))

    report = ledger.report([])

    assert report.missing == {ONE}
    assert report.dropped == {TWO}


def test_transformed_bytes_in_an_error_object_count(ledger):
    """What Splunk did not take is known by the events in it."""
    ledger.see_put(pack(make_envelope("a")))
    body = json.dumps({"time": 1, "event": document(ONE)}).encode()

    assert ledger.report([error_line(body, "splunk-failed")]).holds


def test_a_batch_that_failed_as_a_whole_holds(ledger):
    """Its blank lines and control messages are dropped, the others failed."""
    envelope, control = pack(make_envelope("a", " ")), pack(CONTROL)
    ledger.see_put(envelope)
    ledger.see_put(control)

    report = ledger.report([error_line(envelope), error_line(control)])

    assert report.holds
    assert report.failed == {ONE}
    assert len(report.dropped) == 2


def test_delivered_and_kept_counts_once(ledger):
    """A late acknowledgement leaves an event in both places; the sum still adds up."""
    envelope = pack(make_envelope("a"))
    ledger.see_put(envelope)
    ledger.write([document(ONE)])

    report = ledger.report([error_line(envelope)])

    assert report.holds
    assert "delivered 1 + quarantined 0 + in error objects 0" in report.sentence()


def test_the_same_record_put_twice_is_in_once(ledger):
    """At-least-once delivery changes no sum."""
    for _ in range(2):
        ledger.see_put(pack(make_envelope("a")))
        ledger.write([document(ONE)])

    assert ledger.report([]).sentence().startswith("in 1 = delivered 1 ")


def test_equal_lines_are_all_where_their_one_document_is(ledger):
    """A bot that wrote a line twice has two events and one document."""
    line = make_line()
    ledger.see_put(pack(make_envelope(line, line)))
    events = make_envelope(line)["logEvents"]
    (key,) = {frozenset(k.aliases) for k in ledger._put.values()}
    ledger.write([{"event_id": events[0]["id"], "document_id": min(key)}])

    report = ledger.report([])

    assert report.holds
    assert report.delivered == {ONE, TWO}


def test_a_content_event_alone_is_its_record(ledger):
    """Texts in an index of their own carry only the document's id."""
    line = make_line()
    ledger.see_put(pack(make_envelope(line)))
    (key,) = ledger._put.values()

    ledger.write([{"document_id": name} for name in [min(key.aliases)]])

    assert ledger.report([]).delivered == {ONE}


def test_what_the_store_refused_is_not_delivered():
    """Only what was written counts."""
    store = MemoryStore()
    store.failures = 1
    ledger = Ledger(store)
    ledger.see_put(pack(make_envelope("a")))

    with pytest.raises(OSError, match="no space"):
        ledger.write([document(ONE)])

    assert ledger.report([]).missing == {ONE}


def test_what_another_collector_acknowledged_is_delivered(ledger):
    """Where the index is out of reach, the acknowledged bytes count."""
    ledger.see_put(pack(make_envelope("a")))
    ledger.see_delivery(json.dumps({"time": 1, "event": document(ONE)}).encode())

    assert ledger.report([]).holds


def test_a_sentence_names_at_most_five():
    """A large loss does not fill the screen."""
    report = Report(events_in=frozenset(str(n) for n in range(9)))

    assert report.sentence().endswith("; 9 missing: 0, 1, 2, 3, 4")
