"""What Bedrock's invocation logs are told."""

from __future__ import annotations

import pytest

from emitter import AuditEmitter
from emitter.identity import Home, from_text
from emitter.testing import MemorySink, assert_valid

SLACK_EVENT = {
    "type": "event_callback",
    "team_id": "T01",
    "event": {"type": "app_mention", "user": "U1", "ts": "1.2", "channel": "C1"},
}
CLAIMS = {"preferred_username": "Bob.Smith@example.com", "oid": "o1", "tid": "t1"}


@pytest.fixture
def sink():
    return MemorySink()


@pytest.fixture
def audit(sink):
    return AuditEmitter("Vera", sinks=[sink])


def record_of(sink):
    """Return the one record written, which is valid."""
    (record,) = sink.records
    assert_valid(record)
    return record


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"user": "Bob.Smith@example.com"}, {"user_id": "bob.smith"}),
        (
            {"user": from_text("Bob.Smith@example.com", Home())},
            {"user_id": "bob.smith"},
        ),
        ({"conversation_id": "own/1"}, {"conversation_id": "own/1"}),
        (
            {"source": SLACK_EVENT, "conversation_id": "own/1", "user": "Bob"},
            {
                "conversation_id": "own/1",
                "user_id": "bob",
                "user_platform_id": "T01/U1",
            },
        ),
        (
            {"source": {"requestContext": {"authorizer": {"claims": CLAIMS}}}},
            {"user_id": "bob.smith", "user_platform_id": "t1/o1"},
        ),
        ({"user": "José"}, {"user_id": "jos_"}),
        ({"user": object(), "conversation_id": 7}, {}),
    ],
    ids=["user", "identity", "conversation", "both", "claims", "letters", "odd"],
)
def test_metadata_says_what_the_record_will(audit, sink, arguments, expected):
    """What the caller has given wins; who asked is named where that is known."""
    with audit.question(**arguments) as q:
        metadata = q.bedrock_metadata()

    own = {"record_id": q.record_id, "bot_name": "Vera"}
    assert metadata == own | expected


def test_metadata_follows_what_was_set(audit, sink):
    """Fields that the bot sets are the record's and the metadata's."""
    with audit.question() as q:
        q.set(user_id="bob", user_platform_id="T1/U1", conversation_id="c1")
        metadata = q.bedrock_metadata()

    record = record_of(sink)
    for name in ("user_id", "user_platform_id", "conversation_id"):
        assert metadata[name] == record[name]
