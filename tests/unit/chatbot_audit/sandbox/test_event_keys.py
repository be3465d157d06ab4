"""By which ids events are known."""

from __future__ import annotations

import base64
import gzip
import json

import pytest

from audit_record.codec import dumps
from audit_record.ids import document_id
from chatbot_audit.sandbox.event_keys import (
    key_of_document,
    keys_of_delivery,
    keys_of_record,
)
from tests.factories import (
    CONTROL,
    EVENT_MS,
    LOG_GROUP,
    LOG_STREAM,
    make_envelope,
    make_line,
    make_values,
    pack,
)

ONE, TWO = f"{1:056d}", f"{2:056d}"
OWNER = "123456789012"


def names(data):
    return [key.name for key in keys_of_record(data)]


def without_ids(*messages):
    envelope = make_envelope(*messages)
    for event in envelope["logEvents"]:
        del event["id"]
    return envelope


BODY = json.dumps(make_envelope("a", "b")).encode()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(gzip.compress(BODY), id="gzip"),
        pytest.param(BODY, id="plain"),
        pytest.param(gzip.compress(gzip.compress(BODY)), id="gzip-in-gzip"),
        pytest.param(gzip.compress(BODY[:50]) + gzip.compress(BODY[50:]), id="members"),
        pytest.param(b"\xef\xbb\xbf" + BODY, id="bom"),
        pytest.param(b" \n" + BODY + b"\n", id="white-space"),
    ],
)
def test_an_envelope_is_seen_through_its_wrapping(data):
    """However it is packed, its events are known by CloudWatch's ids."""
    assert names(data) == [ONE, TWO]


def test_glued_envelopes_are_all_read():
    """Several objects in one record count with all their events."""
    glued = json.dumps(make_envelope("a")) + "\n" + json.dumps(make_envelope("b", "c"))

    assert len(names(gzip.compress(glued.encode()))) == 3


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"junk", id="junk"),
        pytest.param(b"", id="empty"),
        pytest.param(gzip.compress(BODY)[:-9], id="cut"),
        pytest.param(gzip.compress(b""), id="gzip-of-nothing"),
        pytest.param(b"[1]", id="no-object"),
        pytest.param(BODY + b"junk", id="rubbish-behind"),
        pytest.param(pack(make_envelope("a", messageType="OTHER")), id="type"),
        pytest.param(pack(make_envelope("a", logEvents="x")), id="events"),
        pytest.param(b'{"a":' * 50_000, id="nested"),
        pytest.param(gzip.compress(b"\0" * 70_000_000), id="bomb"),
        pytest.param(b'{"chatbot_audit_put_back":1,"kind":"x"}', id="wrapper"),
    ],
)
def test_a_record_in_which_no_event_is_seen_has_one_key(data):
    """It is known by its bytes, so that its original is found again."""
    (name,) = names(data)

    assert name.startswith("bytes:")
    assert names(data) == [name]


def test_bytes_that_are_no_utf8_hide_no_event():
    """A broken character in a message does not break its envelope."""
    assert names(BODY.replace(b'"a"', b'"\xff"')) == [ONE, TWO]


def test_a_number_of_thousands_of_digits_hides_no_event():
    """Nor does a number that Python refuses to read."""
    assert names(BODY.replace(b'"a"', b"1" * 5_000)) == [ONE, TWO]


def test_what_is_to_be_dropped_is_marked():
    """Control messages, blank lines, and lines of the pipeline's own logs."""
    blank = keys_of_record(pack(make_envelope("a", "", " \n")))
    (control,) = keys_of_record(pack(CONTROL))
    own = [
        keys_of_record(pack(make_envelope("a", logGroup=group)))[0]
        for group in (
            "/aws/lambda/chatbot-audit-transformer",
            "/aws/kinesisfirehose/chatbot-audit",
        )
    ]

    assert [key.is_dropped for key in blank] == [False, True, True]
    assert control.is_dropped
    assert all(key.is_dropped for key in own)
    assert not keys_of_record(pack(make_envelope("a")))[0].is_dropped


def test_a_control_message_is_known_by_what_it_says():
    """Its id is empty; packed in another way it is the same one."""
    assert names(pack(CONTROL)) == names(json.dumps(CONTROL).encode())


def test_an_event_without_an_id_is_known_by_its_document():
    """Either id that its line can get means it: with its time, and without."""
    line = make_line()
    (key,) = keys_of_record(pack(without_ids(line)))

    place = (OWNER, LOG_GROUP, LOG_STREAM, line.encode())
    assert key.aliases == {document_id(*place), document_id(*place, EVENT_MS)}
    assert key.name in key.aliases


def test_a_message_that_is_no_text_has_a_key():
    """Whatever stands in its place, the event is counted."""
    assert len(names(pack(without_ids({"a": 1}, None, 7)))) == 3


@pytest.mark.parametrize("indent", [None, 1])
def test_a_plain_record_is_known_by_its_document(indent):
    """A record without an envelope gets the id that its bytes alone give."""
    one = json.dumps(make_values(), indent=indent).encode()
    two = dumps(make_values(user_query="another"))

    keys = keys_of_record(b" " + one + b"\n" + two + b"\n")

    wanted = [document_id("", "", "", text) for text in (one, two)]
    assert [key.name for key in keys] == wanted


def wrapper(kind, data):
    return gzip.compress(
        dumps(
            {"chatbot_audit_put_back": 1, "generation": 1, "kind": kind, "data": data}
        )
    )


def hec(**values):
    return json.dumps({"time": 1, "event": values}).encode()


def test_a_put_back_wrapper_is_looked_through():
    """Document, envelope and bytes are the events that they were before."""
    encoded = base64.b64encode(hec(event_id=ONE) + hec(event_id=TWO)).decode()

    assert names(wrapper("document", {"event_id": ONE})) == [ONE]
    assert names(wrapper("envelope", make_envelope("a", "b"))) == [ONE, TWO]
    assert names(wrapper("bytes", encoded)) == [ONE, TWO]
    assert names(wrapper("bytes", "###"))[0].startswith("bytes:")


def test_a_document_is_known_by_its_event():
    """Its own id is an alias; without an event it is the name."""
    key = key_of_document({"event_id": ONE, "document_id": "d"})

    assert (key.name, key.aliases) == (ONE, {"d"})
    assert key_of_document({"document_id": "d"}).name == "d"
    assert key_of_document({"document_id": "d", "event_id": ""}).name == "d"


def test_transformed_bytes_are_known_by_their_events():
    """HEC events or documents; anything else is known by its bytes."""
    one, two = (json.dumps({"event_id": name}).encode() for name in (ONE, TWO))

    assert [key.name for key in keys_of_delivery(hec(event_id=ONE))] == [ONE]
    assert [key.name for key in keys_of_delivery(one + b"\n")] == [ONE]
    assert [key.name for key in keys_of_delivery(one + b"\n" + two)] == [ONE, TWO]
    for data in (b"junk", b"", b"[1]", b"{}", one + b"\n1", b"[" * 100_000):
        (key,) = keys_of_delivery(data)
        assert key.name.startswith("bytes:")
