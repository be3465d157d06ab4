"""HTTP servers on 127.0.0.1 that end when they are told to."""

from __future__ import annotations

import errno
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import ClassVar, Final

from chatbot_audit.sandbox.errors import PortTakenError, ServerError

HOST: Final = "127.0.0.1"
# More than any peer accepts; a larger body is not read.
MAX_BODY_BYTES: Final = 128 * 1_024 * 1_024
_STOP_TIMEOUT_S: Final = 10.0
_BACKLOG_COUNT: Final = 128


class QuietHandler(BaseHTTPRequestHandler):
    """Speaks HTTP/1.1 and writes no request log: paths and bodies are content."""

    protocol_version = "HTTP/1.1"
    # A client that keeps its connection open must not keep the server alive.
    timeout: ClassVar[float | None] = 30
    # Head and body leave at once; a peer's delayed acknowledgement costs 40 ms.
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Write nothing."""

    def read_body(self) -> bytes | None:
        """Return the request's body; None if its length is missing or senseless.

        The connection is closed after such a request: where it ends is unknown.
        """
        length = self.headers.get("Content-Length") or "0"
        is_chunked = self.headers.get("Transfer-Encoding") is not None
        if is_chunked or not length.isdecimal() or int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            return None
        return self.rfile.read(int(length))

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

    # A port that was ours a moment ago is free; one that is listened on is not.
    allow_reuse_address = True

    def __init__(self, handler: type[BaseHTTPRequestHandler], port: int = 0) -> None:
        try:
            super().__init__((HOST, port), handler)
        except (OSError, OverflowError) as error:
            raise port_error(error, port) from error
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._lock = threading.Lock()
        self._connections: dict[socket.socket, threading.Thread] = {}

    def server_bind(self) -> None:
        """Bind without asking a name server what 127.0.0.1 is called."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.port

    @property
    def port(self) -> int:
        """Return the port listened on."""
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        """Return the base URL."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving; end every connection and wait for its thread."""
        if self._thread.ident is not None:
            self.shutdown()
            self._thread.join(_STOP_TIMEOUT_S)
        self.server_close()
        with self._lock:
            connections = list(self._connections.items())
        for connection, _ in connections:
            _hang_up(connection)
        for _, thread in connections:
            thread.join(_STOP_TIMEOUT_S)

    def process_request(self, request: object, client_address: object) -> None:
        """Serve a connection in a thread that `stop` can wait for."""
        if not isinstance(request, socket.socket):
            return
        thread = threading.Thread(
            target=self._serve, args=(request, client_address), daemon=True
        )
        with self._lock:
            self._connections[request] = thread
        thread.start()

    def _serve(self, request: socket.socket, client_address: object) -> None:
        try:
            self.process_request_thread(request, client_address)
        finally:
            with self._lock:
                del self._connections[request]

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that vanish: they are part of what is tested."""


def listen(port: int) -> socket.socket:
    """Return a socket that listens on *port*; 0 takes a free one.

    Raises:
        PortTakenError: Something else listens there.
        ServerError: The port is none, or may not be used.
    """
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(_BACKLOG_COUNT)
    except (OSError, OverflowError) as error:
        listener.close()
        raise port_error(error, port) from error
    return listener


def port_error(error: Exception, port: int) -> PortTakenError | ServerError:
    """Return the error that says why *port* cannot be used."""
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return PortTakenError(
            f"port {port} is taken by another program; choose another with --port"
        )
    return ServerError(f"port {port} cannot be listened on; choose another with --port")


def _hang_up(connection: socket.socket) -> None:
    # The thread that serves it wakes, and closes it.
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
