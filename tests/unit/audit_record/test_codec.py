"""Bytes to record and back."""

from __future__ import annotations

import json

import pytest

from audit_record.codec import decode, dumps, encode, loads
from audit_record.errors import DecodeError
from tests.factories import make_record


def test_writes_one_line_of_utf8_without_escapes_for_letters():
    """A record is one compact line; letters are not escaped, newlines are."""
    line = encode(make_record(user_query="Größe\n漢字 \U0001f600"))

    assert b"\n" not in line
    assert "Größe\\n漢字 \U0001f600".encode() in line
    assert b": " not in line


def test_reads_what_it_wrote():
    """Encoding and decoding give the same record in the same order."""
    record = make_record(sources=[{"uri": "s3://b/k", "score": 0.5}], llm_calls=2)

    again = decode(encode(record))

    assert again == record
    assert list(again) == list(record)


def test_writes_what_json_cannot_say():
    """A lone surrogate or a strange object never stops a record."""
    line = encode(make_record(user_query="a\ud83d", attributes={"x": object()}))

    values = json.loads(line)
    assert values["user_query"] == "a\ufffd"
    assert values["attributes"] == {"x": "<object>"}


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"plain text", id="text"),
        pytest.param(b"[1]", id="list"),
        pytest.param(b'"text"', id="string"),
        pytest.param(b'{"a":1', id="cut off"),
        pytest.param(b'{"a":1}{"b":2}', id="two objects"),
        pytest.param(b'{"a":"\xff"}', id="not UTF-8"),
        pytest.param(b'{"a":NaN}', id="NaN"),
        pytest.param(b'{"a":' + b"[" * 100_000, id="nested too deep"),
    ],
)
def test_refuses_what_is_no_object(line):
    """Anything but one JSON object raises an error without content."""
    with pytest.raises(DecodeError) as caught:
        decode(line)

    assert str(len(line)) in str(caught.value)
    assert "plain text" not in str(caught.value)


@pytest.mark.parametrize(
    "line", [b'\xef\xbb\xbf {"a":1}\n', '\ufeff{"a":1}', bytearray(b' {"a":1} ')]
)
def test_ignores_a_byte_order_mark_and_white_space(line):
    """What surrounds the object does not matter."""
    assert dict(decode(line)) == {"a": 1}


def test_replaces_escaped_lone_surrogates():
    """An escaped lone surrogate is read as U+FFFD; a pair as its character."""
    assert loads(rb'{"a":"x\ud83dy","b":"\ud83d\ude00"}') == {
        "a": "x\ufffdy",
        "b": "\U0001f600",
    }


def test_the_last_of_two_equal_keys_counts():
    """Of a key that stands twice the last one is read."""
    assert decode(b'{"user_id":"a","user_id":"b"}')["user_id"] == "b"


def test_dumps_survives_recursion():
    """A value that contains itself is written with its type's name."""
    loop: dict = {}
    loop["self"] = loop

    assert dumps(loop) == b'{"self":"<dict>"}'
