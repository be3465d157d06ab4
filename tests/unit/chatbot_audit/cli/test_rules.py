"""The command ``chatbot-audit rules``."""

from __future__ import annotations

import json

import pytest
import yaml
from click.testing import CliRunner

from chatbot_audit.cli.group import cli

RULE = {"name": "pay", "words": ["wages"], "hit": ["my wages"], "miss": ["wagers"]}


def run(*arguments, given=None):
    return CliRunner().invoke(cli, ["rules", *arguments], input=given)


def test_the_shipped_rules_pass_their_own_examples():
    """What is shipped is tested like what users bring."""
    result = run("test")

    assert result.exit_code == 0
    assert "every rule" in result.stdout


@pytest.mark.parametrize("suffix", [".json", ".yaml", ".yml"])
def test_own_rules_are_checked(tmp_path, suffix):
    """JSON and YAML are read alike; a faulty rule is named."""
    good, bad = tmp_path / f"good{suffix}", tmp_path / f"bad{suffix}"
    dump = json.dumps if suffix == ".json" else yaml.safe_dump
    good.write_text(dump({"topics": [RULE]}))
    bad.write_text(dump({"topics": [RULE | {"hit": ["nothing"]}]}))

    assert run("test", str(good)).exit_code == 0
    result = run("test", str(bad))

    assert result.exit_code == 1
    assert "rule pay misses its hit example 1" in result.stderr


def test_a_text_is_tried():
    """Labels, kinds and the text as delivered are shown."""
    result = run("try", "my salary, password=hunter2")

    assert result.exit_code == 0
    assert "compensation@query" in result.stdout
    assert "password x1" in result.stdout
    assert "hunter2" not in result.stdout


def test_a_text_is_read_from_the_standard_input(tmp_path):
    """A secret need not stand in the shell's history."""
    rules = tmp_path / "rules.yaml"
    rules.write_text(yaml.safe_dump({"topics": [RULE]}))

    result = run("try", "-", "--json", "--rules", str(rules), given="my wages")

    assert json.loads(result.stdout)["topics"] == ["pay@query", "pay@response"]


def test_nothing_found_is_exit_code_1():
    """As with a search."""
    assert run("try", "hello there").exit_code == 1


@pytest.mark.parametrize("content", [None, "{broken", "- a list"])
def test_an_unreadable_file_is_one_sentence(tmp_path, content):
    """No traceback, exit code 2."""
    path = tmp_path / "rules.yaml"
    if content is not None:
        path.write_text(content)

    result = run("try", "x", "--rules", str(path))

    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert len(result.stderr.strip().splitlines()) == 1
