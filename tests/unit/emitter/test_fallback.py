"""The fallbacks: bounded like the first sink, and nothing lost without a word."""

from __future__ import annotations

import threading
import time

import pytest

from emitter import AuditEmitter, EmitterSettings
from emitter.delivery import _Attempt
from emitter.errors import SinkError
from emitter.testing import FailingSink, MemorySink

SOON = EmitterSettings(budget_ms=400)
THREAD = EmitterSettings(mode="thread", budget_ms=400)


class Panic(BaseException):
    """What no `except Exception` catches."""


class HungSink(MemorySink):
    """Takes nothing before it is let."""

    def __init__(self):
        super().__init__()
        self.let = threading.Event()

    def write(self, entry):
        self.let.wait(30)
        super().write(entry)


class PanickingSink:
    def write(self, entry):
        raise Panic(entry.line)


def panic(*_):
    raise Panic("canary")


def ask(audit, text="canary"):
    with audit.question(text=text) as q:
        q.reply("x")


def wait_until(is_true):
    ends_at_s = time.monotonic() + 10
    while not is_true() and time.monotonic() < ends_at_s:
        time.sleep(0.01)
    return is_true()


@pytest.fixture(autouse=True)
def unseen(monkeypatch):
    """Collect what threads die of: nothing may."""
    died = []
    monkeypatch.setattr(threading, "excepthook", died.append)
    yield
    assert died == []


@pytest.mark.parametrize("first", [FailingSink(), HungSink(), PanickingSink()])
def test_a_fallback_that_hangs_does_not_hold_up_the_bot(first):
    """The budget holds for every sink; what became of the record is counted."""
    hung = HungSink()
    audit = AuditEmitter("Vera", sinks=[first, hung], settings=SOON)
    started_s = time.monotonic()

    ask(audit)

    assert time.monotonic() - started_s < 5
    assert (audit.stats.failed, audit.stats.fallback) == (1, 0)
    assert audit.stats.by_reason["fallback_timeout"] == 1
    hung.let.set()
    assert wait_until(lambda: audit.stats.fallback == 1)
    assert len(hung.entries) == 1


def test_what_hangs_is_bounded(monkeypatch):
    """No more threads than so many; the next record is counted as failed."""
    monkeypatch.setattr("emitter.fallback.MAX_UNDER_WAY", 2)
    hung = HungSink()
    settings = EmitterSettings(budget_ms=100)
    audit = AuditEmitter("Vera", sinks=[FailingSink(), hung], settings=settings)

    for _ in range(4):
        ask(audit)

    assert audit.stats.by_reason["fallback_busy"] == 2
    hung.let.set()
    assert wait_until(lambda: audit.stats.fallback == 2)


def test_flush_waits_for_a_fallback_that_is_late():
    """A program that ends right after is not too quick for it."""
    hung = HungSink()
    settings = EmitterSettings(budget_ms=100)
    audit = AuditEmitter("Vera", sinks=[FailingSink(), hung], settings=settings)
    ask(audit)

    assert not audit.flush(0.05)
    hung.let.set()

    assert audit.flush(10)
    assert len(hung.entries) == 1


@pytest.mark.parametrize("settings", [SOON, THREAD], ids=["sync", "thread"])
def test_whatever_a_sink_raises_the_next_is_tried(settings, caplog):
    """Not even what no `except Exception` catches ends a thread or is told."""
    last = MemorySink()
    sinks = [PanickingSink(), PanickingSink(), last]
    audit = AuditEmitter("Vera", sinks=sinks, settings=settings)

    for _ in range(3):
        ask(audit)
    audit.flush(10)

    assert len(last.entries) == 3
    assert audit.stats.by_reason == {"Panic": 3}
    assert "canary" not in caplog.text


def test_a_sink_that_panicked_often_is_used_again(monkeypatch):
    """No attempt is taken to be under way for ever."""
    monkeypatch.setattr("emitter.delivery.MAX_ATTEMPTS", 2)

    class Moody(MemorySink):
        is_bad = True

        def write(self, entry):
            if self.is_bad:
                raise Panic
            super().write(entry)

    sink, second = Moody(), MemorySink()
    audit = AuditEmitter("Vera", sinks=[sink, second])
    for _ in range(5):
        ask(audit)
    sink.is_bad = False
    ask(audit)

    assert (len(sink.entries), len(second.entries)) == (1, 5)


@pytest.mark.parametrize("settings", [SOON, THREAD], ids=["sync", "thread"])
@pytest.mark.parametrize("hook", ["redact", "directory", "on_overflow"])
def test_whatever_a_hook_raises_the_record_is_written(settings, hook, caplog):
    """A hook that panics costs what it was to do, never the record or the next."""
    first, second = MemorySink(), MemorySink()
    size = {"max_record_bytes": 40_000} if hook == "on_overflow" else {}
    settings = EmitterSettings(mode=settings.mode, **size)
    audit = AuditEmitter(
        "Vera", sinks=[first, second], settings=settings, **{hook: panic}
    )
    started_s = time.monotonic()

    for _ in range(3):
        with audit.question({"type": "message", "user": "U1", "text": "hi"}) as q:
            q.reply("word " * 20_000)
    audit.flush(10)

    assert time.monotonic() - started_s < 10
    assert len(first.entries) + len(second.entries) == 3
    assert audit.stats.failed == 0
    assert "canary" not in caplog.text


def test_a_redact_hook_that_panics_has_its_texts_withheld():
    """It fails closed."""
    sink = MemorySink()
    audit = AuditEmitter("Vera", sinks=[sink], redact=panic)

    ask(audit, "canary")

    assert b"canary" not in sink.entries[0].line


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, Panic])
def test_what_interrupts_the_wait_leaves_the_record_in_the_fallback(error, monkeypatch):
    """Ctrl-C and a signal's handler that raises: written, then raised on."""
    hung, second = HungSink(), MemorySink()
    audit = AuditEmitter("Vera", sinks=[hung, second])
    wait = _Attempt.wait

    def interrupted(attempt, timeout_s):
        if timeout_s > 0:
            raise error
        return wait(attempt, timeout_s)

    monkeypatch.setattr(_Attempt, "wait", interrupted)

    with pytest.raises(error):
        ask(audit)

    assert len(second.entries) == 1
    assert audit.stats.by_reason == {"interrupted": 1}
    hung.let.set()


def test_closing_with_a_hook_that_hangs_is_bounded():
    """All records share one time for their texts; none is lost."""
    released = threading.Event()
    first, second = HungSink(), MemorySink()
    audit = AuditEmitter(
        "Vera",
        sinks=[first, second],
        redact=lambda text: (released.wait(60), text)[1],
        settings=EmitterSettings(mode="thread"),
    )
    for number in range(100):
        ask(audit, f"question {number}")
    started_s = time.monotonic()

    audit.close(0.5)

    assert time.monotonic() - started_s < 8
    assert len(second.entries) == 100
    assert audit.stats.by_reason == {"closing": 100}
    released.set()
    first.let.set()


def test_closing_with_a_fallback_that_hangs_is_bounded():
    """What could not be written is counted."""
    hung = HungSink()
    audit = AuditEmitter(
        "Vera", sinks=[HungSink(), hung], settings=EmitterSettings(mode="thread")
    )
    for _ in range(10):
        ask(audit)
    started_s = time.monotonic()

    audit.close(0.3)

    assert time.monotonic() - started_s < 8
    assert audit.stats.by_reason == {"fallback_timeout": 10}
    hung.let.set()


@pytest.mark.parametrize("overflow", ["block", "spool", "raise"])
def test_a_question_after_closing_goes_to_the_first_sink(overflow):
    """At once and in time, whatever is done with what a full queue cannot take."""
    sink, second = MemorySink(), MemorySink()
    settings = EmitterSettings(mode="thread", overflow=overflow)
    audit = AuditEmitter("Vera", sinks=[sink, second], settings=settings)
    ask(audit)
    audit.close()

    ask(audit)

    assert (len(sink.entries), len(second.entries)) == (2, 0)


def test_what_the_first_sink_refuses_after_closing_falls_back():
    """It is one more sync delivery."""
    second = MemorySink()
    settings = EmitterSettings(mode="thread", overflow="raise")
    audit = AuditEmitter("Vera", sinks=[FailingSink(), second], settings=settings)
    audit.flush()
    audit.close()
    ask(audit)
    audit.close()
    ask(audit)

    assert len(second.entries) == 2


def test_many_refused_records_fall_back_in_few_calls():
    """A sink that takes several at once is given them together."""
    calls = []

    class Batches(MemorySink):
        def write_batch(self, entries):
            calls.append(len(entries))
            self.entries += entries
            return []

    class Refusing:
        def write(self, entry):
            raise SinkError("denied")

    second = Batches()
    audit = AuditEmitter("Vera", sinks=[Refusing(), second], settings=THREAD)
    for _ in range(20):
        ask(audit)

    assert audit.flush(10)
    assert len(second.entries) == 20
    assert len(calls) < 20
