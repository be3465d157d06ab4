"""Lines that came by a bot's own log group."""

from __future__ import annotations

import hashlib
import json

import pytest

from tests.factories import LOG_GROUP, LOG_STREAM, make_envelope, make_line, pack

LINE = make_line()
VERA = "chatbot-audit-fallback-VeraSlack"


def fallback(line=LINE, stream=LOG_STREAM, **changes):
    value = {
        "log_group": LOG_GROUP,
        "log_stream": stream,
        "line_sha256": hashlib.sha256(LINE.encode()).hexdigest(),
        "line": line,
    }
    return "BOT_AUDIT_FALLBACK " + json.dumps(value | changes) + "\n"


def envelope(message, filters=(VERA,)):
    return pack(
        make_envelope(
            message,
            logGroup="/aws/lambda/Vera",
            logStream="2026/11/24/[$LATEST]x",
            subscriptionFilters=list(filters),
        )
    )


def test_collapses_with_the_line_it_stands_for(run):
    """Unwrapped, it has the id of the line that CloudWatch may have taken too."""
    normal = run(pack(make_envelope(LINE))).event()

    document = run(envelope(fallback())).event()

    assert document["document_id"] == normal["document_id"]
    assert document["source_sha256"] == normal["source_sha256"]
    assert document["delivered_by"] == "fallback"
    assert "problems" not in document


@pytest.mark.parametrize("name", [VERA, f"{VERA}/splunk", f"{VERA}/opensearch"])
def test_each_destination_has_a_filter_of_its_own(run, name):
    """Two filters on one log group are told apart behind a slash."""
    document = run(envelope(fallback(), (name,))).event()

    assert document["delivered_by"] == "fallback"
    assert "mismatch:fallback" not in document.get("problems", ())


@pytest.mark.parametrize("name", [f"{VERA}2", f"{VERA}-x/splunk", "x/" + VERA, ""])
def test_a_filter_that_only_begins_alike_does_not_vouch(run, name):
    """The name has to be the bot's, whole."""
    document = run(envelope(fallback(), (name,))).event()

    assert "mismatch:fallback" in document["problems"]


def test_a_bot_cannot_speak_for_another(run):
    """The filter's name vouches for the bot; otherwise it is said."""
    document = run(envelope(fallback(), ["chatbot-audit-fallback-Other"])).event()

    assert "mismatch:fallback" in document["problems"]
    assert document["source_log_group"] == "/aws/lambda/Vera"


def test_a_line_that_was_cut_is_said(run):
    """The digest is of the whole line."""
    document = run(envelope(fallback(line=make_line(response="cut")))).event()

    assert document["problems"] == ["fallback:cut"]


def test_a_broken_line_is_quarantined(run):
    """What cannot be unwrapped is delivered as it stands."""
    for message in ("BOT_AUDIT_FALLBACK {broken", fallback(line=5)):
        document = run(envelope(message)).event()

        assert document["record_type"] == "invalid"
        assert "fallback:broken" in document["problems"]
        assert document["raw_text"].startswith("BOT_AUDIT_FALLBACK")
