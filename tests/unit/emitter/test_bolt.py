"""The Bolt adapter with Bolt's own objects, without a network."""

from __future__ import annotations

import asyncio
import copy
import json
import threading

import pytest
from slack_bolt import App, Assistant, BoltRequest
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult

from emitter import AuditEmitter, Clock
from emitter.beside import THREAD_NAME
from emitter.bolt import BoltQuestion, async_audit_middleware, audit_middleware
from emitter.question import current_question
from emitter.testing import MemorySink, assert_valid

ASKER = {"user": "U1", "channel": "C1", "ts": "1.2", "event_ts": "1.2"}
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:vera"


class Said:
    """Stands for `say`: nothing leaves the process."""

    def __init__(self):
        self.calls = []
        self.channel = "C1"

    def __call__(self, *args, **kwargs):
        self.calls.append((args, kwargs))
        return {"ok": True}


class AsyncSaid(Said):
    async def __call__(self, *args, **kwargs):
        return super().__call__(*args, **kwargs)


def authorize():
    return AuthorizeResult(
        enterprise_id=None, team_id="T1", bot_token="xoxb-0", bot_user_id="UBOT"
    )


async def authorize_async():
    return authorize()


class WrittenSink(MemorySink):
    """Shows its records when all that is being written has come."""

    @property
    def records(self):
        for thread in threading.enumerate():
            if thread.name == THREAD_NAME:
                thread.join(5)
        return super().records


@pytest.fixture
def sink():
    return WrittenSink()


@pytest.fixture
def audit(sink):
    return AuditEmitter(bot_name="VeraSlack", sinks=[sink])


@pytest.fixture
def said():
    return Said()


@pytest.fixture
def app(audit, said):
    app = App(
        authorize=authorize,
        signing_secret="0",
        request_verification_enabled=False,
        process_before_response=True,
    )
    app.use(audit_middleware(audit))
    app.use(_replace_say(said))
    return app


def _replace_say(said):
    def replace_say(context, next_):
        context["say"] = context["respond"] = said
        next_()

    return replace_say


def make_request(kind="app_mention", mode=BoltRequest, **changes):
    event = ASKER | {"type": kind, "text": "<@UBOT> why?"} | changes
    body = {"type": "event_callback", "team_id": "T1", "event": event}
    return mode(body=json.dumps(body), headers={"content-type": ["application/json"]})


def make_command(**changes):
    fields = {"command": "/ask", "text": "why", "user_id": "U1", "team_id": "T1"}
    body = "&".join(f"{k}={v}" for k, v in (fields | changes).items())
    return BoltRequest(
        body=body, headers={"content-type": ["application/x-www-form-urlencoded"]}
    )


def test_a_listener_leaves_one_record_with_question_and_reply(app, sink):
    """What was asked comes from the event, what was shown from `say`."""

    @app.event("app_mention")
    def answer(say):
        say("Because.")

    app.dispatch(make_request())

    (record,) = sink.records
    assert_valid(record)
    assert record["user_query"] == "why?"
    assert record["response"] == "Because."
    assert record["message_id"] == "slack:T1/C1/1.2"
    assert record["outcome"] == "answered"


def test_the_question_is_in_the_context_and_an_argument(app, sink):
    """A listener reaches its question by name, by context and as the current one."""
    seen = []

    @app.event("app_mention")
    def answer(context, audit_question):
        seen.extend((context["audit_question"], audit_question, current_question()))
        audit_question.set(model_used="model-1")

    app.dispatch(make_request())

    assert seen[0] is seen[1] is seen[2]
    assert seen[0].record_id == sink.records[0]["record_id"]
    assert sink.records[0]["model_used"] == "model-1"
    assert current_question() is None


@pytest.mark.parametrize(
    ("args", "kwargs", "shown"),
    [
        pytest.param(("A &amp; <@U2>",), {}, "A & @U2", id="mrkdwn"),
        pytest.param((), {"text": "T"}, "T", id="named"),
        pytest.param(({"text": "T"},), {}, "T", id="whole message"),
        pytest.param((), {"markdown_text": "**T**"}, "**T**", id="markdown"),
        pytest.param(
            ("notification",),
            {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "B"}}]},
            "B",
            id="blocks before text",
        ),
        pytest.param(("T", [{"type": "divider"}]), {}, "T", id="wordless blocks"),
        pytest.param(
            ("T", None, [{"text": "more"}]), {}, "T\n[attachment: more]", id="attached"
        ),
        pytest.param((), {"delete_original": True}, "", id="nothing shown"),
        pytest.param((), {"text": object()}, None, id="anything"),
    ],
)
def test_the_reply_is_what_slack_shows(app, sink, said, args, kwargs, shown):
    """Blocks count before the text that only notifies; formatting is read."""

    @app.event("app_mention")
    def answer(say):
        say(*args, **kwargs)

    app.dispatch(make_request())

    assert said.calls == [(args, kwargs)]
    assert len(sink.records) == 1
    if shown is not None:
        assert sink.records[0]["response"] == shown


def test_say_keeps_its_attributes_and_answer(app):
    """A listener can use `say` and `respond` as it always did."""
    seen = []

    @app.event("app_mention")
    def answer(say, respond):
        seen.extend((say.channel, say("x"), respond("y"), copy.copy(say)("z")))

    app.dispatch(make_request())

    assert seen == ["C1", {"ok": True}, {"ok": True}, {"ok": True}]


def test_a_reply_that_slack_refused_was_not_shown(app, sink):
    """An error of `say` goes to the bot, and the text does not count as shown."""

    def refuse(*args, **kwargs):
        raise ConnectionError

    @app.middleware
    def break_say(context, next_):
        context["say"] = refuse
        next_()

    @app.event("app_mention")
    def answer(say):
        say("Because.")

    response = app.dispatch(make_request())

    assert response.status == 500
    assert sink.records[0]["response"] == ""
    assert sink.records[0]["error_type"] == "ConnectionError"


def test_the_bots_error_reaches_its_own_handler(app, sink):
    """Bolt's error handler sees the listener's error as without the audit."""
    errors = []

    @app.error
    def note(error):
        errors.append(error)

    @app.event("app_mention")
    def answer():
        raise KeyError("x")

    app.dispatch(make_request())

    assert [type(error) for error in errors] == [KeyError]
    assert sink.records[0]["outcome"] == "error"


def test_a_slash_command_can_answer_by_its_acknowledgement(app, sink):
    """Text of `ack` is the reply if nothing else was said."""

    @app.command("/ask")
    def answer(ack):
        ack("Because.")

    response = app.dispatch(make_command())

    assert response.body == "Because."
    assert sink.records[0]["user_query"] == "/ask why"
    assert sink.records[0]["response"] == "Because."


def test_an_acknowledgement_beside_a_reply_does_not_count(app, sink):
    """`ack` with a placeholder, then `respond`: the reply is what counts."""

    @app.command("/ask")
    def answer(ack, respond):
        ack(blocks=[], text="Wait ...")
        respond("Because.")

    app.dispatch(make_command())

    assert sink.records[0]["response"] == "Because."


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({"type": "app_home_opened", "text": None}, id="home tab"),
        pytest.param({"type": "reaction_added", "text": None}, id="reaction"),
        pytest.param(
            {"type": "message", "subtype": "message_deleted", "text": None},
            id="deletion",
        ),
    ],
)
def test_an_event_without_words_is_no_question(app, sink, event):
    """The listener runs, its question can be used, no record is written."""
    ran = []

    @app.event({"type": event["type"], "subtype": event.get("subtype")})
    def answer(audit_question):
        audit_question.reply("x")
        ran.append(audit_question)

    app.dispatch(make_request(**{"kind": event["type"]} | event))

    assert len(ran) == 1
    assert sink.records == []


def test_suggestions_of_a_menu_are_no_questions(app, sink):
    """Slack asks for them at each key pressed."""
    body = {
        "type": "block_suggestion",
        "action_id": "a",
        "value": "cer",
        "user": {"id": "U1"},
        "team": {"id": "T1"},
    }

    @app.options("a")
    def suggest(ack):
        ack(options=[])

    app.dispatch(BoltRequest(body=f"payload={json.dumps(body)}"))

    assert sink.records == []


def test_a_file_alone_is_a_question(app, sink):
    """A picture without a word is something a person gave."""

    @app.event("message")
    def answer(say):
        say("Nice.")

    files = [{"id": "F1", "name": "a.png", "mimetype": "image/png", "size": 3}]
    app.dispatch(make_request("message", text="", files=files))

    assert sink.records[0]["attachments"][0]["name"] == "a.png"


def test_an_event_that_nobody_listens_to_leaves_no_record(app, sink):
    """Without a listener nobody was asked."""
    app.dispatch(make_request())

    assert sink.records == []


def test_one_listener_can_be_audited_alone(audit, said, sink):
    """As the middleware of a listener it leaves the others alone."""
    app = App(
        authorize=authorize,
        signing_secret="0",
        request_verification_enabled=False,
        process_before_response=True,
    )
    app.use(_replace_say(said))

    @app.event("app_mention", middleware=[audit_middleware(audit)])
    def answer(say):
        say("audited")

    @app.event("message")
    def chat(say):
        say("free")

    app.dispatch(make_request())
    app.dispatch(make_request("message"))

    assert [record["response"] for record in sink.records] == ["audited"]


def test_mounted_twice_it_writes_once(app, audit, sink):
    """A second middleware of the same kind changes nothing."""
    app.use(audit_middleware(audit))

    @app.event("app_mention", middleware=[audit_middleware(audit)])
    def answer(say):
        say("x")

    app.dispatch(make_request())
    app.dispatch(make_request())

    assert [record["response"] for record in sink.records] == ["x", "x"]


def test_a_lazy_function_is_the_listener(app, sink, caplog):
    """Its record is written when it has ended; the acknowledgement has none."""
    held = []

    def answer(say, audit_question):
        say("Because.")
        held.append(audit_question)

    app.command("/ask")(ack=lambda ack: ack("Wait ..."), lazy=[answer])
    response = app.dispatch(make_command())
    app.listener_runner.lazy_listener_runner.executor.shutdown()

    (record,) = sink.records
    assert response.body == "Wait ..."
    assert record["response"] == "Because."
    assert record["record_id"] == held[0].record_id
    assert "audit_question" not in caplog.text


def test_a_lazy_function_in_a_lambda_of_its_own(app, sink):
    """Bolt calls the function again for it; only that call leaves a record."""

    def answer(say):
        say("Because.")

    app.command("/ask")(ack=lambda ack: ack(), lazy=[answer])
    request = make_command()
    request.lazy_only = True
    request.lazy_function_name = "answer"
    app.dispatch(request)

    assert [record["response"] for record in sink.records] == ["Because."]


def test_bolts_lambda_handler_names_the_account(app, sink):
    """The ARN that Bolt's AWS handler passes on gives account and region."""

    @app.event("app_mention")
    def answer(say):
        say("x")

    request = make_request()
    request.context["aws_lambda_invoked_function_arn"] = ARN
    app.dispatch(request)

    assert sink.records[0]["aws_account_id"] == "123456789012"
    assert sink.records[0]["aws_region"] == "eu-west-1"


def test_a_lambda_context_in_bolts_context_is_used(app, sink):
    """A bot that puts Lambda's context there has the request id in its record."""

    class LambdaContext:
        aws_request_id = "req-1"

    @app.event("app_mention")
    def answer(say):
        say("x")

    request = make_request()
    request.context["lambda_context"] = LambdaContext()
    app.dispatch(request)

    assert sink.records[0]["request_id"] == "req-1"


def test_the_bot_runs_where_the_audit_is_broken(app, said, sink, monkeypatch):
    """An audit that fails everywhere leaves the listener as it was."""

    def explode(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr(BoltQuestion, "hear", explode)

    @app.event("app_mention")
    def answer(say):
        say("Because.")

    response = app.dispatch(make_request())

    assert response.status == 200
    assert said.calls == [(("Because.",), {})]
    assert sink.records == []


def test_the_bot_runs_where_no_question_can_be_made(said, sink):
    """A clock that raises ends in a log line, not in the bot."""

    def explode():
        raise OSError

    app = App(
        authorize=authorize,
        signing_secret="0",
        request_verification_enabled=False,
        process_before_response=True,
    )
    app.use(
        audit_middleware(AuditEmitter("b", sinks=[sink], clock=Clock(now_ms=explode)))
    )
    app.use(_replace_say(said))

    @app.event("app_mention")
    def answer(say):
        say("Because.")

    response = app.dispatch(make_request())

    assert response.status == 200
    assert said.calls == [(("Because.",), {})]


def test_a_copy_of_the_question_is_the_question(audit):
    """Bolt copies its context for lazy functions."""
    question = BoltQuestion(audit, "why?", {})

    assert copy.deepcopy({"q": question})["q"] is question


@pytest.fixture
def async_said():
    return AsyncSaid()


@pytest.fixture
def async_app(audit, async_said):
    app = AsyncApp(
        authorize=authorize_async,
        signing_secret="0",
        request_verification_enabled=False,
        process_before_response=True,
    )
    app.use(async_audit_middleware(audit))

    @app.middleware
    async def replace_say(context, next_):
        context["say"] = async_said
        await next_()

    return app


def test_an_async_listener_leaves_one_record(async_app, sink):
    """As in a synchronous app."""
    seen = []

    @async_app.event("app_mention")
    async def answer(say, audit_question):
        seen.append(current_question() is audit_question)
        seen.append(await say("Because."))

    asyncio.run(async_app.async_dispatch(make_request(mode=AsyncBoltRequest)))

    (record,) = sink.records
    assert_valid(record)
    assert seen == [True, {"ok": True}]
    assert record["response"] == "Because."
    assert record["user_query"] == "why?"


def test_an_async_lazy_function_is_the_listener(async_app, sink):
    """Its record is written when it has ended."""
    ended = asyncio.Event()

    async def acknowledge(ack):
        await ack()

    async def answer(say, audit_question):
        await say(f"{audit_question.record_id} says why")
        ended.set()

    async_app.event("app_mention")(ack=acknowledge, lazy=[answer])

    async def run():
        await async_app.async_dispatch(make_request(mode=AsyncBoltRequest))
        await asyncio.wait_for(ended.wait(), 5)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.wait_for(asyncio.gather(*others), 5)

    asyncio.run(run())

    (record,) = sink.records
    assert record["response"] == f"{record['record_id']} says why"


def test_an_async_error_reaches_the_app(async_app, sink):
    """The record says error, and the bot's own handler gets it."""
    errors = []

    @async_app.error
    async def note(error):
        errors.append(type(error))

    @async_app.event("app_mention")
    async def answer():
        raise KeyError("x")

    asyncio.run(async_app.async_dispatch(make_request(mode=AsyncBoltRequest)))

    assert errors == [KeyError]
    assert sink.records[0]["error_type"] == "KeyError"


def test_an_assistant_is_audited_as_a_listener(app, sink):
    """Bolt's assistants run their listeners inside a middleware of their own."""
    assistant = Assistant()

    @assistant.user_message
    def answer(say):
        say("Because.")

    app.use(assistant)
    app.dispatch(
        make_request(
            "message", channel="D1", channel_type="im", thread_ts="1.0", text="why?"
        )
    )

    assert [record["user_query"] for record in sink.records] == ["why?"]


def test_a_listener_can_make_a_question_of_any_event(app, sink):
    """An event without words becomes one by a block of its own."""

    @app.event("reaction_added")
    def answer(audit_question):
        with audit_question:
            audit_question.reply("Thanks.")

    app.dispatch(make_request("reaction_added", text=None))

    assert [record["response"] for record in sink.records] == ["Thanks."]
