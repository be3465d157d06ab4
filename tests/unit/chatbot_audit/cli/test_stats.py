"""``chatbot-audit stats``."""

from __future__ import annotations

import json

import pytest


def rows(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_counts_by_bot_and_local_day(run):
    """Days are the analyst's; quarantined records are no questions."""
    result = run("stats", "--by", "day, BOT")

    counts = {(r["day"], r["bot"]): (r["count"], r["users"]) for r in rows(result)}
    assert result.exit_code == 0
    assert counts == {
        ("2026-11-23", "VeraSlack"): (1, 1),
        ("2026-11-24", "VeraSlack"): (2, 2),
        ("2026-11-24", "VeraTeams"): (1, 1),
        ("2026-11-25", "VeraSlack"): (1, 1),
    }


def test_counts_what_the_filters_leave(run):
    """The same filters as in a search."""
    result = run("stats", "--since", "last tuesday", "--user", "bob.smith")

    assert [(r["bot"], r["count"]) for r in rows(result)] == [
        ("VeraSlack", 1),
        ("VeraTeams", 1),
    ]
    assert rows(result)[0]["first"] == "2026-11-23T23:00:00.000Z"


def test_other_types_can_be_counted(run):
    """--type invalid counts the quarantined ones."""
    result = run("stats", "--by", "type", "--type", "invalid")

    assert [(r["type"], r["count"]) for r in rows(result)] == [("invalid", 1)]


def test_a_person_reads_a_table(run):
    """Counts with bars."""
    result = run("stats", "--by", "topic", is_terminal=True)

    assert result.exit_code == 0
    assert "salary" in result.stdout
    assert "█" in result.stdout


def test_nothing_found_is_exit_code_one(run):
    """No groups, no table."""
    result = run("stats", "--bot", "Nobody")

    assert (result.exit_code, result.stdout) == (1, "")


@pytest.mark.parametrize("by", ["", "bots", "bot,,day", "bot; day", "\x1b[31m"])
def test_an_unknown_dimension_is_exit_code_two(run, by):
    """The known ones are named; nothing typed is echoed raw."""
    result = run("stats", "--by", by)

    assert result.exit_code == 2
    assert "expected some of bot, user" in result.stderr
    assert "\x1b" not in result.stderr
