"""Putting back through the built zip: what goes round arrives, once."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections import Counter

import pytest

from chatbot_audit.sandbox import (
    DrivenClock,
    FirehoseSettings,
    LambdaSettings,
    Sandbox,
    SandboxSettings,
)
from chatbot_audit.sandbox.faults import Countdown, seeded_positions
from tests.factories import CONTROL, make_envelope, make_line, pack
from tests.unit.chatbot_audit.sandbox.rig import MemoryStore

# Above what the smallest response budget holds in one piece.
SMALL_BUDGET = {"AUDIT_RESPONSE_BUDGET_BYTES": "65536"}
BATCH = "PutRecordBatch"


class CountingStore(MemoryStore):
    """Counts every write, also of what it has."""

    def __init__(self):
        super().__init__()
        self.written_count = 0

    def write(self, documents):
        count = super().write(documents)
        self.written_count += count
        return count


class Run:
    """One sandbox, what was put into it, and what came of it."""

    def __init__(self, destination, environ=(), retry_count=3, timeout_s=30.0):
        self.store = CountingStore()
        self.settings = SandboxSettings(
            destination=destination,
            function=LambdaSettings(
                environ=dict(environ), process_count=1, timeout_s=timeout_s
            ),
            firehose=FirehoseSettings(lambda_retry_count=retry_count),
        )

    def __call__(self, records, change_faults=lambda faults: None):
        with Sandbox(self.settings, self.store, clock=DrivenClock()) as sandbox:
            change_faults(sandbox.faults)
            sandbox.put_records(records)
            sandbox.drain()
            self.report = sandbox.report()
            self.errors = list(sandbox.backup.read())
            self.calls = list(sandbox.api.calls)
            self.log = "\n".join(sandbox.function.log_lines)
            self.delivered_count = sandbox.stream.counts["delivered"]
            self.retry_count = sandbox.stream.counts["retries"]
        return self

    def count(self, metric):
        """Return the sum of one metric over all invocations."""
        return sum(map(int, re.findall(rf'"{metric}":(\d+)', self.log)))

    def originals(self):
        """Return the bytes that stand in processing-failed objects."""
        assert {kind for kind, _ in self.errors} <= {"processing-failed"}
        return [base64.b64decode(line["rawData"]) for _, line in self.errors]

    def assert_each_once(self, count):
        """Every event is one document, and none is anywhere else."""
        assert self.report.holds, self.report.sentence()
        assert len(self.report.delivered) == count
        assert self.errors == []
        self.assert_no_doubles(count)

    def assert_no_doubles(self, count):
        """The store has one document for each event."""
        events = Counter(d["event_id"] for d in self.store.documents.values())
        assert len(events) == count
        assert set(events.values()) <= {1}


def envelopes(*sizes, text_chars=10):
    """Return one envelope for each size, with so many events; every id its own."""
    number = 0
    for size in sizes:
        lines = []
        for n in range(number, number + size):
            words = f"w{n} " * (text_chars // len(f"w{n} ") + 1)
            changes = {"user_query": f"q{n}", "response": words}
            lines.append(make_line(record_id=f"{n:032x}", **changes))
        envelope = make_envelope(*lines)
        for n, event in enumerate(envelope["logEvents"], number):
            event["id"] = f"{n:056d}"
        number += size
        yield pack(envelope)


def test_an_envelope_of_several_events_explodes():
    """Each event becomes a record of its own; one alone needs no way round."""
    run = Run("documents")([*envelopes(1, 3, 1, 5, 2), pack(CONTROL)])

    run.assert_each_once(12)
    assert run.calls == [(BATCH, 10)]
    assert run.count("DocumentsPutBack") == 10
    assert run.delivered_count == 12


def test_a_document_that_went_round_is_the_same_document():
    """Nothing shows whether an event came alone or with others."""
    events = []
    for n in (1, 2):
        line = make_line(
            record_id=f"{n:032x}", user_query=f"key AKIAQ3EGRXVZT5BMJ7W{n}"
        )
        events.append(
            {"id": f"{n:056d}", "timestamp": 1_795_532_645_123} | {"message": line}
        )
    together = pack(make_envelope(logEvents=events))
    alone = [pack(make_envelope(logEvents=[event])) for event in events]

    rounds, direct = Run("documents")([together]), Run("documents")(alone)

    assert (len(rounds.calls), len(direct.calls)) == (1, 0)
    for document in (
        *rounds.store.documents.values(),
        *direct.store.documents.values(),
    ):
        document.pop("ingested_at", None)
    assert rounds.store.documents == direct.store.documents
    assert len(rounds.store.documents) == 2


def test_what_explodes_may_be_anything():
    """Quarantined lines, blank lines and good ones of one envelope part in peace."""
    good = make_line(record_id="a" * 32)
    run = Run("documents")(
        [pack(make_envelope("no JSON", good, " ", '{"user_id": 7}'))]
    )

    assert run.report.holds, run.report.sentence()
    assert len(run.report.quarantined) == 2
    assert len(run.report.delivered) == 1
    assert len(run.report.dropped) == 1
    run.assert_no_doubles(3)


def wrap(kind, data):
    """Return a record as `replay` puts it."""
    head = {"chatbot_audit_put_back": 1, "generation": 1, "kind": kind, "data": data}
    return gzip.compress(json.dumps(head).encode())


def test_finished_bytes_are_delivered_as_they_are():
    """What a destination did not take can be sent to it again through the stream."""
    first = Run("documents")(envelopes(1, 2))
    lines = [json.dumps(d).encode() for d in first.store.documents.values()]

    again = Run("documents")(
        wrap("bytes", base64.b64encode(line + b"\n").decode()) for line in lines
    )

    again.assert_each_once(3)
    assert again.store.documents == first.store.documents
    assert again.calls == []


def test_finished_bytes_that_are_no_document_are_kept():
    """Two lines would fail whatever is sent with them; the wrapper is in S3."""
    first = Run("documents")(envelopes(2))
    lines = b"\n".join(json.dumps(d).encode() for d in first.store.documents.values())
    record = wrap("bytes", base64.b64encode(lines).decode())

    again = Run("documents")([record, *envelopes(1)])

    assert again.report.holds, again.report.sentence()
    assert again.originals() == [record]
    assert len(again.report.delivered) == 1


THROTTLES = [
    pytest.param({"throttled_calls": 3}, [(BATCH, 6)], id="whole-calls"),
    pytest.param(
        {"failed_positions": {0, 2, 5}, "partial_calls": 1},
        [(BATCH, 6), (BATCH, 3)],
        id="positions",
    ),
    pytest.param(
        {"failed_positions": set(range(6)), "partial_calls": 2},
        [(BATCH, 6)] * 3,
        id="all-positions",
    ),
    pytest.param(
        {"failed_positions": {0}, "partial_calls": 3, "throttled_calls": 1},
        [(BATCH, 6), (BATCH, 1), (BATCH, 1), (BATCH, 1)],
        id="both",
    ),
    pytest.param(
        {"failed_positions": seeded_positions(3, 6, 0.5), "partial_calls": 1},
        None,
        id="seeded",
    ),
]


@pytest.mark.parametrize(("faults", "calls"), THROTTLES)
def test_only_what_was_throttled_is_put_again(faults, calls):
    """By position; in the end everything arrived, nothing twice."""

    def change(all_faults):
        put = all_faults.put
        put.failed_positions = frozenset(faults.get("failed_positions", ()))
        put.partial_calls.set(faults.get("partial_calls", 0))
        put.throttled_calls.set(faults.get("throttled_calls", 0))

    run = Run("documents")(envelopes(2, 4), change)

    run.assert_each_once(6)
    assert run.delivered_count == 6
    assert calls is None or run.calls == calls
    assert run.count("PutBackThrottled") > 0


def refuse(faults):
    faults.put.refusal_code = "AccessDeniedException"


def throttle_for_ever(faults):
    faults.put.throttled_calls.set(1_000_000)


def test_a_refused_put_back_keeps_the_originals():
    """What may not be put is reported as failed; its neighbours are delivered."""
    alone, together, control = *envelopes(1, 4), pack(CONTROL)

    run = Run("documents")([alone, together, control], refuse)

    assert run.report.holds, run.report.sentence()
    assert run.originals() == [together]
    assert len(run.report.failed) == 4
    assert len(run.report.delivered) == 1
    assert "reason=put_back:failed" in run.log
    assert run.retry_count == 0


def test_a_put_back_that_is_throttled_for_ever_ends_in_time():
    """At the function's deadline it gives up; the originals are kept."""
    alone, together = envelopes(1, 4)

    run = Run("documents", timeout_s=7.0)([alone, together], throttle_for_ever)

    assert run.report.holds, run.report.sentence()
    assert run.originals() == [together]
    assert len(run.report.delivered) == 1
    assert run.retry_count == 0
    assert run.count("PutBackFailed") > 0


class OnceThenRefused(Countdown):
    """One call fails in part; whatever comes after it is refused for good."""

    def __init__(self, put):
        super().__init__(1)
        self.put = put

    def take(self):
        self.put.refusal_code = "AccessDeniedException"
        return super().take()


def test_a_part_that_does_not_go_fails_its_whole_record():
    """Part of an envelope is delivered, all of it is kept: doubled, never lost."""

    def change(faults):
        faults.put.failed_positions = frozenset([0])
        faults.put.partial_calls = OnceThenRefused(faults.put)

    first, second = envelopes(3, 2)
    run = Run("documents")([first, second], change)

    assert run.report.holds, run.report.sentence()
    assert run.originals() == [first]
    assert len(run.report.failed - run.report.delivered) == 1
    run.assert_no_doubles(4)


def test_put_back_switched_off_keeps_the_originals():
    """For a stream that refuses puts; no call is made."""
    alone, together = envelopes(1, 4)

    run = Run("documents", {"AUDIT_PUT_BACK": "off"})([alone, together])

    assert run.report.holds, run.report.sentence()
    assert run.originals() == [together]
    assert len(run.report.delivered) == 1
    assert "reason=explode:put_back_is_off" in run.log
    assert run.calls == []


def test_overflow_without_put_back_keeps_the_originals():
    """What the response cannot carry is kept; what it can is delivered."""
    records = list(envelopes(*[1] * 12, text_chars=9_000))

    run = Run("sqlite", SMALL_BUDGET | {"AUDIT_PUT_BACK": "off"})(records)

    assert run.report.holds, run.report.sentence()
    kept = run.originals()
    assert 0 < len(kept) < 12
    assert kept == records[-len(kept) :]
    assert len(run.report.delivered) == 12 - len(kept)
    assert "reason=budget:put_back_is_off" in run.log
    assert run.calls == []


@pytest.mark.parametrize("destination", ["sqlite", "documents"])
def test_what_a_response_cannot_carry_comes_round_again(destination):
    """Each invocation handles at least one record, so it ends."""
    records = envelopes(*[1] * 12, text_chars=20_000)

    run = Run(destination, SMALL_BUDGET)(records)

    run.assert_each_once(12)
    assert run.count("RecordsPutBack") > 0
    assert run.delivered_count == 12


@pytest.mark.parametrize("destination", ["sqlite", "documents"])
def test_an_envelope_too_large_for_any_response_is_parted(destination):
    """By bytes into envelopes that fit, or into documents."""
    run = Run(destination, SMALL_BUDGET)(envelopes(20, text_chars=8_000))

    run.assert_each_once(20)
    assert run.calls


@pytest.mark.parametrize("destination", ["sqlite", "documents"])
def test_one_event_too_large_for_any_response_is_kept(destination):
    """It can be made no smaller; those with it are delivered."""
    large = make_line(record_id="f" * 32, full_conversation="word " * 16_000)
    small = [make_line(record_id=f"{n:032x}") for n in range(3)]

    run = Run(destination, SMALL_BUDGET)([pack(make_envelope(*small, large))])

    assert run.report.holds, run.report.sentence()
    assert len(run.report.delivered) == 3
    assert len(run.report.failed) == 1
    assert "reason=budget:too_large" in run.log
    run.assert_no_doubles(3)


KILLS = [
    pytest.param("documents", {}, (4, 1, 3), 10, 1, id="explode"),
    pytest.param("documents", {}, (4, 1, 3), 10, 3, id="explode-thrice"),
    pytest.param("documents", SMALL_BUDGET, (1,) * 8, 9_000, 2, id="overflow"),
    pytest.param("sqlite", SMALL_BUDGET, (1,) * 8, 9_000, 2, id="overflow-hec"),
    pytest.param("sqlite", SMALL_BUDGET, (12,), 8_000, 2, id="split"),
]


@pytest.mark.parametrize(
    ("destination", "environ", "sizes", "text_chars", "kill_count"), KILLS
)
def test_killed_between_put_and_return(
    destination, environ, sizes, text_chars, kill_count
):
    """What was put and what is tried again are the same documents in the store."""
    records = envelopes(*sizes, text_chars=text_chars)

    run = Run(destination, environ)(
        records, lambda faults: faults.put.killed_callers.set(kill_count)
    )

    run.assert_each_once(sum(sizes))
    assert run.retry_count == kill_count
    # Some did come more than once; the store shows each once.
    assert run.store.written_count > sum(sizes)


def test_killed_between_two_calls():
    """Part of what was to be put is in the stream; the rest is tried again."""
    run = Run("documents")(
        envelopes(300, 301), lambda faults: faults.put.killed_callers.set(1)
    )

    run.assert_each_once(601)
    assert run.calls == [(BATCH, 500), (BATCH, 500), (BATCH, 101)]
    assert run.delivered_count == 601 + 500


def test_killed_until_firehose_gives_up():
    """Delivered by what was put, and kept as originals: never neither."""
    records = list(envelopes(4, 1, 3))

    run = Run("documents", retry_count=1)(
        records, lambda faults: faults.put.killed_callers.set(2)
    )

    assert run.report.holds, run.report.sentence()
    assert sorted(run.originals()) == sorted(records)
    assert len(run.report.delivered) == 7
    run.assert_no_doubles(7)


def test_no_canary_in_any_log_of_a_put_back():
    """Failing, throttled and killed, the function repeats nothing it was given."""
    canary = "c4n4ry"
    lines = [make_line(record_id=f"{n:032x}", user_query=canary) for n in range(4)]

    def change(faults):
        faults.put.throttled_calls.set(2)
        faults.put.killed_callers.set(1)

    run = Run("documents")([pack(make_envelope(*lines, canary))], change)

    assert run.report.holds, run.report.sentence()
    assert json.dumps(list(run.store.documents.values())).count(canary) >= 5
    assert '"DocumentsPutBack":5' in run.log
    assert canary not in run.log
