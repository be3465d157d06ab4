"""Check ``infra/terraform``: format, validity, its own tests, ours, the scanner.

Usage: ``python -m scripts.tf_check [fmt] [validate] [test] [pytest] [scan]``; without
names all of it. Where terraform or the provider is missing, that is said loudly and
the rest is done; where ``CI`` is set, it is an error.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scripts.tf_local import INFRA, ROOT, Workspace, find_tools

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHECKOV: Final = "checkov==3.3.30"
# Its pins quarrel with ours, so it has an environment of its own.
_CHECKOV_VENV: Final = ROOT / ".makecache/checkov"
_SCAN: Final = (
    *("--directory", str(INFRA), "--framework", "terraform"),
    *("--compact", "--quiet", "--skip-download"),
)


def main() -> int:
    """Run the named checks, or all; return the exit code."""
    names = sys.argv[1:] or list(_CHECKS)
    if unknown := set(names) - set(_CHECKS):
        print(f"no such check: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    is_ci = bool(os.environ.get("CI"))
    failed, skipped = [], []
    for name in names:
        print(f"== {name}", flush=True)
        started_s = time.monotonic()
        try:
            is_right = _CHECKS[name]()
        except FileNotFoundError as error:
            print(f"!! NOT CHECKED: {name}: {error}", flush=True)
            skipped.append(name)
            continue
        print(f"== {name}: {time.monotonic() - started_s:.0f} s", flush=True)
        if not is_right:
            failed.append(name)
    return _tell(failed, skipped, is_ci=is_ci)


def _tell(failed: list[str], skipped: list[str], *, is_ci: bool) -> int:
    if failed:
        print(f"FAILED: {', '.join(failed)}")
    if skipped:
        print(f"NOT CHECKED on this machine: {', '.join(skipped)}")
    if failed or (skipped and is_ci):
        return 1
    print("All that was checked is right.")
    return 0


def _fmt() -> bool:
    with _workspace() as workspace:
        done = workspace.try_run("", "fmt", "-check", "-recursive", "-diff")
    print(done.stdout, end="")
    return done.returncode == 0


def _validate() -> bool:
    is_right = True
    with _workspace() as workspace:
        for folder in _folders():
            workspace.prepare(folder)
            done = workspace.try_run(folder, "validate", "-no-color")
            if done.returncode or "Warning" in done.stdout:
                print(f"{folder or 'root'}: {done.stdout}")
                is_right = False
    return is_right


def _test() -> bool:
    with _workspace() as workspace:
        workspace.prepare()
        done = workspace.try_run("", "test", "-no-color")
    shown = [line for line in done.stdout.splitlines() if "... pass" not in line]
    print("\n".join(shown))
    return done.returncode == 0


def _pytest() -> bool:
    # What lacks its tools is skipped there, and fails in CI.
    return _run(sys.executable, "-m", "pytest", "-q", "tests/terraform")


def _scan() -> bool:
    checkov = _CHECKOV_VENV / "bin/checkov"
    if not checkov.exists():
        print(f"installing {CHECKOV} into {_CHECKOV_VENV.relative_to(ROOT)} ...")
        if not (
            _run(sys.executable, "-m", "venv", str(_CHECKOV_VENV))
            and _run(f"{_CHECKOV_VENV}/bin/pip", "install", "--quiet", CHECKOV)
        ):
            raise FileNotFoundError(f"{CHECKOV} could not be installed")
    return _run(str(checkov), *_SCAN)


@contextmanager
def _workspace() -> Iterator[Workspace]:
    """Give a copy of the code that goes away afterwards."""
    tools = find_tools()
    with tempfile.TemporaryDirectory() as folder:
        yield Workspace(tools, Path(folder))


def _folders() -> list[str]:
    top = ROOT / INFRA
    found = {path.parent for path in top.rglob("versions.tf")}
    return sorted("" if path == top else str(path.relative_to(top)) for path in found)


def _run(*command: str) -> bool:
    environment = os.environ | {"BC_ENABLE": "false"}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    return done.returncode == 0


_CHECKS: Final[dict[str, Callable[[], bool]]] = {
    "fmt": _fmt,
    "validate": _validate,
    "test": _test,
    "scan": _scan,
    "pytest": _pytest,
}

if __name__ == "__main__":
    sys.exit(main())
