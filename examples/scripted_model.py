"""A model that needs no AWS: answers from a table, in Bedrock's own shape.

The bots call it as they would call boto3's ``bedrock-runtime`` client. With
``VERA_MODEL=bedrock`` in the environment they get that client instead.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

MODEL_ID = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
# English text has about four characters a token; good enough for a script.
CHARS_A_TOKEN = 4


class Model(Protocol):
    """The one call of Bedrock's client that the bots make."""

    def converse(self, **request: Any) -> dict[str, Any]:
        """Answer ``messages``, as Bedrock's Converse does."""


class ThrottlingException(Exception):  # noqa: N818 - Bedrock's own name
    """Stands for the service's refusal when a bot asks too often."""


@dataclass(frozen=True)
class Reply:
    """One scripted answer.

    Attributes:
        text: What the model says.
        stop_reason: Bedrock's word for why it stopped.
        blocked_topic: The guardrail's denied topic, if it stepped in.
        is_throttled: Whether the call fails instead.
    """

    text: str
    stop_reason: str = "end_turn"
    blocked_topic: str = ""
    is_throttled: bool = False


@dataclass
class ScriptedModel:
    """Answers each question with the reply the script has for it."""

    script: Mapping[str, Reply]
    default: Reply = field(default_factory=lambda: Reply("I don't know that one yet."))

    def converse(self, **request: Any) -> dict[str, Any]:
        """Return a Converse answer for the last message.

        Raises:
            ThrottlingException: The script says this call is refused.
        """
        messages: Sequence[dict[str, Any]] = request["messages"]
        question = messages[-1]["content"][0]["text"]
        reply = self.script.get(question, self.default)
        if reply.is_throttled:
            raise ThrottlingException("Too many requests, please wait.")
        return _converse_answer(messages, reply)


def make_model(script: Mapping[str, Reply]) -> Model:
    """Return Bedrock's client if the environment asks for it, else the script."""
    if os.environ.get("VERA_MODEL") == "bedrock":
        import boto3  # noqa: PLC0415 - the script needs no AWS library

        client: Model = boto3.client("bedrock-runtime")
        return client
    return ScriptedModel(script)


def _converse_answer(
    messages: Sequence[dict[str, Any]], reply: Reply
) -> dict[str, Any]:
    read = sum(len(str(message["content"])) for message in messages) // CHARS_A_TOKEN
    written = max(len(reply.text) // CHARS_A_TOKEN, 1)
    answer: dict[str, Any] = {
        "output": {"message": {"role": "assistant", "content": [{"text": reply.text}]}},
        "stopReason": reply.stop_reason,
        "usage": {
            "inputTokens": read,
            "outputTokens": written,
            "totalTokens": read + written,
        },
        "metrics": {"latencyMs": 20 * written},
    }
    if reply.blocked_topic:
        answer["stopReason"] = "guardrail_intervened"
        answer["trace"] = {"guardrail": {"inputAssessment": _assessment(reply)}}
    return answer


def _assessment(reply: Reply) -> dict[str, Any]:
    topic = {"name": reply.blocked_topic, "type": "DENY", "action": "BLOCKED"}
    return {"gr-example": {"topicPolicy": {"topics": [topic]}}}
