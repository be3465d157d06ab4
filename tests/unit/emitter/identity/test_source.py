"""What is read from the event that made a bot run."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace
from typing import ClassVar

import pytest
from botbuilder.schema import Activity

from emitter.identity import read_source

OID = "3f2a9c0e-1d2b-4c5d-8e9f-0a1b2c3d4e5f"

INNER = {
    "type": "app_mention",
    "user": "U1",
    "text": "<@U0BOT> What is our VPN?",
    "channel": "C0123",
    "ts": "1732460645.123",
    "team": "T01",
}
ENVELOPE = {
    "type": "event_callback",
    "team_id": "T01",
    "event_id": "Ev1",
    "authorizations": [{"team_id": "T01", "user_id": "U0BOT", "is_bot": True}],
    "event": INNER,
}
ACTIVITY = {
    "type": "message",
    "id": "1732460645123",
    "channelId": "msteams",
    "serviceUrl": "https://smba.example.com/",
    "text": "<at>Vera</at> hi&nbsp;there",
    "textFormat": "plain",
    "from": {"id": "29:1abc", "name": "Bob", "aadObjectId": OID},
    "recipient": {"id": "28:bot", "name": "Vera"},
    "conversation": {
        "id": "19:x@thread.tacv2;messageid=17",
        "conversationType": "channel",
        "tenantId": "tid0",
    },
    "channelData": {"tenant": {"id": "tid0"}, "channel": {"id": "19:x@thread.tacv2"}},
}


def test_reads_a_slack_envelope():
    """An envelope gives question, thread, message, place and person."""
    facts = read_source(ENVELOPE)

    assert facts.kind == "slack"
    assert facts.user_query == "What is our VPN?"
    assert facts.conversation_id == "C0123:1732460645.123"
    assert facts.message_id == "slack:T01/C0123/1732460645.123"
    assert facts.channel_id == "C0123"
    assert facts.channel_type == "public_channel"
    assert facts.user_platform_id == "T01/U1"


def test_a_reply_belongs_to_its_thread():
    """The thread names the conversation, the post names the message."""
    facts = read_source(ENVELOPE | {"event": INNER | {"thread_ts": "1732460000.001"}})

    assert facts.conversation_id == "C0123:1732460000.001"
    assert facts.message_id == "slack:T01/C0123/1732460645.123"


def test_every_delivery_of_a_post_has_one_message_id():
    """A retry, the mention and the message event are the same question."""
    message = INNER | {"type": "message", "channel_type": "channel"}
    deliveries = [
        ENVELOPE,
        ENVELOPE | {"event_id": "Ev1", "retry_num": 1},
        ENVELOPE | {"event": message, "event_id": "Ev2"},
        INNER,
    ]

    ids = {read_source(each).message_id for each in deliveries}

    assert ids == {"slack:T01/C0123/1732460645.123"}


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ({"channel_type": "im", "channel": "D1"}, "dm"),
        ({"channel_type": "mpim", "channel": "G1"}, "group"),
        ({"channel_type": "group", "channel": "C1"}, "private_channel"),
        ({"channel_type": "channel", "channel": "C1"}, "public_channel"),
        ({"channel": "D1"}, "dm"),
        ({"channel": "G1"}, "private_channel"),
        ({"channel": "X1"}, None),
    ],
)
def test_slack_channel_types(inner, expected):
    """The event's own word counts before the letter of the id."""
    facts = read_source(ENVELOPE | {"event": INNER | inner})

    assert facts.channel_type == expected


def test_an_event_without_its_type_is_known_by_channel_and_time():
    """Some bots keep only what they need of an event."""
    facts = read_source({"user": "U1", "channel": "D1", "ts": "1.2", "text": "hi"})

    assert (facts.kind, facts.conversation_id) == ("slack", "D1:1.2")


def test_reads_a_slash_command():
    """A command names its person, its channel and its trigger."""
    facts = read_source(
        {
            "command": "/vera",
            "text": "what is new",
            "user_id": "U1",
            "team_id": "T01",
            "channel_id": "C1",
            "channel_name": "privategroup",
            "trigger_id": "13.4",
        }
    )

    assert facts.user_query == "/vera what is new"
    assert facts.message_id == "slack:T01/C1/13.4"
    assert facts.channel_type == "private_channel"
    assert facts.user_platform_id == "T01/U1"


def test_reads_a_posted_form():
    """Slack posts commands and interactions as forms."""
    command = read_source("token=x&command=%2Fvera&text=hi&user_id=U1&team_id=T1")
    payload = {"type": "block_actions", "user": {"id": "U1", "team_id": "T1"}}
    pressed = read_source({"payload": json.dumps(payload)})

    assert command.user_query == "/vera hi"
    assert pressed.user_platform_id == "T1/U1"


def test_reads_an_interaction():
    """A pressed button is a question of its own, about the post it stands under."""
    facts = read_source(
        {
            "type": "block_actions",
            "team": {"id": "T01"},
            "user": {"id": "U1", "team_id": "T01"},
            "channel": {"id": "D1", "name": "directmessage"},
            "message": {"ts": "17.1", "thread_ts": "16.0", "text": "Shall I?"},
            "actions": [
                {"text": {"type": "plain_text", "text": "Approve"}, "action_ts": "18.2"}
            ],
        }
    )

    assert facts.user_query == "Approve"
    assert facts.conversation_id == "D1:16.0"
    assert facts.message_id == "slack:T01/D1/17.1/18.2"
    assert facts.channel_type == "dm"


def test_an_edit_is_the_message_it_leaves():
    """An edited post keeps its person and its message id."""
    edited = {
        "type": "message",
        "subtype": "message_changed",
        "channel": "C0123",
        "ts": "99.9",
        "message": INNER | {"text": "What is our proxy?"},
    }

    facts = read_source(ENVELOPE | {"event": edited})

    assert facts.user_query == "What is our proxy?"
    assert facts.message_id == "slack:T01/C0123/1732460645.123"
    assert facts.user_platform_id == "T01/U1"


def test_slack_files_become_attachments():
    """Name, type and size of a file are what the event says."""
    files = [{"name": "r.pdf", "mimetype": "application/pdf", "size": 12}, {"id": "F2"}]

    facts = read_source(ENVELOPE | {"event": INNER | {"files": files}})

    assert facts.attachments == (
        {"name": "r.pdf", "type": "application/pdf", "bytes": 12},
        {"name": "F2"},
    )


def test_unpacks_socket_mode():
    """Socket Mode wraps the envelope once more."""
    facts = read_source({"envelope_id": "e", "type": "events_api", "payload": ENVELOPE})

    assert facts.message_id == "slack:T01/C0123/1732460645.123"


def sdk_activity(**methods):
    return SimpleNamespace(
        type="message",
        id="1732460645123",
        text="<at>Vera</at> hi&nbsp;there",
        text_format="plain",
        channel_id="msteams",
        from_property=SimpleNamespace(id="29:1abc", aad_object_id=OID),
        recipient=SimpleNamespace(id="28:bot"),
        conversation=SimpleNamespace(
            id="19:x@thread.tacv2;messageid=17",
            conversation_type="channel",
            tenant_id="tid0",
        ),
        channel_data={"channel": {"id": "19:x@thread.tacv2"}},
        **methods,
    )


def broken():
    raise RuntimeError("no dump")


@pytest.mark.parametrize(
    "activity",
    [
        ACTIVITY,
        json.dumps(ACTIVITY),
        json.dumps(ACTIVITY).encode(),
        sdk_activity(),
        sdk_activity(serialize=lambda: ACTIVITY),
        sdk_activity(model_dump=broken),
        sdk_activity(as_dict=lambda: {"nothing": "useful"}),
    ],
    ids=["dict", "text", "bytes", "attributes", "serialize", "broken", "useless"],
)
def test_reads_every_form_of_a_teams_activity(activity):
    """Dictionary, JSON and SDK objects say the same."""
    facts = read_source(activity)

    assert facts.kind == "teams"
    assert facts.user_query == "hi there"
    assert facts.conversation_id == "19:x@thread.tacv2;messageid=17"
    assert facts.message_id == "teams:19:x@thread.tacv2;messageid=17/1732460645123"
    assert facts.channel_id == "19:x@thread.tacv2"
    assert facts.channel_type == "public_channel"
    assert facts.user_platform_id == f"tid0/{OID}"


@pytest.mark.parametrize(
    ("conversation", "channel", "expected"),
    [
        ({"conversationType": "personal"}, {}, "dm"),
        ({"conversationType": "groupChat"}, {}, "group"),
        (
            {"conversationType": "channel"},
            {"id": "c", "type": "private"},
            "private_channel",
        ),
        (
            {"conversationType": "channel"},
            {"id": "c", "type": "shared"},
            "private_channel",
        ),
        ({}, {"id": "c"}, "public_channel"),
        ({}, {}, None),
    ],
)
def test_teams_channel_types(conversation, channel, expected):
    """Private and shared channels are not open to the whole team."""
    activity = ACTIVITY | {
        "conversation": {"id": "19:x", **conversation},
        "channelData": {"channel": channel},
    }

    assert read_source(activity).channel_type == expected


def test_teams_files_become_attachments():
    """File cards are files; cards and markup are not."""
    file = "application/vnd.microsoft.teams.file.download.info"
    attachments = [
        {"contentType": file, "name": "x.docx", "content": {"fileType": "docx"}},
        {"contentType": "text/html", "content": "<p>hi</p>"},
        {"contentType": "application/vnd.microsoft.card.adaptive", "content": {}},
    ]

    facts = read_source(ACTIVITY | {"attachments": attachments})

    assert facts.attachments == ({"name": "x.docx", "type": "docx"},)


def make_web(authorizer=None, body='{"question": "hi", "sessionId": "s1"}', **event):
    return {"requestContext": {"authorizer": authorizer or {}}, "body": body, **event}


def load_balancer_token(claims):
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode()
    return f"e30=.{part}.c2ln"


@pytest.mark.parametrize(
    "event",
    [
        make_web({"claims": {"sub": "s1", "email": "bob@example.com"}}),
        make_web({"jwt": {"claims": {"sub": "s1", "email": "bob@example.com"}}}),
        make_web({"lambda": {"sub": "s1", "email": "bob@example.com"}}),
        make_web({"principalId": "p", "sub": "s1", "email": "bob@example.com"}),
        make_web({"claims": '{"sub": "s1", "email": "bob@example.com"}'}),
        {
            "requestContext": {"elb": {"targetGroupArn": "arn"}},
            "headers": {
                "x-amzn-oidc-data": load_balancer_token(
                    {"sub": "s1", "email": "bob@example.com"}
                )
            },
            "body": '{"question": "hi", "sessionId": "s1"}',
        },
    ],
    ids=["rest", "http", "lambda v2", "lambda v1", "json claims", "load balancer"],
)
def test_reads_claims_where_each_gateway_puts_them(event):
    """Claims come from the authorizer, the question from the body."""
    facts = read_source(event)

    assert facts.kind == "web"
    assert facts.claims["email"] == "bob@example.com"
    assert facts.user_platform_id == "s1"
    assert facts.user_query == "hi"
    assert facts.conversation_id == "s1"
    assert facts.channel_type == "api"


def test_an_api_key_is_a_machine():
    """Without claims the id of the key names the client."""
    event = {"requestContext": {"identity": {"apiKeyId": "k1"}}, "body": None}

    assert read_source(event).claims == {"client_id": "k1"}


def test_a_free_header_or_parameter_names_nobody():
    """What the caller can write is no claim."""
    event = make_web(
        headers={"x-amzn-oidc-data": load_balancer_token({"email": "eve@example.com"})},
        queryStringParameters={"user_id": "eve"},
        body='{"user_id": "eve", "email": "eve@example.com", "prompt": "hi"}',
    )

    facts = read_source(event)

    assert facts.claims == {}
    assert facts.user_query == "hi"


def test_reads_a_base64_body():
    """Binary media types arrive encoded."""
    body = base64.b64encode(b"hello").decode()

    facts = read_source(make_web(body=body, isBase64Encoded=True))

    assert facts.user_query == "hello"


@pytest.mark.parametrize("token", ["", "a.b", "a.%%%.c", "a.bm90IGpzb24.c"])
def test_a_faulty_token_gives_no_claims(token):
    """A header that is no token is left alone."""
    event = {
        "requestContext": {"elb": {"x": 1}},
        "headers": {"X-Amzn-Oidc-Data": token},
    }

    assert read_source(event).claims == {}


def test_g1_reads_an_agent_request():
    """The input is the question, the session the conversation."""
    history = [{"role": "user", "content": [{"text": "earlier"}]}]

    facts = read_source(
        {
            "inputText": "What is new?",
            "sessionId": "s1",
            "sessionState": {"conversationHistory": {"messages": history}},
        }
    )

    assert facts.kind == "api"
    assert facts.user_query == "What is new?"
    assert facts.conversation_id == "s1"
    assert facts.history == tuple(history)


def test_a_plain_text_is_the_question():
    """A bot without a platform may hand over what was asked."""
    assert read_source("What is new?").user_query == "What is new?"


def test_the_bots_own_text_wins():
    """`text` replaces what the event says and nothing else."""
    facts = read_source(ENVELOPE, text="cleaned question")

    assert facts.user_query == "cleaned question"
    assert facts.channel_id == "C0123"


class Trap:
    """Raises whatever is asked of it."""

    def __getattribute__(self, name):
        raise RuntimeError(name)

    def __iter__(self):
        raise RuntimeError("iter")


class TrapDict(dict):
    """Raises on every look."""

    def __getitem__(self, name):
        raise RuntimeError("item")

    def get(self, name, default=None):
        raise RuntimeError("get")

    def keys(self):
        raise RuntimeError("keys")


def make_cycle():
    cycle = {"type": "message", "channel": "C1"}
    cycle["event"] = cycle
    cycle["blocks"] = [cycle]
    return cycle


@pytest.mark.parametrize(
    "make",
    [
        lambda: 7,
        lambda: b"\xff",
        list,
        object,
        Trap,
        lambda: TrapDict(type="x"),
        lambda: {"type": "event_callback", "event": Trap()},
        make_cycle,
        lambda: "{",
    ],
    ids=[
        "int",
        "bytes",
        "list",
        "object",
        "trap",
        "mapping",
        "inside",
        "cycle",
        "open",
    ],
)
def test_never_raises(make):
    """Any object gives facts."""
    source = make()

    assert read_source(source).kind in ("api", "slack")


def test_nothing_says_nothing():
    """A bot without an event has no channel, no person and no message."""
    facts = read_source(None)

    assert facts.kind == "api"
    assert facts.channel_type is None
    assert facts.user_platform_id is None
    assert facts.message_id is None


def test_later_changes_of_the_event_change_nothing():
    """Who has asked is fixed when the event is read."""
    event = {"type": "message", "user": "U1", "team": "T1", "channel": "C1", "ts": "1"}
    facts = read_source(event)

    event["user"] = "U2"

    assert facts.actor.user == "U1"
    assert facts.user_platform_id == "T1/U1"


def test_an_activity_model_keeps_its_tenant():
    """The Bot Framework's model does not know the tenant by its wire name."""

    class Account:
        _attribute_map: ClassVar = {
            "id": {"key": "id"},
            "tenant_id": {"key": "tenantID"},
        }
        tenant_id = None

        def __init__(self, **values):
            self.__dict__.update(values)

    conversation = Account(id="c1", additional_properties={"tenantId": "tid0"})
    person = Account(id="29:x", additional_properties={"aadObjectId": OID})
    activity = SimpleNamespace(
        type="message", channelId="msteams", conversation=conversation
    )
    activity.__dict__["from"] = person

    assert read_source(activity).user_platform_id == f"tid0/{OID}"


@pytest.mark.parametrize(
    ("payload", "channel"),
    [
        (
            {
                "type": "assistant_thread_started",
                "user": "U1",
                "assistant_thread": {"channel_id": "D1"},
            },
            "D1",
        ),
        (
            {
                "type": "reaction_added",
                "user": "U1",
                "item": {"channel": "C1", "ts": "1.2"},
            },
            "C1",
        ),
        (
            {
                "type": "block_actions",
                "container": {"channel_id": "C2", "message_ts": "1.2"},
            },
            "C2",
        ),
        ({"type": "shortcut", "user": {"id": "U1"}}, None),
    ],
)
def test_finds_the_channel_in_every_payload(payload, channel):
    """Each kind of event keeps its channel in another place."""
    assert read_source(payload).channel_id == channel


def test_a_broken_base64_body_is_no_question():
    """What cannot be decoded says nothing."""
    assert read_source(make_web(body="%%%", isBase64Encoded=True)).user_query == ""


def test_nested_claims_of_a_lambda_authorizer():
    """An authorizer may put its claims one level deeper."""
    facts = read_source(make_web({"lambda": {"claims": {"sub": "s1"}}}))

    assert facts.claims == {"sub": "s1"}


def test_a_load_balancer_may_send_lists_of_headers():
    """Multi-value headers are lists; other headers are passed over."""
    event = {
        "requestContext": {"elb": {"targetGroupArn": "arn"}},
        "multiValueHeaders": {
            "host": ["x"],
            "x-amzn-oidc-data": [load_balancer_token({"sub": "s1"})],
        },
    }

    assert read_source(event).claims == {"sub": "s1"}


def test_bytes_and_forms_are_text_first():
    """A body may arrive as bytes, as JSON that is no object, or empty."""
    assert read_source(bytearray(b"hi")).user_query == "hi"
    assert read_source("[1]").user_query == "[1]"
    assert read_source("").user_query == ""
    assert read_source({"payload": "not json", "prompt": "hi"}).user_query == "hi"


@pytest.mark.parametrize("token", ["e30.a.c", "e30.\u00e9.c"])
def test_a_token_that_cannot_be_decoded_gives_no_claims(token):
    """Faulty base64 is no claim."""
    event = {
        "requestContext": {"elb": {"x": 1}},
        "headers": {"x-amzn-oidc-data": token},
    }

    assert read_source(event).claims == {}


def test_a_body_with_letters_beyond_ascii_is_not_base64():
    """Such a body cannot be decoded and says nothing."""
    assert read_source(make_web(body="\u00e9", isBase64Encoded=True)).user_query == ""


def test_an_authorizer_without_claims_names_nobody():
    """Neither its scopes nor its principal is a claim."""
    facts = read_source(make_web({"principalId": "p", "scopes": ["x"]}))

    assert facts.claims == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("signin/tokenExchange", {"id": "1", "token": "canary"}),
        ("signin/verifyState", {"state": "canary"}),
        ("tokens/response", {"connectionName": "graph", "token": "canary"}),
    ],
)
@pytest.mark.parametrize("form", ["dictionary", "JSON", "SDK object"])
def test_a_sign_in_in_teams_leaves_no_secret(name, value, form):
    """Who signed in where is known; the token or code is in none of the facts."""
    kind = "event" if name.startswith("tokens/") else "invoke"
    activity = ACTIVITY | {"type": kind, "name": name, "value": value, "text": None}
    sources = {
        "dictionary": activity,
        "JSON": json.dumps(activity),
        "SDK object": Activity().deserialize(activity),
    }

    facts = read_source(sources[form])

    assert facts.kind == "teams"
    assert facts.user_query == ""
    assert "canary" not in str(facts._replace(event={}))


class BareActivity:
    """An activity whose members can be read one by one only."""

    __slots__ = ("channel_id", "conversation", "name", "type", "value")


def test_an_activity_that_cannot_dump_itself_still_tells_its_sign_in():
    """Its name is read from its attributes, and so is the sign-in known."""
    activity = BareActivity()
    activity.type = "invoke"
    activity.name = "signin/verifyState"
    activity.value = "canary"
    activity.channel_id = "msteams"
    activity.conversation = {"id": "a:1"}

    facts = read_source(activity)

    assert facts.conversation_id == "a:1"
    assert facts.user_query == ""


@pytest.mark.parametrize(
    ("authorizer", "claims"),
    [
        ({"upn": "bob@example.com"}, {"upn": "bob@example.com"}),
        ({"unique_name": "bob"}, {"unique_name": "bob"}),
        ({"cognito:username": "bob"}, {"cognito:username": "bob"}),
        ({"appid": "app-1"}, {"appid": "app-1"}),
        ({"azp": "app-1"}, {"azp": "app-1"}),
        ({"cid": "app-1"}, {"cid": "app-1"}),
        ({"clientId": "app-1"}, {"clientId": "app-1", "client_id": "app-1"}),
        ({"claims": '{"upn": "bob@example.com"}'}, {"upn": "bob@example.com"}),
    ],
)
@pytest.mark.parametrize("is_http", [False, True], ids=["REST API", "HTTP API"])
def test_every_claim_of_a_lambda_authorizer_counts(authorizer, claims, is_http):
    """An authorizer's context is known by any claim that names people or clients."""
    facts = read_source(make_web({"lambda": authorizer} if is_http else authorizer))

    assert facts.claims == claims


def test_an_opened_assistant_thread_names_its_person():
    """The event keeps who and where in a part of its own."""
    thread = {"user_id": "U1", "channel_id": "D1", "thread_ts": "17.1"}
    event = {
        "type": "assistant_thread_started",
        "assistant_thread": thread,
        "event_ts": "17.2",
    }

    facts = read_source(ENVELOPE | {"event": event})

    assert facts.user_platform_id == "T01/U1"
    assert facts.conversation_id == "D1:17.1"
    assert read_source(event).actor.user == "U1"


@pytest.mark.parametrize(
    ("payload", "kind", "platform_id", "query"),
    [
        (
            {
                "from": {"aadObjectId": OID},
                "conversation": {"tenantId": "tid0"},
                "text": "hi",
            },
            "teams",
            f"tid0/{OID}",
            "hi",
        ),
        ({"from": {"id": "29:1"}, "channelId": "msteams"}, "teams", "29:1", ""),
        (
            {
                "from": {"aadObjectId": OID},
                "channelData": {"tenant": {"id": "tid0"}},
            },
            "teams",
            f"tid0/{OID}",
            "",
        ),
        ({"user": "U1", "channel": "C1", "text": "hi"}, "slack", "U1", "hi"),
        (
            {"user": "W1A", "channel": "D1", "team": "T1", "text": "hi"},
            "slack",
            "T1/W1A",
            "hi",
        ),
        ({"user": "eve", "channel": "web", "text": "hi"}, "api", None, "hi"),
        ({"user": "U1", "text": "hi"}, "api", None, "hi"),
        ({"from": "eve", "channelId": "web", "text": "hi"}, "api", None, "hi"),
    ],
)
def test_the_least_that_a_bot_keeps_of_an_event(payload, kind, platform_id, query):
    """Ids and place suffice; what any front end may send is nobody's id."""
    facts = read_source(payload)

    assert (facts.kind, facts.user_platform_id) == (kind, platform_id)
    assert facts.user_query == query


@pytest.mark.parametrize(
    ("payload", "hosts"),
    [
        ({"team": {"id": "T01"}}, {"T01"}),
        ({"team": {"id": "T01"}, "enterprise": {"id": "E1"}}, {"T01", "E1"}),
        ({"team": {"id": "T01", "enterprise_id": "E1"}}, {"T01", "E1"}),
        ({"team": None, "enterprise": {"id": "E1"}}, {"E1"}),
        ({"team": None, "enterprise": None}, set()),
    ],
)
def test_an_interaction_tells_where_the_bot_is_installed(payload, hosts):
    """Somebody of another workspace who presses a button is known as external."""
    user = {"id": "U1", "team_id": "T99"}

    facts = read_source({"type": "block_actions", "user": user, **payload})

    assert facts.actor.host_teams == hosts
    assert facts.actor.team == "T99"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("is <@U0BOT> any good?", "is @VeraSlack any good?"),
        ("<@U0BOT> who is <@U0BOT>?", "who is @VeraSlack?"),
        ("ask <@U0BOB>", "ask @U0BOB"),
    ],
)
def test_q11_the_bots_own_mention_has_its_name(text, expected):
    """The envelope says which id is the bot's, the emitter how it is called."""
    message = {"event": INNER | {"text": text}}

    facts = read_source(ENVELOPE | message, bot_name="VeraSlack")

    assert facts.user_query == expected
    # Without the id nothing is guessed.
    assert "VeraSlack" not in read_source(INNER, bot_name="VeraSlack").user_query
