"""Collect the facts of an answer that arrives in pieces.

The first event that is recognised decides which API speaks; the rest of the
stream goes to its reader.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from emitter.conversation.answer.facts import AnswerFacts
from emitter.conversation.shape import as_dict, dict_at, parse_json
from emitter.conversation.stream.agents import AgentReader, RetrievalReader
from emitter.conversation.stream.models import (
    AnthropicReader,
    BodyReader,
    ConverseReader,
    StrandsReader,
    is_native,
)
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


class Collector:
    """Reads events of any streaming API; never keeps or changes them."""

    def __init__(self) -> None:
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
        is_model = self._reader is not None and not isinstance(
            self._reader, AgentReader
        )
        body = _unpack(body, is_model=is_model)
        self._error_type = _error_member(body) or self._error_type
        if self._reader is None:
            self._reader = _choose(body)
        if self._reader is not None:
            self._reader.feed(body)

    def _feed_text(self, piece: str | bytes | bytearray) -> None:
        if self._text is None:
            self._text = TextReader()
        for event in self._text.feed(piece):
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


def collect(events: Iterable[Any]) -> AnswerFacts:
    """Read a complete list of events."""
    collector = Collector()
    for event in events:
        collector.feed(event)
    return collector.facts(ended=True)


def _unpack(event: dict[str, Any], *, is_model: bool) -> dict[str, Any]:
    """Take a model's own event out of InvokeModelWithResponseStream's chunk.

    An agent's chunk has the same name, but its bytes are plain text, which may be
    JSON as well: until it is clear that a model speaks, only what a model is known
    to send counts.
    """
    if event.keys() != {"chunk"}:
        return event
    data = dict_at(event, "chunk").get("bytes")
    inner = parse_json(bytes(data)) if isinstance(data, (bytes, bytearray)) else None
    if isinstance(inner, dict) and (is_model or is_native(inner)):
        return inner
    return event


def _error_member(event: dict[str, Any]) -> str | None:
    """Return the name of an exception member, which ends an event stream."""
    return next((name for name in event if str(name).endswith("Exception")), None)


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
    (
        _has(
            "messageStart",
            "contentBlockStart",
            "contentBlockDelta",
            "contentBlockStop",
            "messageStop",
            "metadata",
        ),
        ConverseReader,
    ),
    (_typed("message_", "content_block_", "error"), AnthropicReader),
    (_typed("response."), ResponsesReader),
    (is_chat_chunk, ChatReader),
    (_has("chunk", "trace", "returnControl", "files"), AgentReader),
    (_has("citation", "guardrail"), RetrievalReader),
    (lambda event: "text" in dict_at(event, "output"), RetrievalReader),
    (_has("event", "init_event_loop", "result"), StrandsReader),
    (is_native, BodyReader),
)
