"""Collect the facts of an answer that arrives in pieces.

The first event that is recognised decides which API speaks; the rest of the
stream goes to its reader.
"""

from __future__ import annotations

import enum
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from emitter.conversation.answer import bodies, replies
from emitter.conversation.answer.facts import AnswerFacts
from emitter.conversation.shape import as_dict, dict_at
from emitter.conversation.stream.agents import AgentReader, RetrievalReader
from emitter.conversation.stream.halves import parse_event
from emitter.conversation.stream.models import (
    AnthropicReader,
    BodyReader,
    ConverseReader,
    StrandsReader,
    is_strands,
)
from emitter.conversation.stream.native import CONVERSE_EVENTS, is_native
from emitter.conversation.stream.openai import (
    ChatReader,
    ResponsesReader,
    is_chat_chunk,
)
from emitter.conversation.stream.pieces import TextReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Reader(Protocol):
    """Understands the events of one API.

    Attributes:
        is_done: Whether the event came that ends the answer; None for an API
            whose answer ends with the stream.
    """

    @property
    def is_done(self) -> bool | None:
        """Whether the answer has reached its end."""

    def feed(self, event: dict[str, Any]) -> None:
        """Take one event."""

    def facts(self) -> AnswerFacts:
        """Return what has arrived so far."""


class Speaker(enum.Enum):
    """Whose chunks they are, where the stream itself does not tell."""

    AGENT = enum.auto()
    MODEL = enum.auto()


# Under which name botocore hands over a stream of chunks, and which operation did.
SPEAKERS: Final = {
    "completion": Speaker.AGENT,
    "body": Speaker.MODEL,
    "InvokeAgent": Speaker.AGENT,
    "InvokeInlineAgent": Speaker.AGENT,
    "InvokeModelWithResponseStream": Speaker.MODEL,
}


class Collector:
    """Reads events of any streaming API; never keeps or changes them.

    Args:
        speaker: Whose chunks they are, if that is known.
    """

    def __init__(self, speaker: Speaker | None = None) -> None:
        self._speaker = speaker
        self._reader: Reader | None = None
        self._text: TextReader | None = None
        self._error_type: str | None = None

    def feed(self, event: Any) -> None:
        """Take one event as the bot gets it: dictionary, SDK object or text."""
        if isinstance(event, (str, bytes, bytearray)):
            self._feed_text(event)
            return
        body = as_dict(event)
        if body is not None:
            self._feed_body(body)

    def _feed_body(self, body: dict[str, Any]) -> None:
        if body.get("type") == "chunk":
            # OpenAI's helper wraps what its API sends, beside events of its own.
            body = dict_at(body, "chunk")
        inner = self._inner_event(body)
        body = body if inner is None else inner
        self._error_type = _error_in(body) or self._error_type
        if self._reader is None:
            is_piece = inner is not None and bodies.is_model_body(body)
            self._reader = _choose(body) or (BodyReader() if is_piece else None)
        if self._reader is not None:
            self._reader.feed(body)

    def _feed_text(self, piece: str | bytes | bytearray) -> None:
        if self._text is None:
            self._text = TextReader()
        for event in self._text.feed(piece):
            self._feed_body(event)

    def _inner_event(self, event: dict[str, Any]) -> dict[str, Any] | None:
        """Take a model's own event out of InvokeModelWithResponseStream's chunk.

        An agent's chunk has the same name, but its bytes are plain text, which may
        be JSON as well: until it is clear that a model speaks, only what a model is
        known to send counts.
        """
        is_agent = self._speaker is Speaker.AGENT or type(self._reader) is AgentReader
        if is_agent or event.keys() != {"chunk"}:
            return None
        data = dict_at(event, "chunk").get("bytes")
        if not isinstance(data, (bytes, bytearray, str)):
            return None
        inner = parse_event(data if isinstance(data, str) else bytes(data))
        if not isinstance(inner, dict):
            return None
        is_model = self._speaker is Speaker.MODEL or self._reader is not None
        return inner if is_model or is_native(inner) else None

    def end(self) -> None:
        """Read what waits for the end of its line: nothing more comes."""
        for event in self._text.end() if self._text else ():
            self._feed_body(event)

    def facts(self, *, ended: bool, error_type: str | None = None) -> AnswerFacts:
        """Return what has arrived.

        Args:
            ended: The stream has come to its end by itself.
            error_type: Why it did not.
        """
        reader = self._reader
        facts = reader.facts() if reader else AnswerFacts()
        if self._text is not None:
            facts = replace(facts, text=facts.text or self._text.text())
        done = reader.is_done if reader else None
        failure = error_type or self._error_type or facts.error_type
        is_complete = facts.is_complete and (ended if done is None else done)
        return replace(
            facts, error_type=failure, is_complete=is_complete and failure is None
        )


def collect(events: Iterable[Any], speaker: Speaker | None = None) -> AnswerFacts:
    """Read a complete list of events."""
    collector = Collector(speaker)
    for event in events:
        collector.feed(event)
    collector.end()
    return collector.facts(ended=True)


def _error_in(event: dict[str, Any]) -> str | None:
    """Return the name of an exception member or error, which ends a stream."""
    for name, value in event.items():
        if str(name).endswith("Exception") and value is not None:
            return str(name)
    return replies.read_error(event).error_type if replies.is_error(event) else None


def _choose(event: dict[str, Any]) -> Reader | None:
    for is_kind, make in _READERS:
        if is_kind(event):
            return make()
    return None


def _has(*names: str) -> Callable[[dict[str, Any]], bool]:
    wanted = frozenset(names)
    return lambda event: bool(wanted & event.keys())


def _typed(*starts: str) -> Callable[[dict[str, Any]], bool]:
    return lambda event: str(event.get("type", "")).startswith(starts)


_READERS: Final[
    tuple[tuple[Callable[[dict[str, Any]], bool], Callable[[], Reader]], ...]
] = (
    (_has(*CONVERSE_EVENTS), ConverseReader),
    (_typed("message_", "content_block_", "error"), AnthropicReader),
    (_typed("response."), ResponsesReader),
    (is_chat_chunk, ChatReader),
    (_has("chunk", "trace", "returnControl", "files"), AgentReader),
    (_has("citation", "guardrail"), RetrievalReader),
    (lambda event: "text" in dict_at(event, "output"), RetrievalReader),
    (_has("event", "init_event_loop", "result"), StrandsReader),
    (is_native, BodyReader),
    (is_strands, StrandsReader),
)
