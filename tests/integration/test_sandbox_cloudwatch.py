"""CloudWatch Logs on loopback: a real filter, repaired where moto is lax."""

from __future__ import annotations

import socket
import time

import pytest

from chatbot_audit.sandbox.aws.endpoint import AwsEndpoint
from chatbot_audit.sandbox.cloudwatch import CloudWatch
from chatbot_audit.sandbox.errors import PortTakenError, ServerError

GROUP = "/aws/ai-bots/audit-logs"
DAY_MS = 24 * 60 * 60 * 1_000


@pytest.fixture(scope="module")
def cloudwatch():
    made = CloudWatch()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def write(cloudwatch, request):
    """Write messages to a stream of the test's own; return its name."""
    stream = f"Bot/{request.node.name}"
    list(cloudwatch.forwarded())
    cloudwatch.logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)

    def put(*messages, age_ms=0):
        now_ms = time.time_ns() // 1_000_000 - age_ms
        return cloudwatch.logs.put_log_events(
            logGroupName=GROUP,
            logStreamName=stream,
            logEvents=[{"timestamp": now_ms, "message": text} for text in messages],
        )

    return put


def events_of(cloudwatch):
    return [event for e in cloudwatch.forwarded() for event in e.events]


def test_what_is_written_is_forwarded(cloudwatch, write, request):
    """Text, stream, group, owner and filter are those of the put."""
    write("one", "zwei ä")

    envelopes = list(cloudwatch.forwarded())

    heads = [envelope.head for envelope in envelopes]
    assert {head["logStream"] for head in heads} == {f"Bot/{request.node.name}"}
    assert {head["logGroup"] for head in heads} == {GROUP}
    assert {head["owner"] for head in heads} == {"123456789012"}
    assert heads[0]["subscriptionFilters"] == ["chatbot-audit"]
    assert [e["message"] for x in envelopes for e in x.events] == ["one", "zwei ä"]
    assert cloudwatch.unforwarded() == set()


def test_several_puts_come_together(cloudwatch, write):
    """As in AWS an envelope holds events of more than one put."""
    for number in range(30):
        write(str(number))

    envelopes = list(cloudwatch.forwarded())

    assert len(envelopes) < 30
    texts = [e["message"] for envelope in envelopes for e in envelope.events]
    assert texts == [str(number) for number in range(30)]


def test_nothing_is_forwarded_twice(cloudwatch, write):
    """Each call goes on where the last one ended."""
    write("one")
    first = events_of(cloudwatch)
    write("two")

    assert [e["message"] for e in first] == ["one"]
    assert [e["message"] for e in events_of(cloudwatch)] == ["two"]


def test_a_rejected_event_is_reported_and_not_forwarded(cloudwatch, write):
    """The end of the old ones is exclusive; moto says one less."""
    answer = write("old", age_ms=15 * DAY_MS)

    assert answer["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
    assert events_of(cloudwatch) == []
    assert cloudwatch.unforwarded() == set()


def test_the_largest_event_passes(cloudwatch, write):
    """One event of CloudWatch's full size."""
    text = "x" * 1_048_550
    write(text)

    assert [e["message"] for e in events_of(cloudwatch)] == [text]


@pytest.fixture
def other():
    made = CloudWatch()
    made.start()
    yield made
    made.stop()


def test_two_endpoints_know_nothing_of_each_other(write, other):
    """Each has a memory of its own, so two sandboxes can run at once."""
    write("one")

    assert events_of(other) == []
    assert other.logs.describe_log_streams(logGroupName=GROUP)["logStreams"] == []


def test_what_was_not_forwarded_is_noticed(other):
    """An event in the group that the filter kept to itself is named."""
    place = {"logGroupName": GROUP, "logStreamName": "Bot/1"}
    event = {"timestamp": time.time_ns() // 1_000_000, "message": "hidden"}
    other.logs.delete_subscription_filter(
        logGroupName=GROUP, filterName="chatbot-audit"
    )
    other.logs.create_log_stream(**place)

    other.logs.put_log_events(**place, logEvents=[event])

    assert events_of(other) == []
    assert len(other.unforwarded()) == 1


def test_a_taken_port_is_said_before_anything_starts():
    """One sentence names it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(PortTakenError, match=f"port {port} is taken"):
            AwsEndpoint(port)


def test_an_endpoint_that_does_not_start_is_said(monkeypatch):
    """Without moto the process ends; the caller hears of it and does not hang."""
    monkeypatch.setattr("sys.executable", "/bin/false")
    cloudwatch = CloudWatch()

    with pytest.raises(ServerError, match="did not start; run: make setup"):
        cloudwatch.start()
    cloudwatch.stop()


def test_the_process_ends_with_its_parent():
    """When its standard input ends, so does it: nothing is orphaned."""
    endpoint = AwsEndpoint()
    endpoint.start()
    process = endpoint._process

    process.stdin.close()

    assert process.wait(30) == 0
    endpoint.stop()
