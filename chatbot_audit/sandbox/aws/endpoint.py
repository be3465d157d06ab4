"""Run moto, the imitation of CloudWatch Logs, Kinesis and S3, in its own process.

The socket is opened here and handed over, so that the port is known, and known to be
ours, before the process has loaded anything. Run as a program, this file is that
process: ``endpoint.py FILE_DESCRIPTOR``; it ends when its standard input does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_STOP_TIMEOUT_S: Final = 10.0
_JSON_CALL: Final = "application/x-amz-json-"
# CloudWatch rejects events further ahead. AWS docs, PutLogEvents.
_MAX_AHEAD_MS: Final = 2 * 60 * 60 * 1_000


class AwsEndpoint:
    """One moto server on loopback, with a memory of its own.

    Args:
        port: Port to listen on; 0 takes a free one.

    Raises:
        PortTakenError: Something else listens there.
    """

    def __init__(self, port: int = 0) -> None:
        # Run as a program, this file has no package around it.
        from chatbot_audit.sandbox.loopback import HOST, listen  # noqa: PLC0415

        self._listener = listen(port)
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://{HOST}:{self._listener.getsockname()[1]}"

    def start(self) -> None:
        """Start the process; calls wait until it serves."""
        descriptor = self._listener.fileno()
        self._process = subprocess.Popen(  # noqa: S603 - our own command line
            [sys.executable, "-P", str(Path(__file__)), str(descriptor)],
            env=_environ(),
            pass_fds=[descriptor],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Ctrl-C in a terminal goes to all of its group: what is still on its way
            # needs this process until the end.
            start_new_session=True,
        )
        # The process has its own; when it ends, clients are refused, not kept.
        self._listener.close()

    def stop(self) -> None:
        """End the process and close the socket."""
        self._listener.close()
        if self._process is None:
            return
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.kill()
        self._process.wait(_STOP_TIMEOUT_S)


def _environ() -> dict[str, str]:
    """Return this process's variables without anybody's AWS account."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "MOTO_"))
    }
    return kept | {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def rejected_as_aws_says(
    events: list[dict[str, Any]], rejected: dict[str, int], now_ms: int
) -> dict[str, int]:
    """Return the indices of rejected events as PutLogEvents documents them.

    moto gives the last index of each kind; AWS gives the end of the old ones,
    exclusive, and the start of the new ones.
    """
    repaired = dict(rejected)
    if "tooOldLogEventEndIndex" in rejected:
        repaired["tooOldLogEventEndIndex"] += 1
    if "tooNewLogEventStartIndex" in rejected:
        newest_ms = now_ms + _MAX_AHEAD_MS
        new_count = sum(event["timestamp"] > newest_ms for event in events)
        repaired["tooNewLogEventStartIndex"] = len(events) - max(new_count, 1)
    return repaired


def answers_in_kind(application: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a WSGI *application* so that a JSON call is answered as JSON.

    moto says text/html of everything; a client may take that for the page of a
    proxy in between.
    """

    def wrapped(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        kind = environ.get("CONTENT_TYPE", "")

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            if kind.startswith(_JSON_CALL):
                headers = [
                    (name, kind if name.lower() == "content-type" else value)
                    for name, value in headers
                ]
            return start_response(status, headers, *rest)

        return application(environ, start)

    return wrapped


def _repair_rejections() -> None:
    from moto.logs.models import LogsBackend  # noqa: PLC0415 - the process only

    put = LogsBackend.put_log_events

    def put_log_events(
        backend: Any, group: str, stream: str, events: list[dict[str, Any]]
    ) -> tuple[str, dict[str, int]]:
        token, rejected = put(backend, group, stream, events)
        now_ms = time.time_ns() // 1_000_000
        return token, rejected_as_aws_says(events, rejected, now_ms)

    # The process is moto's alone, so its class can be repaired in place.
    LogsBackend.put_log_events = put_log_events  # type: ignore[method-assign,assignment]


def _serve(descriptor: int) -> None:
    from moto.moto_server.werkzeug_app import (  # noqa: PLC0415 - the process only
        DomainDispatcherApplication,
        create_backend_app,
    )
    from werkzeug.serving import make_server  # noqa: PLC0415

    _repair_rejections()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    application = answers_in_kind(DomainDispatcherApplication(create_backend_app))
    make_server(
        "127.0.0.1", 0, application, threaded=True, fd=descriptor
    ).serve_forever()


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
