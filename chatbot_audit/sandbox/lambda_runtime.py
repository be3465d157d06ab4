"""Run the built zip as AWS Lambda does: AWS's own client, a process of its own.

The process asks the Runtime API for work (AWS docs, "Using the Lambda runtime
API"); here that API is a loopback server. Payloads are capped in both directions at
6,291,456 B, and nothing of this process's environment is inherited.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import queue
import shutil
import subprocess
import tempfile
import threading
import time
import zipfile
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from audit_record.limits import MAX_LAMBDA_PAYLOAD_BYTES
from chatbot_audit.sandbox.errors import RuntimeMissingError, ZipMissingError
from chatbot_audit.sandbox.loopback import HOST, LoopbackServer, QuietHandler
from chatbot_audit.sandbox.settings import ACCOUNT_ID, REGION, LambdaSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

FUNCTION_NAME: Final = "chatbot-audit-transformer"
FUNCTION_ARN: Final = f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{FUNCTION_NAME}:1"
_API: Final = "/2018-06-01/runtime"
_POLL_S: Final = 0.02
_INIT_TIMEOUT_S: Final = 30.0
_MAX_LOG_LINES: Final = 20_000


class FunctionError(Exception):
    """One invocation failed, as Lambda would report it.

    Attributes:
        code: Firehose's error code.
        error_type: What the runtime or the function called it.
    """

    def __init__(self, code: str, error_type: str) -> None:
        super().__init__(f"{code}: {error_type}")
        self.code = code
        self.error_type = error_type


@dataclass
class _Call:
    """One invocation between the engine and the process."""

    request_id: str
    payload: bytes
    deadline_ms: int
    answer: bytes | None = None
    error_type: str = ""
    done: threading.Event = field(default_factory=threading.Event)


class LambdaRuntime:
    """Some warm execution environments of the function.

    Args:
        settings: What to run.
        environ: Further variables, from the sandbox.

    Raises:
        ZipMissingError: The zip is not there or is none.
        RuntimeMissingError: The interpreter lacks AWS's runtime client.
    """

    def __init__(self, settings: LambdaSettings, environ: Mapping[str, str]) -> None:
        _require_runtime(settings.python)
        self._folder = Path(tempfile.mkdtemp(prefix="chatbot-audit-lambda-"))
        self.log_lines: deque[str] = deque(maxlen=_MAX_LOG_LINES)
        try:
            _unpack(settings.zip_path, self._folder)
        except ZipMissingError:
            shutil.rmtree(self._folder)
            raise
        self._environments: queue.Queue[_Environment] = queue.Queue()
        self._all = [
            _Environment(settings, environ, self._folder, self.log_lines)
            for _ in range(settings.process_count)
        ]
        for environment in self._all:
            self._environments.put(environment)

    def invoke(self, payload: bytes) -> bytes:
        """Run the function once; return its answer.

        Raises:
            FunctionError: It raised, timed out, exited, answered too much, or the
                payload was too large.
        """
        if len(payload) > MAX_LAMBDA_PAYLOAD_BYTES:
            raise FunctionError("Lambda.InvokeLimitExceeded", "RequestTooLarge")
        environment = self._environments.get()
        try:
            return environment.invoke(payload)
        finally:
            self._environments.put(environment)

    def process_ids(self) -> list[int]:
        """Return the ids of the processes that run now."""
        return [e.process_id for e in self._all if e.process_id is not None]

    def close(self) -> None:
        """End the processes by id and remove the unpacked zip."""
        for environment in self._all:
            environment.close()
        shutil.rmtree(self._folder, ignore_errors=True)


class _Environment:
    """One execution environment: one Runtime API, one process at a time."""

    def __init__(
        self,
        settings: LambdaSettings,
        environ: Mapping[str, str],
        folder: Path,
        log_lines: deque[str],
    ) -> None:
        self._settings = settings
        self._environ = environ
        self._folder = folder
        self._log_lines = log_lines
        self._calls: queue.Queue[_Call] = queue.Queue()
        self._current: _Call | None = None
        self._init_error = ""
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._server = LoopbackServer(self._handler_class())
        self._server.start()

    @property
    def process_id(self) -> int | None:
        return self._process.pid if self._process else None

    def invoke(self, payload: bytes) -> bytes:
        self._ensure_process()
        timeout_s = self._settings.timeout_s
        deadline_ms = time.time_ns() // 1_000_000 + int(timeout_s * 1_000)
        name = f"00000000-0000-4000-8000-{next(self._numbers):012d}"
        call = _Call(name, payload, deadline_ms)
        self._current = call
        self._calls.put(call)
        self._wait(call, timeout_s)
        return _answer(call)

    def close(self) -> None:
        self._end_process()
        self._server.stop()

    def _ensure_process(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        self._end_process()
        self._init_error = ""
        with contextlib.suppress(queue.Empty):
            self._calls.get_nowait()
        self._process = subprocess.Popen(  # noqa: S603 - our own command line
            [
                _absolute(self._settings.python),
                "-m",
                "awslambdaric",
                self._settings.handler,
            ],
            cwd=self._folder,
            env=self._function_environ(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        threading.Thread(
            target=self._collect, args=(self._process,), daemon=True
        ).start()

    def _wait(self, call: _Call, timeout_s: float) -> None:
        # The first invocation of a process also pays for its start.
        end_s = time.monotonic() + timeout_s + _INIT_TIMEOUT_S
        run_end_s: float | None = None
        while not call.done.wait(_POLL_S):
            if run_end_s is None and self._calls.empty():
                run_end_s = time.monotonic() + timeout_s
            if self._has_ended():
                # What it said last may still be on its way.
                call.done.wait(_POLL_S * 5)
                if not call.done.is_set():
                    call.error_type = self._init_error or "Runtime.ExitError"
                    call.done.set()
                self._end_process()
            elif time.monotonic() > min(end_s, run_end_s or end_s):
                self._end_process()
                call.error_type = "Task.TimedOut"
                call.done.set()

    def _has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _end_process(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None

    def _collect(self, process: subprocess.Popen[bytes]) -> None:
        output = process.stdout
        with contextlib.suppress(ValueError):
            for line in output or ():
                self._log_lines.append(line.decode(errors="replace").rstrip("\n"))

    def _function_environ(self) -> dict[str, str]:
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PYTHONPATH": str(self._folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LAMBDA_TASK_ROOT": str(self._folder),
            "AWS_LAMBDA_RUNTIME_API": f"{HOST}:{self._server.server_address[1]}",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "AWS_LAMBDA_FUNCTION_NAME": FUNCTION_NAME,
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self._settings.memory_mb),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{FUNCTION_NAME}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/01/[1]sandbox",
            "_HANDLER": self._settings.handler,
            **self._environ,
            **self._settings.environ,
        }

    def _handler_class(self) -> type[QuietHandler]:
        environment = self

        class RuntimeApi(QuietHandler):
            """The calls that the runtime client makes."""

            # The client waits at `next` for as long as there is no work.
            timeout = None

            def do_GET(self) -> None:  # noqa: N802 - http.server's name
                call = environment._next_call()
                if call is None:
                    return
                self.answer(
                    200,
                    call.payload,
                    headers={
                        "Lambda-Runtime-Aws-Request-Id": call.request_id,
                        "Lambda-Runtime-Deadline-Ms": str(call.deadline_ms),
                        "Lambda-Runtime-Invoked-Function-Arn": FUNCTION_ARN,
                        "Lambda-Runtime-Trace-Id": "Root=1-00000000-" + "0" * 24,
                    },
                )

            def do_POST(self) -> None:  # noqa: N802 - http.server's name
                body = self.read_body()
                self.answer(202, b'{"status":"OK"}')
                kind = self.path.rpartition("/")[2]
                environment._report(kind, self.path, body)

        return RuntimeApi

    def _next_call(self) -> _Call | None:
        while self._process is not None:
            with contextlib.suppress(queue.Empty):
                return self._calls.get(timeout=_POLL_S)
        return None

    def _report(self, kind: str, path: str, body: bytes) -> None:
        if path == f"{_API}/init/error":
            self._init_error = _error_type(body) or "Runtime.InitError"
            return
        call = self._current
        if call is None or call.done.is_set() or call.request_id not in path:
            return
        if kind == "error":
            call.error_type = _error_type(body) or "Function.Error"
        elif len(body) > MAX_LAMBDA_PAYLOAD_BYTES:
            call.error_type = "Function.ResponseSizeTooLarge"
        else:
            call.answer = body
        call.done.set()


def _answer(call: _Call) -> bytes:
    if call.answer is not None:
        return call.answer
    raise FunctionError("Lambda.FunctionError", call.error_type)


def _error_type(body: bytes) -> str:
    try:
        value: Any = json.loads(body)
    except ValueError:
        return ""
    return str(value.get("errorType", "")) if isinstance(value, dict) else ""


def _unpack(zip_path: Path, folder: Path) -> None:
    if not zip_path.is_file():
        raise ZipMissingError(f"{zip_path} is missing; run: make build")
    try:
        with zipfile.ZipFile(zip_path) as archive:
            archive.extractall(folder)
    except (zipfile.BadZipFile, OSError):
        raise ZipMissingError(
            f"{zip_path} is no readable zip; run: make build"
        ) from None


def _absolute(python: str) -> str:
    # Not resolved: the link inside a virtual environment is what makes it one.
    return str(Path(python).absolute()) if "/" in python else python


def _require_runtime(python: str) -> None:
    command = [python, "-c", "import awslambdaric"]
    try:
        found = subprocess.run(command, capture_output=True, timeout=60, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        raise RuntimeMissingError(f"{python} cannot be run; run: make setup") from None
    if found.returncode:
        raise RuntimeMissingError(
            f"{python} lacks AWS's runtime client; run: make setup"
        )
