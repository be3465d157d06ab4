"""Handlers that break the contract: each ends as AWS says, and nothing is lost.

One sandbox engine and one real process for each breaker; two records go in, and both
must be found as they were, with Firehose's code and the attempts made.
"""

from __future__ import annotations

import base64
import sys

import pytest

from chatbot_audit.sandbox.backup_objects import BackupBucket
from chatbot_audit.sandbox.clock import DrivenClock
from chatbot_audit.sandbox.destinations import StoreDestination
from chatbot_audit.sandbox.faults import FunctionFaults
from chatbot_audit.sandbox.firehose import DeliveryStream
from chatbot_audit.sandbox.lambda_runtime import LambdaRuntime
from chatbot_audit.sandbox.settings import FirehoseSettings, LambdaSettings
from tests.factories import make_envelope, pack
from tests.unit.chatbot_audit.sandbox.rig import (
    HANDLER,
    FakeS3,
    MemoryStore,
    make_zip,
)

RECORDS = [pack(make_envelope("one")), pack(make_envelope("two"))]

BREAKERS = [
    pytest.param("return {'records': good[:1]}", "MissingRecordId", 1, id="missing"),
    pytest.param(
        "return {'records': good + good[:1]}", "DuplicatedRecordId", 1, id="duplicate"
    ),
    pytest.param(
        "return {'records': good + [dict(good[0], recordId='x')]}",
        "MissingRecordId",
        1,
        id="unknown",
    ),
    pytest.param("return {}", "JsonProcessingException", 1, id="no-records"),
    pytest.param("return None", "JsonProcessingException", 1, id="none"),
    pytest.param("return good", "JsonProcessingException", 1, id="list"),
    pytest.param(
        "return json.dumps({'records': good})", "JsonProcessingException", 1, id="str"
    ),
    pytest.param(
        "return json.dumps({'records': good}).encode()",
        "JsonProcessingException",
        1,
        id="bytes",
    ),
    pytest.param(
        "good[1]['result'] = 'ok'; return {'records': good}",
        "JsonProcessingException",
        1,
        id="wrong-case",
    ),
    pytest.param(
        "good[1]['result'] = 'Processed'; return {'records': good}",
        "JsonProcessingException",
        1,
        id="misspelt",
    ),
    pytest.param(
        "good[1]['data'] = 'not base64!'; return {'records': good}",
        "JsonProcessingException",
        1,
        id="no-base64",
    ),
    pytest.param(
        "del good[1]['data']; return {'records': good}",
        "JsonProcessingException",
        1,
        id="no-data",
    ),
    pytest.param("raise ValueError('x')", "FunctionError", 4, id="raises"),
    pytest.param("raise ValueError('x' * 7_000_000)", "FunctionError", 4, id="shouts"),
    pytest.param("time.sleep(60)", "FunctionError", 4, id="times-out"),
    pytest.param("os._exit(0)", "FunctionError", 4, id="exits"),
    pytest.param("sys.exit(1)", "FunctionError", 4, id="sys-exits"),
    pytest.param("os.kill(os.getpid(), 9)", "FunctionError", 4, id="is-killed"),
    pytest.param("return object()", "FunctionError", 4, id="no-json"),
    pytest.param(
        "good[0]['data'] = 'QUFB' * 1_600_000; return {'records': good}",
        "FunctionError",
        4,
        id="over-6-MB",
    ),
    pytest.param(
        "good[0]['recordId'] = chr(0xd83d); return {'records': good}",
        None,
        None,
        id="half-a-character",
    ),
]


class Rig:
    def __init__(self, tmp_path, source, **settings):
        self.store = MemoryStore()
        self.backup = BackupBucket(FakeS3(), "b", "chatbot-audit")
        self.faults = FunctionFaults()
        self.function = LambdaRuntime(
            LambdaSettings(
                zip_path=make_zip(tmp_path / "t.zip", source),
                python=sys.executable,
                handler="app.handler",
                process_count=1,
                timeout_s=settings.pop("timeout_s", 20),
            ),
            {},
            self.faults,
        )
        self.stream = DeliveryStream(
            FirehoseSettings(**settings),
            self.function,
            StoreDestination(self.store),
            self.backup,
            DrivenClock(),
        )

    def run(self, *data):
        for item in data:
            self.stream.put(item)
        self.stream.run_once()
        return [
            (line["errorCode"], line["attemptsMade"], base64.b64decode(line["rawData"]))
            for kind, line in self.backup.read()
            if kind == "processing-failed"
        ]

    def close(self):
        self.stream.close()
        self.function.close()


@pytest.fixture
def make(tmp_path):
    made = []

    def build(source, **settings):
        made.append(Rig(tmp_path, source, **settings))
        return made[-1]

    yield build
    for rig in made:
        rig.close()


def breaker(statements):
    """Return a handler that does what it should, but for *statements* at the end."""
    return HANDLER + (
        "\nimport os, sys, time\n"
        "def handler(event, context):\n"
        "    good = [answer(record) for record in event['records']]\n"
        f"    {statements}\n"
    )


@pytest.mark.parametrize(("statements", "code", "attempts"), BREAKERS)
def test_a_breach_keeps_every_original(make, statements, code, attempts):
    """The whole batch is kept as it was; nothing of it was delivered."""
    rig = make(breaker(statements), timeout_s=0.7 if "sleep" in statements else 20)

    kept = rig.run(*RECORDS)

    assert [data for *_, data in kept] == RECORDS
    assert rig.store.documents == {}
    if code is not None:
        assert {entry[:2] for entry in kept} == {(f"Lambda.{code}", attempts)}


def test_a_handler_that_keeps_the_contract_delivers(make):
    """The same rig without a breach keeps nothing: the checks do not cry wolf."""
    rig = make(breaker("return {'records': good}"))

    kept = rig.run(*RECORDS)

    assert kept == []
    assert len(rig.store.documents) == 1


def test_a_handler_that_dies_midway_loses_nothing(make):
    """Killed after its work and before its answer, it is asked again, and answers."""
    rig = make(HANDLER)
    rig.faults.killed_calls.set(3)

    kept = rig.run(pack(make_envelope("one", "two")))

    assert kept == []
    assert {d["text"] for d in rig.store.documents.values()} == {"one", "two"}
    assert rig.stream.counts["retries"] == 3


def test_a_handler_that_always_dies_midway_loses_nothing(make):
    """Killed each time, its originals are kept with four attempts."""
    rig = make(HANDLER)
    rig.faults.killed_calls.set(4)

    kept = rig.run(*RECORDS)

    assert kept == [("Lambda.FunctionError", 4, data) for data in RECORDS]
    assert rig.store.documents == {}


def test_one_breach_leaves_other_batches_alone(make):
    """Only the batch with the record that breaks the handler is kept."""
    poison = (
        "\ndef handler(event, context):\n"
        "    good = [answer(record) for record in event['records']]\n"
        "    assert not any(len(r['data']) > 100_000 for r in event['records'])\n"
        "    return {'records': good}\n"
    )
    rig = make(HANDLER + poison, buffer_bytes=200_000)
    large = pack(make_envelope("".join(f"{n * n:x} " for n in range(60_000))))

    kept = rig.run(RECORDS[0], large, RECORDS[1])

    assert {data for *_, data in kept} == {large}
    assert len(rig.store.documents) == 1


def test_results_of_all_kinds_in_one_answer(make):
    """Ok goes on, Dropped leaves nothing, ProcessingFailed and emptiness are kept."""
    statements = (
        "good[1] = {'recordId': good[1]['recordId'], 'result': 'Dropped'}; "
        "good[2]['result'] = 'ProcessingFailed'; "
        "good[3]['data'] = ''; "
        "return {'records': good}"
    )
    rig = make(breaker(statements))
    records = [pack(make_envelope(text)) for text in "abcd"]

    kept = rig.run(*records)

    assert [d["text"] for d in rig.store.documents.values()] == ["a"]
    # Each kind has an object of its own; their order says nothing.
    assert set(kept) == {
        ("Lambda.ProcessingFailedStatus", 1, records[2]),
        ("Splunk.InvalidDataFormat", 1, records[3]),
    }
