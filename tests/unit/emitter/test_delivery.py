"""What happens where no thread can be had, and to what comes late."""

from __future__ import annotations

import asyncio
import threading

import pytest

from emitter import AuditEmitter, EmitterSettings
from emitter.crew import crew
from emitter.testing import FailingSink, MemorySink, assert_valid

SMALL = EmitterSettings(max_record_bytes=40_000)


@pytest.fixture
def no_threads(monkeypatch):
    """A system that is full, or an interpreter that ends."""

    def refuse(*_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    crew.begin_anew()


def test_without_threads_the_fallback_is_written(no_threads):
    """The record is not lost because the interpreter ends."""
    first, second = MemorySink(), MemorySink()
    audit = AuditEmitter("Vera", sinks=[first, second])

    with audit.question(text="hi") as q:
        q.reply("x")

    assert first.entries == []
    assert_valid(second.records[0])
    assert audit.stats.by_reason == {"no_thread": 1}


def test_without_threads_a_redact_hook_has_its_texts_withheld(no_threads):
    """A hook that cannot be left behind is not begun: it fails closed."""
    second = MemorySink()
    audit = AuditEmitter("Vera", sinks=[MemorySink(), second], redact=str.upper)

    audit.write(user_query="canary")

    assert b"canary" not in second.entries[0].line
    assert second.records[0]["redactions"] == {"withheld": 1}


def test_without_threads_the_overflow_hook_goes_without(no_threads):
    """The record is written; nobody waits for the hook."""
    told = []
    second = MemorySink()
    audit = AuditEmitter(
        "Vera",
        sinks=[MemorySink(), second],
        settings=SMALL,
        on_overflow=told.append,
    )

    audit.write(response="word " * 30_000)

    assert len(second.entries) == 1
    assert told == []


def test_without_threads_a_loop_writes_itself(no_threads):
    """`async with` still writes its record."""
    second = MemorySink()
    audit = AuditEmitter("Vera", sinks=[MemorySink(), second])

    async def run():
        async with audit.question():
            pass

    asyncio.run(run())

    assert len(second.entries) == 1


def test_without_threads_mode_thread_falls_back(no_threads):
    """A queue that nobody would empty takes nothing."""
    second = MemorySink()
    settings = EmitterSettings(mode="thread")
    audit = AuditEmitter("Vera", sinks=[MemorySink(), second], settings=settings)

    audit.write()

    assert len(second.entries) == 1


def test_another_kind_of_loop_is_served_too():
    """Where asyncio does not run, the block waits as `with` does."""
    sink = MemorySink()
    audit = AuditEmitter("Vera", sinks=[sink])

    async def ask():
        async with audit.question(text="hi"):
            pass

    coroutine = ask()
    with pytest.raises(StopIteration):
        coroutine.send(None)

    assert len(sink.entries) == 1


def test_a_late_success_has_the_same_bytes():
    """What the first sink takes after the deadline is the fallback's very line."""
    released, late = threading.Event(), threading.Event()

    class LateSink(MemorySink):
        def write(self, entry):
            released.wait(10)
            super().write(entry)
            late.set()

    first, second = LateSink(), MemorySink()
    settings = EmitterSettings(budget_ms=100)
    audit = AuditEmitter("Vera", sinks=[first, second], settings=settings)
    audit.write(user_query="hi")

    released.set()

    assert late.wait(5)
    assert first.entries == second.entries
    assert audit.stats.fallback == 1


def test_a_fallback_hears_of_an_overflow():
    """A record that was cut and went to the fallback reaches the hook as well."""
    told = threading.Event()
    audit = AuditEmitter(
        "Vera",
        sinks=[FailingSink(), MemorySink()],
        settings=SMALL,
        on_overflow=lambda _: told.set(),
    )

    audit.write(response="word " * 30_000)

    assert told.wait(5)


def test_what_cannot_be_collected_leaves_a_record_of_little(monkeypatch, caplog):
    """Whatever breaks inside, who, when and which bot are still written."""
    sink = MemorySink()
    audit = AuditEmitter("Vera", sinks=[sink])

    def broken(*_, **__):
        raise ZeroDivisionError("canary")

    with audit.question(user="bob@example.com", text="hi") as q:
        monkeypatch.setattr("emitter.closing.fields_of", broken)

    record = sink.records[0]
    assert_valid(record)
    assert record["record_id"] == q.record_id
    assert record["user_id"] == "bob"
    assert record["attributes"] == {"audit_error": "ZeroDivisionError"}
    assert "canary" not in caplog.text


def test_what_cannot_be_made_at_all_is_counted(monkeypatch):
    """No exception of ours reaches the bot, and the loss is not silent."""
    audit = AuditEmitter("Vera", sinks=[MemorySink(), MemorySink()])

    def broken(*_, **__):
        raise ZeroDivisionError("canary")

    with audit.question(text="hi"):
        monkeypatch.setattr("emitter.draft.assemble", broken)

    assert audit.write(user_query="hi") is None
    assert audit.stats.failed == 2
    assert audit.stats.by_reason == {"ZeroDivisionError": 2}


def test_the_same_for_an_async_block(monkeypatch):
    """Nor does it reach a task."""
    audit = AuditEmitter("Vera", sinks=[MemorySink(), MemorySink()])

    def broken(*_, **__):
        raise ZeroDivisionError("canary")

    async def run():
        async with audit.question(text="hi"):
            monkeypatch.setattr("emitter.draft.assemble", broken)

    asyncio.run(run())

    assert audit.stats.by_reason == {"ZeroDivisionError": 1}
