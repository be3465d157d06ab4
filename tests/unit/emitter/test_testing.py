"""What bot authors' tests use."""

from __future__ import annotations

import pytest

from emitter import AuditEmitter, EmitterSettings, SinkError
from emitter.capture import capture
from emitter.testing import FailingSink, MemorySink, assert_valid
from tests.factories import make_line, make_record


def test_the_fixture_collects_every_record(audit_records):
    """Whatever emitters a test uses, their records are in the list, none is sent."""
    old = AuditEmitter("Old", sinks=[FailingSink()])
    threaded = AuditEmitter("New", settings=EmitterSettings(mode="thread"))

    old.write(user_query="one")
    with threaded.question(text="two") as q:
        q.reply("x")

    assert [record["bot_name"] for record in audit_records] == ["Old", "New"]
    assert audit_records[1].response == "x"
    for record in audit_records:
        assert_valid(record)


def test_the_fixture_ends_with_its_test(audit_records):
    """Outside of it emitters write as ever."""
    assert capture.sink is not None


def test_without_the_fixture_nothing_is_captured():
    """The sinks that were given are used."""
    sink = MemorySink()

    AuditEmitter("Vera", sinks=[sink]).write()

    assert capture.sink is None
    assert len(sink.entries) == 1
    sink.clear()
    assert sink.records == []


def test_assert_valid_tells_every_problem():
    """A test that fails says what is wrong with the record, and not what it says."""
    record = make_record(user_id=None, duration_ms="canary")

    with pytest.raises(AssertionError) as raised:
        assert_valid(record)

    assert "missing:user_id" in str(raised.value)
    assert "type:duration_ms" in str(raised.value)
    assert "canary" not in str(raised.value)


def test_assert_valid_takes_lines():
    """The bytes that were written can be checked as they are."""
    assert_valid(make_line())
    assert_valid(make_line().encode())


def test_a_failing_sink_fails_as_often_as_it_is_told():
    """Then it takes what comes."""
    sink = FailingSink("denied", count=1)

    with pytest.raises(SinkError) as raised:
        sink.write("entry")
    sink.write("entry")

    assert raised.value.reason == "denied"
    assert sink.attempts_count == 2
    assert sink.entries == ["entry"]
