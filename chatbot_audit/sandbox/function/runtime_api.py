"""AWS's Lambda Runtime API on loopback, for one process of the function.

The process asks ``invocation/next`` for work and posts its answer (AWS docs, "Using
the Lambda runtime API for custom runtimes"). Each process gets a server of its own,
so that nothing of a dead one can take the work of the next.
"""

from __future__ import annotations

import contextlib
import json
import queue
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from audit_record.limits import MAX_LAMBDA_PAYLOAD_BYTES
from chatbot_audit.sandbox.loopback import HOST, LoopbackServer, QuietHandler

if TYPE_CHECKING:
    from collections.abc import Callable

_API: Final = "/2018-06-01/runtime"
_POLL_S: Final = 0.05
_ACCEPTED: Final = 202
_JSON: Final = "application/json"
TOO_LARGE: Final = "Function.ResponseSizeTooLarge"


@dataclass
class Invocation:
    """One invocation on its way through the process.

    Attributes:
        request_id: Lambda's id of it.
        payload: The event.
        timeout_s: How long it may run once the process has it.
        kill: If set, called when it would answer: it did its work and died.
        answer: What the function returned, once it has.
        content_type: Of the answer.
        error_type: What the runtime called its failure; "" if it did not fail.
        is_handed_over: Set when the process has it.
        is_done: Set when it has an answer or has failed.
    """

    request_id: str
    payload: bytes
    timeout_s: float
    kill: Callable[[], None] | None = None
    answer: bytes | None = None
    content_type: str = ""
    error_type: str = ""
    is_handed_over: threading.Event = field(default_factory=threading.Event)
    is_done: threading.Event = field(default_factory=threading.Event)

    def fail(self, error_type: str) -> None:
        """End it without an answer, unless it has ended."""
        if not self.is_done.is_set():
            self.error_type = error_type
            self.is_done.set()


class RuntimeApi:
    """The API as one process sees it.

    Args:
        function_arn: What the function is told it is.
    """

    def __init__(self, function_arn: str) -> None:
        self._function_arn = function_arn
        self._waiting: queue.Queue[Invocation] = queue.Queue()
        self._open: dict[str, Invocation] = {}
        self._is_stopped = threading.Event()
        self.init_error = ""
        self._server = LoopbackServer(_handler_class(self))

    @property
    def address(self) -> str:
        """Return host and port, as ``AWS_LAMBDA_RUNTIME_API`` wants them."""
        return f"{HOST}:{self._server.port}"

    def start(self) -> None:
        """Begin to serve."""
        self._server.start()

    def stop(self) -> None:
        """Stop serving; whoever waits for work is sent away."""
        self._is_stopped.set()
        self._server.stop()

    def submit(self, invocation: Invocation) -> None:
        """Give the process something to do."""
        self._open[invocation.request_id] = invocation
        self._waiting.put(invocation)

    def next_invocation(self) -> Invocation | None:
        """Wait for work; None when the API stops."""
        while not self._is_stopped.is_set():
            with contextlib.suppress(queue.Empty):
                return self._waiting.get(timeout=_POLL_S)
        return None

    def headers(self, invocation: Invocation) -> dict[str, str]:
        """Return what goes with the event; its time runs from now."""
        deadline_ms = time.time_ns() // 1_000_000 + int(invocation.timeout_s * 1_000)
        return {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": self._function_arn,
            "Lambda-Runtime-Trace-Id": "Root=1-00000000-" + "0" * 24,
        }

    def post(self, path: str, body: bytes | None, content_type: str) -> int:
        """Take what the process says; return the status of the answer."""
        if path == f"{_API}/init/error":
            self.init_error = _error_type(body) or "Runtime.InitError"
            return _ACCEPTED
        name, _, kind = path.removeprefix(f"{_API}/invocation/").partition("/")
        if kind not in ("response", "error"):
            return 404
        invocation = self._open.pop(name, None)
        if invocation is None or invocation.is_done.is_set():
            return 400
        if invocation.kill is not None:
            invocation.kill()
            return 500
        return _end(invocation, kind, body, content_type)


def _end(
    invocation: Invocation, kind: str, body: bytes | None, content_type: str
) -> int:
    """Take the outcome of *invocation*; return the status of the answer."""
    if kind == "error":
        invocation.fail(_error_type(body) or "Function.Unhandled")
        return _ACCEPTED
    if body is None or len(body) > MAX_LAMBDA_PAYLOAD_BYTES:
        invocation.fail(TOO_LARGE)
        return 413
    invocation.answer, invocation.content_type = body, content_type
    invocation.is_done.set()
    return _ACCEPTED


def _handler_class(api: RuntimeApi) -> type[QuietHandler]:
    class Endpoint(QuietHandler):
        """The calls that the runtime client makes."""

        # The client waits at `next` for as long as there is no work.
        timeout = None

        def do_GET(self) -> None:  # noqa: N802 - http.server's name
            if self.path != f"{_API}/invocation/next":
                self.answer(404, b"{}")
                return
            invocation = api.next_invocation()
            if invocation is None:
                self.close_connection = True
                return
            self.answer(200, invocation.payload, headers=api.headers(invocation))
            invocation.is_handed_over.set()

        def do_POST(self) -> None:  # noqa: N802 - http.server's name
            body = self.read_body()
            status = api.post(self.path, body, self.headers.get("Content-Type", _JSON))
            self.answer(status, b'{"status":"OK"}' if status == _ACCEPTED else b"{}")

    return Endpoint


def _error_type(body: bytes | None) -> str:
    try:
        value: Any = json.loads(body or b"")
    except (ValueError, RecursionError):
        return ""
    return str(value.get("errorType", "")) if isinstance(value, dict) else ""
