"""The group of commands: help, version, errors, exit codes."""

from __future__ import annotations

import errno
import importlib

import click
import pytest
from click.testing import CliRunner

import chatbot_audit
from chatbot_audit.cli import group
from chatbot_audit.cli.group import COMMANDS, LazyCommand, cli
from chatbot_audit.errors import ChatbotAuditError


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_each_says_itself(name):
    """The late import keeps the words in two places; they agree."""
    lazy = COMMANDS[name]

    command = getattr(importlib.import_module(lazy.module), lazy.name)

    assert command.get_short_help_str(200) == lazy.help
    assert command.name == name


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name):
    """--help of a command is exit code 0."""
    result = CliRunner().invoke(cli, [name, "--help"])

    assert result.exit_code == 0
    assert COMMANDS[name].help in result.stdout


def test_help_names_every_command():
    """-h lists them all, with what they do."""
    result = CliRunner().invoke(cli, ["-h"])

    assert result.exit_code == 0
    for name, lazy in COMMANDS.items():
        assert name in result.stdout
        assert lazy.help in result.stdout


def test_version_is_the_packages():
    """--version is exit code 0."""
    result = CliRunner().invoke(cli, ["--version"])

    assert (result.exit_code, result.stdout) == (
        0,
        f"chatbot-audit, version {chatbot_audit.__version__}\n",
    )


def test_no_command_shows_the_help_and_is_exit_code_two():
    """Nothing was run."""
    result = CliRunner().invoke(cli, [])

    assert result.exit_code == 2
    assert "Commands:" in result.stderr


def test_an_unknown_command_is_one_sentence():
    """Exit code 2, and where help is."""
    result = CliRunner().invoke(cli, ["nope"])

    assert result.exit_code == 2
    assert result.stderr.startswith("chatbot-audit: No such command 'nope'")
    assert result.stderr.rstrip().endswith("see chatbot-audit --help")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("raised", "code", "told"),
    [
        pytest.param(ChatbotAuditError("a sentence"), 2, "a sentence", id="ours"),
        pytest.param(KeyboardInterrupt(), 130, "", id="ctrl-c"),
        pytest.param(
            OSError(errno.ENOSPC, "No space left on device"), 2, "No space", id="disk"
        ),
        pytest.param(BrokenPipeError(errno.EPIPE, "Broken pipe"), 0, "", id="pipe"),
        pytest.param(PermissionError(), 2, "PermissionError", id="no-text"),
        pytest.param(click.ClickException("two\nlines"), 2, "two lines", id="click"),
    ],
)
def test_every_error_has_its_exit_code(monkeypatch, raised, code, told):
    """One sentence and a number, never a traceback."""

    @click.command()
    def failing():
        raise raised

    monkeypatch.setattr(cli, "get_command", lambda *_: failing)

    result = CliRunner().invoke(cli, ["search"])

    assert result.exit_code == code
    assert told in result.stderr
    assert "Traceback" not in result.output


def test_a_missing_extra_is_named(monkeypatch):
    """What to install is told."""
    lazy = LazyCommand("chatbot_audit_no_such_module", "x", "X.", "sandbox")
    monkeypatch.setattr(group, "COMMANDS", {"sandbox": lazy})

    result = CliRunner().invoke(cli, ["sandbox"])

    assert result.exit_code == 2
    assert 'pip install "chatbot-audit[sandbox]"' in result.stderr
