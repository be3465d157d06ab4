"""Ten thousand records with poison among them: each ends where it should, once."""

from __future__ import annotations

import base64
import hashlib
import itertools
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
from chatbot_audit.stores.model import Search
from chatbot_audit.stores.sqlite import SqliteStore
from tests.integration.mixed_load import (
    CANARY,
    DELIVERED,
    DROPPED,
    POISON_COUNT,
    QUARANTINED,
    SECRET,
    MixedLoad,
)

COUNT = 10_000
SEED = 20_261_124
# So many records are in the stream at once: what is held in memory stays flat.
ROUND_COUNT = 1_000
TYPES = ("interaction", "invalid")
# Small enough that responses overflow, and records go round for that reason too.
ENVIRON = {"AUDIT_RESPONSE_BUDGET_BYTES": "1500000"}


# What a document says of the poison it was, each of one kind.
MARKS = {
    "fragment",
    "not_an_object",
    "type:user_id",
    "type:aws_account_id",
    "missing:user_id",
    "mismatch:fallback",
    "truncated",
    "redactions",
}


class Found:
    """What the store has, read once and not kept."""

    def __init__(self, store):
        self.events = Counter()
        self.marks = Counter()
        self.leak_count = 0
        for document in store.search(Search(record_types=TYPES)):
            self.events[document["event_id"]] += 1
            self.leak_count += SECRET in json.dumps(document)
            said = {*document.get("problems", ()), *document}
            self.marks.update(said & MARKS)


def misbehave(faults):
    """Throttle and kill by chance; all of it runs down in the end."""
    put = faults.put
    put.throttled_calls = Countdown(10, share=0.2, seed=SEED)
    put.partial_calls = Countdown(20, share=0.4, seed=SEED + 1)
    put.failed_positions = seeded_positions(SEED, 500, 0.2)
    put.killed_callers = Countdown(3, share=0.2, seed=SEED + 2)


@pytest.fixture(params=["documents", "sqlite"])
def run(request, tmp_path):
    """Everything that came of one load, by way of one destination."""
    load = MixedLoad(COUNT, SEED)
    settings = SandboxSettings(
        destination=request.param,
        function=LambdaSettings(environ=ENVIRON, process_count=2),
        firehose=FirehoseSettings(buffer_bytes=1_000_000),
    )
    with (
        SqliteStore(tmp_path / "audit.db") as store,
        Sandbox(settings, store, clock=DrivenClock()) as sandbox,
    ):
        misbehave(sandbox.faults)
        records = load.records()
        while batch := list(itertools.islice(records, ROUND_COUNT)):
            sandbox.put_records(batch)
            sandbox.drain()
        yield load, sandbox, store


def test_each_ends_where_it_should(run):
    """By id, both ways: nothing is missing, doubled, made up or told to a log."""
    load, sandbox, store = run

    report = sandbox.report()
    originals = {
        hashlib.sha256(base64.b64decode(line["rawData"])).hexdigest()
        for _, line in sandbox.backup.read()
    }
    found = Found(store)
    log = "\n".join(sandbox.function.log_lines)

    assert report.holds, report.sentence()
    assert report.missing == frozenset()
    assert report.delivered == load.ids[DELIVERED]
    assert report.quarantined == load.ids[QUARANTINED]
    assert load.ids[DROPPED] < report.dropped
    assert len(report.dropped) == POISON_COUNT + load.control_count
    assert originals == load.kept
    assert len(report.failed) == len(load.kept)
    assert set(found.events.values()) == {1}
    assert len(found.events) == load.documents_count
    assert found.leak_count == 0
    assert found.marks == dict.fromkeys(MARKS, POISON_COUNT)
    assert CANARY not in log
    assert sum(map(int, re.findall(r'"PutBackThrottled":(\d+)', log))) > 0
    assert sandbox.stream.counts["retries"] > 0
