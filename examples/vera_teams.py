"""Vera on Teams: the same help bot, called with Bot Framework activities."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from emitter import AuditEmitter
from examples.scripted_model import MODEL_ID, Model

SORRY = "Sorry, something went wrong on my side."
Send = Callable[[str, str], None]


class VeraTeams:
    """The bot: one call for each message activity.

    Args:
        audit: The audit trail, with a directory that asks Microsoft Graph.
        model: Bedrock's ``bedrock-runtime`` client, or a script.
        send: Sends a text: conversation id, text.
    """

    def __init__(self, audit: AuditEmitter, model: Model, send: Send) -> None:
        self._audit = audit
        self._model = model
        self._send = send
        self._conversations: dict[str, list[dict[str, Any]]] = defaultdict(list)

    async def on_message(self, activity: dict[str, Any], context: Any) -> str:
        """Answer one activity and return what the person was shown."""
        conversation_id = activity["conversation"]["id"]
        messages = self._conversations[conversation_id]
        async with self._audit.question(
            activity, lambda_context=context, model=MODEL_ID
        ) as q:
            messages.append(_turn("user", _without_mention(activity["text"])))
            q.conversation(messages)
            try:
                answer = self._model.converse(modelId=MODEL_ID, messages=messages)
            except Exception as error:  # noqa: BLE001 - the person gets a reply anyway
                q.set(outcome="error", error_type=type(error).__name__)
                text = SORRY
            else:
                q.model_response(answer)
                text = answer["output"]["message"]["content"][0]["text"]
            self._send(conversation_id, text)
            q.reply(text)
        messages.append(_turn("assistant", text))
        return text


def _turn(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "content": [{"text": text}]}


def _without_mention(text: str) -> str:
    """Remove the mention of the bot that Teams puts in front of a message."""
    return re.sub(r"<at>[^<]*</at>", "", text).strip()
