"""Mode thread: bounded, batched, tried again, and nothing left when it ends."""

from __future__ import annotations

import asyncio
import json
import threading
import time

import pytest

from emitter import AuditEmitter, Clock, EmitterSettings, QueueFullError, draft
from emitter.errors import SinkError
from emitter.sinks.entry import Refused
from emitter.testing import FailingSink, MemorySink

THREAD = EmitterSettings(mode="thread", budget_ms=2_000)
NO_PAUSE = Clock(sleep_s=lambda _: None)


class BatchSink(MemorySink):
    """Takes batches; can be held, and fails as it is told."""

    def __init__(self, *failures):
        super().__init__()
        self.batches = []
        self.failures = list(failures)
        self.is_open = threading.Event()
        self.is_open.set()
        self.reached = threading.Event()

    def write_batch(self, entries):
        self.reached.set()
        self.is_open.wait(20)
        failure = self.failures.pop(0) if self.failures else None
        if isinstance(failure, str):
            raise SinkError(failure)
        self.batches.append(list(entries))
        self.entries += entries
        return (
            [Refused(e, "rejected_too_old") for e in failure(entries)]
            if failure
            else []
        )


def held():
    """Return a sink that is held at its first batch."""
    sink = BatchSink()
    sink.is_open.clear()
    return sink


def ask(audit, count, **fields):
    for number in range(count):
        with audit.question(text=f"question {number}", **fields) as q:
            q.reply("x")


def asked(entries):
    return [json.loads(entry.line)["user_query"] for entry in entries]


def test_questions_are_sent_in_batches():
    """What waits while a call is under way goes in one call, chained and in order."""
    sink = held()
    audit = AuditEmitter("Vera", sinks=[sink], settings=THREAD)
    ask(audit, 1)
    assert sink.reached.wait(5)
    ask(audit, 50)
    sink.is_open.set()

    assert audit.flush(5)

    assert [len(batch) for batch in sink.batches] == [1, 50]
    assert asked(sink.batches[1]) == [f"question {number}" for number in range(50)]
    seqs = [json.loads(entry.line)["seq"] for entry in sink.entries]
    assert seqs == list(range(seqs[0], seqs[0] + 51))
    assert audit.stats.written == 51


def test_leaving_the_block_does_not_wait():
    """A service that hangs costs the bot nothing."""
    sink = held()
    audit = AuditEmitter("Vera", sinks=[sink], settings=THREAD)
    started_s = time.monotonic()

    ask(audit, 20)

    assert time.monotonic() - started_s < 2
    assert not audit.flush(0.05)
    sink.is_open.set()
    assert audit.flush(5)


def small_queue(overflow):
    return EmitterSettings(
        mode="thread", max_queue_count=2, overflow=overflow, budget_ms=200
    )


def test_a_full_queue_spools_by_default():
    """What the queue cannot take goes to the fallback, and is counted."""
    sink, second = held(), MemorySink()
    audit = AuditEmitter("Vera", sinks=[sink, second], settings=small_queue("spool"))

    ask(audit, 5)

    sink.is_open.set()
    audit.close()
    assert len(second.entries) == 3
    assert audit.stats.by_reason["queue_full"] == 3
    assert len(sink.entries) + len(second.entries) >= 5


def test_a_full_queue_may_raise():
    """Who wants to know is told, at the block's end; the loss is counted."""
    sink = held()
    audit = AuditEmitter("Vera", sinks=[sink], settings=small_queue("raise"))
    ask(audit, 2)

    with pytest.raises(QueueFullError):
        ask(audit, 1)
    with pytest.raises(QueueFullError):
        audit.write(user_query="x")
    with pytest.raises(LookupError), audit.question():
        raise LookupError("the bot's own error comes first")

    sink.is_open.set()
    assert audit.flush(5)
    assert audit.stats.by_reason == {"queue_full": 3}
    assert audit.stats.written == 2


def test_a_full_queue_may_block_until_there_is_room():
    """The bot waits while others are sent, and nothing goes elsewhere."""
    settings = EmitterSettings(mode="thread", max_queue_count=2, overflow="block")
    sink, second = held(), MemorySink()
    audit = AuditEmitter("Vera", sinks=[sink, second], settings=settings)
    ask(audit, 2)
    timer = threading.Timer(0.05, sink.is_open.set)
    timer.start()

    ask(audit, 1)

    timer.join()
    assert audit.flush(5)
    assert len(sink.entries) == 3
    assert second.entries == []


def test_blocking_ends_with_the_budget():
    """Where no room comes in time, each record is in the fallback at the latest."""
    sink, second = held(), MemorySink()
    audit = AuditEmitter("Vera", sinks=[sink, second], settings=small_queue("block"))
    started_s = time.monotonic()

    ask(audit, 4)

    took_s = time.monotonic() - started_s
    audit.close()
    sink.is_open.set()
    assert took_s < 5
    assert set(asked(second.entries)) == {f"question {n}" for n in range(4)}


def test_the_queue_is_bounded_by_bytes_too():
    """A few long conversations fill it as well as many short ones."""
    settings = EmitterSettings(mode="thread", max_queue_bytes=1_000_000)
    sink, second = held(), MemorySink()
    audit = AuditEmitter("Vera", sinks=[sink, second], settings=settings)

    ask(audit, 3, conversation="x" * 600_000)

    sink.is_open.set()
    assert audit.flush(10)
    assert len(second.entries) == 2


def test_a_passing_failure_is_tried_again():
    """Throttled twice, taken the third time: nothing went elsewhere."""
    pauses = []
    sink, second = BatchSink("throttled", "connection"), MemorySink()
    audit = AuditEmitter(
        "Vera",
        sinks=[sink, second],
        settings=THREAD,
        clock=Clock(sleep_s=pauses.append),
    )

    ask(audit, 1)

    assert audit.flush(5)
    assert len(sink.entries) == 1
    assert second.entries == []
    assert 0.25 <= pauses[0] <= 0.75
    assert 0.5 <= pauses[1] <= 1.5


@pytest.mark.parametrize(
    ("failures", "left"),
    [(["throttled"] * 3, 0), (["denied"], 0), (["throttled", "denied"], 0)],
    ids=["three times", "for good", "both"],
)
def test_a_lasting_failure_goes_to_the_fallback(failures, left):
    """After three attempts, or at once where the next would be the same."""
    sink, second = BatchSink(*failures), MemorySink()
    audit = AuditEmitter("Vera", sinks=[sink, second], settings=THREAD, clock=NO_PAUSE)

    ask(audit, 1)

    assert audit.flush(5)
    assert len(second.entries) == 1
    assert len(sink.failures) == left
    assert audit.stats.by_reason == {failures[-1]: 1}


def test_only_refused_events_go_to_the_fallback():
    """Of a batch that was taken in part, the rest stays where it is."""
    sink, second = BatchSink(None, lambda entries: entries[:2]), MemorySink()
    sink.is_open.clear()
    audit = AuditEmitter("Vera", sinks=[sink, second], settings=THREAD)
    ask(audit, 1)
    assert sink.reached.wait(5)
    ask(audit, 5)
    sink.is_open.set()

    assert audit.flush(5)

    assert asked(second.entries) == ["question 0", "question 1"]
    assert audit.stats.written == 4
    assert audit.stats.by_reason == {"rejected_too_old": 2}


def test_one_bad_line_does_not_take_the_others_with_it():
    """A batch that is refused as invalid is sent line by line."""
    sink, second = BatchSink(), MemorySink()
    sink.is_open.clear()
    sink.failures = [None, "invalid_parameter", None, "invalid_parameter", None]
    audit = AuditEmitter("Vera", sinks=[sink, second], settings=THREAD)
    ask(audit, 1)
    assert sink.reached.wait(5)
    ask(audit, 3)
    sink.is_open.set()

    assert audit.flush(5)

    assert asked(second.entries) == ["question 1"]
    assert audit.stats.written == 3


def test_a_call_that_hangs_is_left_behind():
    """The thread goes on with the next batch; the record is in the fallback."""
    sink, second = held(), MemorySink()
    settings = EmitterSettings(mode="thread", budget_ms=150)
    audit = AuditEmitter("Vera", sinks=[sink, second], settings=settings)

    ask(audit, 1)

    assert audit.flush(10)
    sink.is_open.set()
    assert audit.stats.by_reason == {"budget_exceeded": 1}
    assert second.entries[0].line == sink.batches[0][0].line if sink.batches else True


def test_closing_sends_what_waits():
    """After `close` everything is somewhere; it can be called twice."""
    sink = BatchSink()
    audit = AuditEmitter("Vera", sinks=[sink], settings=THREAD)
    ask(audit, 30)

    audit.close()
    audit.close()

    assert len(sink.entries) == 30


def test_closing_is_bounded_and_loses_nothing():
    """What cannot be sent in time is in the fallback, that under way included."""
    sink, second = held(), MemorySink()
    settings = EmitterSettings(mode="thread", budget_ms=20_000)
    audit = AuditEmitter("Vera", sinks=[sink, second], settings=settings)
    ask(audit, 10)
    assert sink.reached.wait(5)
    started_s = time.monotonic()

    audit.close(0.3)

    assert time.monotonic() - started_s < 5
    assert sorted(asked(second.entries)) == [f"question {n}" for n in range(10)]
    assert audit.stats.by_reason == {"closing": 10}
    sink.is_open.set()


def test_a_question_after_closing_is_still_written():
    """Shutdown order is not the bot author's problem."""
    first, second = BatchSink(), MemorySink()
    audit = AuditEmitter("Vera", sinks=[first, second], settings=THREAD)
    ask(audit, 1)
    audit.close()

    ask(audit, 1)

    assert len(first.entries) + len(second.entries) == 2


def test_on_lambda_it_falls_back_to_sync_with_one_warning(monkeypatch, caplog):
    """A frozen thread would keep its queue: the mode is refused there, once."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "vera")
    sink = MemorySink()
    audit = AuditEmitter("Vera", sinks=[sink], settings=THREAD)

    ask(audit, 2)

    assert len(sink.entries) == 2
    assert sum("mode thread" in message for message in caplog.messages) == 1


def test_people_are_looked_up_beside_each_other():
    """Eight slow look-ups take about as long as one."""
    together, most = [], []
    lock = threading.Lock()

    def look_up(user):
        with lock:
            together.append(user)
            most.append(len(together))
        time.sleep(0.1)
        with lock:
            together.remove(user)
        return {"ok": True, "user": {"id": user, "name": f"name-{user.lower()}"}}

    sink = held()
    audit = AuditEmitter("Vera", sinks=[sink], settings=THREAD, directory=look_up)
    audit.write(user_query="first")
    assert sink.reached.wait(5)
    for number in range(8):
        with audit.question({"type": "message", "user": f"U{number}", "team": "T1"}):
            pass
    sink.is_open.set()

    assert audit.flush(10)

    names = [json.loads(entry.line)["user_id"] for entry in sink.entries[1:]]
    assert names == [f"name-u{number}" for number in range(8)]
    assert max(most) > 1


def test_a_look_up_that_hangs_does_not_stop_the_others():
    """One person stays unresolved, and everybody's record is written."""
    released = threading.Event()

    def look_up(user):
        if user == "U0":
            released.wait(20)
        return {"ok": True, "user": {"id": user, "name": "ada"}}

    sink = BatchSink()
    settings = EmitterSettings(mode="thread", budget_ms=300)
    audit = AuditEmitter("Vera", sinks=[sink], settings=settings, directory=look_up)

    for user in ("U0", "U1", "U2"):
        with audit.question({"type": "message", "user": user, "team": "T1"}):
            pass

    assert audit.flush(10)
    released.set()
    records = {r["user_platform_id"][-2:]: r["user_id"] for r in sink.records}
    assert records == {"U0": "unknown_user_id", "U1": "ada", "U2": "ada"}


def test_a_plain_sink_serves_as_well():
    """A sink that knows no batches is written to one by one."""
    sink, second = FailingSink(count=1), MemorySink()
    audit = AuditEmitter("Vera", sinks=[sink, second], settings=THREAD)

    ask(audit, 5)

    assert audit.flush(5)
    assert len(sink.entries) == 4
    assert len(second.entries) == 1


def test_the_overflow_hook_is_told():
    """A record that had to be cut reaches the hook in this mode too."""
    told = []
    done = threading.Event()
    settings = EmitterSettings(mode="thread", max_record_bytes=40_000)
    audit = AuditEmitter(
        "Vera",
        sinks=[BatchSink()],
        settings=settings,
        on_overflow=lambda record: (told.append(record), done.set()),
    )

    audit.write(response="word " * 30_000)

    assert done.wait(5)
    assert len(told) == 1


def test_a_record_that_cannot_be_made_is_counted(monkeypatch):
    """The thread survives whatever goes wrong in it."""
    sink = BatchSink()
    audit = AuditEmitter("Vera", sinks=[sink], settings=THREAD)

    def broken(*_):
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr("emitter.draft.assemble", broken)
        ask(audit, 1)
        assert audit.flush(10)
    ask(audit, 1)

    assert audit.flush(5)
    assert audit.stats.failed == 1
    assert len(sink.entries) == 1


def test_a_full_queue_may_raise_in_a_task_too():
    """`async with` tells the same as `with`."""
    sink = held()
    audit = AuditEmitter("Vera", sinks=[sink], settings=small_queue("raise"))
    ask(audit, 2)

    async def run():
        async with audit.question():
            pass

    with pytest.raises(QueueFullError):
        asyncio.run(run())

    sink.is_open.set()
    assert audit.flush(5)
    assert audit.stats.written == 2


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_interrupts_a_block_leaves_the_record_in_the_fallback(error, monkeypatch):
    """Ctrl-C while the queue is full: written, then raised on."""
    second = MemorySink()
    sink = held()
    settings = EmitterSettings(mode="thread", max_queue_count=1, overflow="block")
    audit = AuditEmitter("Vera", sinks=[sink, second], settings=settings)
    ask(audit, 1)
    wait_for = threading.Condition.wait_for

    def interrupted(condition, predicate, timeout=None):
        is_ours = threading.current_thread() is threading.main_thread()
        if is_ours and condition is audit.writer._worker._changed:
            raise error
        return wait_for(condition, predicate, timeout)

    monkeypatch.setattr(threading.Condition, "wait_for", interrupted)
    with pytest.raises(error):
        ask(audit, 1)

    monkeypatch.undo()
    assert len(second.entries) == 1
    sink.is_open.set()


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_a_record_that_cannot_be_made_does_not_take_the_others_with_it(
    error, monkeypatch
):
    """It alone is counted as failed; what came with it is sent."""
    make = draft.assemble

    def make_some(fields, *given):
        if fields["user_query"] == "question 2":
            raise error
        return make(fields, *given)

    monkeypatch.setattr(draft, "assemble", make_some)
    sink = BatchSink()
    audit = AuditEmitter("Vera", sinks=[sink, MemorySink()], settings=THREAD)
    ask(audit, 5)

    assert audit.flush(10)

    assert sorted(asked(sink.entries)) == [f"question {n}" for n in (0, 1, 3, 4)]
    assert (audit.stats.written, audit.stats.failed) == (4, 1)
    assert audit.stats.by_reason == {error.__name__: 1}
