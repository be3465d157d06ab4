"""What Slack and Teams post to a bot behind a gateway."""

from __future__ import annotations

import base64
import json
from urllib.parse import urlencode

import pytest

from emitter import AuditEmitter
from emitter.identity import read_source
from emitter.testing import MemorySink, assert_valid

OID = "3f2a9c0e-1d2b-4c5d-8e9f-0a1b2c3d4e5f"
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADERS = {
    "Content-Type": "application/json",
    "traceparent": f"00-{TRACE_ID}-00f067aa0ba902b7-01",
}
SLACK = {
    "token": "x",
    "type": "event_callback",
    "team_id": "T01",
    "authorizations": [{"team_id": "T01", "user_id": "U0BOT", "is_bot": True}],
    "event": {
        "type": "app_mention",
        "user": "U1",
        "text": "<@U0BOT> hi there",
        "channel": "C0123",
        "ts": "1732460645.123",
    },
}
TEAMS = {
    "type": "message",
    "id": "1732460645123",
    "channelId": "msteams",
    "text": "hi there",
    "from": {"id": "29:1abc", "aadObjectId": OID},
    "recipient": {"id": "28:bot"},
    "conversation": {"id": "a:1", "conversationType": "personal", "tenantId": "tid0"},
}
COMMAND = {
    "token": "x",
    "team_id": "T01",
    "channel_id": "D1",
    "user_id": "U1",
    "command": "/vera",
    "text": "hi there",
    "trigger_id": "13.4",
}
BUTTON = {
    "type": "block_actions",
    "team": {"id": "T01"},
    "user": {"id": "U1", "team_id": "T01"},
    "channel": {"id": "D1"},
    "message": {"ts": "17.1", "text": "Shall I?"},
    "actions": [{"text": {"text": "hi there"}, "action_ts": "18.2"}],
}
# What is posted, and the source, platform id and message id that it tells.
POSTS = {
    "slack event": (
        json.dumps(SLACK),
        ("slack", "T01/U1", "slack:T01/C0123/1732460645.123", "hi there"),
    ),
    "slash command": (
        urlencode(COMMAND),
        ("slack", "T01/U1", "slack:T01/D1/13.4", "/vera hi there"),
    ),
    "slash command in another order": (
        urlencode(dict(reversed(COMMAND.items()))),
        ("slack", "T01/U1", "slack:T01/D1/13.4", "/vera hi there"),
    ),
    "slash command with little": (
        "command=%2Fvera&text=hi+there&user_id=U1&team_id=T01&trigger_id=13.4",
        ("slack", "T01/U1", "slack:T01/13.4", "/vera hi there"),
    ),
    "interaction": (
        urlencode({"payload": json.dumps(BUTTON)}),
        ("slack", "T01/U1", "slack:T01/D1/17.1/18.2", "hi there"),
    ),
    "teams activity": (
        json.dumps(TEAMS),
        ("teams", f"tid0/{OID}", "teams:a:1/1732460645123", "hi there"),
    ),
}
GATEWAYS = {
    "REST API": {
        "httpMethod": "POST",
        "requestContext": {"stage": "prod", "identity": {"sourceIp": "192.0.2.1"}},
        "headers": HEADERS,
    },
    "HTTP API": {
        "version": "2.0",
        "requestContext": {"http": {"method": "POST"}, "stage": "$default"},
        "headers": HEADERS,
    },
    "function URL": {
        "version": "2.0",
        "requestContext": {"domainName": "x.lambda-url.eu-west-1.on.aws"},
        "headers": HEADERS,
    },
    "load balancer": {
        "requestContext": {"elb": {"targetGroupArn": "arn"}},
        "headers": HEADERS,
    },
    "no context": {"headers": HEADERS},
    "Lambda authorizer without claims": {
        "requestContext": {"authorizer": {"principalId": "signed"}},
        "headers": HEADERS,
    },
}


def encode(body):
    return base64.b64encode(body.encode()).decode()


@pytest.fixture
def sink():
    return MemorySink()


@pytest.fixture
def audit(sink):
    return AuditEmitter("Vera", sinks=[sink])


@pytest.mark.parametrize("is_base64", [False, True], ids=["plain", "base64"])
@pytest.mark.parametrize("post", POSTS)
@pytest.mark.parametrize("gateway", GATEWAYS)
def test_a_handlers_event_tells_who_posted_to_the_bot(
    audit, sink, gateway, post, is_base64
):
    """The Lambda's own event is enough: what the platform has posted is in its body."""
    body, expected = POSTS[post]
    event = {
        **GATEWAYS[gateway],
        "body": encode(body) if is_base64 else body,
        "isBase64Encoded": is_base64,
    }

    with audit.question(event) as q:
        q.reply("hello")

    (record,) = sink.records
    assert_valid(record)
    names = ("user_source", "user_platform_id", "message_id", "user_query")
    assert tuple(record[name] for name in names) == expected
    assert record["trace_id"] == TRACE_ID


def test_a_decorated_handler_is_told_the_same(audit, sink):
    """The decorator takes the handler's event as it comes."""

    @audit.audited
    def handler(event, context):
        return "hello"

    handler({**GATEWAYS["HTTP API"], "body": json.dumps(SLACK)}, None)

    assert sink.records[0]["user_platform_id"] == "T01/U1"


@pytest.mark.parametrize(
    "context",
    [
        {"authorizer": {"claims": {"sub": "s1"}}},
        {"authorizer": {"jwt": {"claims": {"sub": "s1"}}}},
        {"authorizer": {"lambda": {"upn": "bob@example.com"}}},
        {"identity": {"apiKeyId": "k1"}},
    ],
    ids=["REST API", "HTTP API", "Lambda authorizer", "API key"],
)
@pytest.mark.parametrize("post", POSTS)
def test_claims_beat_the_body(context, post):
    """Where the gateway knows who asks, nobody can post to be another."""
    facts = read_source({"requestContext": context, "body": POSTS[post][0]})

    assert facts.kind == "web"
    assert facts.actor is None
    assert facts.claims


@pytest.mark.parametrize(
    ("body", "query"),
    [
        ({"type": "message", "user": "eve", "text": "hi"}, "hi"),
        ({"user": "eve", "channel": "web", "ts": 1, "text": "hi"}, "hi"),
        ({"event": {"type": "click", "user": "eve"}, "prompt": "hi"}, "hi"),
        ({"command": "/help", "user_id": "eve", "text": "hi"}, "hi"),
        ({"command": "/help", "user_id": "U1", "text": "hi"}, "hi"),
        ({"type": "message", "from": "eve", "conversation": "1", "text": "hi"}, "hi"),
        ("payload=1 means what?", "payload=1 means what?"),
        ("command=x&user_id=eve", "command=x&user_id=eve"),
        ("token=abc is what?", "token=abc is what?"),
    ],
)
def test_a_front_ends_own_body_names_nobody(body, query):
    """Only what looks as the platform posts it is opened."""
    text = body if isinstance(body, str) else json.dumps(body)

    facts = read_source({"requestContext": {"http": {}}, "body": text})

    assert (facts.kind, facts.actor, facts.user_query) == ("web", None, query)


def test_the_bots_own_text_wins_over_the_body():
    """`text` replaces what was posted and nothing else."""
    event = {**GATEWAYS["HTTP API"], "body": json.dumps(SLACK)}

    facts = read_source(event, text="cleaned")

    assert (facts.user_query, facts.user_platform_id) == ("cleaned", "T01/U1")
