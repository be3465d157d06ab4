"""HTTP servers on 127.0.0.1 that end when they are told to."""

from __future__ import annotations

import errno
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar, Final

from chatbot_audit.sandbox.errors import PortTakenError, ServerError

HOST: Final = "127.0.0.1"
_STOP_TIMEOUT_S: Final = 10.0


class QuietHandler(BaseHTTPRequestHandler):
    """Speaks HTTP/1.1 and writes no request log: paths and bodies are content."""

    protocol_version = "HTTP/1.1"
    # A client that keeps its connection open must not keep the server alive.
    timeout: ClassVar[float | None] = 30

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Write nothing."""

    def read_body(self) -> bytes:
        """Return the request's body."""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(
        self,
        status: int,
        body: bytes,
        content_type: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> None:
        """Send one complete answer."""
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class LoopbackServer(ThreadingHTTPServer):
    """Serves one handler class on loopback, in a thread of its own.

    Args:
        handler: The handler class.
        port: Port to listen on; 0 takes a free one.

    Raises:
        PortTakenError: Something else listens there.
    """

    daemon_threads = True
    allow_reuse_address = False
    # A client that goes away in the middle is no fault of the server.
    block_on_close = False

    def __init__(self, handler: type[BaseHTTPRequestHandler], port: int = 0) -> None:
        try:
            super().__init__((HOST, port), handler)
        except OSError as error:
            raise port_error(error, port) from error
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    @property
    def url(self) -> str:
        """Return the base URL."""
        return f"http://{HOST}:{self.server_address[1]}"

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and close the socket."""
        self.shutdown()
        self.server_close()
        self._thread.join(_STOP_TIMEOUT_S)

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that vanish: they are part of what is tested."""


def require_free(port: int) -> None:
    """Raise `PortTakenError` if something listens on *port*."""
    if port == 0:
        return
    with socket.socket() as probe:
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise port_error(error, port) from error


def port_error(error: Exception, port: int) -> PortTakenError | ServerError:
    """Return the error that says why *port* cannot be used."""
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return PortTakenError(
            f"port {port} is taken by another program; choose another with --port"
        )
    return ServerError(f"port {port} cannot be listened on; choose another with --port")
