"""Readers for the event streams of the OpenAI APIs, and of those who copy them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from emitter.conversation.answer import bodies, replies, usage
from emitter.conversation.answer.facts import AnswerFacts
from emitter.conversation.shape import (
    dict_at,
    dicts_in,
    first_text,
    only_text,
)
from emitter.conversation.stream.blocks import Blocks, extras_in
from emitter.conversation.stream.halves import as_came, first_as_came


def is_chat_chunk(event: dict[str, Any]) -> bool:
    """Whether an event is a chunk of OpenAI's chat completions."""
    if event.get("object") == "chat.completion.chunk":
        return True
    choices = dicts_in(event.get("choices"))
    return bool(choices) and ("delta" in choices[0] or "message" in choices[0])


class ChatReader:
    """Chunks of OpenAI's chat completions."""

    def __init__(self) -> None:
        self.is_done = False
        self._blocks = Blocks()
        self._facts = AnswerFacts()
        self._extras: dict[str, Any] = {}

    def feed(self, event: dict[str, Any]) -> None:
        """Take one chunk; the last may have counts and no choice."""
        self._facts = replace(
            self._facts,
            model=first_text(event, "model") or self._facts.model,
            request_id=first_text(event, "id") or self._facts.request_id,
        )
        if event.get("usage") is not None:
            self._facts = usage.of_openai(event["usage"]).put(self._facts)
        self._extras.update(extras_in(event))
        for choice in dicts_in(event.get("choices"))[:1]:
            self._add_choice(choice)

    def _add_choice(self, choice: dict[str, Any]) -> None:
        # Mistral's models on Bedrock send their pieces as messages.
        delta = dict_at(choice, "delta") or dict_at(choice, "message")
        if text := _text_of(delta):
            self._blocks.add_text(0, text)
        for call in dicts_in(delta.get("tool_calls")):
            # Only a call's first piece carries its name.
            if name := first_text(replies.called(call), "name"):
                self._blocks.add_tool(call.get("index"), name)
        if reason := first_text(choice, "finish_reason", "stop_reason"):
            self.is_done = True
            self._facts = replace(self._facts, stop_reason=reason)

    def facts(self) -> AnswerFacts:
        """Return what has arrived so far."""
        blocks = self._blocks.facts()
        facts = replace(self._facts, text=blocks.text, tools=blocks.tools)
        return bodies.add_extras(facts, self._extras)


def _text_of(delta: dict[str, Any]) -> str:
    parts = replies.spoken(delta.get("content"))
    texts = (first_as_came(each, "text", "refusal") for each in parts)
    return "".join(texts) or first_as_came(delta, "content", "refusal")


class ResponsesReader:
    """OpenAI's responses stream; its last event repeats the whole answer."""

    def __init__(self) -> None:
        self.is_done = False
        self._blocks = Blocks()
        self._whole: AnswerFacts | None = None

    def feed(self, event: dict[str, Any]) -> None:
        """Take one event."""
        kind = only_text(event.get("type"))
        if kind in ("response.output_text.delta", "response.refusal.delta"):
            block = (event.get("output_index"), event.get("content_index"))
            self._blocks.add_text(block, as_came(event.get("delta")))
        elif kind in ("response.completed", "response.incomplete", "response.failed"):
            self.is_done = kind == "response.completed"
            whole = replies.read_responses(dict_at(event, "response"))
            # What has failed may come without the text that was sent before.
            said = self._blocks.facts().text
            self._whole = replace(whole, text=whole.text or said)
        elif kind == "error":
            code = first_text(event, "code") or "error"
            self._whole = replace(self.facts(), error_type=code, is_complete=False)

    def facts(self) -> AnswerFacts:
        """Return what has arrived so far."""
        return self._whole or self._blocks.facts()
