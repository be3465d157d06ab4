"""Bots of Slack Bolt, Bot Framework and Strands against stubs of their platforms.

Requests go the whole way: signed as Slack signs them or posted as Teams posts
them, through the framework's own dispatch, to the platform's API on loopback.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp import web
from botbuilder.core import (
    ActivityHandler,
    BotFrameworkAdapter,
    BotFrameworkAdapterSettings,
)
from botbuilder.integration.aiohttp import CloudAdapter
from slack_bolt import App, BoltRequest
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_sdk import WebClient
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from strands import Agent
from strands.models import Model

from emitter import AuditEmitter, EmitterSettings
from emitter.beside import THREAD_NAME
from emitter.bolt import async_audit_middleware, audit_middleware
from emitter.botframework import AuditMiddleware
from emitter.identity import SlackDirectory, TeamsDirectory
from emitter.strands import AuditHook
from emitter.testing import MemorySink, assert_valid

SECRET = "invented-signing-secret"
HOME = EmitterSettings(
    home_domains=("example.com",), slack_team="T1", tenant="tid0", sink="stdout"
)
SLACK_USER = {
    "ok": True,
    "user": {
        "id": "U1",
        "team_id": "T1",
        "name": "bob",
        "profile": {"email": "bob.smith@example.com"},
    },
}
ANSWERS = {
    "/api/auth.test": {
        "ok": True,
        "team_id": "T1",
        "user_id": "UBOT",
        "bot_id": "B1",
        "url": "https://example.com/",
        "team": "Example",
        "user": "vera",
    },
    "/api/users.info": SLACK_USER,
    "/api/chat.postMessage": {"ok": True, "ts": "2.0", "channel": "C1"},
    "/v1.0/users/oid-1": {
        "id": "oid-1",
        "userPrincipalName": "bob.smith@example.com",
        "department": "Finance",
    },
}


class Stub:
    """Slack's Web API, a response URL, Graph and the Bot connector in one server."""

    def __init__(self):
        self.requests = []
        self.refused = set()

    def answer(self, path, body):
        self.requests.append((path, body))
        if path in self.refused:
            return {"ok": False, "error": "not_in_channel"}
        return ANSWERS.get(path, {"id": "sent-1"})

    def sent_to(self, ending):
        return [body for path, body in self.requests if path.endswith(ending)]


@pytest.fixture
def stub():
    stub = Stub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            size = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(size).decode()
            payload = json.dumps(stub.answer(urlsplit(self.path).path, body)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def do_GET(self):
            self.answer()

        def do_POST(self):
            self.answer()

        def log_message(self, *args):
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    stub.url = f"http://127.0.0.1:{server.server_port}"
    yield stub
    server.shutdown()
    server.server_close()
    thread.join(5)


class WrittenSink(MemorySink):
    """Shows its records when all that is being written has come."""

    @property
    def records(self):
        for thread in threading.enumerate():
            if thread.name == THREAD_NAME:
                thread.join(10)
        return super().records


@pytest.fixture
def sink():
    return WrittenSink()


def make_slack_audit(stub, sink):
    directory = SlackDirectory("xoxb-0", base_url=f"{stub.url}/api")
    return AuditEmitter("VeraSlack", settings=HOME, sinks=[sink], directory=directory)


def make_teams_audit(stub, sink):
    directory = TeamsDirectory(lambda: "token", base_url=f"{stub.url}/v1.0")
    return AuditEmitter("VeraTeams", settings=HOME, sinks=[sink], directory=directory)


def make_app(stub, sink):
    app = App(
        client=WebClient(token="xoxb-0", base_url=f"{stub.url}/api/"),
        signing_secret=SECRET,
    )
    app.use(audit_middleware(make_slack_audit(stub, sink)))
    return app


def sign(body, mode, content_type):
    timestamp = str(int(time.time()))
    signature = SignatureVerifier(SECRET).generate_signature(
        timestamp=timestamp, body=body
    )
    headers = {
        "content-type": [content_type],
        "x-slack-request-timestamp": [timestamp],
        "x-slack-signature": [signature],
    }
    return mode(body=body, headers=headers)


def make_mention(mode=BoltRequest, **changes):
    event = {
        "type": "app_mention",
        "user": "U1",
        "text": "<@UBOT> why?",
        "ts": "1732460645.123",
        "event_ts": "1732460645.123",
        "channel": "C1",
        "team": "T1",
    }
    envelope = {
        "token": "invented",
        "team_id": "T1",
        "api_app_id": "A1",
        "event": event | changes,
        "type": "event_callback",
        "event_id": "Ev1",
        "event_time": 1732460645,
        "authorizations": [{"team_id": "T1", "user_id": "UBOT", "is_bot": True}],
    }
    return sign(json.dumps(envelope), mode, "application/json")


def make_command(stub):
    url = f"{stub.url}/response".replace(":", "%3A").replace("/", "%2F")
    body = (
        "command=%2Fask&text=why&user_id=U1&user_name=bob&team_id=T1&channel_id=C1"
        f"&channel_name=general&trigger_id=1.2&response_url={url}"
    )
    return sign(body, BoltRequest, "application/x-www-form-urlencoded")


def finish(app):
    """Wait until Bolt's own threads have run the listeners."""
    app.listener_runner.listener_executor.shutdown()


def test_a_mention_in_slack_is_answered_and_audited(stub, sink):
    """Signed event in, message posted, person looked up, one record."""
    app = make_app(stub, sink)

    @app.event("app_mention")
    def answer(say):
        say("Because.", thread_ts="1732460645.123")

    response = app.dispatch(make_mention())
    finish(app)

    (record,) = sink.records
    (posted,) = stub.sent_to("/chat.postMessage")
    assert_valid(record)
    assert response.status == 200
    assert "Because." in (parse_qs(posted).get("text") or [posted])[0]
    assert record["user_id"] == "bob.smith"
    assert record["user_query"] == "why?"
    assert record["response"] == "Because."
    assert record["conversation_id"] == "C1:1732460645.123"
    assert record["message_id"] == "slack:T1/C1/1732460645.123"


def test_a_message_that_slack_refuses_was_not_shown(stub, sink):
    """Slack's refusal is the bot's error, and the record does not claim a reply."""
    stub.refused.add("/api/chat.postMessage")
    app = make_app(stub, sink)

    @app.event("app_mention")
    def answer(say):
        say("Because.")

    app.dispatch(make_mention())
    finish(app)

    assert sink.records[0]["response"] == ""
    assert sink.records[0]["error_type"] == "SlackApiError"


def test_a_slash_command_is_answered_through_its_response_url(stub, sink):
    """`respond` posts to the URL of the command; that text is the reply."""
    app = make_app(stub, sink)

    @app.command("/ask")
    def answer(ack, respond):
        ack()
        respond("Because.")

    app.dispatch(make_command(stub))
    finish(app)

    assert [json.loads(body)["text"] for body in stub.sent_to("/response")] == [
        "Because."
    ]
    assert sink.records[0]["user_query"] == "/ask why"
    assert sink.records[0]["response"] == "Because."


def test_a_forged_request_leaves_no_record(stub, sink):
    """Bolt refuses a wrong signature before anything counts as a question."""
    app = make_app(stub, sink)

    @app.event("app_mention")
    def answer(say):
        say("Because.")

    request = make_mention()
    request.headers["x-slack-signature"] = ["v0=00"]
    response = app.dispatch(request)
    finish(app)

    assert response.status == 401
    assert sink.records == []


class HeldSink(MemorySink):
    """Takes a record only when it is let."""

    def __init__(self):
        super().__init__()
        self.let = threading.Event()

    def write(self, entry):
        self.let.wait(10)
        super().write(entry)


def test_slack_has_its_reply_before_the_record_is_written(stub):
    """A sink that hangs delays neither the message nor the next listener."""
    sink = HeldSink()
    app = make_app(stub, sink)

    @app.event("app_mention")
    def answer(say):
        say("Because.")

    app.dispatch(make_mention())
    app.dispatch(make_mention(ts="2.0", event_ts="2.0"))
    finish(app)
    posted_count = len(stub.sent_to("/chat.postMessage"))
    written_count = len(sink.entries)
    sink.let.set()
    for thread in threading.enumerate():
        if thread.name == THREAD_NAME:
            thread.join(10)

    assert (posted_count, written_count) == (2, 0)
    assert len(sink.entries) == 2


def test_an_async_slack_app_is_audited(stub, sink):
    """The same through AsyncApp and aiohttp."""

    async def run():
        app = AsyncApp(
            client=AsyncWebClient(token="xoxb-0", base_url=f"{stub.url}/api/"),
            signing_secret=SECRET,
        )
        app.use(async_audit_middleware(make_slack_audit(stub, sink)))
        ended = asyncio.Event()

        @app.event("app_mention")
        async def answer(say):
            await say("Because.")
            ended.set()

        response = await app.async_dispatch(make_mention(AsyncBoltRequest))
        await asyncio.wait_for(ended.wait(), 10)
        return response

    response = asyncio.run(run())

    (record,) = sink.records
    assert response.status == 200
    assert len(stub.sent_to("/chat.postMessage")) == 1
    assert record["user_id"] == "bob.smith"
    assert record["response"] == "Because."


class InventedModel(Model):
    """Says the same to everybody."""

    def update_config(self, **_):
        return

    def get_config(self):
        return {"model_id": "eu.example-model-v1:0"}

    def structured_output(self, *args, **kwargs):
        raise NotImplementedError

    async def stream(self, *args, **kwargs):
        yield {"messageStart": {"role": "assistant"}}
        yield {"contentBlockDelta": {"delta": {"text": "Because."}}}
        yield {"contentBlockStop": {}}
        yield {"messageStop": {"stopReason": "end_turn"}}
        usage = {"inputTokens": 10, "outputTokens": 2, "totalTokens": 12}
        yield {"metadata": {"usage": usage, "metrics": {"latencyMs": 1}}}


def test_an_agent_behind_a_slack_bot_is_part_of_its_question(stub, sink):
    """Bolt's middleware and Strands' hook together leave one record."""
    app = make_app(stub, sink)
    hook = AuditHook(make_slack_audit(stub, sink))

    @app.event("app_mention")
    def answer(say, event):
        agent = Agent(model=InventedModel(), hooks=[hook], callback_handler=None)
        say(str(agent(event["text"])))

    app.dispatch(make_mention())
    finish(app)

    (record,) = sink.records
    assert record["user_id"] == "bob.smith"
    assert record["response"] == "Because."
    assert record["input_tokens"] == 10
    assert record["model_used"] == "eu.example-model-v1:0"


class Vera(ActivityHandler):
    """A bot that knows one answer."""

    async def on_message_activity(self, turn_context):
        turn_context.turn_state["audit_question"].set(model_used="model-1")
        await turn_context.send_activity("Because.")


def make_activity(stub, **changes):
    values = {
        "type": "message",
        "id": "1732460645",
        "text": "<at>Vera</at> why?",
        "channelId": "msteams",
        "serviceUrl": f"{stub.url}/teams/",
        "from": {"id": "29:1", "name": "Bob Smith", "aadObjectId": "oid-1"},
        "recipient": {"id": "28:bot", "name": "Vera"},
        "conversation": {
            "id": "a:1",
            "conversationType": "personal",
            "tenantId": "tid0",
        },
        "channelData": {"tenant": {"id": "tid0"}},
    }
    return values | changes


def check_teams(stub, record):
    (sent,) = stub.sent_to("/activities/1732460645")
    assert_valid(record)
    assert json.loads(sent)["text"] == "Because."
    assert record["user_id"] == "bob.smith"
    assert record["user_query"] == "why?"
    assert record["response"] == "Because."
    assert record["conversation_id"] == "a:1"
    assert record["model_used"] == "model-1"


def test_a_teams_message_is_answered_and_audited(stub, sink):
    """Through BotFrameworkAdapter to the connector, the person named by Graph."""
    adapter = BotFrameworkAdapter(BotFrameworkAdapterSettings("", ""))
    adapter.use(AuditMiddleware(make_teams_audit(stub, sink)))

    async def run():
        request = {"body": make_activity(stub)}
        await adapter.process_activity(request, "", Vera().on_turn)

    asyncio.run(run())

    (record,) = sink.records
    check_teams(stub, record)


async def _post(adapter, activity):
    """Serve a bot on loopback, post one activity to it, return the answer."""
    bot = Vera()

    async def messages(request):
        return await adapter.process(request, bot)

    app = web.Application()
    app.router.add_post("/api/messages", messages)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.post(
                f"http://127.0.0.1:{port}/api/messages", json=activity
            ) as answer,
        ):
            return answer.status, await answer.read()
    finally:
        await runner.cleanup()


def test_a_teams_bot_of_the_cloud_adapter_is_audited(stub, sink):
    """Through aiohttp and CloudAdapter, as today's bots are built."""
    adapter = CloudAdapter()
    adapter.use(AuditMiddleware(make_teams_audit(stub, sink)))

    status, _ = asyncio.run(_post(adapter, make_activity(stub)))

    (record,) = sink.records
    assert status < 300
    check_teams(stub, record)


def test_replies_in_the_answer_do_not_wait_for_the_record(stub):
    """With expectReplies the person waits for the HTTP answer, so the record can't."""
    sink = HeldSink()
    adapter = BotFrameworkAdapter(BotFrameworkAdapterSettings("", ""))
    adapter.use(AuditMiddleware(make_teams_audit(stub, sink)))

    async def run():
        request = {"body": make_activity(stub, deliveryMode="expectReplies")}
        return await adapter.process_activity(request, "", Vera().on_turn)

    answer = asyncio.run(run())
    written_count = len(sink.entries)
    sink.let.set()
    for thread in threading.enumerate():
        if thread.name == THREAD_NAME:
            thread.join(10)

    assert [each["text"] for each in answer.body["activities"]] == ["Because."]
    assert written_count == 0
    assert len(sink.entries) == 1


@pytest.mark.parametrize(
    ("module", "framework"),
    [
        ("emitter", "emitter.beside"),
        ("emitter.bolt", "slack_bolt"),
        ("emitter.botframework", "botbuilder"),
        ("emitter.strands", "strands"),
    ],
)
def test_no_adapter_loads_its_framework(module, framework):
    """A bot pays for what it uses: `import emitter` loads no adapter either."""
    code = (
        f"import sys, {module}; "
        f"sys.exit(any(n.split('.')[0] == {framework!r} or n == {framework!r}"
        " for n in sys.modules))"
    )

    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=60)

    assert done.returncode == 0
