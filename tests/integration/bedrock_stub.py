"""A loopback server that answers as Bedrock's runtimes do, event streams included."""

from __future__ import annotations

import contextlib
import json
import struct
import threading
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote
from zlib import crc32

_STRING = 7  # type of a header's value in AWS's event-stream encoding


@dataclass(frozen=True)
class Reply:
    """One answer; of a list of bytes each is sent as a chunk of its own."""

    body: bytes | list[bytes] = b"{}"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def reply_json(body, status=200, **headers):
    """Return a JSON answer."""
    return Reply(json.dumps(body).encode(), status, headers)


def reply_error(code, status):
    """Return a refusal, as REST services of AWS word it."""
    named = {"x-amzn-ErrorType": f"{code}:http://internal.example.com/"}
    return Reply(json.dumps({"message": "canary"}).encode(), status, named)


def reply_events(*events):
    """Return an event stream: ``(name, payload)``, a name in -Exception raises."""
    kind = {"Content-Type": "application/vnd.amazon.eventstream"}
    return Reply([encode_event(*event) for event in events], headers=kind)


def encode_event(name, payload):
    """Encode one message: prelude, its CRC, headers, payload, CRC of all."""
    is_exception = name.endswith("Exception")
    kind = "exception" if is_exception else "event"
    headers = _encode_headers(
        {
            f":{kind}-type": name,
            ":content-type": "application/json",
            ":message-type": kind,
        }
    )
    body = json.dumps(payload).encode()
    prelude = struct.pack("!II", 16 + len(headers) + len(body), len(headers))
    message = prelude + struct.pack("!I", crc32(prelude)) + headers + body
    return message + struct.pack("!I", crc32(message))


def _encode_headers(headers):
    return b"".join(
        struct.pack("!B", len(name))
        + name.encode()
        + struct.pack("!BH", _STRING, len(value))
        + value.encode()
        for name, value in headers.items()
    )


class BedrockStub:
    """Answers by the end of a request's path; the last answer repeats.

    An answer may be a function of the request's JSON body.
    """

    def __init__(self):
        self.replies = {}
        self.requests = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}
        )
        self._thread.start()

    def on(self, path_end, *replies):
        """Say what is answered to requests whose path ends so."""
        self.replies[path_end] = list(replies)

    def close(self):
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _choose(self, path):
        with self._lock:
            self.requests.append(path)
            ends = [end for end in self.replies if path.endswith(end)]
            waiting = self.replies[max(ends, key=len)]
            return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    def _handler(self):
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                size = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(size)
                reply = stub._choose(unquote(self.path))
                if callable(reply):
                    reply = reply(json.loads(body))
                with contextlib.suppress(OSError):
                    self._send(reply)

            def _send(self, reply):
                is_whole = isinstance(reply.body, bytes)
                self.send_response(reply.status)
                self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
                named = {"Content-Type": "application/json"} | reply.headers
                for name, value in named.items():
                    self.send_header(name, value)
                size = ("Content-Length", str(len(reply.body)))
                chunked = ("Transfer-Encoding", "chunked")
                self.send_header(*(size if is_whole else chunked))
                self.end_headers()
                if is_whole:
                    self.wfile.write(reply.body)
                    return
                for piece in [*reply.body, b""]:
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))

            def log_message(self, *args):
                pass

        return Handler
