"""All parts of the sandbox together, with tiny handlers in place of the real one."""

from __future__ import annotations

import base64
import os
import random
import socket
import sys
import time

import boto3
import pytest

from chatbot_audit.sandbox import (
    DrivenClock,
    FirehoseSettings,
    LambdaSettings,
    Sandbox,
    SandboxError,
    SandboxSettings,
)
from chatbot_audit.sandbox.errors import DrainError, PortTakenError, ServerError
from chatbot_audit.sandbox.faults import HecFaults, seeded_positions
from chatbot_audit.sandbox.hec.collector import HecToken
from chatbot_audit.sandbox.hec.receiver import HecReceiver
from tests.factories import CONTROL, make_envelope, pack
from tests.unit.chatbot_audit.sandbox.rig import HANDLER, MemoryStore, make_zip

GROUP = "/aws/ai-bots/audit-logs"
# Puts each record that says so back into the stream, through boto3.
PUT_BACK = (
    HANDLER
    + """
import boto3
client = boto3.client("firehose")

def handler(event, context):
    answers = []
    for record in event["records"]:
        data = base64.b64decode(record["data"])
        envelope = json.loads(gzip.decompress(data))
        back = what_goes_back(envelope)
        if back is None:
            answers.append(answer(record))
            continue
        answers.append({"recordId": record["recordId"], "result": "Dropped"})
        records = [{"Data": gzip.compress(json.dumps(b).encode())} for b in back]
        done = client.put_record_batch(
            DeliveryStreamName="chatbot-audit", Records=records)
        assert not done["FailedPutCount"]
    return {"records": answers}
"""
)


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def settings(tmp_path):
    def make(source=HANDLER, *, timeout_s=20, process_count=1, **changes):
        function = LambdaSettings(
            zip_path=make_zip(tmp_path / "t.zip", source),
            python=sys.executable,
            handler="app.handler",
            timeout_s=timeout_s,
            process_count=process_count,
        )
        return SandboxSettings(**{"function": function, **changes})

    return make


def write(sandbox, count, streams=3):
    """Write events through CloudWatch, as bots do."""
    logs, now_ms = sandbox.cloudwatch.logs, time.time_ns() // 1_000_000
    for n in range(streams):
        logs.create_log_stream(logGroupName=GROUP, logStreamName=f"Bot/{n}")
    for n in range(count):
        logs.put_log_events(
            logGroupName=GROUP,
            logStreamName=f"Bot/{n % streams}",
            logEvents=[{"timestamp": now_ms + n, "message": f"m{n}"}],
        )


def texts(store):
    return sorted(document["text"] for document in store.documents.values())


@pytest.mark.parametrize("destination", ["sqlite", "splunk"])
def test_every_event_reaches_the_store(store, settings, destination):
    """From the log group through filter, stream, function and delivery, once each."""
    with Sandbox(settings(destination=destination), store) as sandbox:
        write(sandbox, 60)
        sandbox.drain()
        report = sandbox.report()

    assert texts(store) == sorted(f"m{n}" for n in range(60))
    assert report.holds
    # The one more is CloudWatch asking whether the stream is there.
    assert report.sentence() == (
        "in 61 = delivered 60 + quarantined 0 + in error objects 0"
        " + dropped on purpose 1"
    )


def test_boto3_needs_nothing_but_the_environment(store, settings, monkeypatch):
    """A bot's own client reaches the sandbox by its variables."""
    with Sandbox(settings(), store) as sandbox:
        for name, value in sandbox.environ.items():
            monkeypatch.setenv(name, value)
        client = boto3.client("firehose")
        client.put_record(
            DeliveryStreamName="chatbot-audit",
            Record={"Data": pack(make_envelope("text"))},
        )
        client.close()
        sandbox.drain()
        report = sandbox.report()

    assert texts(store) == ["text"]
    assert report.holds, report.sentence()


def test_what_cannot_be_read_is_in_an_error_object(store, settings):
    """A function that fails on junk fails its batch; all of it is kept."""
    batch = [pack(make_envelope("a")), b"junk", pack(CONTROL)]
    firehose = FirehoseSettings(is_error_gzip=True, lambda_retry_count=1)

    with Sandbox(settings(firehose=firehose), store, clock=DrivenClock()) as sandbox:
        sandbox.put_records(batch)
        sandbox.drain()
        report = sandbox.report()
        lines = [line for _, line in sandbox.backup.read()]

    assert report.holds, report.sentence()
    assert (len(report.failed), len(report.dropped)) == (2, 1)
    assert {line["attemptsMade"] for line in lines} == {2}


@pytest.mark.parametrize("destination", ["sqlite", "splunk"])
def test_nothing_is_lost_in_a_storm(store, settings, destination):
    """Killed processes, throttling and a collector that misbehaves: all accounted."""
    rng = random.Random(7)

    with Sandbox(
        settings(destination=destination, process_count=2, seed=7),
        store,
        clock=DrivenClock(),
    ) as sandbox:
        faults = sandbox.faults
        for round_number in range(4):
            faults.function.killed_calls.set(rng.randrange(4))
            faults.function.throttled_calls.set(rng.randrange(4))
            faults.hec.refused_calls.set(rng.randrange(3))
            faults.hec.cut_calls.set(rng.randrange(2))
            faults.hec.lost_acks.set(rng.randrange(2))
            sandbox.put_records(
                pack(make_envelope(f"r{round_number}e{n}", logStream=f"Bot/{n}"))
                for n in range(10)
            )
            sandbox.drain()
        report = sandbox.report()

    assert report.holds, report.sentence()
    assert sandbox.stream.counts["retries"] > 0


def test_a_store_that_fails_leaves_error_objects(store, settings):
    """A full disk is a failed delivery; the transformed bytes are kept."""
    store.failures = 1

    with Sandbox(settings(), store) as sandbox:
        sandbox.put_records([pack(make_envelope("a"))])
        sandbox.drain()
        report = sandbox.report()
        kinds = {kind for kind, _ in sandbox.backup.read()}

    assert report.holds, report.sentence()
    assert kinds == {"splunk-failed"}
    assert store.documents == {}


# Writes documents; those of envelopes with several events all into one record.
DOCUMENTS = HANDLER.replace(
    """json.dumps({"time": e["timestamp"] / 1000, "event": {
            "event_id": e["id"], "document_id": e["id"], "text": e["message"]}})""",
    """json.dumps({
            "@timestamp": "2026-11-24T15:04:05.123Z", "event_id": e["id"],
            "document_id": e["id"][-32:], "text": e["message"]})""",
)


def test_each_record_has_to_be_one_document(store, settings):
    """Two in one record are refused, with OpenSearch's status; the rest is taken."""
    batch = [
        pack(make_envelope("a")),
        _renumbered(make_envelope("b", "c", logStream="Bot/2")),
        pack(CONTROL),
    ]

    with Sandbox(settings(DOCUMENTS, destination="documents"), store) as sandbox:
        sandbox.put_records(batch)
        sandbox.drain()
        report = sandbox.report()
        ((kind, line),) = sandbox.backup.read()
        listed = sandbox.cloudwatch.s3.list_objects_v2(Bucket="chatbot-audit-failed")

    assert DOCUMENTS != HANDLER
    assert report.holds, report.sentence()
    assert texts(store) == ["a"]
    assert (len(report.failed), len(report.dropped)) == (2, 1)
    assert kind == "AmazonOpenSearchService-failed"
    assert listed["Contents"][0]["Key"].startswith("AmazonOpenSearchService-failed/2")
    assert (line["errorCode"], line["attemptsMade"]) == ("400", 1)
    assert line["errorMessage"] == "the record is not on one line"
    assert base64.b64decode(line["rawData"]).count(b'"text": ') == 2
    assert line["esDocumentId"]


def test_events_for_splunk_are_no_documents(store, settings):
    """A function set for another destination fails loudly, every record of it."""
    with Sandbox(settings(destination="documents"), store) as sandbox:
        sandbox.put_records([pack(make_envelope("a"))])
        sandbox.drain()
        report = sandbox.report()
        ((kind, line),) = sandbox.backup.read()

    assert report.holds, report.sentence()
    assert store.documents == {}
    assert kind == "AmazonOpenSearchService-failed"
    assert line["errorMessage"] == "@timestamp is no RFC 3339 instant"


def test_a_full_store_keeps_the_documents(store, settings):
    """They are in error objects, and accounted for."""
    store.failures = 1

    with Sandbox(settings(DOCUMENTS, destination="documents"), store) as sandbox:
        sandbox.put_records([pack(make_envelope("a"))])
        sandbox.drain()
        report = sandbox.report()
        ((kind, line),) = sandbox.backup.read()

    assert report.holds, report.sentence()
    assert (kind, line["errorCode"]) == ("AmazonOpenSearchService-failed", "500")


def _renumbered(envelope):
    for event in envelope["logEvents"]:
        event["id"] = "9" + event["id"][1:]
    return pack(envelope)


LIARS = [
    pytest.param(
        "del envelope['logEvents'][0]", "missing", {f"{1:056d}"}, id="loses-an-event"
    ),
    pytest.param(
        "envelope['logEvents'][0]['id'] = 'x'", "made_up", {"x"}, id="changes-an-id"
    ),
    pytest.param(
        "envelope['logEvents'].append(dict(envelope['logEvents'][0], id='y'))",
        "made_up",
        {"y"},
        id="makes-one-up",
    ),
]


@pytest.mark.parametrize(("lie", "side", "ids"), LIARS)
def test_a_function_that_lies_is_found_out(store, settings, lie, side, ids):
    """Its answer keeps the contract; the sum does not hold, and names the event."""
    marker = '    if envelope["messageType"]'
    source = HANDLER.replace(marker, f"    {lie}\n{marker}")
    assert source != HANDLER

    with Sandbox(settings(source), store) as sandbox:
        sandbox.put_records([pack(make_envelope("a", "b"))])
        sandbox.drain()
        report = sandbox.report()

    assert not report.holds
    assert ids <= getattr(report, side)


def test_what_the_function_puts_back_comes_round(store, settings):
    """Split in two and put back, the events are delivered; nothing counts twice."""
    source = PUT_BACK + (
        "\ndef what_goes_back(envelope):\n"
        "    events = envelope.get('logEvents', [])\n"
        "    if len(events) < 2:\n"
        "        return None\n"
        "    return [dict(envelope, logEvents=[e]) for e in events]\n"
    )

    with Sandbox(settings(source), store) as sandbox:
        sandbox.put_records([pack(make_envelope("a", "b", "c"))])
        sandbox.drain()
        report = sandbox.report()

    assert texts(store) == ["a", "b", "c"]
    assert report.holds, report.sentence()
    assert len(report.events_in) == 3


def test_what_the_function_makes_up_and_puts_back_is_found_out(store, settings):
    """Coming from the function, a record is no new input."""
    source = PUT_BACK + (
        "\ndef what_goes_back(envelope):\n"
        "    event = envelope['logEvents'][0]\n"
        "    if event['id'] == 'invented':\n"
        "        return None\n"
        "    return [dict(envelope, logEvents=[dict(event, id='invented')])]\n"
    )

    with Sandbox(settings(source), store) as sandbox:
        sandbox.put_records([pack(make_envelope("a"))])
        sandbox.drain()
        report = sandbox.report()

    assert report.made_up == {"invented"}
    assert report.missing == {f"{1:056d}"}


def test_a_function_that_puts_back_for_ever_is_stopped(store, settings):
    """Draining ends in time and says that it did not finish."""
    source = PUT_BACK + "\ndef what_goes_back(envelope):\n    return [envelope]\n"

    with Sandbox(settings(source, drain_timeout_s=0.5), store) as sandbox:
        sandbox.put_records([pack(make_envelope("a"))])

        with pytest.raises(DrainError, match="still on their way"):
            sandbox.drain()


def test_partial_failures_of_the_put_back_are_the_functions_to_mend(store, settings):
    """A function that does not, fails; its originals are kept."""
    source = PUT_BACK + (
        "\ndef what_goes_back(envelope):\n"
        "    events = envelope['logEvents']\n"
        "    if len(events) < 2:\n"
        "        return None\n"
        "    return [dict(envelope, logEvents=[e]) for e in events]\n"
    )

    with Sandbox(settings(source), store, clock=DrivenClock()) as sandbox:
        sandbox.faults.put.failed_positions = seeded_positions(1, 3, 1)
        sandbox.faults.put.partial_calls.set(1_000)
        sandbox.put_records([pack(make_envelope("a", "b", "c"))])
        sandbox.drain()
        report = sandbox.report()

    assert report.holds, report.sentence()
    assert len(report.failed) == 3


def test_a_buffer_waits_for_its_interval(store, settings):
    """A young record stays; when its time has come it goes."""
    clock = DrivenClock()

    with Sandbox(settings(), store, clock=clock) as sandbox:
        sandbox.put_records([pack(make_envelope("a"))])
        sandbox.run_due()
        young = texts(store)
        clock.sleep(60)
        sandbox.run_due()

    assert (young, texts(store)) == ([], ["a"])


def test_another_collector_is_judged_by_its_acknowledgements(store, settings):
    """The index is out of reach, yet the sum can be made."""
    token = "11111111-1111-4111-8111-111111111111"
    theirs, clock = MemoryStore(), DrivenClock()
    receiver = HecReceiver(theirs, HecToken(token), HecFaults(), clock)
    receiver.start()

    with Sandbox(
        settings(destination="splunk", hec_url=receiver.url, hec_token=token),
        store,
        clock=clock,
    ) as sandbox:
        sandbox.put_records([pack(make_envelope("a", "b"))])
        sandbox.drain()
        report = sandbox.report()
    receiver.stop()

    assert report.holds, report.sentence()
    assert (texts(theirs), store.documents) == (["a", "b"], {})


def test_the_same_seed_packs_the_same_envelopes(settings):
    """A run can be repeated: as many envelopes, with events as many."""
    counts = []
    for _ in range(2):
        with Sandbox(settings(seed=5), MemoryStore()) as sandbox:
            write(sandbox, 40)
            counts.append(sandbox.feed())

    assert counts[0] == counts[1] < 40


def test_progress_is_told_for_each_stage(store, settings):
    """A bar for what is forwarded, one for what is transformed; both end full."""
    told = {}

    def progress(stage, done, total):
        told[stage] = (done, total)

    with Sandbox(settings(), store, progress=progress) as sandbox:
        write(sandbox, 10)
        sandbox.drain()

    assert set(told) == {"forward", "transform"}
    assert all(done == total for done, total in told.values())


def test_two_sandboxes_run_at_once(settings):
    """Neither sees what the other is given."""
    stores = [MemoryStore(), MemoryStore()]

    with (
        Sandbox(settings(), stores[0]) as one,
        Sandbox(settings(), stores[1]) as two,
    ):
        write(one, 3)
        write(two, 5)
        one.drain()
        two.drain()
        reports = one.report(), two.report()

    assert [len(texts(store)) for store in stores] == [3, 5]
    assert all(report.holds for report in reports)


@pytest.mark.parametrize("name", ["aws_port", "firehose_port", "hec_port"])
def test_a_taken_port_leaves_nothing_running(store, settings, name, threads_begun):
    """One sentence, and every part that had started is ended."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(PortTakenError, match=f"port {port} is taken"):
            Sandbox(settings(destination="splunk", **{name: port}), store).__enter__()

    assert threads_begun() == []


def test_a_missing_zip_leaves_nothing_running(store, tmp_path, threads_begun):
    """The same for what has to be built first."""
    function = LambdaSettings(zip_path=tmp_path / "t.zip", python=sys.executable)

    with pytest.raises(SandboxError, match="run: make build"):
        Sandbox(SandboxSettings(function=function), store).__enter__()

    assert threads_begun() == []


def test_an_error_inside_ends_every_part(store, settings, threads_begun):
    """Processes and threads end with the block, however it is left."""

    def fail(sandbox):
        sandbox.put_records([pack(make_envelope("a"))])
        sandbox.drain()
        ids.extend(sandbox.function.process_ids())
        raise KeyboardInterrupt

    ids = []
    with pytest.raises(KeyboardInterrupt), Sandbox(settings(), store) as sandbox:
        fail(sandbox)

    assert ids
    assert threads_begun() == []
    with pytest.raises(ChildProcessError):
        os.waitpid(ids[0], 0)


def test_an_endpoint_that_dies_is_said(store, settings):
    """Neither feeding nor counting hangs or crashes when AWS is gone."""
    with Sandbox(settings(), store) as sandbox:
        sandbox.cloudwatch._endpoint.stop()

        with pytest.raises(ServerError, match="does not answer any more"):
            sandbox.feed()
        with pytest.raises(ServerError, match="does not answer any more"):
            sandbox.report()
