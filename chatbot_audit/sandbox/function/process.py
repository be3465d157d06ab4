"""One execution environment of the function: one process at a time.

It is started anew when it has died, and ended with everything it started.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import subprocess
import threading
import time
import uuid
from typing import TYPE_CHECKING, BinaryIO, Final

from chatbot_audit.sandbox.function.contract import UNREADABLE, ContractError
from chatbot_audit.sandbox.function.runtime_api import TOO_LARGE, Invocation, RuntimeApi
from chatbot_audit.sandbox.settings import ACCOUNT_ID, REGION, LambdaSettings

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from chatbot_audit.sandbox.faults import Countdown

FUNCTION_NAME: Final = "chatbot-audit-transformer"
FUNCTION_ARN: Final = f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{FUNCTION_NAME}:1"
FUNCTION_LOG_GROUP: Final = f"/aws/lambda/{FUNCTION_NAME}"
PATH: Final = "/usr/local/bin:/usr/bin:/bin"
_POLL_S: Final = 0.02
# What a process said before it ended may still be on its way.
_LAST_WORDS_S: Final = 0.2
# Loading the function comes on top of the first invocation's time.
_INIT_TIMEOUT_S: Final = 30.0
_STOP_TIMEOUT_S: Final = 10.0
# A longer line of the function's output is cut into several.
_MAX_LINE_BYTES: Final = 65_536


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


class ExecutionEnvironment:
    """One warm place to run the function, one invocation at a time.

    Args:
        settings: What to run; the interpreter's path is absolute.
        environ: Further variables, from the sandbox.
        folder: The unpacked zip.
        log_lines: Takes what the function writes.
        killed_calls: Invocations whose process is killed while it works.
    """

    def __init__(
        self,
        settings: LambdaSettings,
        environ: Mapping[str, str],
        folder: Path,
        log_lines: deque[str],
        killed_calls: Countdown,
    ) -> None:
        self._settings = settings
        self._environ = environ
        self._folder = folder
        self._log_lines = log_lines
        self._killed_calls = killed_calls
        self._api: RuntimeApi | None = None
        self._invocation: Invocation | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None

    @property
    def process_id(self) -> int | None:
        """Return the id of the process; None if there is none."""
        return self._process.pid if self._process else None

    def invoke(self, payload: bytes) -> bytes:
        """Run the function once; return its answer.

        Raises:
            FunctionError: It raised, timed out, exited, or answered too much.
            ContractError: The answer is of no type that Firehose is known to take.
        """
        api = self._ready_api()
        name = str(uuid.uuid4())
        invocation = Invocation(name, payload, self._settings.timeout_s)
        self._invocation = invocation
        if self._killed_calls.take():
            self.doom()
        api.submit(invocation)
        self._wait(invocation, api)
        if invocation.error_type == TOO_LARGE:
            # The client does not survive the refusal; a new one starts next time.
            self.close()
        if invocation.answer is None:
            raise FunctionError("Lambda.FunctionError", invocation.error_type)
        if invocation.content_type != "application/json":
            raise ContractError(UNREADABLE, "the answer is not application/json")
        return invocation.answer

    def doom(self) -> Callable[[], None]:
        """Let the process never answer what it works on; return what kills it now."""
        kill = functools.partial(_kill, self._process)
        if self._invocation is not None:
            self._invocation.kill = kill
        return kill

    def close(self) -> None:
        """End the process and whatever it started, by id."""
        process, api, reader = self._process, self._api, self._reader
        self._process = self._api = self._reader = None
        if process is not None:
            # Its session is its own, so its id is that of the group too.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(_STOP_TIMEOUT_S)
        if reader is not None:
            reader.join(_STOP_TIMEOUT_S)
        if api is not None:
            api.stop()

    def _ready_api(self) -> RuntimeApi:
        if self._api is not None and not self._has_ended():
            return self._api
        self.close()
        api = RuntimeApi(FUNCTION_ARN)
        api.start()
        self._api = api
        self._process = subprocess.Popen(  # noqa: S603 - our own command line
            [self._settings.python, "-m", "awslambdaric", self._settings.handler],
            cwd=self._folder,
            env=self._function_environ(api),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._reader = threading.Thread(
            target=_collect, args=(self._process.stdout, self._log_lines), daemon=True
        )
        self._reader.start()
        return api

    def _wait(self, invocation: Invocation, api: RuntimeApi) -> None:
        end_s = time.monotonic() + _INIT_TIMEOUT_S + self._settings.timeout_s
        is_running = False
        while not invocation.is_done.wait(_POLL_S):
            if not is_running and invocation.is_handed_over.is_set():
                is_running = True
                end_s = time.monotonic() + self._settings.timeout_s
            if self._has_ended():
                invocation.is_done.wait(_LAST_WORDS_S)
                invocation.fail(api.init_error or "Runtime.ExitError")
            elif time.monotonic() > end_s:
                invocation.fail("Sandbox.Timedout")
                self.close()

    def _has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _function_environ(self, api: RuntimeApi) -> dict[str, str]:
        return {
            "PATH": PATH,
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PYTHONPATH": str(self._folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LAMBDA_TASK_ROOT": str(self._folder),
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "AWS_LAMBDA_FUNCTION_NAME": FUNCTION_NAME,
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self._settings.memory_mb),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": FUNCTION_LOG_GROUP,
            "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/01/[1]sandbox",
            "_HANDLER": self._settings.handler,
            **self._environ,
            **self._settings.environ,
        }


def _kill(process: subprocess.Popen[bytes] | None) -> None:
    if process is not None:
        process.kill()
        process.wait(_STOP_TIMEOUT_S)


def _collect(output: BinaryIO | None, log_lines: deque[str]) -> None:
    if output is None:
        return
    with output:
        while line := output.readline(_MAX_LINE_BYTES):
            log_lines.append(line.decode(errors="replace").rstrip("\n"))
