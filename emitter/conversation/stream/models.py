"""Readers for the event streams of models."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from emitter.conversation import typed
from emitter.conversation.answer import agents, bodies, replies, usage
from emitter.conversation.answer.facts import AnswerFacts
from emitter.conversation.answer.usage import Usage
from emitter.conversation.shape import (
    as_dict,
    dict_at,
    first_text,
    only_text,
)
from emitter.conversation.stream.blocks import Blocks, extras_in
from emitter.conversation.stream.halves import as_came, first_as_came, join_pieces
from emitter.conversation.stream.native import METRICS_KEY


class ConverseReader:
    """ConverseStream, Nova's own stream, and the many messages of an agent."""

    def __init__(self) -> None:
        self.is_done = False
        self._blocks = Blocks()
        self.messages = 0
        self._stop_reason: str | None = None
        self._usage = Usage()
        self._trace: dict[str, Any] = {}
        self._extras: dict[str, Any] = {}

    def feed(self, event: dict[str, Any]) -> None:
        """Take one event."""
        self._extras.update(extras_in(event))
        for name, read in self._READERS.items():
            if name in event:
                read(self, as_dict(event[name]) or {})

    def _start_message(self, event: dict[str, Any]) -> None:
        del event
        self.messages += 1
        self.is_done = False

    def _start_block(self, event: dict[str, Any]) -> None:
        if call := dict_at(event, "start", "toolUse"):
            self._blocks.add_tool(call.get("toolUseId"), call.get("name"))
        result = dict_at(event, "start", "toolResult")
        if result.get("status") == "error":
            self._blocks.fail_tool(result.get("toolUseId"))

    def _add_delta(self, event: dict[str, Any]) -> None:
        delta = dict_at(event, "delta")
        block = (self.messages, event.get("contentBlockIndex"))
        if text := as_came(delta.get("text")):
            self._blocks.add_text(block, text)
        if cited := dict_at(delta, "citation"):
            web = dict_at(cited, "location", "web")
            uri = first_text(web, "url") or first_text(cited, "source")
            self._blocks.cited.append((first_text(cited, "title"), uri))

    def _stop_message(self, event: dict[str, Any]) -> None:
        self.is_done = True
        self._stop_reason = first_text(event, "stopReason") or None

    def _add_metadata(self, event: dict[str, Any]) -> None:
        self._usage = self._usage.plus(usage.of_converse(event.get("usage")))
        self._trace = dict_at(event, "trace") or self._trace

    def facts(self) -> AnswerFacts:
        """Return what has arrived so far."""
        model = first_text(dict_at(self._trace, "promptRouter"), "invokedModelId")
        facts = replace(
            self._blocks.facts(), stop_reason=self._stop_reason, model=model or None
        )
        facts = replies.with_trace(self._usage.put(facts), self._trace)
        return bodies.add_extras(facts, self._extras)

    _READERS: Final = {
        "messageStart": _start_message,
        "contentBlockStart": _start_block,
        "contentBlockDelta": _add_delta,
        "messageStop": _stop_message,
        "metadata": _add_metadata,
    }


class AnthropicReader:
    """Anthropic's Messages stream, at home or through Bedrock."""

    def __init__(self) -> None:
        self.is_done = False
        self._blocks = Blocks()
        self._model: str | None = None
        self._request_id: str | None = None
        self._stop_reason: str | None = None
        self._error_type: str | None = None
        self._usage: dict[str, Any] = {}
        self._extras: dict[str, Any] = {}

    def feed(self, event: dict[str, Any]) -> None:
        """Take one event; the SDK's own convenience events repeat others."""
        read = self._READERS.get(only_text(event.get("type")))
        if read is not None:
            read(self, event)
        self._extras.update(extras_in(event))

    def _start_message(self, event: dict[str, Any]) -> None:
        message = dict_at(event, "message")
        self._model = first_text(message, "model") or None
        self._request_id = first_text(message, "id") or None
        self._count(message.get("usage"))

    def _count(self, counted: Any) -> None:
        """Later counts replace earlier ones: they are sums, not steps."""
        found = as_dict(counted) or {}
        self._usage.update({k: v for k, v in found.items() if v is not None})

    def _start_block(self, event: dict[str, Any]) -> None:
        block = dict_at(event, "content_block")
        if only_text(block.get("type")).endswith("tool_use"):
            self._blocks.add_tool(block.get("id"), block.get("name"))
        if replies.is_failed_result(block):
            self._blocks.fail_tool(block.get("tool_use_id"))
        if text := as_came(block.get("text")):
            self._blocks.add_text(event.get("index"), text)

    def _add_delta(self, event: dict[str, Any]) -> None:
        delta = dict_at(event, "delta")
        if text := as_came(delta.get("text")):
            self._blocks.add_text(event.get("index"), text)
        cited = {"citations": [delta.get("citation")]}
        self._blocks.cited += typed.citations_of(cited)

    def _change_message(self, event: dict[str, Any]) -> None:
        self._count(event.get("usage"))
        reason = first_text(dict_at(event, "delta"), "stop_reason")
        self._stop_reason = reason or self._stop_reason

    def _stop_message(self, event: dict[str, Any]) -> None:
        del event
        self.is_done = True

    def _fail(self, event: dict[str, Any]) -> None:
        self._error_type = first_text(dict_at(event, "error"), "type") or "error"

    def facts(self) -> AnswerFacts:
        """Return what has arrived so far."""
        facts = replace(
            self._blocks.facts(),
            model=self._model,
            stop_reason=self._stop_reason,
            request_id=self._request_id,
            error_type=self._error_type,
        )
        facts = usage.of_anthropic(self._usage).put(facts)
        return bodies.add_extras(facts, self._extras)

    _READERS: Final = {
        "message_start": _start_message,
        "content_block_start": _start_block,
        "content_block_delta": _add_delta,
        "message_delta": _change_message,
        "message_stop": _stop_message,
        "error": _fail,
    }


class BodyReader:
    """Models whose stream is a row of bodies: Titan, Llama, Mistral, Cohere."""

    def __init__(self) -> None:
        self.is_done = False
        self._pieces: list[str] = []
        self._stop_reason: str | None = None
        self._usage = Usage()
        self._extras: dict[str, Any] = {}

    def feed(self, event: dict[str, Any]) -> None:
        """Take one body; the last has stop reason and counts, the first may."""
        found = bodies.read_model_body(event, first_as_came)
        self._pieces.append(found.text)
        self._extras.update(extras_in(event))
        self._stop_reason = found.stop_reason or self._stop_reason
        is_last = event.get("is_finished") is True or METRICS_KEY in event
        self.is_done = self.is_done or is_last or found.stop_reason is not None
        counted = Usage(found.input_tokens, found.output_tokens)
        self._usage = counted.over(self._usage)

    def facts(self) -> AnswerFacts:
        """Return what has arrived so far."""
        facts = AnswerFacts(
            text=join_pieces(self._pieces), stop_reason=self._stop_reason
        )
        return bodies.add_extras(self._usage.put(facts), self._extras)


def is_strands(event: dict[str, Any]) -> bool:
    """Whether an event is one that a Strands agent gives its callback."""
    return isinstance(event.get("data"), str)


class StrandsReader:
    """The events of a Strands agent: Converse's events, wrapped, and the result."""

    def __init__(self) -> None:
        self._converse = ConverseReader()
        self._has_events = False
        self._pieces: list[str] = []
        self._result: AnswerFacts | None = None

    @property
    def is_done(self) -> bool | None:
        """Whether the agent, or at least its last message, came to its end."""
        if self._result is None and self._pieces and not self._has_events:
            return None
        return self._result is not None or self._converse.is_done

    def feed(self, event: dict[str, Any]) -> None:
        """Take one event; ``data`` repeats what ``event`` has said, if both come."""
        if inner := dict_at(event, "event"):
            self._has_events = True
            self._converse.feed(inner)
        self._pieces.append(as_came(event.get("data")))
        if event.get("result") is not None:
            self._result = agents.read_agent_result(event["result"])

    def facts(self) -> AnswerFacts:
        """Return what has arrived so far."""
        if self._result is not None:
            return self._result
        facts = self._converse.facts()
        return replace(
            facts,
            text=facts.text or join_pieces(self._pieces),
            llm_calls=max(self._converse.messages, 1),
        )
