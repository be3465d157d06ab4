"""What becomes of values that say nothing, are misfits, or are traps."""

from __future__ import annotations

import json

import pytest

from emitter import AuditEmitter, Clock, EmitterSettings
from emitter.assemble import WITHHELD
from emitter.testing import MemorySink, assert_valid

NOW_MS = 1_795_532_645_123
CLOCK = Clock(now_ms=lambda: NOW_MS)
NOW = "2026-11-24T15:04:05.123Z"


@pytest.fixture
def sink():
    return MemorySink()


@pytest.fixture
def audit(sink):
    return AuditEmitter("Vera", sinks=[sink], clock=CLOCK)


def only(sink):
    (entry,) = sink.entries
    record = json.loads(entry.line)
    assert_valid(record)
    return record


NAMES = ["user_id", "timestamp", "bot_name", "conversation_id", "model_used"]


@pytest.mark.parametrize("name", NAMES)
def test_none_says_nothing_about_a_field(audit, sink, name):
    """A bot that sets a field to None leaves what is known as it is."""
    with audit.question(
        text="hi", user="bob", conversation_id="C1", model="claude"
    ) as q:
        before = q.record_id
        q.set(**{name: None})

    record = only(sink)
    assert record["record_id"] == before
    assert (record["user_id"], record["timestamp"]) == ("bob", NOW)
    assert record["bot_name"] == "Vera"
    assert record["conversation_id"] == "C1"
    assert record["model_used"] == "claude"


@pytest.mark.parametrize("moment", ["", None, float("nan"), [], {}])
def test_a_time_that_says_nothing_is_now(audit, sink, moment):
    """The record's own time never becomes 1970."""
    audit.write(timestamp=moment, user_query="hi")

    assert only(sink)["timestamp"] == NOW


@pytest.mark.parametrize("name", ["bot_name", "record_id", "aws_account_id"])
@pytest.mark.parametrize("value", ["", None, float("nan")])
def test_a_core_field_that_says_nothing_stays_what_it_was(audit, sink, name, value):
    """The stream's name, which IAM bounds, follows from the bot's own."""
    audit.write(**{name: value}, user_query="hi")

    record = only(sink)
    assert record["bot_name"] == "Vera"
    assert record[name]


MISFITS = ["feedback_comment", "error_type", "conversation_id", "attributes"]


@pytest.mark.parametrize("name", MISFITS)
def test_what_is_moved_is_redacted_too(sink, name):
    """A value of a wrong kind becomes an attribute, and attributes are texts."""
    audit = AuditEmitter(
        "Vera", sinks=[sink], redact=lambda text: text.replace("CANARY", "*")
    )

    audit.write(**{name: ["CANARY"]}, user_query="hi")

    assert "*" in json.dumps(only(sink)["attributes"])
    assert b"CANARY" not in sink.entries[0].line


class Stop(BaseException):
    """What a native library's panic is: no Exception."""


def test_a_hook_that_panics_withholds_its_text(sink, capfd):
    """Nothing of it is printed, and the next record is made as ever."""

    def redact(text):
        raise Stop(text)

    audit = AuditEmitter("Vera", sinks=[sink], redact=redact)

    audit.write(user_query="CANARY")
    audit.write(user_query="CANARY")

    assert [json.loads(e.line)["user_query"] for e in sink.entries] == [WITHHELD] * 2
    assert "CANARY" not in "".join(capfd.readouterr())


class NoClass:
    """Raises when it is asked what it is."""

    @property
    def __class__(self):
        raise RuntimeError

    __str__ = __repr__ = __class__.fget


class Meta(type):
    """Makes classes that do not tell their names."""

    def __getattribute__(cls, name):
        if name in ("__name__", "__qualname__"):
            raise RuntimeError
        return super().__getattribute__(name)

    def __instancecheck__(cls, instance):
        raise RuntimeError


class Nameless(metaclass=Meta):
    """One of those."""


TRAPS = [
    pytest.param(NoClass, id="no class"),
    pytest.param(Nameless, id="nameless"),
]


@pytest.mark.parametrize("make", TRAPS)
@pytest.mark.parametrize(
    "name", ["timestamp", "user", "record_id", "user_query", "attributes", "tools"]
)
def test_a_trap_does_not_cost_the_record(audit, sink, make, name):
    """One record comes of it, with what the other fields say."""
    audit.write(**{"response": "yes", name: make()})

    assert only(sink)["response"] == "yes"
    assert audit.stats.failed == 0


@pytest.mark.parametrize("make", TRAPS)
def test_a_trap_does_not_cost_the_questions_record(audit, sink, make):
    """The same for a question's own calls."""
    with audit.question(make(), user=make(), attributes={"a": make()}) as q:
        q.conversation([{"role": "user", "content": make()}])
        q.model_response(make())
        q.tool(make(), make(), make())
        q.source(make())
        q.attachment(make(), data=make())
        q.set(user_query=make())
        q.reply("yes")

    assert only(sink)["response"] == "yes"
    assert audit.stats.failed == 0


@pytest.mark.parametrize("mode", ["sync", "thread"])
def test_a_conversation_is_what_the_model_was_shown(sink, mode):
    """A bot that goes on with its list changes no record, before or after the block."""
    audit = AuditEmitter("Vera", sinks=[sink], settings=EmitterSettings(mode=mode))
    messages = [{"role": "user", "content": [{"text": "my own text"}]}]

    with audit.question(text="hi") as q:
        assert q.conversation(messages) is messages
        messages[0]["content"][0]["text"] = "[compacted]"
        q.reply("yes")
    messages[0]["content"][0]["text"] = "another person's text"
    messages.clear()
    audit.flush()

    assert only(sink)["full_conversation"] == "[user] my own text"
