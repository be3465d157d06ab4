"""``chatbot-audit show``."""

from __future__ import annotations

import json

from chatbot_audit.stores.sqlite import SqliteStore
from tests.factories import make_values

SECOND = f"{2:032x}"


def test_shows_a_record_whole(run):
    """A program gets the document as it was delivered."""
    result = run("show", SECOND)

    assert result.exit_code == 0
    assert json.loads(result.stdout)["user_query"] == "first of tuesday"


def test_shows_a_record_to_a_person(run):
    """A person gets fields and texts."""
    result = run("show", SECOND, is_terminal=True)

    assert result.exit_code == 0
    for part in ("Tue 2026-11-24 00:00:00 CET", "first of tuesday", "Finance"):
        assert part in result.stdout


def test_two_records_with_one_id_are_both_shown(run, store_path):
    """A reused id hides nothing."""
    with SqliteStore(store_path) as store:
        store.write(
            make_values(record_id="f" * 32, document_id=letter * 32)
            for letter in ("a", "b")
        )

    result = run("show", "f" * 32, is_terminal=True)

    assert result.stdout.count("document_id") == 2


def test_content_can_be_left_out(run):
    """Metadata only."""
    result = run("show", SECOND, "--no-content", is_terminal=True)

    assert "tuesday" not in result.stdout


def test_an_unknown_id_is_exit_code_one(run):
    """Nothing found is told in a sentence."""
    result = run("show", "e" * 32)

    assert (result.exit_code, result.stdout) == (1, "")
    assert "no record has that id" in result.stderr


def test_the_id_is_needed(run):
    """Without an id: one sentence, exit code 2."""
    result = run("show")

    assert result.exit_code == 2
    assert "Missing argument 'RECORD_ID'" in result.stderr
