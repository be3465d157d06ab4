"""A strict CloudWatch Logs on loopback that can be told to fail in every way."""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.factories import LOG_GROUP

MAX_BATCH_BYTES = 1_048_576
MAX_BATCH_COUNT = 10_000
DAY_MS = 86_400_000
OVERHEAD_BYTES = 26

HANG = "hang"
RESET = "reset"
DRIP = "drip"
PAGE = "page"


def error(code, status=400):
    """Return the fault of answering with an AWS error."""
    return status, {"__type": code, "message": "said on purpose"}


THROTTLE = error("ThrottlingException")
DENY = error("AccessDeniedException")
BROKEN = error("InternalFailure", 500)
UNAVAILABLE = error("ServiceUnavailableException", 503)
GONE = error("ResourceNotFoundException")
REJECT_OLD = (200, {"rejectedLogEventsInfo": {"tooOldLogEventEndIndex": 1}})
REJECT_NEW = (200, {"rejectedLogEventsInfo": {"tooNewLogEventStartIndex": 0}})
REJECT_EXPIRED = (200, {"rejectedLogEventsInfo": {"expiredLogEventEndIndex": 1}})


@dataclass
class LogsEndpoint:
    """What the service has and what it will do.

    Attributes:
        streams: Group and stream to the messages taken, with their time.
        calls: Names of the calls that came, in order.
        faults: Taken one a call, from the front; then all goes well.
        always: Fault of every call, if there is one.
        violations: What a real service would have refused.
    """

    url: str = ""
    streams: dict = field(default_factory=dict)
    groups: set = field(default_factory=lambda: {LOG_GROUP})
    calls: list = field(default_factory=list)
    batches: list = field(default_factory=list)
    faults: list = field(default_factory=list)
    always: object = None
    violations: list = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take_fault(self, call):
        """Return what is to go wrong with this call, None if nothing."""
        with self.lock:
            self.calls.append(call)
            if self.faults:
                return self.faults.pop(0)
            return self.always

    def messages(self):
        """Return every message taken, as bytes."""
        with self.lock:
            return [m for events in self.streams.values() for _, m in events]

    def create(self, request):
        """Create a stream, as CreateLogStream does."""
        key = request["logGroupName"], request["logStreamName"]
        with self.lock:
            if key[0] not in self.groups:
                return GONE
            if not re.fullmatch(r"[^:*]{1,512}", key[1]):
                return self._refuse("stream name")
            if key in self.streams:
                return error("ResourceAlreadyExistsException")
            self.streams[key] = []
            return 200, {}

    def put(self, request):
        """Take a batch, as PutLogEvents does, or say what is wrong with it."""
        key = request["logGroupName"], request["logStreamName"]
        events = request["logEvents"]
        with self.lock:
            if key not in self.streams:
                return GONE
            fault = violation_of(events)
            if fault:
                return self._refuse(fault)
            self.batches.append(len(events))
            self.streams[key] += [
                (event["timestamp"], event["message"].encode()) for event in events
            ]
            return 200, {"nextSequenceToken": "ignored"}

    def _refuse(self, fault):
        self.violations.append(fault)
        return error("InvalidParameterException")


def violation_of(events):
    """Return which limit of PutLogEvents a batch breaks, None if it keeps all."""
    times = [event["timestamp"] for event in events]
    messages = [event["message"].encode() for event in events]
    if not 1 <= len(events) <= MAX_BATCH_COUNT:
        return "count"
    if not all(messages):
        return "empty message"
    if sum(len(m) + OVERHEAD_BYTES for m in messages) > MAX_BATCH_BYTES:
        return "bytes"
    if times != sorted(times):
        return "order"
    return "span" if times[-1] - times[0] > DAY_MS else None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        endpoint = self.server.endpoint
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        call = self.headers["X-Amz-Target"].rpartition(".")[2]
        fault = endpoint.take_fault(call)
        if fault == HANG:
            endpoint.released.wait(30)
            self.close_connection = True
        elif fault == RESET:
            self._reset()
        elif fault == DRIP:
            self._drip(endpoint)
        elif fault == PAGE:
            self._answer(200, b"<html>Please log in</html>", "text/html")
        else:
            status, value = fault or self._serve(endpoint, call, request)
            self._answer(status, json.dumps(value).encode())

    def _serve(self, endpoint, call, request):
        known = {"PutLogEvents": endpoint.put, "CreateLogStream": endpoint.create}
        if call not in known:
            endpoint.violations.append(call)
            return error("AccessDeniedException")
        return known[call](request)

    def _answer(self, status, data, kind="application/x-amz-json-1.1"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _reset(self):
        self.connection.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self.connection.close()
        self.close_connection = True

    def _drip(self, endpoint):
        """Send a byte now and then, so that no read ever times out."""
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        while not endpoint.released.wait(0.1):
            try:
                self.wfile.write(b" ")
                self.wfile.flush()
            except OSError:
                break
        self.close_connection = True

    def log_message(self, *_):
        """Write nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_):
        """Connections end as the test wants; that is no error here."""


@contextmanager
def logs_endpoint(*, existing=()):
    """Run the service; streams named in *existing* are there from the start."""
    server = _Server(("127.0.0.1", 0), _Handler)
    endpoint = LogsEndpoint(f"http://127.0.0.1:{server.server_address[1]}")
    endpoint.streams |= {(LOG_GROUP, name): [] for name in existing}
    server.endpoint = endpoint
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield endpoint
    finally:
        endpoint.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def use_endpoint(monkeypatch, url):
    """Have boto3 talk to *url* with invented credentials."""
    for name, value in {
        "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(name, value)


def wait_until(is_true, timeout_s=10.0):
    """Wait for something that another thread will do; tell whether it did."""
    ends_at_s = time.monotonic() + timeout_s
    while time.monotonic() < ends_at_s:
        if is_true():
            return True
        time.sleep(0.01)
    return is_true()
