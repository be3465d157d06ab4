"""What only the transformer says, and claims held against it."""

from __future__ import annotations

import hashlib

import pytest

from audit_record.ids import document_id
from subscription_transformer.enrich import (
    Source,
    add_flat_copies,
    enrich,
    index_time_ms,
)
from tests.factories import ARRIVAL_MS, EVENT_MS, LOG_GROUP, LOG_STREAM, make_values

OWNER = "123456789012"


def source(**changes):
    fields = {
        "owner": OWNER,
        "log_group": LOG_GROUP,
        "log_stream": LOG_STREAM,
        "event_id": "37",
        "event_ms": EVENT_MS,
        "arrival_ms": ARRIVAL_MS,
        "line": '{"a":"ü"}',
        "region": "eu-west-1",
    }
    return Source(**(fields | changes))


def enriched(changes=None, **source_changes):
    values = make_values(**(changes or {}))
    problems = enrich(values, source(**source_changes))
    return values, problems


def test_says_where_a_record_came_from():
    """Source, arrival and digest of the original line."""
    values, problems = enriched()

    assert problems == []
    assert values["event_id"] == "37"
    assert values["source_log_group"] == LOG_GROUP
    assert values["source_log_stream"] == LOG_STREAM
    assert values["source_account"] == OWNER
    assert values["ingested_at"] == "2026-11-24T15:04:10.123Z"
    digest = hashlib.sha256('{"a":"ü"}'.encode()).hexdigest()
    assert values["source_sha256"] == digest
    assert values["record_type"] == "interaction"


def test_what_is_unknown_is_left_out():
    """Absent means unknown: no empty strings."""
    values, _ = enriched(
        event_id="", log_group="", log_stream="", owner="", arrival_ms=None
    )

    assert not {n for n in values if n.startswith("source_")} - {"source_sha256"}
    assert not {"event_id", "ingested_at", "delivered_by"} & set(values)


def test_the_document_id_names_place_and_bytes():
    """The same line collapses; a second line with its record id does not."""
    first, _ = enriched()
    later, _ = enriched(event_ms=EVENT_MS + 1)
    other, _ = enriched(line="{}")

    assert first["document_id"] == later["document_id"]
    assert first["document_id"] != other["document_id"]
    assert first["document_id"] == document_id(
        OWNER, LOG_GROUP, LOG_STREAM, '{"a":"ü"}'.encode()
    )


def test_without_a_record_id_the_millisecond_counts():
    """Two equal lines of a bot without ids stay two."""
    first, _ = enriched({"record_id": None})
    later, _ = enriched({"record_id": None}, event_ms=EVENT_MS + 1)

    assert first["document_id"] != later["document_id"]
    assert first["record_id"] == first["document_id"]


@pytest.mark.parametrize(
    ("changes", "source_changes", "problem"),
    [
        ({"bot_name": "Other"}, {}, "mismatch:bot_name"),
        ({"session_id": "other"}, {}, "mismatch:session_id"),
        ({"aws_account_id": "210987654321"}, {}, "mismatch:aws_account_id"),
        ({}, {"event_ms": EVENT_MS + 1_001}, "time:mismatch"),
        ({}, {"event_ms": EVENT_MS - 1_001}, "time:mismatch"),
        ({"record_type": "canary"}, {}, "mismatch:record_type"),
        ({"record_type": "access"}, {}, "mismatch:record_type"),
        ({"record_type": "invalid"}, {}, "mismatch:record_type"),
    ],
)
def test_claims_that_differ_are_said(changes, source_changes, problem):
    """What a bot says is held against what AWS adds."""
    values, problems = enriched(changes, **source_changes)

    assert problems == [problem]
    assert values["record_type"] == "interaction"


@pytest.mark.parametrize(
    ("changes", "source_changes"),
    [
        ({}, {"event_ms": EVENT_MS + 1_000}),
        ({}, {"event_ms": None}),
        ({"aws_account_id": "unknown"}, {}),
        ({"bot_name": "Canary", "record_type": "canary"}, {"log_stream": "Canary/s"}),
        ({"bot_name": "Access", "record_type": "access"}, {"log_stream": "Access/s"}),
        ({"session_id": "a:b"}, {"log_stream": "VeraSlack/a_b-8eb44d5f"}),
    ],
)
def test_claims_that_hold_are_left_alone(changes, source_changes):
    """Altered stream names, a second of clock drift and guarded types are right."""
    session = {"session_id": "s"} if "log_stream" in source_changes else {}
    values, problems = enriched(session | changes, **source_changes)

    if "a:b" in values["session_id"]:
        problems = [p for p in problems if p != "mismatch:session_id"]
    assert problems == []
    assert values["record_type"] == changes.get("record_type", "interaction")


def test_the_link_is_made_where_it_can_be():
    """Region, group and stream of the bot's own log, at the event's time."""
    values, _ = enriched({"log_group": "/aws/lambda/Vera", "aws_region": "eu-west-1"})

    assert values["log_url"].startswith("https://eu-west-1.console.aws.amazon.com/")
    assert values["log_url"].endswith(f"$3Fstart$3D{EVENT_MS}")


@pytest.mark.parametrize(
    "changes",
    [
        {"log_group": None},
        {"log_group": "g", "session_id": "local/host/1-2"},
        {"log_group": "g", "session_id": "unknown"},
    ],
)
def test_no_link_is_guessed(changes):
    """Without a group, or outside Lambda, there is nothing to link to."""
    values, _ = enriched(changes)

    assert "log_url" not in values


def test_a_bots_own_link_stays():
    """What the bot knows better is kept."""
    assert enriched({"log_url": "u", "log_group": "g"})[0]["log_url"] == "u"


def test_flat_copies_are_unique_and_in_order():
    """Lists for equality search, of what stands in lists of objects."""
    values = make_values(
        tools=[
            {"name": "b", "status": "error"},
            {"name": "a", "status": "ok"},
            {"name": "b"},
        ],
        sources=[{"uri": "s3://x"}, {"title": "no uri"}],
        attachments=[{"name": "f", "sha256": "ab" * 32}],
        redactions={"jwt": 1},
    )

    add_flat_copies(values)

    assert values["tool_names"] == ["b", "a"]
    assert values["failed_tools"] == ["b"]
    assert values["source_uris"] == ["s3://x"]
    assert values["attachment_sha256s"] == ["ab" * 32]
    assert values["redaction_kinds"] == ["jwt"]


@pytest.mark.parametrize(
    ("event_ms", "timestamp", "arrival_ms", "expected"),
    [
        (5, "2026-11-24T15:04:05.123Z", 7, 5),
        (None, "2026-11-24T15:04:05.123Z", 7, EVENT_MS),
        (None, "yesterday", 7, 7),
        (None, "yesterday", None, 0),
    ],
)
def test_the_index_time_is_cloudwatchs(event_ms, timestamp, arrival_ms, expected):
    """A bot cannot choose its month; without an event time its claim stands in."""
    values = {"timestamp": timestamp}

    found = index_time_ms(values, source(event_ms=event_ms, arrival_ms=arrival_ms))

    assert found == expected
