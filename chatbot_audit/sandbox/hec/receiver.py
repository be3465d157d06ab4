"""The HTTP face of the collector."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

from chatbot_audit.sandbox.hec.collector import ANSWERS, Collector, HecError, HecToken
from chatbot_audit.sandbox.inflate import gunzip
from chatbot_audit.sandbox.loopback import MAX_BODY_BYTES, LoopbackServer, QuietHandler

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chatbot_audit.sandbox.clock import Clock
    from chatbot_audit.sandbox.destinations import Sink
    from chatbot_audit.sandbox.faults import HecFaults

_ROOT: Final = "/services/collector"
_COOKIE: Final = "indexer"


@dataclass(frozen=True, slots=True)
class _Response:
    """What a request is answered."""

    status: int
    value: Mapping[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


_NOT_FOUND: Final = _Response(
    404, {"text": "The requested URL was not found on this server.", "code": 404}
)


class HecReceiver:
    """A collector on loopback.

    Behind one address stand, as it were, many indexers; a cookie keeps a client on
    the one that took its events, and only that one acknowledges them.

    Args:
        sink: Where events are indexed.
        token: The one token that is known.
        faults: What goes wrong on purpose.
        port: Port to listen on; 0 takes a free one.
        clock: Time of events that have none.

    Raises:
        PortTakenError: Something else listens there.
    """

    def __init__(
        self,
        sink: Sink,
        token: HecToken,
        faults: HecFaults,
        clock: Clock,
        port: int = 0,
    ) -> None:
        self.collector = Collector(sink, token, faults, clock)
        self._server = LoopbackServer(_handler_class(self.collector), port)

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


class _Request:
    """One request to the collector, until it has a response."""

    def __init__(self, collector: Collector, handler: QuietHandler) -> None:
        self._collector = collector
        self._headers = handler.headers
        split = urlsplit(handler.path)
        path = split.path.removesuffix("/").removesuffix("/1.0")
        self._is_collector = path == _ROOT or path.startswith(f"{_ROOT}/")
        self._call = path.removeprefix(_ROOT).removeprefix("/") or "event"
        self._query = {key: values[-1] for key, values in parse_qs(split.query).items()}
        self._indexer = _indexer(handler.headers.get("Cookie", ""))

    def get(self) -> _Response:
        """Respond to GET: only the health can be asked for."""
        if not self._is_collector:
            return _NOT_FOUND
        if self._call != "health":
            return _Response(405, {"text": "Method not allowed", "code": 405})
        return _code_response(self._collector.health_code())

    def post(self, body: bytes | None) -> _Response | None:
        """Respond to POST; None if the connection is to be cut instead."""
        if not self._is_collector or self._call not in ("event", "raw", "ack"):
            return _NOT_FOUND
        try:
            value = self._result(body)
        except HecError as error:
            return _code_response(error.code, error.event_number)
        if self._call != "ack" and self._collector.faults.cut_calls.take():
            return None
        return _Response(
            200, value, {"Set-Cookie": f"{_COOKIE}={self._indexer}; Path=/"}
        )

    def _result(self, body: bytes | None) -> dict[str, Any]:
        collector = self._collector
        collector.check_token(self._headers.get("Authorization"), self._query)
        plain = self._inflated(body)
        header = self._headers.get("X-Splunk-Request-Channel")
        channel = collector.check_channel(header or self._query.get("channel", ""))
        if self._call == "ack":
            return collector.take_acks(plain, channel, self._indexer)
        if self._call == "raw":
            return collector.take_raw(plain, channel, self._indexer, self._query)
        return collector.take_events(plain, channel, self._indexer)

    def _inflated(self, body: bytes | None) -> bytes:
        encoding = self._headers.get("Content-Encoding", "identity").lower()
        if body is None or encoding not in ("identity", "gzip"):
            raise HecError(6)
        if encoding == "identity":
            return body
        try:
            return gunzip(body, MAX_BODY_BYTES)
        except ValueError:
            raise HecError(6) from None


def _handler_class(collector: Collector) -> type[QuietHandler]:
    class Endpoint(QuietHandler):
        """The collector's paths."""

        def do_GET(self) -> None:  # noqa: N802 - http.server's name
            self._send(_Request(collector, self).get())

        def do_POST(self) -> None:  # noqa: N802 - http.server's name
            body = self.read_body()
            self._send(_Request(collector, self).post(body))

        def _send(self, response: _Response | None) -> None:
            if response is None:
                self.close_connection = True
                return
            data = json.dumps(response.value).encode()
            self.answer(response.status, data, headers=response.headers)

    return Endpoint


def _code_response(code: int, event_number: int | None = None) -> _Response:
    status, text = ANSWERS[code]
    value: dict[str, Any] = {"text": text, "code": code}
    if event_number is not None:
        value["invalid-event-number"] = event_number
    return _Response(status, value)


def _indexer(cookies: str) -> str:
    """Return the indexer that the client's cookie names, or a new one."""
    try:
        morsel = SimpleCookie(cookies).get(_COOKIE)
    except CookieError:
        morsel = None
    return morsel.value if morsel is not None else uuid.uuid4().hex
