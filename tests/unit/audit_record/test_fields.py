"""The field table itself."""

from __future__ import annotations

import pytest

from audit_record import limits
from audit_record.checks import find_problems
from audit_record.codec import encode
from audit_record.fields import (
    CORE_FIELDS,
    FIELDS,
    FILTER_FIELDS,
    TRANSFORMER_FIELDS,
    Field,
    Kind,
)
from audit_record.record import AuditRecord
from audit_record.shorten import fit
from tests.factories import make_values


def longest(field: Field, char: str = "x"):
    """Return the largest value that a filter field can hold, made of *char*."""
    if field.kind is Kind.INTEGER:
        return 2**63 - 1
    if field.enum:
        return max(field.enum, key=len)
    if field.pattern is not None:
        return field.example
    if field.kind is Kind.STRING_LIST:
        return [f"{index}".rjust(field.max_bytes, char) for index in range(10)]
    return char * field.max_bytes


@pytest.mark.parametrize("char", ["x", '"', "\\", "\x01", "漢"])
def test_filter_fields_end_before_the_splunk_cut(char):
    """With every filter field at its maximum the last ends before byte 4,500."""
    values = {f.name: longest(f, char) for f in FIELDS if f.is_filter}
    record = fit(AuditRecord(make_values() | values))

    line = encode(record)

    last = max(line.index(f'"{name}"'.encode()) for name in FILTER_FIELDS)
    end = line.index(b',"', last + 40)
    assert end <= limits.MAX_FILTER_FIELDS_END_BYTES


def test_core_fields_are_the_ten_of_the_specification():
    """The ten core fields are present in every record."""
    core = {field.name for field in FIELDS if field.is_core}

    assert core == set(CORE_FIELDS)
    assert len(CORE_FIELDS) == 10


def test_texts_come_last():
    """The long texts stand last, the conversation at the very end."""
    names = [field.name for field in FIELDS]

    assert names[-3:] == ["response", "user_query", "full_conversation"]
    assert all(field.is_filter for field in FIELDS[: len(FILTER_FIELDS)])


def test_only_the_transformer_fills_its_fields():
    """Fields of tier T alone are the ones stripped from what a bot sends."""
    assert {"document_id", "signals", "topics", "problems"} <= TRANSFORMER_FIELDS
    assert not TRANSFORMER_FIELDS & set(CORE_FIELDS)
    assert "redactions" not in TRANSFORMER_FIELDS


@pytest.mark.parametrize(
    "field", [f for f in FIELDS if f.kind is Kind.STRING], ids=lambda f: f.name
)
def test_examples_obey_their_own_rules(field):
    """The example of every string field is a valid value of it."""
    problems = find_problems(make_values(**{field.name: field.example}))

    assert problems == ()


def test_names_are_unique_and_few_enough_for_splunk():
    """No name stands twice, and flattened paths stay under Splunk's 100."""
    names = [field.name for field in FIELDS]
    paths = sum(max(len(field.members), 1) for field in FIELDS)

    assert len(names) == len(set(names))
    assert paths <= 100
