"""A bot whose CloudWatch fails still answers, and its record is in the fallback."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from emitter import AuditEmitter, EmitterSettings
from emitter.testing import assert_valid
from tests.factories import LOG_GROUP

MARKER = "BOT_AUDIT_FALLBACK "
BUDGET_MS = 1_500
# The block may take its budget, and a moment for the fallback on a busy machine.
LONGEST_S = BUDGET_MS / 1_000 + 1.5


class Endpoint(BaseHTTPRequestHandler):
    """Answers PutLogEvents as its server's `mode` says."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        call = self.headers["X-Amz-Target"].rpartition(".")[2]
        self.server.calls.append((call, json.loads(body)))
        answer = self.server.mode(call)
        if answer is None:
            self.server.released.wait(20)
            self.close_connection = True
            return
        status, value = answer
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        """Write nothing."""


@pytest.fixture
def endpoint(monkeypatch):
    """A loopback CloudWatch Logs that does what a test wants."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    server.daemon_threads = True
    server.calls = []
    server.released = threading.Event()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    for name, value in {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(name, value)
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()
    thread.join()


def error(code, status=400):
    return status, {"__type": code, "message": "said on purpose"}


def ask(audit):
    """Let a bot answer one question; return what its user saw and how long it took."""
    shown = []
    started = time.monotonic()
    with audit.question(text="hi", user="bob.smith@example.com") as q:
        shown.append("hello")
        replied = time.monotonic()
        q.reply(shown[0])
    return shown, replied - started, time.monotonic() - replied


def fallback_lines(text):
    """Return the fallback lines among what was printed."""
    lines = [line for line in text.splitlines() if line.startswith(MARKER)]
    return [json.loads(line.removeprefix(MARKER)) for line in lines]


FAULTS = [
    pytest.param(lambda _: None, id="hangs"),
    pytest.param(lambda _: error("ThrottlingException"), id="throttles"),
    pytest.param(lambda _: error("AccessDeniedException"), id="denies"),
    pytest.param(lambda _: error("InternalFailure", 500), id="server error"),
    pytest.param(lambda _: error("ResourceNotFoundException"), id="no group"),
    pytest.param(
        lambda _: (200, {"rejectedLogEventsInfo": {"tooOldLogEventEndIndex": 1}}),
        id="rejected as too old",
    ),
]


@pytest.mark.parametrize("mode", FAULTS)
def test_the_record_is_in_the_fallback_within_the_budget(endpoint, capsys, mode):
    """Whatever CloudWatch does, the user is answered and the record is not lost."""
    endpoint.mode = mode
    settings = EmitterSettings(sink="cloudwatch", budget_ms=BUDGET_MS)
    audit = AuditEmitter("VeraSlack", settings=settings)

    shown, before_reply_s, after_reply_s = ask(audit)

    (wrapper,) = fallback_lines(capsys.readouterr().out)
    record = json.loads(wrapper["line"])
    assert shown == ["hello"]
    assert before_reply_s < 1
    assert after_reply_s < LONGEST_S
    assert_valid(record)
    assert record["user_id"] == "bob.smith"
    assert record["response"] == "hello"
    assert wrapper["log_group"] == LOG_GROUP
    assert wrapper["log_stream"].startswith("VeraSlack/")
    digest = hashlib.sha256(wrapper["line"].encode()).hexdigest()
    assert wrapper["line_sha256"] == digest
    assert audit.stats.fallback == 1
    assert audit.stats.written == 0
    assert "PutLogEvents" in [call for call, _ in endpoint.calls]
    for call, request in endpoint.calls:
        if call == "PutLogEvents":
            assert request["logEvents"][0]["message"] == wrapper["line"]


def test_nobody_listens(monkeypatch, capsys, endpoint):
    """A refused connection is a failure like any other."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    settings = EmitterSettings(sink="cloudwatch", budget_ms=BUDGET_MS)

    ask(AuditEmitter("VeraSlack", settings=settings))

    assert len(fallback_lines(capsys.readouterr().out)) == 1


def test_a_missing_stream_is_created_once(endpoint, capsys):
    """Put first, create only when it is not there, put again: nothing is described."""
    there = []

    def mode(call):
        if call == "CreateLogStream":
            there.append(call)
            return 200, {}
        return (200, {}) if there else error("ResourceNotFoundException")

    endpoint.mode = mode
    audit = AuditEmitter("VeraSlack", settings=EmitterSettings(sink="cloudwatch"))

    ask(audit)
    ask(audit)

    assert [call for call, _ in endpoint.calls] == [
        "PutLogEvents",
        "CreateLogStream",
        "PutLogEvents",
        "PutLogEvents",
    ]
    assert audit.stats.written == 2
    assert fallback_lines(capsys.readouterr().out) == []
