"""Delivery into the embedded store."""

from __future__ import annotations

import json

from chatbot_audit.sandbox.destinations import Outgoing, StoreDestination
from tests.unit.chatbot_audit.sandbox.rig import MemoryStore


def outgoing(name, text=None):
    value = {"time": 1795560000, "event": {"document_id": name}}
    data = json.dumps(value).encode() if text is None else text
    return Outgoing(name, data, 0)


def test_every_event_is_written():
    """Records of one and of several events, back to back, all reach the store."""
    store = MemoryStore()
    two = outgoing("b").data + outgoing("c").data

    failures = StoreDestination(store).deliver([outgoing("a"), outgoing("x", two)])

    assert failures == []
    assert set(store.documents) == {"a", "b", "c"}


def test_one_bad_event_fails_what_was_sent_with_it():
    """As in Splunk nothing of the request is taken; each record is told of."""
    store = MemoryStore()
    records = [outgoing("a"), outgoing("b", b'{"event":"no time"}')]

    failures = StoreDestination(store).deliver(records)

    assert [failure.outgoing for failure in failures] == records
    assert {failure.error_code for failure in failures} == {"Splunk.InvalidDataFormat"}
    assert store.documents == {}


def test_a_failing_store_is_a_failed_delivery():
    """A full disk loses nothing: the records are given back."""
    store = MemoryStore()
    store.failures = 1

    (failure,) = StoreDestination(store).deliver([outgoing("a")])

    assert failure.error_code == "Splunk.ServerError"
    assert failure.error_message == "The store failed with OSError."
