"""Vera on Slack: a help bot on AWS Lambda, with its audit trail in ten lines.

Slack's Events API calls the Lambda with an ``event_callback`` envelope; the bot
answers in the thread and remembers the thread's turns.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from emitter import AuditEmitter
from examples.scripted_model import MODEL_ID, Model

SORRY = "Sorry, I can't answer right now. Please try again in a minute."
Say = Callable[[str, str, str], None]


class VeraSlack:
    """The bot: one call for each Slack event.

    Args:
        audit: The audit trail; made once, next to the bot's other clients.
        model: Bedrock's ``bedrock-runtime`` client, or a script.
        say: Posts a text: channel, thread, text.
    """

    def __init__(self, audit: AuditEmitter, model: Model, say: Say) -> None:
        self._audit = audit
        self._model = model
        self._say = say
        self._threads: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def handle(self, body: dict[str, Any], context: Any, **facts: Any) -> str:
        """Answer one Slack event and return what the person was shown.

        Args:
            body: The envelope as Slack sends it.
            context: The Lambda's context object.
            **facts: Further fields of the record that the bot knows.
        """
        event = body["event"]
        thread = event.get("thread_ts") or event["ts"]
        with self._audit.question(body, lambda_context=context, model=MODEL_ID) as q:
            q.set(**facts)
            question = re.sub(r"<@[A-Z0-9]+>", "", event["text"]).strip()
            messages = self._remember(thread, "user", question)
            q.conversation(messages)
            text = self._answer(messages, q)
            self._say(event["channel"], thread, text)  # the person comes first
            q.reply(text)
        self._remember(thread, "assistant", text)
        return text

    def _answer(self, messages: list[dict[str, Any]], q: Any) -> str:
        try:
            answer = self._model.converse(modelId=MODEL_ID, messages=messages)
        except Exception as error:  # noqa: BLE001 - the person gets a reply anyway
            q.set(outcome="error", error_type=type(error).__name__)
            return SORRY
        q.model_response(answer)
        text: str = answer["output"]["message"]["content"][0]["text"]
        return text

    def _remember(self, thread: str, role: str, text: str) -> list[dict[str, Any]]:
        self._threads[thread].append({"role": role, "content": [{"text": text}]})
        return self._threads[thread]
