"""Verdicts as front ends spell them."""

from __future__ import annotations

import uuid

import pytest

from emitter import AuditEmitter
from emitter.testing import MemorySink, assert_valid


@pytest.fixture
def sink():
    return MemorySink()


@pytest.fixture
def audit(sink):
    return AuditEmitter("Vera", sinks=[sink])


def record_of(sink):
    """Return the one record written, which is valid."""
    (record,) = sink.records
    assert_valid(record)
    return record


def dashed(record_id):
    """Write an id as UUIDs are written."""
    return str(uuid.UUID(record_id))


@pytest.mark.parametrize("verdict", ["up", "UP", " Up\n"])
@pytest.mark.parametrize("spell", [str, str.upper, dashed, " {} ".format])
def test_feedback_may_be_spelt_in_any_way(audit, sink, verdict, spell):
    """Case, blanks and dashes of a front end change no verdict and no id."""
    record_id = "019360c8b3037f3ab2c4d5e6f7a8b9c0"

    audit.feedback(spell(record_id), verdict)

    record = record_of(sink)
    assert (record["feedback"], record["ref_record_id"]) == ("up", record_id)
    assert "attributes" not in record


def test_odd_feedback_is_told_once_without_what_it_said(
    audit, sink, caplog, monkeypatch
):
    """What is no verdict is kept, and one line of a process says so."""
    monkeypatch.setattr("emitter.feedback._told", set())
    for _ in range(2):
        audit.feedback("019360c8-b303-7f3a-b2c4-d5e6f7a8b9c0", "canary")

    assert [record["ref_record_id"] for record in sink.records] == [
        "019360c8b3037f3ab2c4d5e6f7a8b9c0"
    ] * 2
    assert sink.records[0]["attributes"]["feedback"] == "canary"
    assert caplog.text.count("neither up nor down") == 1
    assert "canary" not in caplog.text
