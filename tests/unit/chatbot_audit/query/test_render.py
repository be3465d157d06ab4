"""Tables and transcripts on a terminal."""

from __future__ import annotations

import datetime as dt
import io

import pytest
from rich.console import Console

from chatbot_audit.query.render import (
    render_record,
    render_search_table,
    render_stats,
    render_transcript,
)
from chatbot_audit.stores.model import StatsRow
from tests.factories import make_values

HOSTILE = "\x1b[31m\x9b2J\u202e[red]x[/red] :smile: " + "long " * 2_000
LOG_URL = "https://eu-west-1.console.aws.amazon.com/cloudwatch/" + "x" * 200


def printed(render, data, width=120, **options):
    console = Console(file=io.StringIO(), width=width, highlight=False, markup=False)
    render(data, console, **({"zone": dt.UTC} | options))
    return console.file.getvalue()


@pytest.mark.parametrize("width", [40, 80, 100, 120, 150, 200])
def test_a_table_fits_the_terminal(width):
    """No line is wider than the terminal, each record is one line."""
    documents = [
        make_values(user_query=HOSTILE, user_id="u" * 256, bot_name="b" * 64),
        make_values(response="line\nline"),
    ]

    lines = printed(render_search_table, documents, width).splitlines()

    assert max(map(len, lines)) <= width
    assert len([line for line in lines if line.strip()]) == 4
    assert any("…" in line for line in lines)


@pytest.mark.parametrize(
    ("width", "names"),
    [
        (80, ["time", "bot", "user", "question", "record"]),
        (100, ["time", "bot", "user", "question", "outcome", "record"]),
        (120, ["time", "bot", "user", "question", "answer", "outcome", "record"]),
    ],
)
def test_a_wider_terminal_shows_more_columns(width, names):
    """The question never loses its room."""
    header = printed(render_search_table, [make_values()], width).split("─")[0]

    assert header.split() == names


def test_a_table_shows_who_asked_what():
    """The analyst's question is answered by one line."""
    documents = [make_values(outcome="blocked", topics=["salary@query"], signals=5)]

    text = printed(render_search_table, documents, 200)

    for part in (
        "Tue 2026-11-24 15:04",
        "VeraSlack",
        "bob.smith",
        "What is our process",
        "Request them",
        "blocked",
        "salary@query",
        "0193" + "ab" * 14,
    ):
        assert part in text


def test_a_table_without_content_quotes_nobody():
    """Metadata only."""
    text = printed(render_search_table, [make_values()], 200, is_content_shown=False)

    assert "SSL" not in text
    assert "portal" not in text
    assert "bob.smith" in text


def test_searched_words_are_marked():
    """The eye finds what was searched for, whatever signs it has."""
    console = Console(file=io.StringIO(), width=160, force_terminal=True)

    render_search_table(
        [make_values()], console, zone=dt.UTC, words=["ssl", "certificates?", "("]
    )

    assert "\x1b[1;7mSSL\x1b[0m" in console.file.getvalue()


def test_evidence_cannot_drive_the_terminal():
    """No character of a record is a command or markup."""
    values = make_values(
        **dict.fromkeys(
            ("user_query", "response", "user_id", "bot_name", "outcome"), HOSTILE
        ),
        topics=[HOSTILE],
        conversation_id=HOSTILE,
        record_id=HOSTILE,
        log_url=HOSTILE,
        attributes={HOSTILE: HOSTILE},
    )
    values[HOSTILE] = HOSTILE
    row = StatsRow((HOSTILE,), 1, 1, 0, 0)

    text = "".join(
        [
            printed(render_search_table, [values]),
            printed(render_transcript, [values]),
            printed(render_record, values),
            printed(render_stats, [row], by=["user"]),
        ]
    )

    for character in "\x1b\x9b\u202e":
        assert character not in text
    assert "[red]x[/red]" in text
    assert ":smile:" in text


def test_a_transcript_has_every_turn_in_full():
    """Nothing of a conversation is shortened."""
    question = " ".join(f"word{n}" for n in range(300))

    text = printed(render_transcript, [make_values(user_query=question)] * 2, 80)

    assert text.count("word299") == 2
    assert text.count("Request them in the portal.") == 2


def test_nobody_speaks_an_empty_line():
    """A question without an answer, and the other way round, name one speaker."""
    asked = printed(render_transcript, [make_values(response="")])
    answered = printed(render_transcript, [make_values(user_query="")])

    assert asked.splitlines()[1] == "bob.smith"
    assert "VeraSlack\n" not in asked
    assert answered.splitlines()[1] == "VeraSlack"
    assert "bob.smith" not in answered


def test_an_address_stays_in_one_piece():
    """A link that is broken over lines cannot be followed."""
    text = printed(render_transcript, [make_values(log_url=LOG_URL)], 80)

    assert LOG_URL in text


def test_a_record_is_shown_whole():
    """Every field has its line, every text is full."""
    values = make_values(tools=[{"name": "jira", "status": "ok"}], duration_ms=5)

    text = printed(render_record, values)

    for name in values:
        if name not in {"user_query", "response", "full_conversation"}:
            assert name in text
    for part in ("question", "answer", "conversation", '[{"name":"jira"', "portal."):
        assert part in text


def test_a_record_without_content_quotes_nobody():
    """The texts' places are named, not their words."""
    values = make_values(attributes={"note": "hidden"})

    text = printed(render_record, values, is_content_shown=False)

    assert "SSL" not in text
    assert "hidden" not in text
    assert "content not shown" in text


@pytest.mark.parametrize(("width", "has_times"), [(80, False), (120, True)])
def test_counts_have_a_bar_against_the_biggest(width, has_times):
    """The eye sees which is used most; missing names are told."""
    rows = [StatsRow(("VeraSlack",), 1_000, 20, 0, 86_400_000)]
    rows.append(StatsRow(("",), 1, 1, 0, 0))

    text = printed(render_stats, rows, width, by=["bot"])

    assert "1,000" in text
    assert "(none)" in text
    assert "█" * 20 in text
    assert ("1970-01-02 00:00" in text) == has_times


def test_no_counts_are_an_empty_table():
    """Nothing to show is no error."""
    assert "questions" in printed(render_stats, [], by=["bot"])
