"""``chatbot-audit conversation``."""

from __future__ import annotations

import json

import pytest

CONVERSATION = "C0123:1732460645.123"


@pytest.mark.parametrize("asked", [CONVERSATION, f"{2:032x}", f"{4:032x}"])
def test_finds_the_turns_by_conversation_or_record(run, asked):
    """Either id leads to all turns, in time order."""
    result = run("conversation", asked)

    turns = [json.loads(line)["user_query"] for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert turns[0] == "monday question"
    assert len(turns) == 4


def test_a_person_reads_a_transcript(run):
    """Turn by turn: who asked, what the bot answered, when."""
    result = run("conversation", CONVERSATION, is_terminal=True)

    assert result.exit_code == 0
    assert "Tue 2026-11-24 00:00:00 CET · VeraSlack · answered" in result.stdout
    assert result.stdout.count("Request them in the portal.") == 4


@pytest.mark.parametrize(
    ("form", "start"),
    [
        ("md", f"# `Conversation {CONVERSATION}`\n"),
        ("html", "<!DOCTYPE html>\n"),
        ("text", "--- Mon 2026-11-23 23:59:59 CET · VeraSlack ---\n"),
    ],
)
@pytest.mark.parametrize("is_terminal", [True, False])
def test_writes_a_case_file(run, form, start, is_terminal):
    """The file is complete, and the same on a terminal and in a pipe."""
    result = run("conversation", CONVERSATION, "-o", form, is_terminal=is_terminal)

    assert result.exit_code == 0
    assert result.stdout.startswith(start)
    assert "last of tuesday" in result.stdout


@pytest.mark.parametrize("form", ["md", "html", "text"])
def test_content_can_be_left_out_of_a_case_file(run, form):
    """Metadata only, in every form."""
    result = run("conversation", CONVERSATION, "-o", form, "--no-content")

    assert "tuesday" not in result.stdout
    assert "content not shown" in result.stdout


def test_an_unknown_conversation_is_exit_code_one(run):
    """Nothing found is told in a sentence."""
    result = run("conversation", "C999")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "no record belongs to that conversation" in result.stderr


def test_an_unknown_form_is_exit_code_two(run):
    """The forms are named."""
    result = run("conversation", CONVERSATION, "-o", "pdf")

    assert result.exit_code == 2
    assert "'md', 'html', 'text'" in result.stderr
