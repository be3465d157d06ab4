"""The collector over HTTP, and Firehose's delivery to it."""

from __future__ import annotations

import gzip
import socket
import threading

import pytest
import requests

from chatbot_audit.sandbox.clock import DrivenClock
from chatbot_audit.sandbox.destinations import Outgoing
from chatbot_audit.sandbox.errors import PortTakenError
from chatbot_audit.sandbox.faults import HecFaults
from chatbot_audit.sandbox.hec.collector import HecToken
from chatbot_audit.sandbox.hec.delivery import SplunkDestination
from chatbot_audit.sandbox.hec.receiver import HecReceiver
from chatbot_audit.sandbox.loopback import LoopbackServer, QuietHandler
from chatbot_audit.sandbox.settings import FirehoseSettings
from tests.unit.chatbot_audit.sandbox.rig import MemoryStore

TOKEN = "00000000-0000-4000-8000-000000000000"
CHANNEL = "11111111-2222-4333-8444-555555555555"
EVENT = b'{"time":1795560000.123,"event":{"document_id":"d"}}'
SETTINGS = FirehoseSettings(retry_duration_s=60, ack_timeout_s=10)


class Rig:
    def __init__(self, **token):
        self.store = MemoryStore()
        self.faults = HecFaults()
        self.clock = DrivenClock()
        self.receiver = HecReceiver(
            self.store, HecToken(TOKEN, **token), self.faults, self.clock
        )
        self.receiver.start()
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Splunk {TOKEN}"
        self.session.headers["X-Splunk-Request-Channel"] = CHANNEL
        self.acknowledged = []
        self.destinations = []

    def post(self, path="/event", data=EVENT, **options):
        url = f"{self.receiver.url}/services/collector{path}"
        answer = self.session.post(url, data=data, timeout=10, **options)
        return answer.status_code, answer.json()

    def destination(self, url=None, token=TOKEN, settings=SETTINGS):
        self.destinations.append(
            SplunkDestination(
                url or self.receiver.url,
                token,
                settings,
                self.clock,
                self.acknowledged.append,
            )
        )
        return self.destinations[-1]

    def deliver(self, *data, **options):
        records = [Outgoing(str(n), item, 0) for n, item in enumerate(data or [EVENT])]
        failures = self.destination(**options).deliver(records)
        return {(f.error_code, f.attempts_count) for f in failures}

    def close(self):
        self.session.close()
        for destination in self.destinations:
            destination.close()
        self.receiver.stop()


@pytest.fixture
def make():
    made = []

    def build(**token):
        made.append(Rig(**token))
        return made[-1]

    yield build
    for rig in made:
        rig.close()


@pytest.fixture
def rig(make):
    return make()


SUCCESS = (200, {"text": "Success", "code": 0, "ackId": 0})


@pytest.mark.parametrize("path", ["", "/event", "/event/1.0", "/event/"])
def test_events_are_taken_at_every_spelling_of_the_path(rig, path):
    """The collector's path, with or without the kind and the version."""
    assert rig.post(path) == SUCCESS
    assert set(rig.store.documents) == {"d"}


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(EVENT),
        gzip.compress(EVENT[:20]) + gzip.compress(EVENT[20:]),
    ],
)
def test_gzip_is_undone(rig, data):
    """A body of one member or several."""
    assert rig.post(data=data, headers={"Content-Encoding": "gzip"}) == SUCCESS


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (EVENT, "gzip"),
        (gzip.compress(EVENT)[:-4], "gzip"),
        (EVENT, "br"),
    ],
)
def test_a_broken_body_is_refused(rig, data, encoding):
    """What is no gzip, or another kind of it."""
    status, answer = rig.post(data=data, headers={"Content-Encoding": encoding})

    assert (status, answer["code"]) == (400, 6)


def test_the_body_of_an_error_is_splunks(rig):
    """Text, code and the number of the bad event."""
    assert rig.post(data=EVENT + b'{"time":1,"event":""}') == (
        400,
        {"text": "Event field cannot be blank", "code": 13, "invalid-event-number": 1},
    )


def test_the_token_and_the_channel_are_demanded(rig):
    """Each fault has its status and code."""
    refused = [
        rig.post(headers={"Authorization": None}),
        rig.post("?token=x", headers={"Authorization": None}),
        rig.post(headers={"Authorization": "Basic x"}),
        rig.post(headers={"Authorization": "Splunk x"}),
        rig.post(headers={"X-Splunk-Request-Channel": None}),
        rig.post(headers={"X-Splunk-Request-Channel": "x"}),
    ]

    assert [(status, answer["code"]) for status, answer in refused] == [
        (401, 2),
        (400, 16),
        (401, 3),
        (403, 4),
        (400, 10),
        (400, 11),
    ]


def test_the_channel_may_stand_in_the_query(rig):
    """A header is not the only place."""
    headers = {"X-Splunk-Request-Channel": None}

    assert rig.post(f"/event?channel={CHANNEL}", headers=headers) == SUCCESS


def test_raw_lines_are_taken(rig):
    """Their metadata stand in the query."""
    assert rig.post("/raw?source=s", b"one\ntwo\n") == SUCCESS
    assert len(rig.store.documents) == 2


def test_an_acknowledgement_is_true_once(rig):
    """Asked twice, the second answer is no."""
    rig.post()

    answers = [rig.post("/ack", b'{"acks":[0]}')[1] for _ in range(2)]

    assert answers == [{"acks": {"0": True}}, {"acks": {"0": False}}]


def test_without_its_cookie_an_acknowledgement_is_never_true(rig):
    """Who reaches another indexer asks in vain."""
    rig.post()
    cookie = rig.session.cookies.get_dict()
    rig.session.cookies.clear()

    lost = rig.post("/ack", b'{"acks":[0]}')[1]
    rig.session.cookies.clear()
    rig.session.cookies.update(cookie)
    found = rig.post("/ack", b'{"acks":[0]}')[1]

    assert (lost, found) == ({"acks": {"0": False}}, {"acks": {"0": True}})


def test_the_health_needs_no_token(rig):
    """200 when healthy, 503 when not."""
    url = f"{rig.receiver.url}/services/collector/health"

    healthy = requests.get(url, timeout=10)
    rig.faults.unhealthy_code = 18
    ill = requests.get(f"{url}/1.0", timeout=10)

    assert (healthy.status_code, healthy.json()["code"]) == (200, 17)
    assert (ill.status_code, ill.json()["code"]) == (503, 18)


def test_other_paths_and_methods_are_refused(rig):
    """404 for what is not there, 405 for what is there otherwise."""
    base = rig.receiver.url

    statuses = [
        requests.get(f"{base}/services/collector/event", timeout=10).status_code,
        requests.get(f"{base}/", timeout=10).status_code,
        rig.post("/mint")[0],
        rig.post("x")[0],
    ]

    assert statuses == [405, 404, 404, 404]


def test_one_connection_serves_many_requests(rig):
    """Kept alive, a connection is used again, also after a refusal."""
    answers = [rig.post()[0], rig.post(data=b"x")[0], rig.post()[0]]

    assert answers == [200, 400, 200]
    assert len(rig.receiver._server._connections) == 1


def test_a_chunked_body_is_refused(rig):
    """Its end is not known beforehand, so it is not read."""
    assert rig.post(data=iter([EVENT]))[0] == 400


@pytest.mark.parametrize("length", ["-1", "x", "1000000000000"])
def test_a_senseless_length_is_refused_and_not_waited_for(rig, length):
    """The answer comes at once, and the connection ends."""
    head = (
        "POST /services/collector/event HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Splunk {TOKEN}\r\nContent-Length: {length}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", rig.receiver._server.port), 10) as peer:
        peer.sendall(head.encode())
        answer = b"".join(iter(lambda: peer.recv(65_536), b""))

    assert answer.startswith(b"HTTP/1.1 400")


def test_delivery_waits_for_the_acknowledgement(rig):
    """Records go in one body; they are delivered when they are acknowledged."""
    rig.faults.slow_ack_polls = 3

    failures = rig.deliver(EVENT, EVENT.replace(b'"d"', b'"e"'))

    assert failures == set()
    assert set(rig.store.documents) == {"d", "e"}
    assert rig.acknowledged == [EVENT + EVENT.replace(b'"d"', b'"e"')]
    assert rig.clock.monotonic_s() == pytest.approx(0.6)


def test_a_busy_collector_is_asked_again(rig):
    """503 is for now: with growing pauses it is tried until it works."""
    rig.faults.refused_calls.set(3)

    assert rig.deliver() == set()
    assert rig.clock.monotonic_s() == 1 + 2 + 4


@pytest.mark.parametrize(
    ("code", "error_code"),
    [
        (8, "Splunk.ServerError"),
        (9, "Splunk.IndexerBusy"),
        (23, "Splunk.ServerError"),
        (26, "Splunk.IndexerBusy"),
    ],
)
def test_a_collector_that_stays_busy_is_given_up(rig, code, error_code):
    """When the retry time is over the records come back, with every attempt."""
    rig.faults.refused_calls.set(1_000)
    rig.faults.refusal_code = code

    # Pauses of 1, 2, 4, 8, 16 s; the next would end after 60 s.
    assert rig.deliver() == {(error_code, 6)}
    assert rig.clock.monotonic_s() == 31
    assert rig.acknowledged == []


def test_without_retry_time_there_is_one_attempt(rig):
    """A retry duration of 0 means never again."""
    rig.faults.refused_calls.set(1_000)

    assert rig.deliver(settings=FirehoseSettings(retry_duration_s=0)) == {
        ("Splunk.IndexerBusy", 1)
    }


def test_a_lost_acknowledgement_is_sent_for_again(rig):
    """The data go twice, and are one document."""
    rig.faults.lost_acks.set(1)

    assert rig.deliver() == set()
    assert set(rig.store.documents) == {"d"}


def test_acknowledgements_that_never_come_end_in_a_failure(rig):
    """Waiting for them takes nothing from the retry time."""
    rig.faults.lost_acks.set(1_000)
    settings = FirehoseSettings(retry_duration_s=4, ack_timeout_s=10)

    assert rig.deliver(settings=settings) == {("Splunk.AckTimeout", 3)}
    assert rig.clock.monotonic_s() == pytest.approx(33, abs=1)


def test_an_answer_that_is_lost_is_sent_for_again(rig):
    """Indexed, then cut off: the data go twice, and are one document."""
    rig.faults.cut_calls.set(1)

    assert rig.deliver() == set()
    assert set(rig.store.documents) == {"d"}


@pytest.mark.parametrize(
    ("data", "token", "rights", "code"),
    [
        (EVENT, "other", {}, "InvalidToken"),
        (EVENT, TOKEN, {"is_enabled": False}, "DisabledToken"),
        (EVENT, TOKEN, {"has_ack": False}, "DisabledAck"),
        (
            EVENT.replace(b"{", b'{"index":"x",', 1),
            TOKEN,
            {"indexes": frozenset(["main"])},
            "InvalidIndex",
        ),
        (b"junk", TOKEN, {}, "InvalidDataFormat"),
        (b'{"time":1,"event":""}', TOKEN, {}, "InvalidDataFormat"),
        (b'{"time":1,"event":"x","fields":{"a":1}}', TOKEN, {}, "InvalidDataFormat"),
        (b" ", TOKEN, {}, "InvalidDataFormat"),
    ],
)
def test_what_time_cannot_mend_is_not_tried_again(make, data, token, rights, code):
    """Firehose's code for it, after one attempt."""
    rig = make(**rights)

    assert rig.deliver(data, token=token) == {(f"Splunk.{code}", 1)}


def test_one_bad_event_brings_all_of_its_request_back(rig):
    """Nothing of it is indexed."""
    rig.deliver(EVENT, b"junk")

    assert rig.store.documents == {}


def answering(status, body=b"<html>", headers=None):
    class Endpoint(QuietHandler):
        def do_POST(self):  # noqa: N802 - http.server's name
            self.read_body()
            self.answer(status, body, headers=headers)

    return Endpoint


@pytest.mark.parametrize(
    ("status", "body"),
    [(404, b"<html>"), (502, b"<html>"), (200, b"<html>"), (200, b"[]"), (301, b"")],
)
def test_an_answer_that_is_not_the_collectors_is_tried_again(rig, status, body):
    """A proxy answers while the collector is down; nothing is given up early."""
    headers = {"Location": "https://elsewhere.example.com/"}
    proxy = LoopbackServer(answering(status, body, headers))
    proxy.start()

    failures = rig.deliver(url=proxy.url)
    proxy.stop()

    assert failures == {("Splunk.ServerError", 6)}


def test_a_collector_that_is_down_is_tried_again(rig):
    """Nobody listens: as often as the time allows."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"

        assert rig.deliver(url=url) == {("Splunk.ConnectionClosed", 6)}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (requests.ConnectTimeout(), "ConnectionTimeout"),
        (requests.ReadTimeout(), "ConnectionTimeout"),
        (requests.exceptions.SSLError(), "SSLHandshake"),
        (requests.exceptions.ChunkedEncodingError(), "ConnectionClosed"),
    ],
)
def test_a_connection_that_fails_has_its_code(rig, monkeypatch, error, code):
    """Each way to fail is named as Firehose names it, and tried again."""

    def fail(*_, **__):
        raise error

    destination = rig.destination()
    monkeypatch.setattr(destination._session(), "post", fail)

    (failure,) = destination.deliver([Outgoing("x", EVENT, 0)])

    assert (failure.error_code, failure.attempts_count) == (f"Splunk.{code}", 6)


def test_a_question_that_fails_is_asked_again(rig, monkeypatch):
    """While it waits for an acknowledgement, a lost connection is nothing."""
    destination = rig.destination()
    post, failures = destination._session().post, [requests.ConnectionError()]

    def fail_once(url, **options):
        if url.endswith("/ack") and failures:
            raise failures.pop()
        return post(url, **options)

    monkeypatch.setattr(destination._session(), "post", fail_once)

    assert destination.deliver([Outgoing("x", EVENT, 0)]) == []


def test_a_url_that_is_none_is_given_up_at_once(rig):
    """There is nothing to wait for."""
    assert rig.deliver(url="http://") == {("Splunk.InvalidEndpoint", 1)}


def test_threads_do_not_share_a_channel(rig):
    """Each has its own connection, cookie and channel."""
    destination = rig.destination()
    failures = []

    def deliver(name):
        data = EVENT.replace(b'"d"', b'"%d"' % name)
        failures.extend(destination.deliver([Outgoing("x", data, 0)]))

    threads = [threading.Thread(target=deliver, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert failures == []
    assert set(rig.store.documents) == {"0", "1", "2", "3"}
    assert len(destination._sessions) == 4


def test_a_taken_port_is_said(rig):
    """One sentence names it."""
    port = rig.receiver._server.port

    with pytest.raises(PortTakenError, match=f"port {port} is taken"):
        HecReceiver(rig.store, HecToken(TOKEN), rig.faults, rig.clock, port)


def test_a_port_is_free_again_at_once(make):
    """A receiver that ended can be started anew on the same port."""
    first = make()
    first.post()
    port = first.receiver._server.port
    first.close()

    second = HecReceiver(first.store, HecToken(TOKEN), first.faults, first.clock, port)
    second.start()
    second.stop()

    assert second.url.endswith(f":{port}")


def test_stopping_ends_connections_that_idle(make):
    """A client that keeps its connection does not keep a thread."""
    # Threads of other tests are none of this one's business.
    before = set(threading.enumerate())
    rig = make()
    rig.post()

    rig.receiver.stop()

    rig.session.close()
    begun = set(threading.enumerate()) - before
    for thread in begun:
        thread.join(5)
    assert not any(thread.is_alive() for thread in begun)
