"""The rules of validity."""

from __future__ import annotations

import json

import jsonschema
import pytest
from hypothesis import given

from audit_record.checks import find_problems, require_valid
from audit_record.errors import InvalidRecordError
from audit_record.fields import CORE_FIELDS
from audit_record.plain import to_plain
from audit_record.schema import json_schema
from tests import strategies
from tests.factories import make_values

SCHEMA = jsonschema.Draft202012Validator(json_schema())
TOOL = {"name": "search", "status": "ok", "ms": 5}
ENTRY = {"field": "response", "bytes": 9, "kept_bytes": 3, "sha256": "ab" * 32}


def codes(**changes):
    """Return the problems of a valid record with *changes*, as strings."""
    return [str(problem) for problem in find_problems(make_values(**changes))]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="core only"),
        pytest.param({"response": "", "user_query": ""}, id="empty texts"),
        pytest.param({"aws_account_id": "unknown"}, id="unknown account"),
        pytest.param({"aws_account_id": "000000000012"}, id="leading zeros"),
        pytest.param({"tools": [TOOL, {"name": "x"}]}, id="tools"),
        pytest.param({"sources": [{"uri": "s3://b/k", "score": 0}]}, id="sources"),
        pytest.param({"truncated": [ENTRY]}, id="truncated"),
        pytest.param({"attributes": {"k": "v", "empty": ""}}, id="attributes"),
        pytest.param({"redactions": {"jwt": 2}}, id="redactions"),
        pytest.param({"duration_ms": 0, "seq": 1}, id="smallest counts"),
        pytest.param({"user_resolution": "unresolved:timeout"}, id="resolution"),
        pytest.param({"user_query": "漢" * 21_845}, id="text at its limit"),
        pytest.param({"user_id": "x" * 256}, id="id at its limit"),
    ],
)
def test_valid_records_have_no_problems(changes):
    """What the specification allows is valid, for our rules and for the schema."""
    values = make_values(**changes)

    assert find_problems(values) == ()
    SCHEMA.validate(values)


@pytest.mark.parametrize("name", CORE_FIELDS)
def test_missing_core_fields_are_reported(name):
    """Each of the ten core fields has to be there."""
    assert codes(**{name: None}) == [f"missing:{name}"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"user_id": 5}, "type:user_id"),
        ({"duration_ms": "5"}, "type:duration_ms"),
        ({"duration_ms": True}, "type:duration_ms"),
        ({"duration_ms": 5.0}, "type:duration_ms"),
        ({"signals": "x"}, "type:signals"),
        ({"signals": [1]}, "type:signals"),
        ({"tools": [{"status": "ok"}]}, "type:tools"),
        ({"tools": [{"name": "x", "other": 1}]}, "type:tools"),
        ({"tools": [{"name": "x", "ms": -1}]}, "type:tools"),
        ({"tools": ["x"]}, "type:tools"),
        ({"sources": [{"uri": 1}]}, "type:sources"),
        ({"sources": [{"score": True}]}, "type:sources"),
        ({"attributes": {"a": 1}}, "type:attributes"),
        ({"redactions": {"a": "1"}}, "type:redactions"),
        ({"outcome": ["answered"]}, "type:outcome"),
        ({"user_id": ""}, "empty:user_id"),
        ({"signals": []}, "empty:signals"),
        ({"signals": ["a", ""]}, "empty:signals"),
        ({"attributes": {}}, "empty:attributes"),
        ({"tools": []}, "empty:tools"),
        ({"user_id": "x" * 257}, "length:user_id"),
        ({"user_id": '"' * 129}, "length:user_id"),
        ({"user_query": "漢" * 21_846}, "length:user_query"),
        ({"signals": ["x" * 49]}, "length:signals"),
        ({"attributes": {"k" * 65: "v"}}, "length:attributes"),
        ({"attributes": {"k": "v" * 1_025}}, "length:attributes"),
        ({"sources": [{"uri": "u" * 2_049}]}, "length:sources"),
        ({"signals": list("abcdefghijk")}, "items:signals"),
        ({"attributes": {str(n): "" for n in range(51)}}, "items:attributes"),
        ({"tools": [TOOL] * 101}, "items:tools"),
        ({"outcome": "Answered"}, "value:outcome"),
        ({"tools": [{"name": "x", "status": "fine"}]}, "value:tools"),
        ({"timestamp": "2026-02-30T00:00:00.000Z"}, "format:timestamp"),
        ({"timestamp": "yesterday"}, "format:timestamp"),
        ({"aws_account_id": "12345"}, "format:aws_account_id"),
        ({"aws_account_id": "١٢٣٤٥٦٧٨٩٠١٢"[:6] * 2}, "length:aws_account_id"),
        ({"bot_name": "Vera Slack"}, "format:bot_name"),
        ({"bot_name": "Vera\n"}, "format:bot_name"),
        ({"record_id": "0193AB" + "0" * 26}, "format:record_id"),
        ({"duration_ms": -1}, "range:duration_ms"),
        ({"duration_ms": 2**63}, "range:duration_ms"),
        ({"seq": 0}, "range:seq"),
        ({"redactions": {"a": -1}}, "range:redactions"),
        ({"made_up": "1"}, "unknown:(unknown)"),
    ],
)
def test_each_fault_is_named(changes, problem):
    """Every kind of fault is reported with the field it is in."""
    assert problem in codes(**changes)


def test_all_problems_are_reported_together():
    """A record with several faults names all of them, in table order."""
    problems = codes(user_id=None, outcome="fine", duration_ms=-1, made_up=1)

    assert problems == [
        "missing:user_id",
        "value:outcome",
        "range:duration_ms",
        "unknown:(unknown)",
    ]


def test_require_valid_names_fields_and_no_content():
    """The error lists the problems; what the record holds is not in it."""
    values = make_values(user_id="", outcome="CANARY", CANARY_KEY="CANARY")

    with pytest.raises(InvalidRecordError) as caught:
        require_valid(values)

    assert caught.value.problems[0] == "empty:user_id"
    assert "CANARY" not in str(caught.value)
    require_valid(make_values())


@given(strategies.record_values)
def test_valid_by_our_rules_is_valid_by_the_schema(values):
    """The published schema never refuses what the rules accept."""
    plain = json.loads(json.dumps(to_plain(values)))

    if find_problems(plain) == ():
        SCHEMA.validate(plain)
