"""One question: what is told of it, how it ends, and that nothing harms the bot."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import os
import threading
from types import SimpleNamespace

import pytest

from audit_record.fields import CORE_FIELDS
from emitter import AuditEmitter, Clock, EmitterSettings
from emitter.question import current_question
from emitter.testing import MemorySink, assert_valid

ASKED_MS = 1_795_532_645_123
TEXT_ANSWER = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Use ACM."}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 10, "outputTokens": 5, "totalTokens": 15},
}
SLACK = {
    "type": "event_callback",
    "team_id": "T01",
    "event": {
        "type": "app_mention",
        "user": "U1",
        "text": "<@U0BOT> hello",
        "ts": "1732460645.123",
        "channel": "C0123",
        "team": "T01",
    },
}


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


def answer_with(reason):
    return TEXT_ANSWER | {"stopReason": reason}


def test_leaving_the_block_writes_one_record(audit, sink):
    """All that was told is in the one record; time and ids are those of the entry."""
    with audit.question(SLACK, model="model-1", bot_version="7") as q:
        q.conversation([{"role": "user", "content": [{"text": "hello"}]}])
        q.model_response(TEXT_ANSWER)
        q.reply("Use ACM.")

    record = record_of(sink)
    assert record["record_id"] == q.record_id
    assert record["bot_name"] == "Vera"
    assert record["user_query"] == "hello"
    assert record["full_conversation"] == "[user] hello"
    assert record["response"] == "Use ACM."
    assert record["model_used"] == "model-1"
    assert record["bot_version"] == "7"
    assert record["conversation_id"] == "C0123:1732460645.123"
    assert record["message_id"] == "slack:T01/C0123/1732460645.123"
    assert record["user_platform_id"] == "T01/U1"
    assert record["input_tokens"] == 10
    assert record["llm_calls"] == 1
    assert record["outcome"] == "answered"
    assert record["schema_version"] == "1.0"


def test_the_events_time_is_when_the_question_arrived(sink):
    """`timestamp` and CloudWatch's event time are one instant, the entry's."""
    now_ms = itertools.count(ASKED_MS, 5_000)
    clock = Clock(now_ms=lambda: next(now_ms))
    audit = AuditEmitter("Vera", sinks=[sink], clock=clock)

    with audit.question() as q:
        q.reply("late")

    assert sink.records[0]["timestamp"] == "2026-11-24T15:04:05.123Z"
    assert sink.entries[0].timestamp_ms == ASKED_MS


def test_the_duration_ends_with_the_last_reply(sink):
    """What the bot does after its reply does not count."""
    seconds = iter([10.0, 11.5, 12.25, 99.0])
    clock = Clock(monotonic_s=lambda: next(seconds))
    audit = AuditEmitter("Vera", sinks=[sink], clock=clock)

    with audit.question() as q:
        q.reply("a")
        q.reply("b")

    assert sink.records[0]["duration_ms"] == 2_250
    assert sink.records[0]["response"] == "a\nb"


def test_without_a_reply_the_models_text_counts(audit, sink):
    """A bot that forgets `reply` still has its answer recorded."""
    with audit.question() as q:
        q.model_response(TEXT_ANSWER)

    assert record_of(sink)["response"] == "Use ACM."


def named(error):
    return type(error).__name__


def raise_error(error):
    raise error


OUTCOMES = [
    pytest.param(lambda q: q.reply("x"), "answered", None, id="reply"),
    pytest.param(lambda q: None, "empty", None, id="nothing"),
    pytest.param(lambda q: q.reply(" \n"), "empty", None, id="blank"),
    pytest.param(
        lambda q: raise_error(KeyError("secret")), "error", "KeyError", id="raises"
    ),
    pytest.param(
        lambda q: raise_error(asyncio.CancelledError()),
        "cancelled",
        "CancelledError",
        id="cancelled",
    ),
    pytest.param(
        lambda q: raise_error(GeneratorExit()),
        "cancelled",
        "GeneratorExit",
        id="reader gone",
    ),
    pytest.param(
        lambda q: raise_error(KeyboardInterrupt()),
        "error",
        "KeyboardInterrupt",
        id="interrupted",
    ),
    pytest.param(
        lambda q: q.model_response(answer_with("guardrail_intervened")),
        "blocked",
        None,
        id="guardrail",
    ),
    pytest.param(
        lambda q: q.model_response(answer_with("content_filtered")),
        "blocked",
        None,
        id="filtered",
    ),
    pytest.param(
        lambda q: q.model_response(answer_with("max_tokens")),
        "partial",
        None,
        id="max tokens",
    ),
    pytest.param(
        lambda q: q.model_response(answer_with("model_context_window_exceeded")),
        "partial",
        None,
        id="window",
    ),
    pytest.param(lambda q: q.set(outcome="blocked"), "blocked", None, id="the bot's"),
]


@pytest.mark.parametrize(("act", "outcome", "error_type"), OUTCOMES)
def test_the_outcome_follows_from_what_happened(audit, sink, act, outcome, error_type):
    """First match wins; an error goes on to the bot as it came, without its text."""
    left = contextlib.nullcontext()
    if error_type:
        left = pytest.raises(BaseException, check=lambda e: named(e) == error_type)

    with left, audit.question(text="hi") as q:
        act(q)

    record = record_of(sink)
    assert record["outcome"] == outcome
    assert record.get("error_type") == error_type
    assert b"secret" not in sink.entries[0].line


def test_the_core_is_complete_when_nothing_is_known(audit, sink):
    """Ten core fields, always strings."""
    with audit.question():
        pass

    record = record_of(sink)
    assert all(isinstance(record[name], str) for name in CORE_FIELDS)
    assert record["user_id"] == "unknown_user_id"
    assert record["aws_account_id"] == "unknown"
    assert record["model_used"] == "none"


def test_a_block_left_twice_writes_once(audit, sink):
    """Frameworks may end a context more than once."""
    question = audit.question()
    with question:
        pass

    with question:
        pass

    assert len(sink.entries) == 1


def test_a_forked_child_leaves_its_parents_question_alone(audit, sink, monkeypatch):
    """Only the process in which a question arrived records it."""
    with audit.question():
        monkeypatch.setattr(os, "getpid", lambda: -1)

    monkeypatch.undo()
    assert sink.entries == []


def test_tools_sources_and_files_are_listed(audit, sink):
    """What the bot names is kept; of a file only size and digest."""
    with audit.question() as q:
        q.tool("jira", ms=12.9)
        q.tool("mail", status="error")
        q.tool("odd", status="exploded", ms=True)
        q.source("s3://kb/ssl.pdf", title="SSL", score=0.5)
        q.source("s3://kb/x.pdf", score=float("nan"))
        q.attachment("q3.pdf", type="application/pdf", data=b"data")
        q.attachment("notes.txt", bytes=7)
        q.attachment("text.txt", data="é")

    record = record_of(sink)
    assert record["tools"] == [
        {"name": "jira", "status": "ok", "ms": 12},
        {"name": "mail", "status": "error"},
        {"name": "odd", "status": "ok"},
    ]
    assert record["sources"] == [
        {"uri": "s3://kb/ssl.pdf", "title": "SSL", "score": 0.5},
        {"uri": "s3://kb/x.pdf"},
    ]
    assert record["attachments"] == [
        {
            "name": "q3.pdf",
            "type": "application/pdf",
            "bytes": 4,
            "sha256": hashlib.sha256(b"data").hexdigest(),
        },
        {"name": "notes.txt", "bytes": 7},
        {
            "name": "text.txt",
            "bytes": 2,
            "sha256": hashlib.sha256("é".encode()).hexdigest(),
        },
    ]


def test_what_the_bot_sets_wins(audit, sink):
    """Fields by name beat what was found; extras add up."""
    with audit.question(SLACK, attributes={"a": "1"}) as q:
        q.set(department="Finance", conversation_id="mine", attributes={"b": 2})

    record = record_of(sink)
    assert record["department"] == "Finance"
    assert record["conversation_id"] == "mine"
    assert record["attributes"] == {"a": "1", "b": "2"}


def test_an_unknown_field_is_a_mistake(audit):
    """A misspelt name shows at the first run."""
    with audit.question() as q, pytest.raises(TypeError, match="no such field"):
        q.set(deparment="Finance")


def test_fields_of_the_pipeline_cannot_be_set(audit, sink, caplog):
    """A bot cannot bring in what only this library or the transformer says."""
    with audit.question() as q:
        q.set(seq=7, chain_id="x", document_id="ab" * 16, delivered_by="replay")

    record = record_of(sink)
    assert record["seq"] != 7 or record["chain_id"] != "x"
    assert "document_id" not in record
    assert "delivered_by" not in record
    assert "chain_id, delivered_by, document_id, seq" in caplog.text


def test_what_a_field_cannot_hold_becomes_an_attribute(audit, sink):
    """Nothing a bot says is lost for having the wrong shape."""
    with audit.question() as q:
        q.set(channel_type="a channel", session_id=5, department="")

    record = record_of(sink)
    assert "channel_type" not in record
    assert record["attributes"]["channel_type"] == "a channel"
    assert record["attributes"]["session_id"] == "5"
    assert "department" not in record


PROFILE = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/p"
ROUTER = "arn:aws:bedrock:eu-west-1:123456789012:default-prompt-router/r"
MODELS = [
    ("us.anthropic.claude-x-v1:0", "claude-x", "us.anthropic.claude-x-v1:0"),
    ("gpt-4o", "gpt-4o-2024-08-06", "gpt-4o"),
    ("model-a", "model-b", "model-b"),
    (PROFILE, "m", PROFILE),
    (ROUTER, "m", "m"),
    (None, "m", "m"),
]


@pytest.mark.parametrize(("asked", "answered", "used"), MODELS)
def test_the_model_asked_for_or_routed_to(audit, sink, asked, answered, used):
    """The id that was asked for stays; a router's choice replaces the router."""
    body = {
        "type": "message",
        "role": "assistant",
        "model": answered,
        "content": [{"type": "text", "text": "x"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
    with audit.question(model=asked) as q:
        q.model_response(body)

    assert record_of(sink)["model_used"] == used


def test_the_question_is_found_in_the_conversation(audit, sink):
    """Without an event the last message of the user is what was asked."""
    messages = [
        {"role": "user", "content": [{"text": "first"}]},
        {"role": "assistant", "content": [{"text": "answer"}]},
        {"role": "user", "content": [{"text": "second"}]},
        {"role": "assistant", "content": [{"toolUse": {"name": "t", "input": {}}}]},
        {"role": "user", "content": [{"toolResult": {"content": [{"text": "r"}]}}]},
    ]

    with audit.question(conversation=messages):
        messages.clear()

    record = record_of(sink)
    assert record["user_query"] == "second"
    assert record["full_conversation"].startswith("[user] first\n")


def test_an_iterator_is_read_once_for_both(audit, sink):
    """The bot gets every message although the audit has read them."""
    with audit.question() as q:
        messages = q.conversation(
            {"role": "user", "content": text} for text in ("a", "b")
        )
        kept = list(messages)

    assert [message["content"] for message in kept] == ["a", "b"]
    assert record_of(sink)["full_conversation"] == "[user] a\n[user] b"


def test_an_iterator_that_raises_does_so_for_the_bot(audit, sink):
    """The bot meets the same messages and the same error, the audit keeps both."""

    def broken():
        yield "a"
        raise LookupError("no more")

    with audit.question() as q:
        messages = q.conversation(broken())
        first = next(messages)
        with pytest.raises(LookupError):
            next(messages)

    assert first == "a"
    assert record_of(sink)["full_conversation"] == "[user] a"


def test_an_endless_iterator_ends_for_the_audit(audit, sink):
    """The bot can read on where the audit has stopped."""
    with audit.question() as q:
        messages = q.conversation("x" for _ in itertools.count())
        q.conversation("short")

    assert sum(1 for _ in itertools.islice(messages, 100_005)) == 100_005


REPLIES = [
    ("hi", "hi"),
    ({"text": "hi", "blocks": []}, "hi"),
    (SimpleNamespace(text="hi"), "hi"),
    ({"a": 1}, '{"a":1}'),
    (["a", "b"], '["a","b"]'),
    (5, "5"),
    (None, ""),
    ("\ud83d", "\ufffd"),
]


@pytest.mark.parametrize(("told", "shown"), REPLIES)
def test_any_reply_becomes_text(audit, sink, told, shown):
    """Messages of platforms have a text; anything else is written down."""
    with audit.question() as q:
        q.reply(told)

    assert record_of(sink)["response"] == shown


def test_a_stream_is_passed_through_and_read_along(audit, sink):
    """The bot sees every event; text, tokens and stop reason are kept."""
    events = [
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"delta": {"text": "He"}, "contentBlockIndex": 0}},
        {"contentBlockDelta": {"delta": {"text": "llo"}, "contentBlockIndex": 0}},
        {"messageStop": {"stopReason": "end_turn"}},
        {"metadata": {"usage": {"inputTokens": 3, "outputTokens": 2}}},
    ]

    with audit.question() as q:
        seen = list(q.consume(iter(events)))

    record = record_of(sink)
    assert seen == events
    assert record["response"] == "Hello"
    assert record["output_tokens"] == 2
    assert record["outcome"] == "answered"


def test_a_stream_left_half_read_counts_as_partial(audit, sink):
    """What had arrived when the block ended is kept."""
    events = [
        {"contentBlockDelta": {"delta": {"text": "He"}, "contentBlockIndex": 0}},
        {"contentBlockDelta": {"delta": {"text": "llo"}, "contentBlockIndex": 0}},
    ]

    with audit.question() as q:
        stream = q.consume(iter(events))
        next(stream)

    record = record_of(sink)
    assert record["response"] == "He"
    assert record["outcome"] == "partial"


def test_an_async_stream_is_read_along():
    """Asynchronous streams are passed through in the same way."""
    sink = MemorySink()
    audit = AuditEmitter("Vera", sinks=[sink])

    async def pieces():
        for text in ("He", "llo"):
            yield text

    async def run():
        async with audit.question() as q:
            return [piece async for piece in q.consume(pieces())]

    assert asyncio.run(run()) == ["He", "llo"]
    assert sink.records[0]["response"] == "Hello"


def test_bedrock_gets_ids_to_join_by(audit):
    """Values keep to the letters and the length that Bedrock allows."""
    with audit.question(SLACK) as q:
        metadata = q.bedrock_metadata()

    assert metadata == {
        "record_id": q.record_id,
        "bot_name": "Vera",
        "conversation_id": "C0123:1732460645.123",
        "user_platform_id": "T01/U1",
    }


def test_the_current_question_follows_the_context(audit):
    """Inside the block it is found, outside there is none; blocks can nest."""
    with audit.question() as outer:
        with audit.question() as inner:
            assert current_question() is inner
        assert current_question() is outer
    assert current_question() is None


def test_bind_carries_the_question_into_a_thread(audit):
    """A plain thread knows no question, a bound function does."""
    seen = []

    def work(number):
        seen.append(current_question())
        return number

    with audit.question() as q:
        for function in (work, q.bind(work), audit.bind(work)):
            thread = threading.Thread(target=function, args=(1,))
            thread.start()
            thread.join()
        assert q.bind(work)(5) == 5

    assert seen == [None, q, q, q]
    assert audit.bind(work)(6) == 6


def test_async_blocks_write_too(audit, sink):
    """`async with` waits for the record as `with` does."""

    async def run():
        async with audit.question(text="hi") as q:
            await asyncio.sleep(0)
            q.reply("hello")
        return len(sink.entries)

    assert asyncio.run(run()) == 1


def test_a_cancelled_task_is_recorded(audit, sink):
    """Cancellation goes on to the caller, and the record says so."""

    async def ask():
        async with audit.question(text="hi"):
            await asyncio.sleep(60)

    async def run():
        task = asyncio.create_task(ask())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())

    assert record_of(sink)["outcome"] == "cancelled"


def test_cancelling_the_write_does_not_lose_it():
    """A task that is cancelled while it writes lets the record be finished."""
    written, may_write = threading.Event(), threading.Event()

    class SlowSink(MemorySink):
        def write(self, entry):
            written.set()
            may_write.wait(5)
            super().write(entry)

    sink = SlowSink()
    audit = AuditEmitter("Vera", sinks=[sink])

    async def ask():
        async with audit.question(text="hi"):
            pass

    async def run():
        task = asyncio.create_task(ask())
        while not written.is_set():
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    may_write.set()

    assert audit.flush(5)
    assert len(sink.entries) == 1


class Hostile:
    """Everything about it raises."""

    def __getattribute__(self, name):
        raise RuntimeError(name)

    def __str__(self):
        raise RuntimeError

    __repr__ = __str__

    def __iter__(self):
        raise RuntimeError


def endless():
    """Return a list that contains itself."""
    value = []
    value.append(value)
    return value


ANYTHING = [
    pytest.param(Hostile, id="hostile"),
    pytest.param(endless, id="contains itself"),
    pytest.param(lambda: (1 / 0 for _ in "x"), id="raising generator"),
    pytest.param(lambda: {1: Hostile()}, id="hostile inside"),
    pytest.param(lambda: b"\xff", id="bytes"),
    pytest.param(lambda: "\ud83d", id="lone surrogate"),
    pytest.param(lambda: 2**70, id="huge"),
    pytest.param(lambda: float("inf"), id="infinite"),
    pytest.param(lambda: type, id="class"),
]


@pytest.mark.parametrize("make", ANYTHING)
def test_any_argument_will_do(audit, sink, make):
    """No public call raises for bad data, and the record is valid."""
    with audit.question(
        make(),
        text=make(),
        lambda_context=make(),
        conversation=make(),
        conversation_id=make(),
        user=make(),
        model=make(),
        bot_version=make(),
        attributes=make(),
    ) as q:
        q.conversation(make())
        q.model_response(make())
        q.add_answer(make())
        q.consume(make())
        q.reply(make())
        q.tool(make(), make(), make())
        q.source(make(), make(), make())
        q.attachment(make(), make(), make(), make())
        q.set(department=make(), attributes=make(), tools=make(), outcome=make())
        q.bedrock_metadata()

    assert record_of(sink)["record_id"] == q.record_id


def test_disabled_writes_nothing_and_says_so_once(caplog):
    """Switched off, the library costs nothing and is not silent about it."""
    sink = MemorySink()
    settings = EmitterSettings(is_enabled=False)
    audit = AuditEmitter("Vera", sinks=[sink], settings=settings)

    for _ in range(2):
        with audit.question() as q:
            q.reply("x")

    assert sink.entries == []
    assert len(caplog.messages) == 1
