"""The CloudWatch sink, its errors and its clients, without a network."""

from __future__ import annotations

import threading

import pytest
from botocore import exceptions

from emitter.errors import SinkError
from emitter.sinks import aws_client
from emitter.sinks.aws_errors import BY_CLASS, BY_CODE, PASSING, reason_of
from emitter.sinks.cloudwatch_logs import CloudWatchLogsSink
from emitter.sinks.entry import Entry
from tests.factories import LOG_GROUP, LOG_STREAM


def make_entry(line=b'{"a":1}', time_ms=1_795_532_645_123):
    return Entry(LOG_GROUP, LOG_STREAM, time_ms, line)


class ServiceError(Exception):
    """Stands for botocore's ClientError."""

    def __init__(self, code):
        super().__init__("canary")
        self.response = {"Error": {"Code": code, "Message": "canary"}}


class FakeLogs:
    """A client that answers as it is told, from the front; then well."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.calls = []

    def put_log_events(self, **request):
        self.calls.append(("put", request))
        return self._answer()

    def create_log_stream(self, **request):
        self.calls.append(("create", request))
        return self._answer()

    def _answer(self):
        answer = self.answers.pop(0) if self.answers else {}
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def names(self):
        return [name for name, _ in self.calls]


GONE = ServiceError("ResourceNotFoundException")


def test_a_put_carries_the_events_as_they_are():
    """Group, stream, time and bytes are those of the entries."""
    client = FakeLogs()

    CloudWatchLogsSink(client=client).write(make_entry("{é}".encode()))

    assert client.calls == [
        (
            "put",
            {
                "logGroupName": LOG_GROUP,
                "logStreamName": LOG_STREAM,
                "logEvents": [{"timestamp": 1_795_532_645_123, "message": "{é}"}],
            },
        )
    ]


PATHS = [
    pytest.param([], ["put"], None, id="there"),
    pytest.param([GONE], ["put", "create", "put"], None, id="missing"),
    pytest.param(
        [GONE, ServiceError("ResourceAlreadyExistsException")],
        ["put", "create", "put"],
        None,
        id="made by another",
    ),
    pytest.param([GONE, GONE], ["put", "create"], "not_found", id="no group"),
    pytest.param([GONE, {}, GONE], ["put", "create", "put"], "not_found", id="gone"),
    pytest.param(
        [GONE, ServiceError("LimitExceededException")],
        ["put", "create"],
        "limit_exceeded",
        id="limit",
    ),
    pytest.param(
        [ServiceError("DataAlreadyAcceptedException")], ["put"], None, id="taken before"
    ),
    pytest.param(
        [{"ResponseMetadata": {"HTTPHeaders": {"content-type": "text/html"}}}],
        ["put"],
        "bad_answer",
        id="a proxy's page",
    ),
    pytest.param([TimeoutError("canary")], ["put"], "error", id="unknown error"),
]


@pytest.mark.parametrize(("answers", "names", "reason"), PATHS)
def test_each_path_has_exact_calls(answers, names, reason):
    """Put first, create only when it is not there, put once more."""
    client = FakeLogs(*answers)
    sink = CloudWatchLogsSink(client=client)

    if reason is None:
        sink.write(make_entry())
    else:
        with pytest.raises(SinkError, match=reason) as raised:
            sink.write(make_entry())
        assert raised.value.reason == reason
        assert "canary" not in str(raised.value)
        assert raised.value.__context__ is None or raised.value.__suppress_context__

    assert client.names == names


def test_a_stream_made_meanwhile_is_not_made_again():
    """Two threads that find no stream create it once."""
    gate = threading.Barrier(2, timeout=5)
    is_first = iter([True, True])

    class SlowLogs(FakeLogs):
        def put_log_events(self, **request):
            self.calls.append(("put", request))
            if next(is_first, False):
                gate.wait()
                raise GONE
            return {}

    client = SlowLogs()
    sink = CloudWatchLogsSink(client=client)
    threads = [
        threading.Thread(target=sink.write, args=(make_entry(),)) for _ in range(2)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(client.names) == ["create", "put", "put", "put", "put"]


REJECTED = [
    ({"tooOldLogEventEndIndex": 2}, {0, 1}),
    ({"expiredLogEventEndIndex": 1}, {0}),
    ({"tooNewLogEventStartIndex": 3}, {3}),
    ({"tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 2}, {0, 2, 3}),
    ({"tooOldLogEventEndIndex": 0}, {0}),
    ({"tooOldLogEventEndIndex": 99}, {0, 1, 2, 3}),
    ({"tooNewLogEventStartIndex": 99}, {3}),
    ({"tooNewLogEventStartIndex": -1}, {0, 1, 2, 3}),
    ({"tooOldLogEventEndIndex": None}, set()),
    ({}, set()),
    (None, set()),
]


@pytest.mark.parametrize(("info", "places"), REJECTED)
def test_rejected_events_are_named(info, places):
    """Exactly those that the service did not take come back; the rest is written."""
    entries = [make_entry(b"%d" % place) for place in range(4)]
    sink = CloudWatchLogsSink(client=FakeLogs({"rejectedLogEventsInfo": info}))

    refused = sink.write_batch(entries)

    assert {int(item.entry.line) for item in refused} == places
    assert all(item.reason.startswith("rejected_") for item in refused)


def test_a_single_rejected_event_is_an_error():
    """A record that the service did not take goes to the fallback."""
    client = FakeLogs({"rejectedLogEventsInfo": {"tooOldLogEventEndIndex": 1}})

    with pytest.raises(SinkError) as raised:
        CloudWatchLogsSink(client=client).write(make_entry())

    assert raised.value.reason == "rejected_too_old"


def test_what_no_call_can_take_is_not_sent():
    """An event over the limit is refused here: the service would fail the batch."""
    client = FakeLogs()

    with pytest.raises(SinkError) as raised:
        CloudWatchLogsSink(client=client).write(make_entry(b"x" * 1_048_551))

    assert raised.value.reason == "too_large"
    assert client.calls == []


@pytest.mark.parametrize("code", BY_CODE)
def test_each_code_has_its_reason(code):
    """The service's codes become the words that are counted."""
    assert reason_of(ServiceError(code)) == BY_CODE[code]


@pytest.mark.parametrize("name", BY_CLASS)
def test_each_error_on_the_way_has_its_reason(name):
    """Errors of botocore and of Python are told by name."""
    assert reason_of(type(name, (Exception,), {})()) == BY_CLASS[name]


OTHERS = [
    (ServiceError("500"), "unavailable"),
    (ServiceError("503"), "unavailable"),
    (ServiceError("com.amazonaws.logs#ThrottlingException:http://x"), "throttled"),
    (ServiceError("SomethingNew"), "error"),
    (ServiceError(None), "error"),
    (ValueError("canary"), "error"),
]


@pytest.mark.parametrize(("error", "reason"), OTHERS, ids=[str(n) for n in range(6)])
def test_unknown_errors_have_a_reason_too(error, reason):
    """No text of theirs becomes one."""
    assert reason_of(error) == reason


def test_real_errors_of_the_library_are_known():
    """The names in the table are names of botocore's classes."""
    names = [name for name in BY_CLASS if hasattr(exceptions, name)]

    assert len(names) >= 15
    assert {"throttled", "unavailable", "connection"} <= PASSING


def test_a_process_has_one_client_a_region(monkeypatch):
    """Clients are kept by region and endpoint, and made anew after a fork."""
    made = []
    monkeypatch.setattr(
        aws_client, "_make_client", lambda region: made.append(region) or object()
    )
    clients = aws_client.LogsClients()

    first = clients.get("eu-west-1")

    assert clients.get("eu-west-1") is first
    assert clients.get("us-east-1") is not first
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert clients.get("eu-west-1") is not first
    clients.begin_anew()
    clients.get("eu-west-1")
    assert made == ["eu-west-1", "us-east-1", "eu-west-1", "eu-west-1"]


def test_the_client_gives_up_soon():
    """One second to connect, two to read, two attempts in all."""
    client = aws_client._make_client("eu-west-1")

    config = client.meta.config
    assert (config.connect_timeout, config.read_timeout) == (1, 2)
    assert config.retries["total_max_attempts"] == 2
    assert client.meta.region_name == "eu-west-1"
