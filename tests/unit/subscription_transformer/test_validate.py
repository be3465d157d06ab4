"""Validation and repair."""

from __future__ import annotations

import json

import pytest

from audit_record.codec import dumps
from subscription_transformer.validate import validate
from tests.factories import make_line, make_values


def checked(**changes):
    return validate(json.dumps(make_values(**changes)))


def test_a_valid_record_is_left_alone():
    """Nothing is changed and nothing is said about a valid record."""
    result = validate(make_line(outcome="answered"))

    assert result.is_valid
    assert result.problems == ()
    assert result.values == make_values(outcome="answered")


@pytest.mark.parametrize(
    ("changes", "name", "repaired"),
    [
        pytest.param({"user_id": 12345}, "user_id", "12345", id="number for text"),
        pytest.param({"user_id": True}, "user_id", "true", id="bool for text"),
        pytest.param(
            {"aws_account_id": 12345678901},
            "aws_account_id",
            "012345678901",
            id="account's leading zero",
        ),
        pytest.param({"duration_ms": "250"}, "duration_ms", 250, id="text for count"),
        pytest.param({"duration_ms": 250.0}, "duration_ms", 250, id="float for count"),
        pytest.param({"outcome": " Answered"}, "outcome", "answered", id="case"),
        pytest.param(
            {"timestamp": "2026-11-24T16:04:05+01:00"},
            "timestamp",
            "2026-11-24T15:04:05.000Z",
            id="another zone",
        ),
        pytest.param(
            {"record_id": "0193" + "AB" * 14},
            "record_id",
            "0193" + "ab" * 14,
            id="capitals in hex",
        ),
        pytest.param({"tools": {"name": "x"}}, "tools", [{"name": "x"}], id="one tool"),
        pytest.param({"tools": ["x"]}, "tools", [{"name": "x"}], id="bare name"),
        pytest.param(
            {"sources": "s3://b/k"}, "sources", "s3://b/k", id="not repairable"
        ),
        pytest.param(
            {"response": {"a": 1}}, "response", '{"a":1}', id="object for text"
        ),
        pytest.param(
            {"attributes": {"n": 1.50, "o": {"b": [1]}}},
            "attributes",
            {"n": "1.5", "o": '{"b":[1]}'},
            id="attributes become texts",
        ),
    ],
)
def test_wrong_types_are_repaired_where_nothing_is_guessed(changes, name, repaired):
    """A value of the wrong type becomes the right one, and that is said."""
    result = checked(**changes)

    assert result.values[name] == repaired
    assert result.problems


@pytest.mark.parametrize(
    "changes",
    [
        {"user_id": None},
        {"user_id": ["bob"]},
        {"user_id": ""},
        {"duration_ms": "fast"},
        {"duration_ms": -1},
        {"outcome": "splendid"},
        {"timestamp": "yesterday"},
        {"timestamp": "2026-11-24T16:04:05"},
        {"bot_name": "Vera Slack!"},
        {"sources": 5},
        {"schema_version": "9.0"},
    ],
)
def test_what_cannot_be_repaired_is_invalid(changes):
    """A record that would need a guess is invalid, with the reason."""
    result = checked(**changes)

    assert not result.is_valid
    assert result.problems


@pytest.mark.parametrize(
    ("message", "problem"),
    [("plain text", "not_json"), ("[1]", "not_an_object"), ('"x"', "not_an_object")],
)
def test_what_is_no_record_says_so(message, problem):
    """A line that is no JSON object is told apart from a faulty record."""
    assert validate(message).problems == (problem,)


def test_absent_null_and_empty_are_one():
    """Null and empty optional values count as missing, without a fuss."""
    result = checked(department=None, tools=[], attributes={}, error_type="")

    assert result.is_valid
    assert result.problems == ()
    assert not {"department", "tools", "attributes", "error_type"} & set(result.values)


def test_the_transformers_own_fields_are_stripped():
    """What only the transformer may say cannot be brought in."""
    result = checked(topics=["fake"], document_id="ab" * 16, problems=["none"])

    assert result.is_valid
    assert not {"topics", "document_id", "problems"} & set(result.values)


def test_unknown_fields_become_attributes():
    """Nothing a bot says is lost, and the top level does not grow."""
    result = checked(team="emea", nested={"a": [1]}, attributes={"team": "own"})

    assert result.values["attributes"] == {"team": "own", "nested": '{"a":[1]}'}
    assert "unknown:fields" in result.problems


def test_numbers_keep_their_digits():
    """A fraction or a huge number is written as it was read."""
    line = (
        make_line()[:-1]
        + ',"sources":[{"uri":"u","score":0.10}],"big":12345678901234567890123}'
    )

    values = validate(line).values

    assert b'"score":0.10' in dumps(values)
    assert values["attributes"]["big"] == "12345678901234567890123"


def test_a_lone_surrogate_is_replaced_and_flagged():
    """An escaped half of a pair costs one character and is said."""
    result = validate(make_line().replace("What is", r"\ud83d"))

    assert result.is_valid
    assert result.values["user_query"].startswith("\ufffd")
    assert "utf8:replaced" in result.problems


def test_the_last_of_two_equal_keys_counts():
    """A key that stands twice is delivered once, with its last value."""
    line = make_line()[:-1] + ',"user_id":"second"}'

    assert validate(line).values["user_id"] == "second"


def test_over_long_values_are_shortened_not_refused():
    """A record that is only too long stays whole here: it is redacted first."""
    result = checked(user_id="u" * 400, user_query="word " * 30_000)

    assert result.is_valid
    assert result.values["user_query"] == "word " * 30_000
