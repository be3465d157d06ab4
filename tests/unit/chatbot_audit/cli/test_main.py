"""The entry point, as a process of its own."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from chatbot_audit.cli import main as entry

ROOT = Path(__file__).parents[4]
COMMAND = [sys.executable, "-m", "chatbot_audit.cli.main"]


def process(*arguments, **options):
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        cwd=ROOT,
        timeout=60,
        check=False,
        text=True,
        **options,
    )


def test_searches_as_a_program(store_path):
    """JSON lines on stdout, what was searched on stderr, exit code 0."""
    done = process("search", "--store", str(store_path), "--tz", "UTC")

    assert done.returncode == 0
    assert len([json.loads(line) for line in done.stdout.splitlines()]) == 5


@pytest.mark.parametrize(
    "arguments",
    [
        ["search", "--store", "/nowhere/audit.db"],
        ["search", "--since", "foo", "--store", "{store}"],
        ["sandbox", "--zip", "/nowhere/transformer.zip", "--state-dir", "{folder}"],
        ["nope"],
    ],
    ids=["no-store", "bad-phrase", "missing-zip", "no-command"],
)
def test_bad_input_is_exit_code_two_without_a_traceback(
    store_path, tmp_path, arguments
):
    """One clear sentence."""
    arguments = [a.format(store=store_path, folder=tmp_path) for a in arguments]

    done = process(*arguments)

    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert "chatbot-audit: " in done.stderr.splitlines()[-1]


def test_a_reader_that_goes_away_is_no_error(store_path):
    """As with `| head -1`: quiet, and exit code 0."""
    reader = subprocess.Popen(
        [*COMMAND, "search", "--limit", "0", "--store", str(store_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    reader.stdout.close()

    told = reader.stderr.read().decode()
    code = reader.wait(60)
    reader.stderr.close()

    assert code == 0
    assert "roken" not in told
    assert "Exception" not in told


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device here")
def test_a_full_disk_is_told(store_path):
    """Lost output is exit code 2."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "search", "--store", str(store_path)],
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            timeout=60,
            check=False,
            text=True,
        )

    assert done.returncode == 2
    assert "No space left" in done.stderr


def test_help_loads_no_command():
    """--help is quick: neither tables nor stores nor the sandbox are imported."""
    code = (
        "import sys\n"
        "from chatbot_audit.cli.group import cli\n"
        "try:\n    cli(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'rich', 'boto3', 'moto', 'sqlite3', 'requests', 'orjson'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        cwd=ROOT,
        timeout=60,
        check=True,
        text=True,
    )

    assert done.stdout.splitlines()[-1] == "[]"


def test_the_bare_install_says_what_is_missing(monkeypatch, capsys):
    """Without click: which extra, and exit code 2."""

    def missing(name):
        raise ModuleNotFoundError(f"No module named {name!r}", name="click")

    monkeypatch.setattr(importlib, "import_module", missing)

    with pytest.raises(SystemExit) as ended:
        entry.main()

    assert ended.value.code == 2
    assert "click is not installed" in capsys.readouterr().err
