"""The deadline guard: a question that Lambda would cut off is written anyway."""

from __future__ import annotations

import threading
import time

import pytest

from emitter import AuditEmitter
from emitter.guard import DeadlineGuard
from emitter.testing import FailingSink, MemorySink, assert_valid

SLACK = {
    "type": "event_callback",
    "team_id": "T1",
    "event": {
        "type": "message",
        "user": "U1",
        "text": "hi",
        "ts": "1.2",
        "channel": "C",
    },
}


class Context:
    """A Lambda context with a clock of its own."""

    def __init__(self, left_ms):
        self._ends_at_s = time.monotonic() + left_ms / 1_000

    def get_remaining_time_in_millis(self):
        return int((self._ends_at_s - time.monotonic()) * 1_000)


class Told:
    """A question that only notes that its time is up."""

    def __init__(self, name, told):
        self._name = name
        self._told = told

    def time_is_up(self):
        self._told.append(self._name)


def wait_for(is_true, timeout_s=5.0):
    ends_at_s = time.monotonic() + timeout_s
    while not is_true() and time.monotonic() < ends_at_s:
        time.sleep(0.005)
    return is_true()


@pytest.fixture
def sinks():
    return MemorySink(), MemorySink()


@pytest.fixture
def audit(sinks):
    return AuditEmitter("Vera", sinks=sinks)


@pytest.mark.parametrize("left_ms", [1_100, 1_000, 0, -5_000])
def test_an_open_question_is_written_when_the_time_is_up(audit, sinks, left_ms):
    """A second before the end the fallback has what is known, as a timeout."""
    first, second = sinks

    with audit.question(SLACK, lambda_context=Context(left_ms)) as q:
        q.tool("jira")
        assert wait_for(lambda: second.entries)
        q.reply("in time after all")

    timeout = second.records[0]
    (full,) = first.records or second.records[1:]
    assert_valid(timeout)
    assert_valid(full)
    assert timeout["outcome"] == "timeout"
    assert timeout["record_id"] == q.record_id
    assert timeout["tools"] == [{"name": "jira", "status": "ok"}]
    assert timeout["user_platform_id"] == "T1/U1"
    assert full["outcome"] == "answered"
    assert full["response"] == "in time after all"
    assert full["ref_record_id"] == timeout["record_id"] != full["record_id"]
    assert full["message_id"] == timeout["message_id"]
    assert full["nonce"] != timeout["nonce"]
    assert audit.stats.by_reason["deadline"] == 1


def test_with_time_left_the_guard_stays_quiet(audit, sinks):
    """An ordinary question has one record."""
    first, second = sinks

    with audit.question(SLACK, lambda_context=Context(10_000)) as q:
        q.reply("x")

    assert len(first.entries) == 1
    assert second.entries == []


def test_without_a_fallback_the_first_sink_is_written():
    """A bot with one sink has its timeout there."""
    sink = MemorySink()
    audit = AuditEmitter("Vera", sinks=[sink])

    with audit.question(lambda_context=Context(900)):
        assert wait_for(lambda: sink.entries)

    assert [record["outcome"] for record in sink.records] == ["timeout", "empty"]


def test_the_guard_outlives_a_broken_sink():
    """A question whose sinks fail does not keep the next from being watched."""
    broken = AuditEmitter("Vera", sinks=[FailingSink(), FailingSink()])
    sink = MemorySink()
    audit = AuditEmitter("Vera", sinks=[sink])

    with broken.question(lambda_context=Context(0)):
        assert wait_for(lambda: broken.stats.failed)
    with audit.question(lambda_context=Context(0)):
        assert wait_for(lambda: sink.entries)

    assert sink.records[0]["outcome"] == "timeout"


@pytest.mark.parametrize("seed", range(3))
def test_every_race_ends_in_one_record_or_a_pair(seed):
    """Guard and block end together: one record, or a timeout and its correction."""
    sink = MemorySink()
    audit = AuditEmitter("Vera", sinks=[sink])
    questions = []

    def ask(number):
        context = Context(1_000 + (number * 7 + seed) % 30)
        with audit.question(lambda_context=context) as q:
            questions.append(q.record_id)
            time.sleep((number % 3) * 0.01)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wait_for(lambda: is_settled(sink.records, questions))
    by_id = {record["record_id"]: record for record in sink.records}
    assert len(by_id) == len(sink.records)


def is_settled(records, questions):
    """Tell whether each question has its record, or a timeout and what follows it."""
    ids = {record["record_id"] for record in records}
    timeouts = {r["record_id"] for r in records if r["outcome"] == "timeout"}
    corrected = {r["ref_record_id"] for r in records if "ref_record_id" in r}
    return set(questions) <= ids and timeouts == corrected


def test_a_clock_that_was_frozen_is_asked_again():
    """A watch that comes due while there is time left is set again."""
    left_ms = [1_010, 60_000, 60_000]
    told = []
    question = Told(1, told)
    guard = DeadlineGuard()

    watch = guard.watch(question, lambda: left_ms.pop(0) if left_ms else 60_000)

    assert wait_for(lambda: len(left_ms) < 2)
    assert told == []
    watch.cancel()


def test_deadlines_are_kept_in_their_order():
    """The earliest is told first, whenever it was set."""
    told = []
    guard = DeadlineGuard()
    late = Told("late", told)
    early = Told("early", told)
    moments = {"late": Context(1_150), "early": Context(1_020)}

    guard.watch(late, moments["late"].get_remaining_time_in_millis)
    guard.watch(early, moments["early"].get_remaining_time_in_millis)

    assert wait_for(lambda: len(told) == 2)
    assert told == ["early", "late"]


def test_a_cancelled_watch_is_passed_over():
    """A question that has ended is not told."""
    told = []
    guard = DeadlineGuard()
    question = Told("ended", told)
    other = Told("open", told)
    guard.watch(question, Context(1_030).get_remaining_time_in_millis).cancel()

    guard.watch(other, Context(1_060).get_remaining_time_in_millis)

    assert wait_for(lambda: told)
    assert told == ["open"]


def test_a_question_that_is_gone_is_not_kept_alive():
    """The guard holds nothing of a question that nobody holds."""
    guard = DeadlineGuard()
    told = []
    question = Told("gone", told)
    guard.watch(question, Context(1_010).get_remaining_time_in_millis)
    del question
    other = Told("there", told)

    guard.watch(other, Context(1_040).get_remaining_time_in_millis)

    assert wait_for(lambda: told)
    assert told == ["there"]


def test_an_unknown_time_left_is_not_watched():
    """Who cannot tell the time has no deadline."""
    question = Told("late", [])

    assert DeadlineGuard().watch(question, lambda: None) is None
