"""The public API, as users' type checkers see it."""

from __future__ import annotations

import subprocess
import sys


def test_a_strict_user_type_checks(tmp_path):
    """Code of a bot author passes mypy in its strictest mode."""
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental"]

    done = subprocess.run(
        [*command, f"--cache-dir={tmp_path}", "tests/typing/users.py"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout
