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
ENVIRON = {"AUDIT_RESPONSE_BUDGET_BYTES": "500000"}


def misbehave(faults):
    """Throttle and kill by chance; all of it runs down in the end."""
    put = faults.put
    put.throttled_calls = Countdown(20, share=0.2, seed=SEED)
    put.partial_calls = Countdown(40, share=0.5, seed=SEED + 1)
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
    originals = Counter(
        hashlib.sha256(base64.b64decode(line["rawData"])).hexdigest()
        for _, line in sandbox.backup.read()
    )
    events = Counter(
        document["event_id"] for document in store.search(Search(record_types=TYPES))
    )
    log = "\n".join(sandbox.function.log_lines)
    found = "\n".join(
        json.dumps(document)
        for kind in TYPES
        for document in store.search(
            Search(record_types=(kind,), limit=500, text="aws")
        )
    )

    assert report.holds, report.sentence()
    assert report.missing == frozenset()
    assert report.delivered == load.ids[DELIVERED]
    assert report.quarantined == load.ids[QUARANTINED]
    assert load.ids[DROPPED] < report.dropped
    assert len(report.dropped) == POISON_COUNT + load.control_count
    assert set(originals) == load.kept
    assert set(originals.values()) == {1}
    assert len(report.failed) == len(load.kept)
    assert set(events.values()) == {1}
    assert len(events) == load.documents_count
    assert "redacted" in found.lower()
    assert SECRET not in found
    assert CANARY not in log
    assert sum(map(int, re.findall(r'"PutBackThrottled":(\d+)', log))) > 0
    assert sandbox.stream.counts["retries"] > 0
