"""Vera on Teams: the same help bot on Bot Framework, audited by a middleware.

The Bot Connector calls the Lambda through API Gateway with one activity. As a Lambda
of its own it begins with::

    adapter = BotFrameworkAdapter(BotFrameworkAdapterSettings(APP_ID, APP_PASSWORD))
    audit = AuditEmitter("VeraTeams", directory=TeamsDirectory(graph_token))
    vera = VeraTeams(adapter, audit, boto3.client("bedrock-runtime"))
    handler = vera.handle
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import defaultdict
from contextvars import ContextVar
from typing import Any

from botbuilder.core import ActivityHandler, BotFrameworkAdapter, TurnContext

from emitter import AuditEmitter, Question
from emitter.botframework import AuditMiddleware
from examples.scripted_model import MODEL_ID, Model

SORRY = "Sorry, something went wrong on my side."
# Bot Framework hands no Lambda context to a turn; the audit middleware asks for it.
LAMBDA_CONTEXT: ContextVar[Any] = ContextVar("lambda_context", default=None)


class VeraTeams(ActivityHandler):
    """The bot: what it does with a message, and the Lambda's handler.

    Args:
        adapter: The Bot Framework adapter, with the bot's credentials.
        audit: The audit trail, with a directory that asks Microsoft Graph.
        model: Bedrock's ``bedrock-runtime`` client, or a script.
    """

    def __init__(
        self, adapter: BotFrameworkAdapter, audit: AuditEmitter, model: Model
    ) -> None:
        super().__init__()
        self._adapter = adapter
        self._model = model
        self._conversations: dict[str, list[dict[str, Any]]] = defaultdict(list)
        # One record for each question.
        adapter.use(AuditMiddleware(audit, lambda_context=LAMBDA_CONTEXT.get))

    def handle(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """Answer one event of API Gateway; AWS calls this."""
        LAMBDA_CONTEXT.set(context)
        signature = event["headers"].get("authorization", "")
        request = {"body": json.loads(event["body"])}
        asyncio.run(self._adapter.process_activity(request, signature, self.on_turn))
        return {"statusCode": 201}

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Answer one message; Bot Framework calls this.

        What is sent is the reply in the record. The rest that Bot Framework cannot
        see, which model was asked and what it saw and answered, is told here.
        """
        audit_question = turn_context.turn_state["audit_question"]
        audit_question.set(model_used=MODEL_ID)
        activity = turn_context.activity
        messages = self._conversations[activity.conversation.id]
        messages.append(_turn("user", _without_mention(activity.text)))
        answer = self._ask(audit_question.conversation(messages), audit_question)
        await turn_context.send_activity(answer)
        messages.append(_turn("assistant", answer))

    def _ask(self, messages: list[dict[str, Any]], audit_question: Question) -> str:
        try:
            answer = self._model.converse(modelId=MODEL_ID, messages=messages)
        except Exception as error:  # noqa: BLE001 - the person gets a reply anyway
            audit_question.set(outcome="error", error_type=type(error).__name__)
            return SORRY
        audit_question.model_response(answer)
        text: str = answer["output"]["message"]["content"][0]["text"]
        return text


def _turn(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "content": [{"text": text}]}


def _without_mention(text: str) -> str:
    """Remove the mention of the bot that Teams puts in front of a message."""
    return re.sub(r"<at>[^<]*</at>", "", text).strip()
