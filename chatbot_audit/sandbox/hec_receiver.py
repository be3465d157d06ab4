"""A strict HTTP Event Collector on loopback, which indexes into a store.

Calls, codes and bodies are Splunk's (Splunk docs "HTTP Event Collector REST API
endpoints" and a maintained table of codes); see `hec_events` for what is stricter.
"""

from __future__ import annotations

import gzip
import json
import threading
import uuid
import zlib
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from chatbot_audit.sandbox.destinations import Sink, documents_of
from chatbot_audit.sandbox.hec_events import HecFormatError, read_events
from chatbot_audit.sandbox.loopback import LoopbackServer, QuietHandler

# Splunk's default for one event of the collector (inputs.conf, maxEventSize).
MAX_EVENT_BYTES: Final = 5 * 1024 * 1024
MAX_BODY_BYTES: Final = 64 * 1024 * 1024
_ANSWERS: Final[dict[int, tuple[int, str]]] = {
    0: (200, "Success"),
    2: (401, "Token is required"),
    3: (401, "Invalid authorization"),
    4: (403, "Invalid token"),
    5: (400, "No data"),
    6: (400, "Invalid data format"),
    7: (400, "Incorrect index"),
    9: (503, "Server is busy"),
    10: (400, "Data channel is missing"),
    11: (400, "Invalid data channel"),
    12: (400, "Event field is required"),
    13: (400, "Event field cannot be blank"),
    14: (400, "ACK is disabled"),
    15: (400, "Error in handling indexed fields"),
    17: (200, "HEC is healthy"),
    18: (503, "HEC is unhealthy, queues are full"),
}


@dataclass
class HecFaults:
    """What the receiver does wrong on purpose; a test changes it as it goes.

    Attributes:
        busy_count: So many event requests are answered 503.
        lost_ack_count: So many acknowledgements never become true.
        slow_ack_polls: An acknowledgement is true only after so many questions.
    """

    busy_count: int = 0
    lost_ack_count: int = 0
    slow_ack_polls: int = 0


class HecError(Exception):
    """A request is refused with one of HEC's codes."""

    def __init__(self, code: int, event_number: int | None = None) -> None:
        super().__init__(_ANSWERS[code][1])
        self.code = code
        self.event_number = event_number


class HecReceiver:
    """The collector.

    Args:
        sink: Where events are indexed.
        hec_token: The one token that is known.
        port: Port to listen on; 0 takes a free one.
        indexes: Indexes that the token may write to; none means any.

    Raises:
        PortTakenError: Something else listens there.
    """

    def __init__(
        self,
        sink: Sink,
        hec_token: str,
        port: int = 0,
        indexes: frozenset[str] = frozenset(),
    ) -> None:
        self._sink = sink
        self._hec_token = hec_token
        self._indexes = indexes
        self.faults = HecFaults()
        self._lock = threading.Lock()
        self._next_ack_id: defaultdict[str, int] = defaultdict(int)
        # Questions still to be answered "false" before an ack is true; -1 is lost.
        self._acks: dict[tuple[str, int], int] = {}
        self._server = _Server(_Collector, port)
        self._server.receiver = self

    @property
    def url(self) -> str:
        """Return the base URL."""
        return self._server.url

    def start(self) -> None:
        """Begin to serve."""
        self._server.start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.stop()

    def take_events(self, body: bytes, channel: str) -> dict[str, Any]:
        """Index the events of *body*; return HEC's answer.

        Raises:
            HecError: With the code and the number of the first bad event.
        """
        with self._lock:
            if self.faults.busy_count > 0:
                self.faults.busy_count -= 1
                raise HecError(9)
        try:
            events = read_events(body)
        except HecFormatError as error:
            number = None if error.code == 5 else error.event_number  # noqa: PLR2004
            raise HecError(error.code, number) from None
        for number, event in enumerate(events):
            if self._indexes and event.index and event.index not in self._indexes:
                raise HecError(7, number)
            if len(json.dumps(event.event)) > MAX_EVENT_BYTES:
                raise HecError(6, number)
        self._sink.write(documents_of(events))
        return {"text": "Success", "code": 0, "ackId": self._new_ack(channel)}

    def take_acks(self, body: bytes, channel: str) -> dict[str, Any]:
        """Tell which acknowledgements are there; each ``true`` is told once.

        Raises:
            HecError: The body is no list of ids.
        """
        try:
            ids = json.loads(body)["acks"]
            wanted = [int(ack_id) for ack_id in ids]
        except (ValueError, KeyError, TypeError):
            raise HecError(6) from None
        with self._lock:
            return {"acks": {str(n): self._ask_ack(channel, n) for n in wanted}}

    def check_token(self, authorization: str | None) -> None:
        """Raise `HecError` unless the header carries the token."""
        if not authorization:
            raise HecError(2)
        scheme, _, value = authorization.partition(" ")
        if scheme != "Splunk" or not value:
            raise HecError(3)
        if value.strip() != self._hec_token:
            raise HecError(4)

    def _new_ack(self, channel: str) -> int:
        with self._lock:
            ack_id = self._next_ack_id[channel]
            self._next_ack_id[channel] += 1
            waits = self.faults.slow_ack_polls
            if self.faults.lost_ack_count > 0:
                self.faults.lost_ack_count -= 1
                waits = -1
            self._acks[channel, ack_id] = waits
            return ack_id

    def _ask_ack(self, channel: str, ack_id: int) -> bool:
        waits = self._acks.get((channel, ack_id))
        if waits is None or waits < 0:
            return False
        if waits > 0:
            self._acks[channel, ack_id] = waits - 1
            return False
        del self._acks[channel, ack_id]
        return True


class _Server(LoopbackServer):
    """The loopback server, which knows its collector."""

    receiver: HecReceiver


class _Collector(QuietHandler):
    """The collector's paths."""

    server: _Server

    def do_GET(self) -> None:  # noqa: N802 - http.server's name
        is_health = urlsplit(self.path).path == "/services/collector/health"
        self._answer_code(17) if is_health else self._not_found()

    def do_POST(self) -> None:  # noqa: N802 - http.server's name
        body = self.read_body()
        try:
            answer = self._route(body)
        except HecError as error:
            self._answer_code(error.code, error.event_number)
            return
        if answer is None:
            self._not_found()
            return
        # A balancer in front of Splunk keeps a client on one indexer by a
        # cookie; Firehose insists on it.
        self.answer(
            200,
            json.dumps(answer).encode(),
            headers={"Set-Cookie": "indexer=1; Path=/"},
        )

    def _route(self, body: bytes) -> dict[str, Any] | None:
        path = urlsplit(self.path).path
        self.server.receiver.check_token(self.headers.get("Authorization"))
        if path == "/services/collector/ack":
            return self.server.receiver.take_acks(body, self._channel())
        plain = self._inflated(body)
        if path in ("/services/collector", "/services/collector/event"):
            return self.server.receiver.take_events(plain, self._channel())
        return None

    def _channel(self) -> str:
        query = parse_qs(urlsplit(self.path).query)
        channel = self.headers.get("X-Splunk-Request-Channel")
        channel = channel or query.get("channel", [""])[0]
        if not channel:
            raise HecError(10)
        try:
            return str(uuid.UUID(channel))
        except ValueError:
            raise HecError(11) from None

    def _inflated(self, body: bytes) -> bytes:
        if len(body) > MAX_BODY_BYTES:
            raise HecError(6)
        if self.headers.get("Content-Encoding") != "gzip":
            return body
        try:
            return gzip.decompress(body)
        except (OSError, EOFError, zlib.error):
            raise HecError(6) from None

    def _answer_code(self, code: int, event_number: int | None = None) -> None:
        status, text = _ANSWERS[code]
        answer: dict[str, Any] = {"text": text, "code": code}
        if event_number is not None:
            answer["invalid-event-number"] = event_number
        self.answer(status, json.dumps(answer).encode())

    def _not_found(self) -> None:
        text = "The requested URL was not found on this server."
        self.answer(404, json.dumps({"text": text, "code": 404}).encode())
