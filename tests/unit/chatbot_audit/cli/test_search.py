"""``chatbot-audit search``."""

from __future__ import annotations

import json

import pytest


def questions(result):
    return [json.loads(line)["user_query"] for line in result.stdout.splitlines()]


def test_answers_what_bob_asked_last_tuesday(run):
    """The day is the analyst's own, from midnight to midnight, in time order."""
    result = run("search", "--user", "bob.smith", "--since", "last tuesday")

    assert result.exit_code == 0
    assert questions(result) == ["first of tuesday", "last of tuesday"]


def test_tells_store_and_interval_apart_from_the_answer(run, store_path):
    """What was searched stands on stderr, in local time and UTC."""
    result = run("search", "--since", "last tuesday")

    assert f"store: {store_path}" in result.stderr
    assert "Tue 2026-11-24 00:00 CET to Wed 2026-11-25 00:00 CET" in result.stderr
    assert "(UTC: Mon 2026-11-23 23:00 to Tue 2026-11-24 23:00)" in result.stderr
    assert "CET" not in result.stdout


@pytest.mark.parametrize(
    ("options", "found"),
    [
        pytest.param(["--bot", "verateams"], ["last of tuesday"], id="bot"),
        pytest.param(["--topic", "salary"], ["first of tuesday"], id="topic"),
        pytest.param(["--signal", "injection"], ["last of tuesday"], id="signal"),
        pytest.param(["--outcome", "blocked"], ["last of tuesday"], id="outcome"),
        pytest.param(["--department", "finance"], ["first of tuesday"], id="dept"),
        pytest.param(["--text", "tuesday first"], ["first of tuesday"], id="text"),
        pytest.param(["--limit", "1"], ["wednesday question"], id="limit"),
        pytest.param(
            ["--text", "of tuesday", "--phrase", "--until", "2026-11-24 12:00"],
            ["first of tuesday"],
            id="phrase-and-until",
        ),
        pytest.param(["--tz", "UTC", "--since", "today"], [], id="zone"),
    ],
)
def test_every_filter_narrows(run, options, found):
    """Filters add up; nothing found is exit code 1."""
    result = run("search", *options)

    assert questions(result) == found
    assert result.exit_code == (0 if found else 1)


def test_limit_zero_is_all(run):
    """All records stream out."""
    result = run("search", "--limit", "0")

    assert len(questions(result)) == 5
    assert result.exit_code == 0


def test_limit_zero_with_nothing_found_is_exit_code_one(run):
    """Streaming or not, the exit code is the same."""
    result = run("search", "--limit", "0", "--user", "nobody")

    assert (result.exit_code, result.stdout) == (1, "")


def test_a_cut_list_says_so(run):
    """Nobody takes the newest fifty for everything."""
    assert "only the newest 2 are shown" in run("search", "--limit", "2").stderr
    assert "only the newest" not in run("search", "--limit", "5").stderr


def test_quarantined_records_come_when_asked_for(run):
    """--type names what is hidden otherwise."""
    result = run("search", "--type", "invalid")

    assert "broken line" in result.stdout
    assert "broken line" not in run("search").stdout


def test_a_person_reads_a_table(run):
    """On a terminal each record is a line of a table, and the next step is told."""
    result = run("search", "--since", "last tuesday", is_terminal=True)

    assert result.exit_code == 0
    assert "first of tuesday" in result.stdout
    assert "{" not in result.stdout
    assert "chatbot-audit show" in result.stderr


def test_a_person_who_finds_nothing_gets_no_empty_table(run):
    """One sentence is enough."""
    result = run("search", "--text", "zebra", is_terminal=True)

    assert (result.exit_code, result.stdout) == (1, "")
    assert "no record matches" in result.stderr


def test_json_can_be_had_on_a_terminal(run):
    """--json is the same as a pipe."""
    result = run("search", "--json", is_terminal=True)

    assert len(questions(result)) == 5


@pytest.mark.parametrize("is_terminal", [True, False])
def test_content_can_be_left_out(run, is_terminal):
    """Metadata only, in both forms."""
    result = run("search", "--no-content", is_terminal=is_terminal)

    assert result.exit_code == 0
    assert "bob.smith" in result.stdout
    for word in ("question", "portal", "SSL"):
        assert word not in result.stdout


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("bob", 'nobody in this store is called "bob"; similar: bob.smith'),
        ("bob.smiht", "similar: bob.smith"),
        ("zzz", 'nobody in this store is called "zzz"'),
    ],
)
def test_an_unknown_person_is_told_with_similar_names(run, asked, hint):
    """A misspelt name does not pass for an innocent one."""
    result = run("search", "--user", asked)

    assert result.exit_code == 1
    assert hint in result.stderr


def test_a_known_person_without_records_gets_no_hint(run):
    """Bob exists; he just asked nothing then."""
    result = run("search", "--user", "bob.smith", "--since", "today", "--tz", "UTC")

    assert result.exit_code == 1
    assert "nobody" not in result.stderr


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        pytest.param(["--since", "foo"], 'cannot read "foo" as a time', id="phrase"),
        pytest.param(
            ["--since", "today", "--until", "last week"], "ends before", id="empty"
        ),
        pytest.param(["--tz", "Mars"], "--tz names no known time zone", id="zone"),
        pytest.param(["--user", " "], "--user is empty", id="blank-user"),
        pytest.param(["--text", ""], "--text is empty", id="blank-text"),
        pytest.param(["--text", "x" * 5_000], "--text is longer", id="long-text"),
        pytest.param(["--phrase"], "--phrase needs --text", id="phrase-alone"),
        pytest.param(["--outcome", "ok"], "'ok' is not one of", id="outcome"),
        pytest.param(["--type", "x"], "'x' is not one of", id="type"),
        pytest.param(["--limit", "-1"], "-1 is not in the range", id="limit"),
        pytest.param(["--limit", "x"], "'x' is not a valid integer", id="no-number"),
        pytest.param(["--nope"], "No such option", id="unknown-option"),
        pytest.param(["extra"], "unexpected extra argument", id="extra-argument"),
        pytest.param(["--user"], "requires an argument", id="missing-value"),
        pytest.param(["--profile", "x"], "there is no such file", id="profile"),
        pytest.param(["--store", "/nowhere/a.db"], "there is no store at", id="store"),
        pytest.param(["--store", "/"], "is not a file", id="folder"),
        pytest.param(["--store", __file__], "is not a store", id="no-store"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_two(run, options, sentence):
    """No traceback, no usage page: what is wrong, on one line of stderr."""
    result = run("search", *options)

    assert result.exit_code == 2
    assert result.stdout == ""
    last = result.stderr.splitlines()[-1]
    assert last.startswith("chatbot-audit: ")
    assert sentence in last


def test_the_profile_file_sets_store_zone_and_content(run, tmp_path, store_path):
    """Options not given come from the profile."""
    config = tmp_path / "config.toml"
    config.write_text('[profiles.l1]\ntz = "UTC"\nno_content = true\n')

    result = run(
        *("search", "--profile", "l1", "--since", "last tuesday"),
        CHATBOT_AUDIT_CONFIG=str(config),
    )

    assert "Tue 2026-11-24 00:00 to Wed 2026-11-25 00:00 UTC" in result.stderr
    assert "user_query" not in result.stdout


def test_a_faulty_profile_file_ends_in_exit_code_two(run, tmp_path):
    """All faults are told at once."""
    config = tmp_path / "config.toml"
    config.write_text("store = 1\nzone = 2\n")

    result = run("search", CHATBOT_AUDIT_CONFIG=str(config))

    assert result.exit_code == 2
    assert "store must be" in result.stderr
    assert "unknown key zone" in result.stderr
