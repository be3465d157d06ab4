"""The engine: buffer, transform, deliver, keep."""

from __future__ import annotations

import base64
import json
import threading
import time

import pytest

from audit_record.limits import MAX_FIREHOSE_RECORD_BYTES
from chatbot_audit.sandbox.backup_objects import BackupBucket
from chatbot_audit.sandbox.clock import DrivenClock
from chatbot_audit.sandbox.destinations import Failure
from chatbot_audit.sandbox.errors import ServerError
from chatbot_audit.sandbox.firehose import DeliveryStream
from chatbot_audit.sandbox.function.process import FunctionError
from chatbot_audit.sandbox.settings import FirehoseSettings
from tests.unit.chatbot_audit.sandbox.rig import FakeS3


class FakeFunction:
    """Answers each record by a rule; fails as often as told."""

    def __init__(self, rule=lambda data: {"result": "Ok"}):
        self.rule = rule
        self.failures = []
        self.payloads = []

    def invoke(self, payload):
        self.payloads.append(payload)
        if self.failures:
            raise self.failures.pop(0)
        records = []
        for record in json.loads(payload)["records"]:
            data = base64.b64decode(record["data"])
            answer = {"recordId": record["recordId"], "data": record["data"]}
            records.append(answer | self.rule(data))
        return json.dumps({"records": records}).encode()


class FakeDestination:
    error_type = "splunk-failed"
    bad_data_code = "Splunk.InvalidDataFormat"

    def __init__(self):
        self.delivered = []
        self.is_down = False

    def deliver(self, records):
        if self.is_down:
            return [Failure(r, "Splunk.AckTimeout", "Late.", 3) for r in records]
        self.delivered += [r.data for r in records]
        return []


class Rig:
    def __init__(self, worker_count=1, **settings):
        self.clock = DrivenClock()
        self.function = FakeFunction()
        self.destination = FakeDestination()
        self.s3 = FakeS3()
        self.backup = BackupBucket(self.s3, "b", "chatbot-audit")
        self.stream = DeliveryStream(
            FirehoseSettings(**settings),
            self.function,
            self.destination,
            self.backup,
            self.clock,
            worker_count,
        )

    def run(self, *data):
        for item in data:
            self.stream.put(item)
        self.stream.run_once()

    def kept(self):
        return [
            (kind, line["errorCode"], line["attemptsMade"], raw(line))
            for kind, line in self.backup.read()
        ]


def raw(line):
    return base64.b64decode(line["rawData"])


@pytest.fixture
def rig():
    made = Rig()
    yield made
    made.stream.close()


def test_delivers_what_is_ok(rig):
    """The transformed bytes arrive; nothing is kept."""
    rig.function.rule = lambda data: {
        "result": "Ok",
        "data": base64.b64encode(data.upper()).decode(),
    }

    rig.run(b"one", b"two")

    assert rig.destination.delivered == [b"ONE", b"TWO"]
    assert rig.kept() == []
    assert not rig.stream.has_work()


def test_dropped_leaves_nothing(rig):
    """A dropped record counts as success."""
    rig.function.rule = lambda _: {"result": "Dropped"}

    rig.run(b"one")

    assert rig.destination.delivered == []
    assert rig.kept() == []
    assert rig.stream.counts["Dropped"] == 1


def test_a_refused_record_is_kept_as_it_was(rig):
    """ProcessingFailed keeps the original after one attempt; its neighbours go on."""
    rig.function.rule = lambda data: {
        "result": "ProcessingFailed" if data == b"bad" else "Ok"
    }

    rig.run(b"one", b"bad", b"two")

    assert rig.destination.delivered == [b"one", b"two"]
    assert rig.kept() == [
        ("processing-failed", "Lambda.ProcessingFailedStatus", 1, b"bad")
    ]


def test_ok_without_data_is_an_error(rig):
    """There is nothing to deliver, so the original is kept."""
    rig.function.rule = lambda data: (
        {"result": "Ok", "data": ""} if data == b"bad" else {"result": "Ok"}
    )

    rig.run(b"one", b"bad")

    assert rig.destination.delivered == [b"one"]
    assert rig.kept() == [("processing-failed", "Splunk.InvalidDataFormat", 1, b"bad")]


def test_a_failing_function_is_tried_four_times(rig):
    """Then all of the batch is kept, with the attempts made."""
    rig.function.failures = [FunctionError("Lambda.FunctionError", "X")] * 4

    rig.run(b"one", b"two")

    assert len(rig.function.payloads) == 4
    assert rig.clock.monotonic_s() == 3
    assert rig.kept() == [
        ("processing-failed", "Lambda.FunctionError", 4, data)
        for data in (b"one", b"two")
    ]
    assert len(rig.s3.objects) == 1


def test_a_function_that_recovers_loses_nothing(rig):
    """The third retry can still deliver; the payload is the same each time."""
    rig.function.failures = [FunctionError("Lambda.FunctionError", "X")] * 3

    rig.run(b"one")

    assert rig.destination.delivered == [b"one"]
    assert rig.kept() == []
    assert len(set(rig.function.payloads)) == 1


def test_throttling_has_a_code_of_its_own(rig):
    """Who looks at the object learns that there was no capacity."""
    rig.function.failures = [FunctionError("Lambda.InvokeLimitExceeded", "X")] * 4

    rig.run(b"one")

    assert rig.kept() == [
        ("processing-failed", "Lambda.InvokeLimitExceeded", 4, b"one")
    ]


def test_retries_can_be_switched_off():
    """Without retries one attempt is all."""
    rig = Rig(lambda_retry_count=0)
    rig.function.failures = [FunctionError("Lambda.FunctionError", "X")]

    rig.run(b"one")
    rig.stream.close()

    assert rig.kept()[0][2] == 1


def test_a_broken_answer_is_final(rig):
    """An answer that breaks the contract is not asked for again."""
    rig.function.rule = lambda _: {"result": "okay"}

    rig.run(b"one", b"two")

    assert len(rig.function.payloads) == 1
    assert rig.kept() == [
        ("processing-failed", "Lambda.JsonProcessingException", 1, data)
        for data in (b"one", b"two")
    ]


def test_what_cannot_be_delivered_is_kept_transformed(rig):
    """The destination's own code and attempts stand in the object."""
    rig.function.rule = lambda _: {
        "result": "Ok",
        "data": base64.b64encode(b"transformed").decode(),
    }
    rig.destination.is_down = True

    rig.run(b"one")

    assert rig.kept() == [("splunk-failed", "Splunk.AckTimeout", 3, b"transformed")]
    assert rig.stream.counts["delivered"] == 0


def test_what_cannot_be_kept_waits_in_the_buffer(rig):
    """With destination and bucket both down nothing is lost: it goes later."""
    rig.destination.is_down = True
    rig.s3.failures = 1

    with pytest.raises(ServerError, match="they wait in the buffer"):
        rig.run(b"one", b"two")
    rig.destination.is_down = False
    rig.stream.run_once()

    assert rig.destination.delivered == [b"one", b"two"]


def test_one_batch_that_cannot_be_kept_does_not_hold_up_the_others():
    """The others are delivered, and the order of what waits stays."""
    rig = Rig(buffer_bytes=262_144)
    large = [letter * 200_000 for letter in (b"a", b"b", b"c")]
    rig.function.rule = lambda data: {
        "result": "ProcessingFailed" if data[:1] == b"b" else "Ok"
    }
    rig.s3.failures = 1

    with pytest.raises(ServerError, match=r"^1 records"):
        rig.run(*large)
    assert rig.destination.delivered == [large[0], large[2]]
    rig.stream.run_once()
    rig.stream.close()

    assert [data for *_, data in rig.kept()] == [large[1]]


def test_is_due_by_age_and_by_size():
    """A lone record waits for the interval; a full buffer does not."""
    rig = Rig(buffer_interval_s=60, buffer_bytes=262_144)
    assert not rig.stream.has_work()

    rig.stream.put(b"x")
    young = rig.stream.has_work(is_due=True)
    rig.clock.sleep(60)
    old = rig.stream.has_work(is_due=True)
    rig.stream.run_once()
    rig.stream.put(b"x" * 262_144)
    full = rig.stream.has_work(is_due=True)
    rig.stream.close()

    assert (young, old, full) == (False, True, True)


def test_a_record_over_the_limit_is_not_taken(rig):
    """1,000 KiB is the most; one byte more is an error of who puts it."""
    rig.stream.put(b"x" * MAX_FIREHOSE_RECORD_BYTES)

    with pytest.raises(ValueError, match="over 1,000 KiB"):
        rig.stream.put(b"x" * (MAX_FIREHOSE_RECORD_BYTES + 1))


def test_ids_are_awss_length_and_unique(rig):
    """56 digits."""
    names = [rig.stream.put(b"x") for _ in range(50)]

    assert len(set(names)) == 50
    assert all(len(name) == 56 and name.isdecimal() for name in names)


def test_records_put_while_it_runs_go_next_time(rig):
    """What the function puts back waits for the next round, in the same buffer."""
    back = [b"again"]

    def rule(_):
        if back:
            rig.stream.put(back.pop())
        return {"result": "Ok"}

    rig.function.rule = rule

    rig.run(b"one")
    waits = rig.stream.has_work()
    rig.stream.run_once()

    assert waits
    assert rig.destination.delivered == [b"one", b"again"]


def test_batches_run_at_the_same_time():
    """Two workers have two invocations open at once."""
    rig = Rig(worker_count=2, buffer_bytes=200_000)
    both = threading.Barrier(2, timeout=10)

    def rule(_):
        both.wait()
        return {"result": "Ok"}

    rig.function.rule = rule

    rig.run(b"a" * 200_000, b"b" * 200_000)
    rig.stream.close()

    assert len(rig.destination.delivered) == 2


def test_progress_counts_records_to_the_end(rig):
    """A progress bar sees its total and reaches it."""
    seen = []
    rig.stream.put(b"x")
    rig.stream.put(b"y")

    rig.stream.run_once(lambda *told: seen.append(told))

    assert seen == [("transform", 2, 2)]


def test_nothing_to_do_is_done_at_once(rig):
    """An empty buffer invokes nothing."""
    started_s = time.monotonic()

    rig.stream.run_once()

    assert rig.function.payloads == []
    assert time.monotonic() - started_s < 5
