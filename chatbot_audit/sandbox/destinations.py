"""Where Firehose delivers to: the embedded store, or an HTTP Event Collector."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import requests

from audit_record.times import format_timestamp
from chatbot_audit.sandbox.backup_objects import SPLUNK_FAILED
from chatbot_audit.sandbox.hec_events import HecEvent, HecFormatError, read_events

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from chatbot_audit.sandbox.clock import Clock
    from chatbot_audit.sandbox.settings import FirehoseSettings

_REQUEST_TIMEOUT_S: Final = 30.0
_RETRY_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 30.0
_ACK_POLL_S: Final = 0.2
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One transformed record on its way.

    Attributes:
        firehose_record_id: Firehose's id.
        data: Transformed bytes.
        arrival_ms: When the record reached the stream.
    """

    firehose_record_id: str
    data: bytes
    arrival_ms: int


@dataclass(frozen=True, slots=True)
class Failure:
    """One record that the destination did not take."""

    outgoing: Outgoing
    error_code: str
    error_message: str
    attempts_count: int = 1


class Destination(Protocol):
    """What the engine delivers to.

    Attributes:
        error_type: Prefix of the error objects.
    """

    error_type: str

    def deliver(self, records: Sequence[Outgoing]) -> list[Failure]:
        """Deliver *records*; return those that were not taken."""


class Sink(Protocol):
    """A store that takes documents."""

    def write(self, documents: Iterable[Mapping[str, Any]]) -> int:
        """Write documents by id; return how many."""


def documents_of(events: Iterable[HecEvent]) -> list[dict[str, Any]]:
    """Return HEC events as documents for a store, with their index time."""
    return [
        {"@timestamp": format_timestamp(round(event.time_s * 1_000))} | event.event
        for event in events
    ]


class StoreDestination:
    """Writes HEC events to an embedded store, without a network between.

    Args:
        sink: The store.
    """

    error_type = SPLUNK_FAILED

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def deliver(self, records: Sequence[Outgoing]) -> list[Failure]:
        """Write every event of *records*; refuse a record with a bad one."""
        failures: list[Failure] = []
        documents: list[dict[str, Any]] = []
        for record in records:
            try:
                documents += documents_of(read_events(record.data))
            except HecFormatError as error:
                failures.append(Failure(record, "Splunk.InvalidDataFormat", str(error)))
        self._sink.write(documents)
        return failures


class SplunkDestination:
    """Delivers to an HTTP Event Collector as Firehose does, acknowledged.

    Args:
        url: Base URL of the collector.
        hec_token: Its token.
        settings: Retry and acknowledgement times.
        clock: Time.
    """

    error_type = SPLUNK_FAILED

    def __init__(
        self, url: str, hec_token: str, settings: FirehoseSettings, clock: Clock
    ) -> None:
        self._url = url.rstrip("/")
        self._settings = settings
        self._clock = clock
        self._channel = str(uuid.uuid4())
        self._session = requests.Session()
        # Proxies and .netrc of the machine are none of the pipeline's business.
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Splunk {hec_token}"
        self._session.headers["X-Splunk-Request-Channel"] = self._channel

    def deliver(self, records: Sequence[Outgoing]) -> list[Failure]:
        """Send all of *records* in one request and wait for its acknowledgement."""
        body = b"".join(record.data for record in records)
        code, message, attempts = self._send(body)
        if not code:
            return []
        return [Failure(record, code, message, attempts) for record in records]

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _send(self, body: bytes) -> tuple[str, str, int]:
        started_s = self._clock.monotonic_s()
        attempts = 0
        pause_s = _RETRY_PAUSE_S
        while True:
            attempts += 1
            code, message, is_final = self._attempt(body)
            if not code or is_final:
                return code, message, attempts
            elapsed_s = self._clock.monotonic_s() - started_s
            if elapsed_s + pause_s > self._settings.retry_duration_s:
                return code, message, attempts
            self._clock.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def _attempt(self, body: bytes) -> tuple[str, str, bool]:
        """Send once; return an error code, a message, and whether it is final."""
        try:
            answer = self._session.post(
                f"{self._url}/services/collector/event",
                data=body,
                timeout=_REQUEST_TIMEOUT_S,
            )
        except requests.ConnectionError:
            return "Splunk.ConnectionClosed", "The connection was closed.", False
        except requests.Timeout:
            return "Splunk.ConnectionTimeout", "The connection timed out.", False
        if answer.status_code != _OK:
            return _error_of(answer)
        ack_id = _json(answer).get("ackId")
        if not isinstance(ack_id, int):
            return "Splunk.DisabledAck", "Acknowledgement is off for the token.", True
        return self._await_ack(ack_id)

    def _await_ack(self, ack_id: int) -> tuple[str, str, bool]:
        end_s = self._clock.monotonic_s() + self._settings.ack_timeout_s
        while self._clock.monotonic_s() < end_s:
            if self._is_acknowledged(ack_id):
                return "", "", True
            self._clock.sleep(_ACK_POLL_S)
        return "Splunk.AckTimeout", "No acknowledgement came in time.", True

    def _is_acknowledged(self, ack_id: int) -> bool:
        try:
            answer = self._session.post(
                f"{self._url}/services/collector/ack",
                params={"channel": self._channel},
                data=json.dumps({"acks": [ack_id]}),
                timeout=_REQUEST_TIMEOUT_S,
            )
        except requests.RequestException:
            return False
        acks = _json(answer).get("acks", {})
        return isinstance(acks, dict) and acks.get(str(ack_id)) is True


# HEC's own codes to Firehose's, and whether trying again can help.
_HEC_CODES: Final[dict[int, tuple[str, bool]]] = {
    1: ("Splunk.DisabledToken", True),
    2: ("Splunk.InvalidToken", True),
    3: ("Splunk.InvalidToken", True),
    4: ("Splunk.InvalidToken", True),
    5: ("Splunk.InvalidDataFormat", True),
    6: ("Splunk.InvalidDataFormat", True),
    7: ("Splunk.InvalidIndex", True),
    8: ("Splunk.ServerError", False),
    9: ("Splunk.IndexerBusy", False),
    12: ("Splunk.InvalidDataFormat", True),
    13: ("Splunk.InvalidDataFormat", True),
    14: ("Splunk.DisabledAck", True),
    15: ("Splunk.InvalidDataFormat", True),
}


def _error_of(answer: requests.Response) -> tuple[str, str, bool]:
    value = _json(answer)
    number = value.get("code")
    code, is_final = _HEC_CODES.get(
        number if isinstance(number, int) else -1, ("Splunk.ServerError", False)
    )
    return code, f"HEC answered {answer.status_code}.", is_final


def _json(answer: requests.Response) -> dict[str, Any]:
    try:
        value = answer.json()
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
