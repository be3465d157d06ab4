"""A conversation for reading."""

from __future__ import annotations

import datetime as dt
import re
from html.parser import HTMLParser

import pytest

from chatbot_audit.query.transcript import (
    WITHHELD,
    local_time,
    make_turns,
    safe_url,
    to_html,
    to_markdown,
    to_text,
    without_content,
)
from tests.factories import make_values

HOSTILE = (
    "</div><script>alert(1)</script>\n```\n# not a heading\n"
    "![x](https://evil.example/x.png) \x1b]8;;https://evil.example\x07"
)
LOG_URL = (
    "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#x$252F"
)


def turn(**changes):
    return make_turns([make_values(**changes)], dt.UTC)[0]


def test_a_turn_has_question_answer_and_circumstances():
    """Who, what, when, which bot, how it ended, and where the log is."""
    made = turn(outcome="blocked", log_url=LOG_URL)

    assert made.heading == "Tue 2026-11-24 15:04:05 UTC · VeraSlack · blocked"
    assert made.user == "bob.smith"
    assert made.question == "What is our process for SSL certificates?"
    assert made.answer == "Request them in the portal."
    assert made.log_url == LOG_URL


def test_notes_tell_what_a_reader_must_know():
    """Labels, guardrails, cuts and problems stand below the answer."""
    made = turn(
        topics=["salary@query"],
        signals=["injection:role_play"],
        problems=["time:mismatch"],
        guardrail_action="blocked",
        truncated=[{"field": "response", "bytes": 200, "kept_bytes": 100}, "odd"],
    )

    assert made.notes == (
        "topics: salary@query",
        "signals: injection:role_play",
        "problems: time:mismatch",
        "guardrail: blocked",
        "response was cut: 100 of 200 bytes kept",
    )


def test_an_answer_given_twice_is_noted():
    """A platform that sends a message twice gets two answers: both happened."""
    documents = [make_values(message_id="m1"), make_values(message_id="m1")]

    first, second = make_turns(documents, dt.UTC)

    assert first.notes == ()
    assert "answered again" in second.notes[0]


def test_feedback_is_a_turn_of_its_own():
    """A verdict is told with its comment."""
    made = turn(record_type="feedback", feedback="down", feedback_comment="wrong link")

    assert made.question == "[feedback: down] wrong link"
    assert made.answer == ""


def test_content_can_be_withheld():
    """Without content the circumstances remain."""
    documents = [make_values(), make_values(record_type="feedback", feedback="up")]

    turns = make_turns(documents, dt.UTC, is_content_shown=False)

    assert turns[0].question == turns[0].answer == WITHHELD
    assert turns[1].question == f"[feedback: up] {WITHHELD}"
    assert "SSL" not in to_text(turns)


def test_metadata_quotes_nobody():
    """No field that holds people's words is left."""
    values = make_values(raw_text="x", feedback_comment="x", attributes={"a": "x"})

    assert (
        set(without_content(values))
        & {
            "user_query",
            "response",
            "full_conversation",
            "raw_text",
            "feedback_comment",
            "attributes",
        }
        == set()
    )
    assert without_content(values)["user_id"] == "bob.smith"


@pytest.mark.parametrize(
    ("document", "shown"),
    [
        pytest.param({"@timestamp": "2026-11-24T15:04:05Z"}, "15:04", id="index-time"),
        pytest.param({"timestamp": "2026-11-24T15:04:05"}, "15:04", id="no-offset"),
        pytest.param({"timestamp": "so\x1bon"}, "so\u241bon", id="unreadable"),
        pytest.param({}, "", id="none"),
    ],
)
def test_tells_the_time_of_a_record(document, shown):
    """What cannot be read is shown as it stands."""
    assert local_time(document, dt.UTC, "%H:%M") == shown


@pytest.mark.parametrize(
    ("url", "is_safe"),
    [
        (LOG_URL, True),
        ("http://example.com/", True),
        ("javascript:alert(1)", False),
        ("https://", False),
        ("https://e.com/\x1b[31m", False),
        ("https://e.com/ x", False),
        ('https://e.com/"x', False),
        ("https://e.com/é", False),
        ("https://[::1", False),
        ("", False),
    ],
)
def test_only_plain_web_addresses_become_links(url, is_safe):
    """A link of a record cannot run anything or break out."""
    assert safe_url(url) == (url if is_safe else "")


class Page(HTMLParser):
    """Collects what a browser would see."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_data(self, data):
        self.text += data


def test_html_shows_hostile_text_as_text():
    """Every word is there, and none of it is markup."""
    values = make_values(
        **dict.fromkeys(("user_query", "response", "user_id", "bot_name"), HOSTILE),
        topics=[HOSTILE],
        outcome=HOSTILE,
        record_id=HOSTILE,
        log_url='https://e.com/"><script>',
    )

    page = Page(to_html(HOSTILE, make_turns([values], dt.UTC)))

    assert "script" not in page.tags
    assert "img" not in page.tags
    assert "a" not in page.tags
    assert "<script>alert(1)</script>" in page.text
    assert "\x1b" not in page.text


def test_an_empty_answer_has_no_speaker_in_any_file():
    """Blocked or failed questions may have been answered with nothing."""
    turns = make_turns([make_values(response="")], dt.UTC)

    assert "VeraSlack</div>" not in to_html("c1", turns)
    assert "VeraSlack:" not in to_text(turns)
    assert "**VeraSlack**" not in to_markdown("c1", turns)


def test_html_loads_and_runs_nothing():
    """The page is one file: no address but the execution logs' is in it."""
    text = to_html("c1", make_turns([make_values(log_url=LOG_URL)], dt.UTC))

    page = Page(text)

    links = [(t, n, v) for t, n, v in page.attributes if n in {"src", "href", "srcset"}]
    assert links == [("a", "href", LOG_URL)]
    assert "default-src 'none'" in text
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert re.search(r"url\(|@import", text) is None


def test_markdown_keeps_hostile_text_inside_its_fence():
    """The fence is longer than any run of backticks in the text."""
    text = to_markdown("c`1", make_turns([make_values(user_query=HOSTILE)], dt.UTC))

    assert "# `cˋ1`\n" in text  # noqa: RUF001 - what a backtick is replaced by
    assert f"````text\n{HOSTILE.splitlines()[0]}" in text
    assert text.count("\n````\n") == 1
    assert "\x1b" not in text


def test_text_names_everything_of_a_turn():
    """Plain text has the same parts."""
    values = make_values(log_url=LOG_URL, topics=["salary@query"])

    text = to_text(make_turns([values, values], dt.UTC))

    assert text.count("--- Tue 2026-11-24 15:04:05 UTC · VeraSlack ---") == 2
    for part in ("bob.smith:\n  What is", "VeraSlack:\n  Request", LOG_URL, "salary"):
        assert part in text
