"""A strict HTTP Event Collector, which indexes into a store: what it does.

Calls, codes and bodies are Splunk's (Splunk docs "HTTP Event Collector REST API
endpoints" and a maintained table of codes); see `events` for what is stricter.
`receiver` speaks HTTP for it.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from chatbot_audit.sandbox.clock import Clock, RealClock
from chatbot_audit.sandbox.faults import HecFaults
from chatbot_audit.sandbox.hec.acks import AckBook
from chatbot_audit.sandbox.hec.events import (
    HecEvent,
    HecFormatError,
    documents_of,
    read_events,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chatbot_audit.sandbox.destinations import Sink

# Status and text of each code.
ANSWERS: Final[dict[int, tuple[int, str]]] = {
    0: (200, "Success"),
    1: (403, "Token disabled"),
    2: (401, "Token is required"),
    3: (401, "Invalid authorization"),
    4: (403, "Invalid token"),
    5: (400, "No data"),
    6: (400, "Invalid data format"),
    7: (400, "Incorrect index"),
    8: (500, "Internal server error"),
    9: (503, "Server is busy"),
    10: (400, "Data channel is missing"),
    11: (400, "Invalid data channel"),
    12: (400, "Event field is required"),
    13: (400, "Event field cannot be blank"),
    14: (400, "ACK is disabled"),
    15: (400, "Error in handling indexed fields"),
    16: (400, "Query string authorization is not enabled"),
    17: (200, "HEC is healthy"),
    18: (503, "HEC is unhealthy, queues are full"),
    19: (503, "HEC is unhealthy, ack service unavailable"),
    20: (503, "HEC is unhealthy, queues are full, ack service unavailable"),
    23: (503, "Server is shutting down"),
    26: (429, "Data queue is at capacity"),
    27: (429, "ACK channel is at capacity"),
}
# Codes of one event of the body, which the answer numbers.
_EVENT_CODES: Final = frozenset((6, 7, 12, 13, 15))


class HecError(Exception):
    """A request is refused with one of HEC's codes.

    Attributes:
        code: Key of `ANSWERS`.
        event_number: Index of the event that is to blame, if one is.
    """

    def __init__(self, code: int, event_number: int | None = None) -> None:
        super().__init__(ANSWERS[code][1])
        self.code = code
        self.event_number = event_number


@dataclass(frozen=True, slots=True)
class HecToken:
    """What one token may do.

    Attributes:
        value: The token.
        is_enabled: Whether it is taken at all.
        has_ack: Whether indexing is acknowledged; then a channel is demanded.
        indexes: Indexes that it may write to; none means any.
    """

    value: str
    is_enabled: bool = True
    has_ack: bool = True
    indexes: frozenset[str] = frozenset()


@dataclass
class Collector:
    """The collector behind its HTTP face.

    Attributes:
        sink: Where events are indexed.
        token: The one token that is known.
        faults: What goes wrong on purpose.
        clock: Time of events that have none.
    """

    sink: Sink
    token: HecToken
    faults: HecFaults = field(default_factory=HecFaults)
    clock: Clock = field(default_factory=RealClock)

    def __post_init__(self) -> None:
        self._acks = AckBook(self.faults)

    def check_token(self, authorization: str | None, query: Mapping[str, Any]) -> None:
        """Raise `HecError` unless the header carries the token."""
        if not authorization:
            raise HecError(16 if "token" in query else 2)
        scheme, _, value = authorization.partition(" ")
        if scheme.lower() != "splunk" or not value.strip():
            raise HecError(3)
        if value.strip() != self.token.value:
            raise HecError(4)
        if not self.token.is_enabled:
            raise HecError(1)

    def check_channel(self, channel: str) -> str:
        """Return *channel* in its usual form; "" if it is not needed.

        Raises:
            HecError: It is missing though acknowledgement is on, or is no GUID.
        """
        if not channel:
            if self.token.has_ack:
                raise HecError(10)
            return ""
        try:
            return str(uuid.UUID(channel))
        except ValueError:
            raise HecError(11) from None

    def take_events(self, body: bytes, channel: str, indexer: str) -> dict[str, Any]:
        """Index the events of *body*, all or none; return HEC's answer.

        Raises:
            HecError: With the code and the number of the first bad event.
        """
        self._refuse_on_purpose()
        try:
            events = read_events(body, now_s=self.clock.now_ms() / 1_000)
        except HecFormatError as error:
            is_numbered = error.code in _EVENT_CODES
            number = error.event_number if is_numbered else None
            raise HecError(error.code, number) from None
        return self._index(events, channel, indexer)

    def take_raw(
        self, body: bytes, channel: str, indexer: str, query: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Index every line of *body* as text; its metadata stand in the query.

        Raises:
            HecError: There is no line, or the collector is busy.
        """
        self._refuse_on_purpose()
        lines = body.decode(errors="replace").splitlines()
        now_s = self.clock.now_ms() / 1_000
        names = {k: query.get(k, "") for k in ("host", "source", "sourcetype", "index")}
        events = [
            HecEvent(now_s, **names, fields={}, event=line)
            for line in lines
            if line.strip()
        ]
        if not events:
            raise HecError(5)
        return self._index(events, channel, indexer)

    def take_acks(self, body: bytes, channel: str, indexer: str) -> dict[str, Any]:
        """Tell which acknowledgements are there; each ``true`` is told once.

        Raises:
            HecError: The body is no list of ids, or acknowledgement is off.
        """
        if not self.token.has_ack:
            raise HecError(14)
        try:
            ids = json.loads(body)["acks"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise HecError(6) from None
        if not isinstance(ids, list) or not all(type(n) is int for n in ids):
            raise HecError(6)
        return {"acks": {str(n): self._acks.ask(channel, n, indexer) for n in ids}}

    def health_code(self) -> int:
        """Return the code that the health call answers."""
        return self.faults.unhealthy_code or 17

    def _refuse_on_purpose(self) -> None:
        if self.faults.refused_calls.take():
            raise HecError(self.faults.refusal_code)

    def _index(
        self, events: list[HecEvent], channel: str, indexer: str
    ) -> dict[str, Any]:
        _require_indexes(events, self.token.indexes)
        if not self._acks.has_room(channel):
            raise HecError(27)
        try:
            self.sink.write(documents_of(events))
        except Exception as error:
            raise HecError(8) from error
        answer: dict[str, Any] = {"text": "Success", "code": 0}
        if self.token.has_ack:
            answer["ackId"] = self._acks.add(channel, indexer)
        return answer


def _require_indexes(events: Iterable[HecEvent], allowed: frozenset[str]) -> None:
    for number, event in enumerate(events):
        if allowed and event.index and event.index not in allowed:
            raise HecError(7, number)
