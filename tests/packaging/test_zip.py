"""The Lambda's zips, as they are deployed."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ZIPS = {
    "arm64": Path("build/transformer-arm64.zip"),
    "x86_64": Path("build/transformer-x86_64.zip"),
}
LOCAL = Path("build/transformer.zip")
# Machine numbers in the header of an ELF file.
ELF_MACHINES = {"arm64": 0xB7, "x86_64": 0x3E}
MAX_BYTES = 4 * 1024 * 1024


@pytest.mark.parametrize("machine", ZIPS)
def test_is_small_and_whole(machine):
    """At most 4 MB, with our two rooms and the pinned packages, and no more."""
    path = ZIPS[machine]
    names = zipfile.ZipFile(path).namelist()
    tops = {name.split("/")[0] for name in names}

    assert path.stat().st_size <= MAX_BYTES
    assert "subscription_transformer/handler.py" in names
    assert "subscription_transformer/rules.json" in names
    assert {"audit_record", "orjson", "isal", "re2", "pybase64"} <= tops
    assert not {"boto3", "botocore", "emitter", "chatbot_audit"} & tops
    assert not [name for name in names if name.endswith((".pyc", ".pyi"))]


@pytest.mark.parametrize("machine", ZIPS)
def test_native_code_is_for_its_cpu(machine):
    """Every native library in the zip runs on the CPU that its name says."""
    with zipfile.ZipFile(ZIPS[machine]) as archive:
        libraries = [n for n in archive.namelist() if ".so" in n]
        machines = {archive.read(name)[18] for name in libraries}

    assert len(libraries) >= 4
    assert machines == {ELF_MACHINES[machine]}


@pytest.mark.parametrize("machine", ZIPS)
def test_says_what_it_is(machine):
    """Runtime, CPU and handler stand in the zip, for Terraform to compare."""
    with zipfile.ZipFile(ZIPS[machine]) as archive:
        facts = json.loads(archive.read("build.json"))

    assert facts["runtime"] == "python3.13"
    assert facts["architecture"] == machine
    assert facts["handler"] == "subscription_transformer.handler.lambda_handler"


def build(output, *options):
    command = [sys.executable, "scripts/build_transformer.py", "--output", str(output)]
    return subprocess.run(
        [*command, *options], capture_output=True, text=True, check=False
    )


def test_two_builds_are_equal_to_the_byte(tmp_path):
    """The same sources give the same zip, at any time, in any folder."""
    output = tmp_path / "again.zip"

    done = build(output, "--python", "3.13", "--machine", "arm64")

    assert done.returncode == 0, done.stderr
    assert output.read_bytes() == ZIPS["arm64"].read_bytes()


def test_faulty_rules_fail_the_build(tmp_path):
    """Rules that fail their own examples never reach a zip."""
    rules = tmp_path / "rules.json"
    rule = {"name": "pay", "words": ["salary"], "hit": ["wages"], "miss": ["x"]}
    rules.write_text(json.dumps({"topics": [rule]}))
    output = tmp_path / "t.zip"

    done = build(output, "--rules", str(rules))

    assert done.returncode == 1
    assert "rule pay misses its hit example 1" in done.stderr
    assert not output.exists()


def test_own_rules_are_in_the_zip(tmp_path):
    """Rules that pass take the place of the shipped ones."""
    rules = tmp_path / "rules.json"
    rule = {"name": "pay", "words": ["salary"], "hit": ["a salary"], "miss": ["x"]}
    rules.write_text(json.dumps({"version": "7", "topics": [rule]}))
    output = tmp_path / "t.zip"

    done = build(output, "--rules", str(rules))

    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(output) as archive:
        inside = archive.read("subscription_transformer/rules.json")
    assert json.loads(inside)["version"] == "7"
