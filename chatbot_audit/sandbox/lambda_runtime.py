"""Run the built zip as AWS Lambda does: AWS's own client, processes of their own.

Payloads are capped in both directions at 6,291,456 B, the stricter of the two
figures seen, and nothing of this process's environment is inherited.
"""

from __future__ import annotations

import functools
import json
import platform
import queue
import shutil
import subprocess
import tempfile
import zipfile
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from audit_record.limits import MAX_LAMBDA_PAYLOAD_BYTES
from chatbot_audit.sandbox.errors import RuntimeMissingError, ZipMissingError
from chatbot_audit.sandbox.faults import FunctionFaults
from chatbot_audit.sandbox.function.process import (
    PATH,
    ExecutionEnvironment,
    FunctionError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chatbot_audit.sandbox.settings import LambdaSettings

_MAX_LOG_LINES: Final = 4_000
_CHECK_TIMEOUT_S: Final = 60.0
_ACCESS_KEY: Final = "function"
_BUILD_FACTS: Final = "build.json"
_QUESTION: Final = """
import awslambdaric, sys
print("python%d.%d" % sys.version_info[:2])
"""
# Lambda's names of CPUs, where the kernel has others.
_ARCHITECTURES: Final = {"aarch64": "arm64"}


class LambdaRuntime:
    """Some warm execution environments of the function.

    Invocations beyond their number wait for one, as Firehose's do.

    Args:
        settings: What to run.
        environ: Further variables, from the sandbox.
        faults: What happens to invocations on purpose.

    Raises:
        ZipMissingError: The zip is not there or is none.
        RuntimeMissingError: The interpreter lacks AWS's runtime client, or the zip
            was built for another one.
    """

    def __init__(
        self,
        settings: LambdaSettings,
        environ: Mapping[str, str],
        faults: FunctionFaults | None = None,
    ) -> None:
        _require_zip(settings.zip_path)
        # Not resolved: the link in a virtual environment is what makes it one. Made
        # absolute now, since it is started anew later on, wherever this one is then.
        python = settings.interpreter
        python = str(Path(python).absolute()) if "/" in python else python
        settings = replace(settings, python=python)
        _require_match(settings.zip_path, _runtime_of(python), python)
        self._faults = faults or FunctionFaults()
        self._folder = Path(tempfile.mkdtemp(prefix="chatbot-audit-lambda-"))
        self.log_lines: deque[str] = deque(maxlen=_MAX_LOG_LINES)
        self._free: queue.Queue[ExecutionEnvironment] = queue.Queue()
        # Each has a key of its own, so that a call tells whose it is.
        self._by_access_key = {
            f"{_ACCESS_KEY}{number}": ExecutionEnvironment(
                settings,
                {**environ, "AWS_ACCESS_KEY_ID": f"{_ACCESS_KEY}{number}"},
                self._folder,
                self.log_lines,
                self._faults.killed_calls,
            )
            for number in range(settings.process_count)
        }
        self._all = list(self._by_access_key.values())
        for environment in self._all:
            self._free.put(environment)
        try:
            _unpack(settings.zip_path, self._folder)
        except ZipMissingError:
            self.close()
            raise

    def invoke(self, payload: bytes) -> bytes:
        """Run the function once; return its answer.

        Raises:
            FunctionError: It raised, timed out, exited, answered too much, had no
                capacity, or the payload was too large.
            ContractError: The answer is of no type that Firehose is known to take.
        """
        if len(payload) > MAX_LAMBDA_PAYLOAD_BYTES:
            raise FunctionError("Lambda.FunctionError", "RequestEntityTooLarge")
        if self._faults.throttled_calls.take():
            raise FunctionError(
                "Lambda.InvokeLimitExceeded", "TooManyRequestsException"
            )
        environment = self._free.get()
        try:
            return environment.invoke(payload)
        finally:
            self._free.put(environment)

    def caller(self, access_key: str) -> ExecutionEnvironment | None:
        """Return the environment that signs its calls with *access_key*, if any."""
        return self._by_access_key.get(access_key)

    def process_ids(self) -> list[int]:
        """Return the ids of the processes that run now."""
        return [e.process_id for e in self._all if e.process_id is not None]

    def close(self) -> None:
        """End the processes by id and remove the unpacked zip."""
        for environment in self._all:
            environment.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def _require_zip(path: Path) -> None:
    if not path.is_file():
        raise ZipMissingError(f"{path} is missing; run: make build")
    if not zipfile.is_zipfile(path):
        raise ZipMissingError(f"{path} is no readable zip; run: make build")


def _unpack(path: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder)
    except (zipfile.BadZipFile, OSError):
        raise ZipMissingError(f"{path} cannot be unpacked; run: make build") from None


def _require_match(zip_path: Path, runtime: str, python: str) -> None:
    """Raise `RuntimeMissingError` if the zip was built for something else.

    Its compiled parts would not load, and every single record would fail.
    """
    built_for = _build_facts(zip_path)
    if built_for.get("runtime", runtime) != runtime:
        raise RuntimeMissingError(
            f"{zip_path} was built for {built_for['runtime']}, but {python} is "
            f"{runtime}; run: make setup build"
        )
    machine = _ARCHITECTURES.get(platform.machine(), platform.machine())
    if built_for.get("architecture", machine) != machine:
        raise RuntimeMissingError(
            f"{zip_path} was built for {built_for['architecture']}, but this machine "
            f"is {machine}; run: make build"
        )


def _build_facts(zip_path: Path) -> dict[str, Any]:
    """Return what the build wrote down; nothing of a zip that is no build of ours."""
    try:
        with zipfile.ZipFile(zip_path) as archive:
            facts = json.loads(archive.read(_BUILD_FACTS))
    except (KeyError, ValueError, zipfile.BadZipFile, OSError):
        return {}
    return facts if isinstance(facts, dict) else {}


@functools.cache
def _runtime_of(python: str) -> str:
    """Return the runtime that *python* is, as ``python3.13``.

    Loading AWS's client takes a while, so an interpreter that has it is asked once.

    Raises:
        RuntimeMissingError: It cannot be run or lacks AWS's runtime client.
    """
    try:
        # Asked with as little as it will be run with.
        found = subprocess.run(  # noqa: S603 - our own command line
            [python, "-c", _QUESTION],
            env={"PATH": PATH},
            capture_output=True,
            text=True,
            timeout=_CHECK_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        raise RuntimeMissingError(f"{python} cannot be run; run: make setup") from None
    if found.returncode:
        raise RuntimeMissingError(
            f"{python} lacks AWS's runtime client; run: make setup"
        )
    return found.stdout.strip()
