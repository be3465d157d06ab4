"""The example bots, each on its own, with requests as their platforms send them."""

from __future__ import annotations

import json
import time

import boto3
import pytest
from botocore.config import Config

from emitter import AuditEmitter, EmitterSettings
from emitter.testing import assert_valid
from examples.platform_stubs import KeepingAdapter, SlackStub
from examples.scripted_model import MODEL_ID, Reply, ScriptedModel
from examples.vera_research import Research, VeraResearch
from examples.vera_slack import SORRY as SLACK_SORRY
from examples.vera_slack import VeraSlack
from examples.vera_teams import SORRY as TEAMS_SORRY
from examples.vera_teams import VeraTeams
from tests.integration.bedrock_stub import BedrockStub, reply_error, reply_json

HOME = EmitterSettings(
    home_domains=("example.com",), slack_team="T01EXAMPLE", tenant="tid0"
)
MODEL = ScriptedModel(
    {
        "Why?": Reply("Because."),
        "And then?": Reply("Nothing."),
        "Sue them?": Reply("I can't say.", blocked_topic="Legal advice"),
        "Too much?": Reply("", is_throttled=True),
    }
)
OBJECT_ID = "3f2a9c0e-1d2b-4c5d-8e9f-0a1b2c3d4e5f"
SLACK_TS = "1732460645.123456"


class LambdaContext:
    """What AWS hands to a handler."""

    def __init__(
        self, function_name, request_id="00000000-0000-4000-8000-000000000001"
    ):
        self.function_name = function_name
        self.aws_request_id = request_id
        self.log_group_name = f"/aws/lambda/{function_name}"
        self.log_stream_name = "2026/11/24/[$LATEST]0001"
        self._ends_s = time.monotonic() + 60

    @property
    def invoked_function_arn(self):
        return f"arn:aws:lambda:eu-west-1:123456789012:function:{self.function_name}"

    def get_remaining_time_in_millis(self):
        return int((self._ends_s - time.monotonic()) * 1_000)


def make_gateway_event(body):
    """API Gateway's HTTP API, payload format 2.0."""
    return {
        "version": "2.0",
        "routeKey": "POST /",
        "rawPath": "/",
        "rawQueryString": "",
        "headers": {
            "content-type": "application/json",
            "host": "api.example.com",
            "x-forwarded-for": "192.0.2.1",
        },
        "requestContext": {
            "accountId": "123456789012",
            "http": {"method": "POST", "path": "/", "protocol": "HTTP/1.1"},
            "requestId": "JKJaXmPLvHcESHA=",
            "stage": "$default",
        },
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }


def make_slack_request(text, **changes):
    event = {
        "client_msg_id": "f1a1b2c3-0000-4000-8000-000000000000",
        "type": "app_mention",
        "user": "U1",
        "text": f"<@U0VERA> {text}",
        "ts": SLACK_TS,
        "event_ts": SLACK_TS,
        "channel": "C0HELPDESK",
        "team": "T01EXAMPLE",
        "blocks": [
            {
                "type": "rich_text",
                "block_id": "b1",
                "elements": [
                    {
                        "type": "rich_text_section",
                        "elements": [
                            {"type": "user", "user_id": "U0VERA"},
                            {"type": "text", "text": f" {text}"},
                        ],
                    }
                ],
            }
        ],
    }
    body = {
        "token": "invented",
        "team_id": "T01EXAMPLE",
        "api_app_id": "A0VERA",
        "event": event | changes,
        "type": "event_callback",
        "event_id": "Ev0123456789",
        "event_time": 1732460645,
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": "T01EXAMPLE",
                "user_id": "U0VERA",
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": "4-invented",
    }
    return make_gateway_event(body)


def look_up_in_slack(slack_id):
    profile = {"email": "Bob.Smith@example.com", "display_name": "Bob"}
    user = {"id": slack_id, "team_id": "T01EXAMPLE", "name": "bob", "profile": profile}
    return {"ok": True, "user": user}


@pytest.fixture
def slack():
    stub = SlackStub()
    yield stub
    stub.close()


@pytest.fixture
def slack_bot(slack):
    audit = AuditEmitter("VeraSlack", settings=HOME, directory=look_up_in_slack)
    return VeraSlack(slack.make_app(), audit, MODEL, {"U1": "Finance"}.get)


def test_vera_on_slack_answers_and_is_audited(slack, slack_bot, audit_records):
    """The mention is answered in its thread; the record has all that is known."""
    response = slack_bot.handle(make_slack_request("Why?"), LambdaContext("VeraSlack"))

    (record,) = audit_records
    (posted,) = slack.posted
    assert_valid(record)
    assert response["statusCode"] == 200
    assert (posted["text"], posted["thread_ts"]) == ("Because.", SLACK_TS)
    assert record["user_id"] == "bob.smith"
    assert record["department"] == "Finance"
    assert record["user_query"] == "Why?"
    assert record["response"] == "Because."
    assert record["full_conversation"] == "[user] Why?"
    assert record["outcome"] == "answered"
    assert record["model_used"] == MODEL_ID
    assert record["llm_calls"] == 1
    assert record["input_tokens"] > 0
    assert record["message_id"] == f"slack:T01EXAMPLE/C0HELPDESK/{SLACK_TS}"
    assert record["aws_account_id"] == "123456789012"
    assert record["session_id"] == "2026/11/24/[$LATEST]0001"
    assert record["request_id"] == "00000000-0000-4000-8000-000000000001"
    assert record["log_group"] == "/aws/lambda/VeraSlack"


def test_vera_on_slack_remembers_the_thread(slack_bot, audit_records):
    """A later question shows the model, and the auditor, what was said before."""
    context = LambdaContext("VeraSlack")
    later = make_slack_request("And then?", ts="1732460700.000001", thread_ts=SLACK_TS)

    slack_bot.handle(make_slack_request("Why?"), context)
    slack_bot.handle(later, context)

    first, second = audit_records
    assert second["conversation_id"] == first["conversation_id"]
    assert second["full_conversation"] == (
        "[user] Why?\n[assistant] Because.\n[user] And then?"
    )


def test_vera_on_slack_says_sorry_for_a_model_that_fails(
    slack, slack_bot, audit_records
):
    """The person gets a reply; the record says what it was, and why."""
    request = make_slack_request("Too much?")

    response = slack_bot.handle(request, LambdaContext("VeraSlack"))

    (record,) = audit_records
    assert_valid(record)
    assert response["statusCode"] == 200
    assert slack.posted[0]["text"] == SLACK_SORRY
    assert record["outcome"] == "error"
    assert record["error_type"] == "ThrottlingException"
    assert record["response"] == SLACK_SORRY


def test_vera_on_slack_is_stopped_by_a_guardrail(slack_bot, audit_records):
    """What the guardrail has blocked, and by which policy, is in the record."""
    slack_bot.handle(make_slack_request("Sue them?"), LambdaContext("VeraSlack"))

    (record,) = audit_records
    assert_valid(record)
    assert record["outcome"] == "blocked"
    assert record["guardrail_action"] == "blocked"
    assert record["guardrail_policies"] == ["topic:Legal advice"]
    assert record["response"] == "I can't say."


def test_slacks_check_of_the_url_leaves_no_record(slack_bot, audit_records):
    """Bolt answers the challenge; nobody has asked anything."""
    check = {"token": "invented", "challenge": "3eZbrw1a", "type": "url_verification"}

    response = slack_bot.handle(make_gateway_event(check), LambdaContext("VeraSlack"))

    assert "3eZbrw1a" in response["body"]
    assert audit_records == []


def make_teams_request(question, **changes):
    activity = {
        "type": "message",
        "id": "1732460645123",
        "timestamp": "2026-11-24T15:04:05.123Z",
        "localTimestamp": "2026-11-24T16:04:05.123+01:00",
        "localTimezone": "Europe/Berlin",
        "channelId": "msteams",
        "serviceUrl": "https://smba.example.com/emea/",
        "from": {"id": "29:1abc", "name": "Bob Smith", "aadObjectId": OBJECT_ID},
        "conversation": {
            "isGroup": True,
            "conversationType": "channel",
            "tenantId": "tid0",
            "id": "19:abc@thread.tacv2;messageid=1732460645123",
        },
        "recipient": {"id": "28:vera", "name": "Vera"},
        "textFormat": "plain",
        "attachmentLayout": "list",
        "text": f"<at>Vera</at> {question}",
        "attachments": [
            {
                "contentType": "text/html",
                "content": f'<div><span itemscope="">Vera</span>&nbsp;{question}</div>',
            }
        ],
        "entities": [
            {
                "type": "mention",
                "mentioned": {"id": "28:vera", "name": "Vera"},
                "text": "<at>Vera</at>",
            },
            {"type": "clientInfo", "locale": "en-US", "platform": "Windows"},
        ],
        "channelData": {
            "teamsChannelId": "19:abc@thread.tacv2",
            "teamsTeamId": "19:abc@thread.tacv2",
            "channel": {"id": "19:abc@thread.tacv2"},
            "team": {"id": "19:abc@thread.tacv2"},
            "tenant": {"id": "tid0"},
        },
    }
    return make_gateway_event(activity | changes)


def look_up_in_graph(object_id):
    return {
        "id": object_id,
        "userPrincipalName": "Bob.Smith@example.com",
        "mail": "Bob.Smith@example.com",
        "userType": "Member",
        "department": "Finance",
    }


@pytest.fixture
def adapter():
    return KeepingAdapter()


@pytest.fixture
def teams_bot(adapter):
    audit = AuditEmitter("VeraTeams", settings=HOME, directory=look_up_in_graph)
    return VeraTeams(adapter, audit, MODEL)


def test_vera_on_teams_answers_and_is_audited(adapter, teams_bot, audit_records):
    """The message is answered; the record has all that is known."""
    response = teams_bot.handle(make_teams_request("Why?"), LambdaContext("VeraTeams"))

    (record,) = audit_records
    assert_valid(record)
    assert response["statusCode"] == 201
    assert [sent.text for sent in adapter.sent] == ["Because."]
    assert adapter.sent[0].reply_to_id == "1732460645123"
    assert record["user_id"] == "bob.smith"
    assert record["department"] == "Finance"
    assert record["user_query"] == "Why?"
    assert record["response"] == "Because."
    assert record["full_conversation"] == "[user] Why?"
    assert record["outcome"] == "answered"
    assert record["model_used"] == MODEL_ID
    assert record["llm_calls"] == 1
    assert record["channel_type"] == "public_channel"
    assert record["conversation_id"] == "19:abc@thread.tacv2;messageid=1732460645123"
    assert record["request_id"] == "00000000-0000-4000-8000-000000000001"
    assert record["session_id"] == "2026/11/24/[$LATEST]0001"


def test_vera_on_teams_tells_each_turn_its_own_lambda_context(teams_bot, audit_records):
    """A Lambda serves one request after the other; none has the id of another."""
    for number in ("0001", "0002"):
        context = LambdaContext(
            "VeraTeams", f"00000000-0000-4000-8000-00000000{number}"
        )
        teams_bot.handle(make_teams_request("Why?"), context)

    ids = [record["request_id"][-4:] for record in audit_records]
    assert ids == ["0001", "0002"]


def test_vera_on_teams_says_sorry_for_a_model_that_fails(
    adapter, teams_bot, audit_records
):
    """The person gets a reply; the record says what it was, and why."""
    teams_bot.handle(make_teams_request("Too much?"), LambdaContext("VeraTeams"))

    (record,) = audit_records
    assert_valid(record)
    assert [sent.text for sent in adapter.sent] == [TEAMS_SORRY]
    assert record["outcome"] == "error"
    assert record["error_type"] == "ThrottlingException"
    assert record["response"] == TEAMS_SORRY


def test_vera_on_teams_is_stopped_by_a_guardrail(teams_bot, audit_records):
    """What the guardrail has blocked, and by which policy, is in the record."""
    teams_bot.handle(make_teams_request("Sue them?"), LambdaContext("VeraTeams"))

    (record,) = audit_records
    assert_valid(record)
    assert record["outcome"] == "blocked"
    assert record["guardrail_policies"] == ["topic:Legal advice"]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(
            {"type": "conversationUpdate", "membersAdded": [{"id": "29:1abc"}]},
            id="somebody joins",
        ),
        pytest.param(
            {
                "type": "event",
                "name": "tokens/response",
                "value": {"connectionName": "graph", "token": "canary"},
            },
            id="somebody has signed in",
        ),
    ],
)
def test_what_is_no_question_leaves_vera_on_teams_silent(
    adapter, teams_bot, audit_records, changes
):
    """Neither a reply nor a record."""
    nothing_said = {"text": None, "attachments": None}
    request = make_teams_request("", **nothing_said, **changes)

    teams_bot.handle(request, LambdaContext("VeraTeams"))

    assert adapter.sent == []
    assert audit_records == []


def make_web_request(question):
    """API Gateway's HTTP API with a JWT authorizer."""
    event = make_gateway_event({"question": question, "conversation_id": "c-1"})
    claims = {
        "iss": "https://login.example.com/tid0/v2.0",
        "preferred_username": "Bob.Smith@example.com",
        "email": "Bob.Smith@example.com",
        "oid": OBJECT_ID,
        "tid": "tid0",
    }
    event["requestContext"]["authorizer"] = {"jwt": {"claims": claims, "scopes": None}}
    return event


@pytest.fixture
def research_bot():
    plan = Research(
        tools=(("jira_search", "ok", 300), ("statuspage", "error", 2_000)),
        sources=(("s3://example-kb/ssl.pdf", "SSL guide"),),
    )
    audit = AuditEmitter("VeraResearch", settings=HOME)
    return VeraResearch(audit, MODEL, {"Why?": plan})


def test_the_research_agent_answers_and_is_audited(research_bot, audit_records):
    """Several tools and documents, one record."""
    context = LambdaContext("VeraResearch")

    response = research_bot.handle(make_web_request("Why?"), context)

    (record,) = audit_records
    assert_valid(record)
    assert json.loads(response["body"]) == {"answer": "Because."}
    assert record["user_id"] == "bob.smith"
    assert record["user_query"] == "Why?"
    assert record["response"] == "Because."
    assert record["conversation_id"] == "c-1"
    assert [tool["status"] for tool in record["tools"]] == ["ok", "error"]
    assert record["sources"][0]["title"] == "SSL guide"
    assert record["request_id"] == context.aws_request_id


def test_an_error_of_the_research_agents_model_goes_on(research_bot, audit_records):
    """The caller sees it as it came; the record says its kind, not its text."""
    with pytest.raises(Exception, match="Too many requests"):
        research_bot.handle(make_web_request("Too much?"), LambdaContext("r"))

    (record,) = audit_records
    assert_valid(record)
    assert record["outcome"] == "error"
    assert record["error_type"] == "ThrottlingException"
    assert "Too many requests" not in str(dict(record))


def test_the_research_agent_is_stopped_by_a_guardrail(research_bot, audit_records):
    """What the guardrail has blocked, and by which policy, is in the record."""
    research_bot.handle(make_web_request("Sue them?"), LambdaContext("r"))

    (record,) = audit_records
    assert_valid(record)
    assert record["outcome"] == "blocked"
    assert record["guardrail_policies"] == ["topic:Legal advice"]


@pytest.fixture
def bedrock():
    stub = BedrockStub()
    yield stub
    stub.close()


@pytest.fixture
def real_client(bedrock):
    client = boto3.client(
        "bedrock-runtime",
        endpoint_url=bedrock.url,
        region_name="eu-west-1",
        aws_access_key_id="invented",
        aws_secret_access_key="invented",
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )
    yield client
    client.close()


def test_calls_of_a_real_client_count_once(bedrock, real_client, audit_records):
    """The research agent watches boto3's client and tells its answers all the same."""
    answer = {
        "output": {"message": {"role": "assistant", "content": [{"text": "Yes."}]}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 10, "outputTokens": 2, "totalTokens": 12},
        "metrics": {"latencyMs": 5},
    }
    bedrock.on("/converse", reply_json(answer))
    agent = VeraResearch(AuditEmitter("VeraResearch"), real_client)

    agent.handle(make_web_request("Really?"), LambdaContext("VeraResearch"))

    (record,) = audit_records
    assert record["response"] == "Yes."
    assert record["llm_calls"] == 1
    assert (record["input_tokens"], record["output_tokens"]) == (10, 2)


def test_a_refused_call_of_a_real_client_counts(bedrock, real_client, audit_records):
    """Only the watched client knows of it: there is no answer to tell."""
    bedrock.on("/converse", reply_error("ThrottlingException", 429))
    agent = VeraResearch(AuditEmitter("VeraResearch"), real_client)

    with pytest.raises(real_client.exceptions.ThrottlingException):
        agent.handle(make_web_request("Really?"), LambdaContext("VeraResearch"))

    (record,) = audit_records
    assert record["outcome"] == "error"
    assert record["llm_calls"] == 1
    assert record["error_type"] == "ThrottlingException"
