"""Deliver to an HTTP Event Collector as Firehose does: acknowledged, or kept.

AWS docs, "Understand data delivery in Amazon Data Firehose": the retry time counts
from the first failure and leaves the waiting for acknowledgements out; when one does
not come, the data are sent again.
"""

from __future__ import annotations

import json
import threading
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import requests

from chatbot_audit.sandbox.backup_objects import SPLUNK_FAILED
from chatbot_audit.sandbox.destinations import BAD_SPLUNK_DATA, Failure, Outgoing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chatbot_audit.sandbox.clock import Clock
    from chatbot_audit.sandbox.settings import FirehoseSettings

_REQUEST_TIMEOUT_S: Final = 30.0
_RETRY_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 30.0
_ACK_POLL_S: Final = 0.2
_OK: Final = 200
# HEC's own codes to Firehose's, and whether the answer stays the same for good.
# All others, and answers that are not HEC's, are tried again.
_HEC_CODES: Final[dict[int, tuple[str, bool]]] = {
    1: ("Splunk.DisabledToken", True),
    2: ("Splunk.InvalidToken", True),
    3: ("Splunk.InvalidToken", True),
    4: ("Splunk.InvalidToken", True),
    5: (BAD_SPLUNK_DATA, True),
    6: (BAD_SPLUNK_DATA, True),
    7: ("Splunk.InvalidIndex", True),
    8: ("Splunk.ServerError", False),
    9: ("Splunk.IndexerBusy", False),
    10: (BAD_SPLUNK_DATA, True),
    11: (BAD_SPLUNK_DATA, True),
    12: (BAD_SPLUNK_DATA, True),
    13: (BAD_SPLUNK_DATA, True),
    14: ("Splunk.DisabledAck", True),
    15: (BAD_SPLUNK_DATA, True),
    26: ("Splunk.IndexerBusy", False),
    27: ("Splunk.IndexerBusy", False),
}


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of sending once; no code means delivered."""

    code: str = ""
    message: str = ""
    is_final: bool = True


_DELIVERED: Final = _Outcome()


class SplunkDestination:
    """An HTTP Event Collector with acknowledgement.

    Each thread that delivers has a connection and a channel of its own, and keeps
    the cookie that the collector gave it.

    Args:
        url: Base URL of the collector.
        hec_token: Its token.
        settings: Retry and acknowledgement times.
        clock: Time.
        on_delivered: Told the bytes that were acknowledged.
    """

    error_type = SPLUNK_FAILED
    bad_data_code = BAD_SPLUNK_DATA

    def __init__(
        self,
        url: str,
        hec_token: str,
        settings: FirehoseSettings,
        clock: Clock,
        on_delivered: Callable[[bytes], None] = lambda _: None,
    ) -> None:
        self._url = url.rstrip("/")
        self._hec_token = hec_token
        self._settings = settings
        self._clock = clock
        self._on_delivered = on_delivered
        self._local = threading.local()
        self._sessions: list[requests.Session] = []

    def deliver(self, records: Sequence[Outgoing]) -> list[Failure]:
        """Send all of *records* in one request and wait for its acknowledgement."""
        body = b"".join(record.data for record in records)
        outcome, attempts = self._send(body)
        if not outcome.code:
            self._on_delivered(body)
            return []
        return [
            Failure(record, outcome.code, outcome.message, attempts)
            for record in records
        ]

    def close(self) -> None:
        """Close the connections."""
        for session in self._sessions:
            session.close()

    def _send(self, body: bytes) -> tuple[_Outcome, int]:
        left_s = self._settings.retry_duration_s
        pause_s = _RETRY_PAUSE_S
        attempts = 0
        while True:
            started_s = self._clock.monotonic_s()
            outcome, ack_id = self._post(body)
            if attempts:
                left_s -= self._clock.monotonic_s() - started_s
            attempts += 1
            if ack_id is not None:
                outcome = self._await_ack(ack_id)
            if outcome.is_final or left_s < pause_s:
                return outcome, attempts
            self._clock.sleep(pause_s)
            left_s -= pause_s
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def _post(self, body: bytes) -> tuple[_Outcome, int | None]:
        """Send once; return what is wrong, or the id to ask for."""
        try:
            answer = self._session().post(
                f"{self._url}/services/collector/event",
                data=body,
                timeout=_REQUEST_TIMEOUT_S,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            return _connection_outcome(error), None
        value = _json(answer)
        if answer.status_code != _OK or value.get("code") != 0:
            return _refusal(answer.status_code, value), None
        ack_id = value.get("ackId")
        if not isinstance(ack_id, int):
            text = "Acknowledgement is off for the token."
            return _Outcome("Splunk.DisabledAck", text), None
        return _DELIVERED, ack_id

    def _await_ack(self, ack_id: int) -> _Outcome:
        end_s = self._clock.monotonic_s() + self._settings.ack_timeout_s
        while True:
            if self._is_acknowledged(ack_id):
                return _DELIVERED
            if self._clock.monotonic_s() >= end_s:
                text = "No acknowledgement came in time."
                return _Outcome("Splunk.AckTimeout", text, is_final=False)
            self._clock.sleep(_ACK_POLL_S)

    def _is_acknowledged(self, ack_id: int) -> bool:
        try:
            answer = self._session().post(
                f"{self._url}/services/collector/ack",
                data=json.dumps({"acks": [ack_id]}),
                timeout=_REQUEST_TIMEOUT_S,
                allow_redirects=False,
            )
        except requests.RequestException:
            return False
        acks = _json(answer).get("acks")
        return isinstance(acks, dict) and acks.get(str(ack_id)) is True

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            # The machine's proxies and .netrc are none of the pipeline's business.
            session.trust_env = False
            session.headers["Authorization"] = f"Splunk {self._hec_token}"
            session.headers["X-Splunk-Request-Channel"] = str(uuid.uuid4())
            self._sessions.append(session)
        return session


def _connection_outcome(error: requests.RequestException) -> _Outcome:
    if isinstance(error, requests.exceptions.SSLError):
        return _Outcome("Splunk.SSLHandshake", "TLS failed.", is_final=False)
    if isinstance(error, requests.Timeout):
        text = "The connection timed out."
        return _Outcome("Splunk.ConnectionTimeout", text, is_final=False)
    if isinstance(error, ValueError):
        # Not a URL, or none of a kind that can be asked.
        return _Outcome("Splunk.InvalidEndpoint", "The URL cannot be used.")
    text = "The connection was closed."
    return _Outcome("Splunk.ConnectionClosed", text, is_final=False)


def _refusal(status: int, value: dict[str, Any]) -> _Outcome:
    number = value.get("code")
    code, is_final = _HEC_CODES.get(
        number if isinstance(number, int) else -1, ("Splunk.ServerError", False)
    )
    return _Outcome(code, f"The collector answered {status}.", is_final)


def _json(answer: requests.Response) -> dict[str, Any]:
    try:
        value = answer.json()
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
