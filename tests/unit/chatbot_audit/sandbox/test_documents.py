"""What Firehose's OpenSearch destination takes."""

from __future__ import annotations

import json

import pytest

from chatbot_audit.sandbox.destinations import Outgoing
from chatbot_audit.sandbox.documents import (
    DocumentDestination,
    DocumentError,
    read_document,
)
from tests.unit.chatbot_audit.sandbox.rig import MemoryStore

TIME = "2026-11-24T15:04:05.123Z"
CANARY = "c4n4ry"


def make(number=1, **changes):
    values = {"@timestamp": TIME, "document_id": f"{number:032x}", "text": CANARY}
    return values | changes


def encode(document):
    return json.dumps(document).encode()


def test_one_object_on_one_line_is_taken():
    """With or without the newline that ends it."""
    document = make(text="ä\u2028\U0001f600")
    text = json.dumps(document, ensure_ascii=False).encode()

    assert read_document(encode(document)) == document
    assert read_document(text + b"\n") == document


@pytest.mark.parametrize("time", [TIME, "2026-11-24T15:04:05Z", f"{TIME[:-1]}+01:00"])
def test_any_rfc_3339_instant_is_taken(time):
    """With a fraction or without, in any zone."""
    document = make(**{"@timestamp": time})

    assert read_document(encode(document)) == document


REFUSED = [
    pytest.param(b"", id="nothing"),
    pytest.param(b"\n", id="newline"),
    pytest.param(b"text", id="text"),
    pytest.param(encode([make()]), id="array"),
    pytest.param(b'"text"', id="string"),
    pytest.param(encode(make()) + encode(make(2)), id="two-glued"),
    pytest.param(encode(make()) + b"\n" + encode(make(2)), id="two-lines"),
    pytest.param(encode(make()) + b"\n\n", id="blank-line"),
    pytest.param(b"\n" + encode(make()), id="newline-before"),
    pytest.param(encode(make()) + b"\r\n", id="carriage-return"),
    pytest.param(json.dumps(make(), indent=1).encode(), id="pretty"),
    pytest.param(b"\xef\xbb\xbf" + encode(make()), id="bom"),
    pytest.param(encode(make(text="\xff")).replace(b"\\u00ff", b"\xff"), id="utf-8"),
    pytest.param(json.dumps(make()).encode("utf-16"), id="utf-16"),
    pytest.param(encode(make(text="\ud83d")), id="half-a-character"),
    pytest.param(encode(make(x=float("nan"))), id="nan"),
    pytest.param(encode(make())[:-1] + b',"text":1}', id="name-twice"),
    pytest.param(b'{"a":' * 100_000, id="nested"),
    pytest.param(encode(make(**{"@timestamp": None})), id="no-time"),
    pytest.param(encode(make(**{"@timestamp": 1_795_532_645_123})), id="number-time"),
    pytest.param(encode(make(**{"@timestamp": "2026-11-24 15:04:05"})), id="time"),
    pytest.param(encode(make(**{"@timestamp": TIME[:-1]})), id="no-zone"),
    pytest.param(encode(make(**{"@timestamp": "2026-11-31T00:00:00Z"})), id="no-day"),
    pytest.param(encode(make(**{"@timestamp": "2026-11-24"})), id="day"),
    pytest.param(encode(make(document_id=None)), id="no-id"),
    pytest.param(encode(make(document_id="a" * 31)), id="short-id"),
    pytest.param(encode(make(document_id="A" * 32)), id="large-letters"),
    pytest.param(encode(make(document_id=7)), id="number-id"),
]


@pytest.mark.parametrize("data", REFUSED)
def test_anything_else_is_refused(data):
    """As OpenSearch would, or stricter; the reason repeats nothing of it."""
    with pytest.raises(DocumentError) as caught:
        read_document(data)

    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("data", REFUSED)
def test_a_bad_record_fails_alone(data):
    """Its neighbours are written; it is given back with OpenSearch's status."""
    store = MemoryStore()
    good = [Outgoing(f"r{n}", encode(make(n)) + b"\n", 0) for n in (1, 2)]
    bad = Outgoing("bad", data, 0)

    (failure,) = DocumentDestination(store).deliver([good[0], bad, good[1]])

    assert failure.outgoing is bad
    assert failure.error_code == "400"
    assert set(store.documents) == {f"{n:032x}" for n in (1, 2)}


def test_equal_ids_are_one_document():
    """A record that was delivered twice overwrites itself."""
    store = MemoryStore()
    records = [Outgoing("a", encode(make()), 0), Outgoing("b", encode(make()), 0)]

    failures = DocumentDestination(store).deliver(records)

    assert failures == []
    assert len(store.documents) == 1


def test_a_failing_store_is_a_failed_delivery():
    """A full disk loses nothing: the records are given back."""
    store = MemoryStore()
    store.failures = 1

    (failure,) = DocumentDestination(store).deliver([Outgoing("a", encode(make()), 0)])

    assert failure.error_code == "500"
    assert failure.error_message == "The store failed with OSError."
