"""The Bot Framework adapter with botbuilder's own objects, without a network."""

from __future__ import annotations

import asyncio
import threading

import pytest
from botbuilder.core import MessageFactory
from botbuilder.core.adapters import TestAdapter as LocalAdapter
from botbuilder.schema import (
    Activity,
    Attachment,
    ChannelAccount,
    ConversationAccount,
)

from emitter import AuditEmitter, Clock
from emitter.beside import THREAD_NAME
from emitter.botframework import AuditMiddleware
from emitter.question import current_question
from emitter.testing import MemorySink, assert_valid


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
    return AuditEmitter(bot_name="VeraTeams", sinks=[sink])


def make_activity(**changes):
    values = {
        "type": "message",
        "id": "1732460645",
        "text": "<at>Vera</at> why?",
        "channel_id": "msteams",
        "from_property": ChannelAccount(id="29:1", name="Bob", aad_object_id="oid-1"),
        "recipient": ChannelAccount(id="28:bot", name="Vera"),
        "conversation": ConversationAccount(id="19:abc", tenant_id="tid0"),
        "service_url": "https://example.com/",
    }
    return Activity(**(values | changes))


def run(audit, logic, activity=None, on_error=None):
    adapter = LocalAdapter(logic)
    adapter.use(AuditMiddleware(audit))
    adapter.on_turn_error = on_error
    context = adapter.create_turn_context(activity or make_activity())
    asyncio.run(adapter.run_pipeline(context, logic))
    return adapter, context


def test_a_turn_leaves_one_record_with_question_and_reply(audit, sink):
    """What was asked comes from the activity, what was shown from what was sent."""

    async def answer(context):
        await context.send_activity("Because.")

    adapter, _ = run(audit, answer)

    (record,) = sink.records
    assert_valid(record)
    assert [sent.text for sent in adapter.activity_buffer] == ["Because."]
    assert record["user_query"] == "why?"
    assert record["response"] == "Because."
    assert record["conversation_id"] == "19:abc"
    assert record["message_id"] == "teams:19:abc/1732460645"
    assert record["outcome"] == "answered"


def test_the_question_is_in_the_turn_state(audit, sink):
    """A turn reaches its question by name and as the current one."""
    seen = []

    async def answer(context):
        seen.extend((context.turn_state["audit_question"], current_question()))
        seen[0].set(model_used="model-1")

    run(audit, answer)

    assert seen[0] is seen[1]
    assert seen[0].record_id == sink.records[0]["record_id"]
    assert sink.records[0]["model_used"] == "model-1"


def test_all_messages_of_a_turn_are_the_reply(audit, sink):
    """Several sent, one updated; typing and traces are not shown as text."""

    async def answer(context):
        await context.send_activities([Activity(type="typing"), Activity(text="One.")])
        sent = await context.send_activity(MessageFactory.text("Two ..."))
        update = MessageFactory.text("Two.")
        update.id = sent.id
        await context.update_activity(update)
        await context.send_trace_activity("note", "x")

    run(audit, answer)

    assert sink.records[0]["response"] == "One.\nTwo ...\nTwo."


def test_a_card_is_read(audit, sink):
    """A card's text is the reply."""
    card = {"type": "AdaptiveCard", "body": [{"type": "TextBlock", "text": "Yes"}]}

    async def answer(context):
        await context.send_activity(
            MessageFactory.attachment(
                Attachment(
                    content_type="application/vnd.microsoft.card.adaptive", content=card
                )
            )
        )

    run(audit, answer)

    assert "Yes" in sink.records[0]["response"]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"type": "conversationUpdate", "text": None}, id="member"),
        pytest.param({"type": "typing", "text": None}, id="typing"),
        pytest.param({"type": "messageReaction", "text": None}, id="like"),
        pytest.param({"type": "event", "name": "tokens/response"}, id="token"),
        pytest.param(
            {
                "type": "invoke",
                "name": "signin/tokenExchange",
                "value": {"token": "canary"},
            },
            id="sign-in",
        ),
        pytest.param(
            {
                "type": "invoke",
                "name": "composeExtension/query",
                "value": {"commandId": "find", "state": "canary"},
            },
            id="after sign-in",
        ),
    ],
)
def test_what_asks_nothing_leaves_no_record(audit, sink, changes):
    """The turn runs, its question can be used, nothing is written."""
    ran = []

    async def answer(context):
        ran.append(context.turn_state["audit_question"])
        await context.send_activity("Welcome.")

    run(audit, answer, make_activity(**changes))

    assert len(ran) == 1
    assert sink.records == []


def test_an_invoke_is_a_question(audit, sink):
    """A button of a card is pressed: the person asks for something."""

    async def answer(context):
        await context.send_activity("Done.")

    activity = make_activity(
        type="invoke", name="adaptiveCard/action", text=None, value={"choice": "1"}
    )
    run(audit, answer, activity)

    assert sink.records[0]["response"] == "Done."


def test_expected_replies_are_captured(audit, sink):
    """Replies that travel in the answer of the request count as sent ones."""

    async def answer(context):
        await context.send_activity("Because.")

    _, context = run(audit, answer, make_activity(delivery_mode="expectReplies"))

    assert [each.text for each in context.buffered_reply_activities] == ["Because."]
    assert sink.records[0]["response"] == "Because."


def test_the_bots_error_reaches_its_own_handler(audit, sink):
    """The adapter's error handler sees the error as without the audit."""
    errors = []

    async def note(context, error):
        errors.append(type(error))

    async def answer(context):
        raise KeyError("x")

    run(audit, answer, on_error=note)

    assert errors == [KeyError]
    assert sink.records[0]["outcome"] == "error"
    assert sink.records[0]["error_type"] == "KeyError"


def test_a_cancelled_turn_is_recorded(audit, sink):
    """Cancelling goes on, and the record says so."""

    async def answer(context):
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        run(audit, answer)

    assert sink.records[0]["outcome"] == "cancelled"


def test_the_turn_runs_where_no_question_can_be_made(sink):
    """A clock that raises ends in a log line, not in the bot."""

    def explode():
        raise OSError

    async def answer(context):
        await context.send_activity("Because.")

    adapter, _ = run(
        AuditEmitter("b", sinks=[sink], clock=Clock(now_ms=explode)), answer
    )

    assert [sent.text for sent in adapter.activity_buffer] == ["Because."]
    assert sink.records == []


def test_what_the_turn_returns_goes_on(audit):
    """Invoke responses are returned through the middleware."""

    async def answer():
        return "response"

    context = LocalAdapter(answer).create_turn_context(make_activity())

    assert asyncio.run(AuditMiddleware(audit).on_turn(context, answer)) == "response"


class LambdaContext:
    """As much of what AWS hands to a handler as names a request."""

    aws_request_id = "00000000-0000-4000-8000-000000000001"
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:VeraTeams"
    log_stream_name = "2026/11/24/[$LATEST]0001"


def run_on_lambda(audit, lambda_context):
    async def answer(context):
        await context.send_activity("Because.")

    adapter = LocalAdapter(answer)
    adapter.use(AuditMiddleware(audit, lambda_context=lambda_context))
    context = adapter.create_turn_context(make_activity())
    asyncio.run(adapter.run_pipeline(context, answer))
    return adapter


def test_the_bot_can_tell_the_lambdas_context(audit, sink):
    """Bot Framework has no place for it, so the middleware asks the bot."""
    run_on_lambda(audit, LambdaContext)

    (record,) = sink.records
    assert record["request_id"] == LambdaContext.aws_request_id
    assert record["aws_account_id"] == "123456789012"
    assert record["session_id"] == LambdaContext.log_stream_name


def test_a_context_that_cannot_be_had_does_not_harm_the_turn(audit, sink):
    """The bot's reply is sent, and the record is written without it."""

    def explode():
        raise LookupError

    adapter = run_on_lambda(audit, explode)

    (record,) = sink.records
    assert [sent.text for sent in adapter.activity_buffer] == ["Because."]
    assert record["response"] == "Because."
    assert "request_id" not in record
