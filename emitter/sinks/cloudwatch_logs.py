"""CloudWatch Logs: put first, create the stream only when it is not there.

The rights it needs are CreateLogStream and PutLogEvents on one group; it never
creates a group and never describes anything.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, Final

from emitter.errors import SinkError

if TYPE_CHECKING:
    from emitter.sinks.entry import Entry

# A dripping or silent endpoint must not eat the budget of one record, 5 s by default.
CONNECT_TIMEOUT_S: Final = 1
READ_TIMEOUT_S: Final = 2
TOTAL_MAX_ATTEMPTS: Final = 2
_NOT_FOUND: Final = "ResourceNotFoundException"
_EXISTS: Final = "ResourceAlreadyExistsException"
# Members of `rejectedLogEventsInfo`: one event is either taken or named here.
_REJECTIONS: Final = {
    "tooNewLogEventStartIndex": "rejected_too_new",
    "tooOldLogEventEndIndex": "rejected_too_old",
    "expiredLogEventEndIndex": "rejected_expired",
}


class CloudWatchLogsSink:
    """Writes lines to CloudWatch Logs with boto3, which is loaded when first used.

    Args:
        region: Region of the log group; "" leaves it to the AWS library.
        client: A boto3 ``logs`` client to use instead of making one.
    """

    def __init__(self, region: str = "", client: Any = None) -> None:
        self._region = region
        self._given_client = client
        self._client: Any = None
        self._client_pid = 0
        self._lock = threading.Lock()

    def write(self, entry: Entry) -> None:
        """Put one line; create its stream if it is not there.

        Raises:
            SinkError: With the service's error code or what the connection did.
        """
        try:
            self._put_or_create(entry)
        except SinkError:
            raise
        except Exception as error:  # noqa: BLE001 - mapped in one place, below
            raise SinkError(reason_of(error)) from None

    def _put_or_create(self, entry: Entry) -> None:
        try:
            self._put(entry)
        except Exception as error:
            if _code(error) != _NOT_FOUND:
                raise
            self._create_stream(entry)
            self._put(entry)

    def _put(self, entry: Entry) -> None:
        answer = self._logs().put_log_events(
            logGroupName=entry.log_group,
            logStreamName=entry.log_stream,
            logEvents=[
                {"timestamp": entry.timestamp_ms, "message": entry.line.decode()}
            ],
        )
        rejected = answer.get("rejectedLogEventsInfo") or {}
        for member, reason in _REJECTIONS.items():
            if member in rejected:
                raise SinkError(reason)

    def _create_stream(self, entry: Entry) -> None:
        try:
            self._logs().create_log_stream(
                logGroupName=entry.log_group, logStreamName=entry.log_stream
            )
        except Exception as error:
            # Another environment was quicker: as good as done by us.
            if _code(error) != _EXISTS:
                raise

    def _logs(self) -> Any:
        if self._given_client is not None:
            return self._given_client
        with self._lock:
            # A client must not be shared with a forked child.
            if self._client is None or self._client_pid != os.getpid():
                self._client = _make_client(self._region)
                self._client_pid = os.getpid()
            return self._client


def reason_of(error: BaseException) -> str:
    """Return why a call failed: a service's code, or a fixed phrase."""
    code = _code(error)
    if code:
        return code
    return _REASONS.get(type(error).__name__, "error")


# botocore's and Python's own names of what goes wrong on the way.
_REASONS: Final = {
    "ConnectTimeoutError": "connect_timeout",
    "ReadTimeoutError": "read_timeout",
    "EndpointConnectionError": "connection",
    "ConnectionClosedError": "connection",
    "ConnectionError": "connection",
    "HTTPClientError": "connection",
    "ProxyConnectionError": "connection",
    "SSLError": "tls",
    "NoCredentialsError": "no_credentials",
    "PartialCredentialsError": "no_credentials",
    "CredentialRetrievalError": "no_credentials",
    "TokenRetrievalError": "no_credentials",
    "NoRegionError": "no_region",
    "ParamValidationError": "invalid_parameter",
    "ModuleNotFoundError": "boto3_missing",
    "ImportError": "boto3_missing",
}


def _code(error: BaseException) -> str:
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return ""
    details = response.get("Error")
    return str(details.get("Code", "")) if isinstance(details, dict) else ""


def _make_client(region: str) -> Any:
    import boto3  # noqa: PLC0415 - bots that only test never load it
    from botocore.config import Config  # noqa: PLC0415

    config = Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        retries={"total_max_attempts": TOTAL_MAX_ATTEMPTS, "mode": "standard"},
    )
    session = boto3.session.Session()
    return session.client("logs", region_name=region or None, config=config)
