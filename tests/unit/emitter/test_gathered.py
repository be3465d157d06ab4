"""Rules of `emitter.gathered`: streams that are still being read."""

from __future__ import annotations

import time

import pytest

from emitter import AuditEmitter
from emitter.conversation import AnswerFacts
from emitter.conversation.stream.along import tee_any
from emitter.gathered import Gathered
from emitter.testing import MemorySink

EVENTS = [
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Hello half"}}},
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": " rest"}}},
    {"messageStop": {"stopReason": "end_turn"}},
]


class Context:
    """Lambda's, with a clock of its own."""

    def __init__(self, left_ms):
        self._ends_at_s = time.monotonic() + left_ms / 1_000

    def get_remaining_time_in_millis(self):
        return int((self._ends_at_s - time.monotonic()) * 1_000)


def open_stream(gathered):
    along = tee_any(iter(EVENTS), gathered.add_answer)
    gathered.add_stream(along)
    return along


def test_what_is_still_read_counts_only_on_demand():
    """A look at it changes nothing."""
    gathered = Gathered()
    along = open_stream(gathered)
    next(along)

    before = gathered.totals(with_open=True)
    without = gathered.totals()
    list(along)
    after = gathered.totals(with_open=True)

    assert (before.text, before.fields["llm_calls"]) == ("Hello half", 1)
    assert (without.text, without.fields.get("llm_calls")) == ("", None)
    assert (after.text, after.fields["llm_calls"]) == ("Hello half rest", 1)


@pytest.mark.parametrize("with_open", [True, False])
def test_a_stream_stands_where_it_began(with_open):
    """What was asked after it is the later answer, whoever is told first."""
    gathered = Gathered()
    gathered.add_answer(AnswerFacts(text="first"))
    streams = [open_stream(gathered), open_stream(gathered)]
    for along in streams:
        next(along)
    gathered.add_answer(AnswerFacts(text="last"))
    if not with_open:
        gathered.end_streams()

    total = gathered.totals(with_open=with_open)

    assert total.text == "last"
    assert total.is_complete
    assert total.fields["llm_calls"] == 4


def test_a_timeout_has_what_a_stream_had_given():
    """The guard looks at streams that the bot still reads."""
    first, second = MemorySink(), MemorySink()
    audit = AuditEmitter("Vera", sinks=[first, second])

    with audit.question(text="Hi", lambda_context=Context(1_100)) as q:
        along = q.consume(iter(EVENTS))
        next(along)
        until_s = time.monotonic() + 5
        while not second.entries and time.monotonic() < until_s:
            time.sleep(0.01)
        list(along)

    timeout = second.records[0]
    (full,) = first.records or second.records[1:]
    assert (timeout["outcome"], timeout["response"]) == ("timeout", "Hello half")
    assert timeout["llm_calls"] == 1
    assert (full["outcome"], full["response"]) == ("answered", "Hello half rest")
    assert full["llm_calls"] == 1
