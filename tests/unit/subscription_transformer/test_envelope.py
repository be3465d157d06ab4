"""Decoding Firehose records."""

from __future__ import annotations

import base64
import gzip
import json

import pytest

from subscription_transformer.envelope import (
    ControlMessage,
    FinishedBytes,
    FinishedDocument,
    PlainRecord,
    SubscriptionMessage,
    decode_data,
)
from subscription_transformer.errors import UndecodableError
from subscription_transformer.inflate import inflate
from subscription_transformer.put_back import wrap
from tests.factories import CONTROL, make_envelope, make_line, pack


def decode(data: bytes):
    return decode_data(base64.b64encode(data).decode())


def plain(envelope) -> bytes:
    return json.dumps(envelope).encode()


ENVELOPE = make_envelope("one", "two")
SHAPES = [
    pytest.param(pack(ENVELOPE), id="gzip"),
    pytest.param(plain(ENVELOPE), id="plain JSON"),
    pytest.param(gzip.compress(pack(ENVELOPE)), id="gzip in gzip"),
    pytest.param(b"\xef\xbb\xbf \n" + plain(ENVELOPE) + b"\r\n ", id="mark and space"),
    pytest.param(
        gzip.compress(plain(ENVELOPE)[:50]) + gzip.compress(plain(ENVELOPE)[50:]),
        id="two members",
    ),
    pytest.param(pack(ENVELOPE) + b"\0" * 9, id="padded with zeros"),
]


@pytest.mark.parametrize("data", SHAPES)
def test_reads_every_wrapping(data):
    """However an envelope is wrapped, its events come out in order."""
    (message,) = decode(data)

    assert isinstance(message, SubscriptionMessage)
    assert [event.message for event in message.log_events] == ["one", "two"]
    assert message.log_events[0].event_id == f"{1:056d}"
    assert message.problems == ()


@pytest.mark.parametrize("between", [b"", b"\n", b"  ", b"\xef\xbb\xbf", b"\r\n\t"])
def test_reads_all_glued_envelopes(between):
    """Several envelopes in one record are all read, whatever stands between."""
    data = plain(make_envelope("one")) + between + plain(make_envelope("two"))

    messages = decode(gzip.compress(data))

    assert [m.log_events[0].message for m in messages] == ["one", "two"]


def test_knows_a_control_message_by_its_type():
    """Its text may change; its type does not."""
    assert decode(pack(CONTROL)) == [ControlMessage()]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param("%%%", "base64:invalid", id="no base64"),
        pytest.param("YQ", "base64:invalid", id="base64 without padding"),
        pytest.param(None, "base64:missing", id="no data"),
        pytest.param(b"", "json:empty", id="empty"),
        pytest.param(b"  \n", "json:empty", id="blank"),
        pytest.param(b"\x1f\x8bxxxxxxxxxxxxxxxx", "gzip:broken", id="broken gzip"),
        pytest.param(pack(ENVELOPE)[:-9], "gzip:truncated", id="truncated gzip"),
        pytest.param(
            pack(ENVELOPE) + b"junk that is no gzip", "gzip:broken", id="junk behind"
        ),
        pytest.param(b"not json", "json:broken", id="text"),
        pytest.param(b"[1]", "json:not_an_object", id="list"),
        pytest.param(b"{}" * 10_001, "json:too_many_objects", id="too many"),
        pytest.param(
            gzip.compress(b"") * 1_001, "gzip:too_many_members", id="too many members"
        ),
        pytest.param(b'{"a":1}', "envelope:unknown_shape", id="other object"),
        pytest.param(
            pack(make_envelope(messageType="NEW")),
            "envelope:unknown_message_type",
            id="unknown type",
        ),
        pytest.param(
            pack(make_envelope(logEvents="x")), "envelope:no_log_events", id="no list"
        ),
        pytest.param(
            plain(ENVELOPE) + b"{broken", "json:broken", id="second one broken"
        ),
    ],
)
def test_names_why_a_record_cannot_be_read(data, reason):
    """Every way to be unreadable has a reason of its own, without content."""
    encoded = base64.b64encode(data).decode() if isinstance(data, bytes) else data

    with pytest.raises(UndecodableError) as caught:
        decode_data(encoded)

    assert caught.value.reason == reason


def test_a_gzip_cut_anywhere_is_an_error_or_whole():
    """Cut at any byte, a gzip never yields half an envelope."""
    whole = pack(make_envelope("one"))

    for length in range(len(whole)):
        with pytest.raises(UndecodableError):
            decode(whole[:length])


def test_a_bomb_is_refused_at_its_cap():
    """Inflation stops at the cap, not after it."""
    bomb = gzip.compress(b"0" * 3_000_000)

    with pytest.raises(UndecodableError, match="gzip:too_large"):
        inflate(bomb, 2_999_999)
    assert len(inflate(bomb, 3_000_000)) == 3_000_000


def test_bytes_that_are_no_utf8_are_replaced_and_flagged():
    """One bad byte costs one character, and is said."""
    data = plain(make_envelope("ca")).replace(b'"ca"', b'"c\xff"')

    (message,) = decode(data)

    assert message.log_events[0].message == "c\ufffd"
    assert message.problems == ("utf8:replaced",)


def test_missing_names_are_problems_of_every_event():
    """An envelope without owner, group or stream is still read."""
    envelope = make_envelope("one")
    for name in ("owner", "logGroup", "logStream"):
        del envelope[name]

    (message,) = decode(pack(envelope))

    assert message.problems == (
        "missing:owner",
        "missing:logGroup",
        "missing:logStream",
    )


@pytest.mark.parametrize(
    "event", [None, 5, "text", {"message": {"a": 1}}, {"id": 7, "timestamp": "x"}, {}]
)
def test_strange_events_become_text(event):
    """An event of another shape is kept as its JSON, never lost."""
    (message,) = decode(pack(make_envelope(logEvents=[event])))

    (read,) = message.log_events
    assert isinstance(read.message, str)
    assert read.timestamp_ms is None


def test_a_plain_audit_record_is_accepted():
    """A record without an envelope, as Firehose's own extraction hands over."""
    (payload,) = decode(make_line().encode())

    assert isinstance(payload, PlainRecord)
    assert json.loads(payload.line)["user_id"] == "bob.smith"


def test_put_back_wrappers_are_taken_off():
    """Each kind comes out as what it is."""
    assert decode(wrap("document", b'{"a": 1}', 1)) == [FinishedDocument({"a": 1})]
    assert decode(wrap("bytes", b'"eA=="', 1)) == [FinishedBytes(b"x")]
    (message,) = decode(wrap("envelope", plain(ENVELOPE), 3))
    assert message.generation == 3


@pytest.mark.parametrize(
    "data",
    [
        wrap("other", b"{}", 1),
        wrap("document", b'"text"', 1),
        wrap("envelope", plain(CONTROL), 1),
        wrap("document", b'{"a": 1}', 9),
        wrap("document", b'{"a": 1}', 0),
        wrap("document", b'{"a": 1}', "1"),
        gzip.compress(plain({"chatbot_audit_put_back": 2, "kind": "document"})),
        plain({"chatbot_audit_put_back": 1}) * 2,
    ],
)
def test_broken_wrappers_are_refused(data):
    """A wrapper is right and alone, or its record fails."""
    with pytest.raises(UndecodableError, match="put_back"):
        decode(data)
