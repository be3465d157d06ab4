"""The record written beside the framework's own work."""

from __future__ import annotations

import threading

import pytest

from emitter import AuditEmitter, EmitterSettings, Question, QueueFullError
from emitter.beside import THREAD_NAME, Beside
from emitter.question import current_question
from emitter.testing import MemorySink


class HeldSink(MemorySink):
    """Takes nothing before it is let."""

    def __init__(self):
        super().__init__()
        self.let = threading.Event()
        self.threads = []

    def write(self, entry):
        self.let.wait(5)
        self.threads.append(threading.current_thread())
        super().write(entry)


@pytest.fixture
def sink():
    sink = HeldSink()
    yield sink
    sink.let.set()
    _join()


@pytest.fixture
def audit(sink):
    return AuditEmitter(bot_name="Vera", sinks=[sink])


def _join():
    for thread in threading.enumerate():
        if thread.name == THREAD_NAME:
            thread.join(5)


def test_the_block_does_not_wait_for_the_record(audit, sink):
    """Leaving the block ends while the sink still holds its breath."""
    with Beside(audit.question("why?")) as q:
        q.reply("Because.")
        assert current_question() is q

    assert sink.entries == []
    assert current_question() is None
    sink.let.set()
    _join()
    assert [record["response"] for record in sink.records] == ["Because."]


def test_a_lambda_waits_for_the_record(audit, sink, monkeypatch):
    """A Lambda that has answered is frozen, with every thread of it."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "vera")
    sink.let.set()

    with Beside(audit.question("why?")):
        pass

    assert len(sink.entries) == 1


def test_an_error_goes_on_and_is_recorded(audit, sink):
    """The bot gets its own error; the record says its kind."""
    sink.let.set()

    with pytest.raises(KeyError), Beside(audit.question("why?")):
        raise KeyError

    _join()
    assert sink.records[0]["error_type"] == "KeyError"


def test_without_a_thread_the_block_writes(audit, sink, monkeypatch):
    """A process that can start no thread still loses no record."""
    sink.let.set()
    start = threading.Thread.start

    def refuse(thread):
        if thread.name == THREAD_NAME:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)

    with Beside(audit.question("why?")):
        pass

    assert len(sink.entries) == 1


def test_the_process_waits_for_the_thread(audit, sink):
    """The thread is no daemon."""
    with Beside(audit.question("why?")):
        pass

    (thread,) = (each for each in threading.enumerate() if each.name == THREAD_NAME)
    assert not thread.daemon


def test_a_queue_that_refuses_harms_nobody(audit, sink, monkeypatch, caplog):
    """Policy `raise` has nobody to raise to where a framework is in between."""

    class FullQuestion(Question):
        def __exit__(self, kind, error, trace):
            raise QueueFullError

    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "vera")

    with Beside(FullQuestion(audit, "why?", {})):
        pass

    assert "QueueFullError" in caplog.text
    assert current_question() is None


def test_a_test_has_its_records_when_the_bot_has_returned(audit_records, monkeypatch):
    """Where a test collects records nobody is kept waiting, and it looks at once."""
    start = threading.Thread.start
    begun = []
    monkeypatch.setattr(
        threading.Thread, "start", lambda each: (begun.append(each.name), start(each))
    )

    with Beside(AuditEmitter("Vera").question("why?")) as q:
        q.reply("Because.")

    assert [record["response"] for record in audit_records] == ["Because."]
    assert THREAD_NAME not in begun


@pytest.mark.parametrize("mode", ["sync", "thread"])
def test_flush_waits_for_a_record_that_has_not_begun(sink, mode, monkeypatch):
    """From the end of the block on the record counts as waiting."""
    audit = AuditEmitter("Vera", sinks=[sink], settings=EmitterSettings(mode=mode))
    begin, write = threading.Event(), Beside._write
    monkeypatch.setattr(
        Beside, "_write", lambda *given: (begin.wait(10), write(*given))
    )
    with Beside(audit.question("why?")):
        pass

    assert not audit.flush(0.05)
    begin.set()
    sink.let.set()

    assert audit.flush(10)
    assert len(sink.entries) == 1


def test_what_a_record_dies_of_is_not_told(audit, sink, monkeypatch, caplog):
    """A thread that ends with an error would print it, and what it repeats."""
    sink.let.set()
    died = []
    monkeypatch.setattr(threading, "excepthook", died.append)

    class Panic(BaseException):
        """What no `except Exception` catches."""

    class BrokenQuestion(Question):
        def __exit__(self, kind, error, trace):
            raise Panic("canary")

    with Beside(BrokenQuestion(audit, "why?", {})):
        pass

    _join()
    assert audit.flush(5)
    assert died == []
    assert "Panic" in caplog.text
    assert "canary" not in caplog.text
