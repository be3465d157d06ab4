"""The process's clients for CloudWatch Logs, made when first needed.

One for each region and endpoint. A forked child makes its own: connections cannot
be shared.
"""

from __future__ import annotations

import logging
import os
import threading
from typing import Any, Final

from emitter.forks import tell_after_fork
from emitter.loading import AT_CONNECTION, load

# Together with two attempts, a silent endpoint costs less than one record's budget.
CONNECT_TIMEOUT_S: Final = 1
READ_TIMEOUT_S: Final = 2
TOTAL_MAX_ATTEMPTS: Final = 2
# Connections kept open; a server with more threads than that opens further ones.
MAX_CONNECTIONS: Final = 32
# Loggers of the AWS library that write requests and answers, content and all, when
# a bot turns on DEBUG for everything.
_TALKATIVE: Final = (
    "botocore.auth",
    "botocore.awsrequest",
    "botocore.endpoint",
    "botocore.hooks",
    "botocore.httpsession",
    "botocore.parsers",
    "botocore.retryhandler",
    "botocore.retries.standard",
    "urllib3.connectionpool",
)


class Discreet(threading.local):
    """Whether this thread is writing an audit record just now."""

    is_writing = False

    def filter(self, _: logging.LogRecord) -> bool:
        """Let a line through unless it is about an audit record."""
        return not self.is_writing


discreet: Final = Discreet()


class LogsClients:
    """Clients by region and endpoint. Thread-safe."""

    def __init__(self) -> None:
        self.begin_anew()
        tell_after_fork(self)

    def begin_anew(self) -> None:
        """Forget the parent's clients and the lock."""
        self._lock = threading.Lock()
        self._clients: dict[tuple[Any, ...], Any] = {}

    def get(self, region: str) -> Any:
        """Return the ``logs`` client of *region*; "" leaves it to the AWS library.

        Raises:
            ImportError: boto3 is not installed (extra ``aws``).
        """
        places = (os.environ.get(name) for name in _PLACES)
        key = (os.getpid(), region, *places)
        with self._lock:
            if key not in self._clients:
                load("boto3", *AT_CONNECTION)
                self._clients[key] = _make_client(region)
            return self._clients[key]


# What else decides where a client's calls go.
_PLACES: Final = (
    "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS",
    "AWS_ENDPOINT_URL",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_PROFILE",
)


def _make_client(region: str) -> Any:
    import boto3  # noqa: PLC0415 - bots that only test never load it
    from botocore.config import Config  # noqa: PLC0415 - as above

    for name in _TALKATIVE:
        logger = logging.getLogger(name)
        if discreet.filter not in logger.filters:
            logger.addFilter(discreet.filter)
    config = Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        max_pool_connections=MAX_CONNECTIONS,
        retries={"total_max_attempts": TOTAL_MAX_ATTEMPTS, "mode": "standard"},
    )
    session = boto3.session.Session()
    return session.client("logs", region_name=region or None, config=config)


logs_clients: Final = LogsClients()
