"""The wheel, installed as a bot author installs it."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

PACKAGES = {"audit_record", "chatbot_audit", "emitter", "subscription_transformer"}
USE = """
import sys
from emitter import AuditEmitter
from emitter.testing import MemorySink, assert_valid
sink = MemorySink()
audit = AuditEmitter("Vera", sinks=[sink])
with audit.question(text="hi", user="bob.smith@example.com") as q:
    q.reply("hello")
assert_valid(sink.records[0])
print(sink.records[0].user_id, "boto3" in sys.modules, "requests" in sys.modules)
"""


@pytest.fixture(scope="module")
def wheel():
    """The wheel that `make build` made."""
    (path,) = Path("dist").glob("chatbot_audit-*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A clean virtual environment with the bare wheel."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin/python"
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", wheel.absolute()], check=True
    )
    return python


def test_holds_the_four_packages_and_nothing_else(wheel):
    """What is installed is what the project says it is."""
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}

    assert tops == PACKAGES
    for package in PACKAGES:
        assert f"{package}/py.typed" in names
    assert "subscription_transformer/rules.json" in names
    assert "audit_record/schema.json" in names


def test_needs_orjson_and_nothing_else(wheel):
    """The bare install stays small: bots run in small places."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith("/METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())

    bare = [r for r in metadata.get_all("Requires-Dist") if "extra ==" not in r]
    assert [re.match(r"[\w-]+", requirement)[0] for requirement in bare] == ["orjson"]


def test_works_bare(installed, tmp_path):
    """In a clean environment a bot can be audited without any AWS library."""
    done = subprocess.run(
        [installed, "-c", USE],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["bob.smith", "False", "False"]


def test_installs_orjson_alone(installed):
    """Nothing comes along that a security team would have to look at."""
    done = subprocess.run(
        [installed, "-m", "pip", "list", "--format=freeze"],
        capture_output=True,
        text=True,
        check=True,
    )

    names = {line.split("==")[0] for line in done.stdout.split()}
    assert names - {"pip", "setuptools"} == {"chatbot-audit", "orjson"}


def test_the_command_says_what_it_needs(installed, tmp_path):
    """Without its extra the command names it, instead of a traceback."""
    command = installed.parent / "chatbot-audit"

    done = subprocess.run(
        [command, "search"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert "chatbot-audit[cli]" in done.stderr
    assert "Traceback" not in done.stderr
