"""Fitting a record under its limits."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit_record import AuditRecord, limits
from audit_record.checks import find_problems
from audit_record.codec import encode
from audit_record.errors import RecordTooLargeError
from audit_record.shorten import fit
from tests import strategies
from tests.factories import CORE, make_record


def entry(record, name):
    """Return the record's `truncated` entry of one field."""
    (found,) = [item for item in record["truncated"] if item["field"] == name]
    return found


def test_a_record_that_fits_is_the_same_object():
    """Nothing is copied and nothing is flagged when nothing is too long."""
    record = make_record(attributes={"a": "b"}, tools=[{"name": "x"}])

    assert fit(record) is record


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("user_query", limits.MAX_USER_QUERY_BYTES),
        ("response", limits.MAX_RESPONSE_BYTES),
        ("full_conversation", limits.MAX_FULL_CONVERSATION_BYTES),
        ("raw_text", limits.MAX_RAW_TEXT_BYTES),
    ],
)
@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_texts_are_cut_only_over_their_limit(name, limit, extra):
    """A text one byte over its limit is shortened; at the limit it stays."""
    text = ("ab " * limit)[: limit + extra]

    record = fit(make_record(**{name: text}))

    assert ("truncated" in record) == (extra == 1)
    assert len(record[name].encode()) <= limit


def test_truncated_tells_size_and_digest_of_the_original():
    """The entry has the original's bytes and its digest with the nonce."""
    text = "漢 " * 40_000
    record = fit(make_record(user_query=text, nonce="0a" * 16))

    found = entry(record, "user_query")

    assert found["bytes"] == len(text.encode())
    assert found["kept_bytes"] == len(record["user_query"].encode())
    digest = hashlib.sha256(("0a" * 16 + text).encode()).hexdigest()
    assert found["sha256"] == digest


def test_a_second_cut_keeps_the_first_original():
    """Shortening again changes only what is kept."""
    once = fit(make_record(full_conversation="word " * 200_000))

    twice = fit(once, max_text_bytes={"full_conversation": 10_000})

    first, second = entry(once, "full_conversation"), entry(twice, "full_conversation")
    assert second["bytes"] == first["bytes"] == 1_000_000
    assert second["sha256"] == first["sha256"]
    assert second["kept_bytes"] == len(twice.full_conversation.encode()) <= 10_000


def test_order_of_shortening():
    """The conversation goes first, the question last."""
    record = make_record(
        full_conversation="c " * 200_000,
        response="r " * 60_000,
        user_query="q " * 30_000,
        sources=[{"uri": "s3://example/" + "u" * 1_000}] * 50,
    )

    wide = fit(record, 400_000)
    narrow = fit(record, 100_000)

    assert [item["field"] for item in wide["truncated"]] == ["full_conversation"]
    fields = [item["field"] for item in narrow["truncated"]]
    assert fields == ["full_conversation", "sources", "response"]
    assert narrow.user_query == record.user_query


def test_last_items_of_lists_go_first():
    """A list loses its end, not its beginning."""
    sources = [{"uri": f"s3://example/{n}/" + "u" * 1_500} for n in range(50)]

    record = fit(make_record(sources=sources), limits.MIN_MAX_RECORD_BYTES)

    assert 0 < len(record["sources"]) < 50
    assert record["sources"] == sources[: len(record["sources"])]


def test_measures_after_encoding():
    """A text of quotes and controls counts as what JSON makes of it."""
    record = make_record(full_conversation="\x00" * 500_000)

    fitted = fit(record, 200_000)

    assert len(encode(fitted)) <= 200_000
    assert len(fitted.full_conversation) > 10_000


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        pytest.param("user_id", "u" * 300, "u" * 239 + "-", id="id"),
        pytest.param("signals", ["s" * 60], ["s" * 31 + "-"], id="list"),
        pytest.param("attributes", {"k" * 70: "v"}, {"k" * 47 + "-": "v"}, id="key"),
    ],
)
def test_over_long_ids_keep_a_prefix_and_a_digest(name, value, kept):
    """Two long ids that begin alike stay two."""
    fitted = fit(make_record(**{name: value}))[name]

    flat = json.dumps(fitted)
    assert json.dumps(kept).rstrip('"]}:v ')[:-1] in flat
    assert find_problems(make_record(**{name: fitted})) == ()


def test_two_long_ids_with_one_beginning_stay_two():
    """The digest is of the whole id."""
    one = fit(make_record(user_id="u" * 300 + "1"))
    two = fit(make_record(user_id="u" * 300 + "2"))

    assert one.user_id != two.user_id


@pytest.mark.parametrize("max_bytes", [0, -1, limits.MIN_MAX_RECORD_BYTES - 1])
def test_a_cap_below_the_smallest_is_refused(max_bytes):
    """No record can be promised to fit below 32,768 bytes."""
    with pytest.raises(RecordTooLargeError):
        fit(make_record(), max_bytes)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"made_up": "x" * 2_000_000}, id="unknown field"),
        pytest.param({f"k{n}": n for n in range(20_000)}, id="many unknown fields"),
        pytest.param({"user_query": ["x" * 2_000_000]}, id="text of another shape"),
        pytest.param({"tools": "x" * 2_000_000}, id="list of another shape"),
        pytest.param({"tools": ["x" * 2_000] * 1_000}, id="items of another shape"),
        pytest.param({"sources": [{"x" * 9: "y" * 10**6}] * 9}, id="other members"),
        pytest.param({"duration_ms": ["x"] * 10**6}, id="count of another shape"),
        pytest.param(
            {"attributes": {"\x00" * 64 + str(n): "\x00" * 1_024 for n in range(99)}},
            id="controls",
        ),
        pytest.param(
            {
                "log_url": "\x01" * 1_024,
                "problems": ["\x01" * 128] * 20,
                "source_uris": ["\x01" * 2_048] * 50,
            },
            id="controls in short fields",
        ),
        pytest.param({"truncated": [{"field": "x" * 10**6}] * 5}, id="false entries"),
        pytest.param(
            {"full_conversation": None, "response": {"a": b"x" * 10**6}}, id="bytes"
        ),
    ],
)
@pytest.mark.parametrize("max_bytes", [limits.MIN_MAX_RECORD_BYTES, 1_000_000])
def test_anything_fits_any_legal_cap(changes, max_bytes):
    """Whatever a bot hands over, the line is valid JSON under the cap."""
    record = AuditRecord(CORE | changes)

    fitted = fit(record, max_bytes)

    line = encode(fitted)
    assert len(line) <= max_bytes
    assert isinstance(json.loads(line), dict)
    assert ("truncated" in fitted) == (len(line) != len(encode(record)))


@settings(max_examples=60)
@given(strategies.record_values, st.integers(1, 20_000))
def test_any_record_fits(values, repeat):
    """For any values the result fits, parses, and is not shortened further."""
    grown = values | {"full_conversation": values.get("response", "") * repeat}

    once = fit(AuditRecord(grown), limits.MIN_MAX_RECORD_BYTES)

    line = encode(once)
    assert len(line) <= limits.MIN_MAX_RECORD_BYTES
    assert json.loads(line).keys() == once.keys()
    assert encode(fit(once, limits.MIN_MAX_RECORD_BYTES)) == line


def test_question_and_answer_survive_a_huge_conversation():
    """Two megabytes of conversation cost the question and the answer nothing."""
    record = make_record(full_conversation="漢\U0001f468\u200d\U0001f469 x" * 200_000)

    fitted = fit(record)

    assert fitted.user_query == record.user_query
    assert fitted.response == record.response
    assert entry(fitted, "full_conversation")["bytes"] > 2_000_000
