"""Text blocks, tools and citations as a stream brings them."""

from __future__ import annotations

from typing import Any, Final

from emitter.conversation.answer import replies, sources
from emitter.conversation.answer.facts import AnswerFacts
from emitter.conversation.stream.halves import join_pieces

_EXTRA: Final = "amazon-bedrock-"


def extras_in(event: dict[str, Any]) -> dict[str, Any]:
    """Return what Bedrock has added to a model's own event."""
    return {name: event[name] for name in event if str(name).startswith(_EXTRA)}


class Blocks:
    """Text blocks, tools and citations of an answer, in order of arrival."""

    def __init__(self) -> None:
        self.texts: dict[Any, list[str]] = {}
        self.tools: dict[Any, dict[str, Any]] = {}
        self.cited: list[tuple[str, str]] = []

    def add_text(self, block: Any, piece: str) -> None:
        """Add a piece of a text block."""
        self.texts.setdefault(block, []).append(piece)

    def add_tool(self, call_id: Any, name: Any) -> None:
        """Note that a tool was called."""
        self.tools[call_id] = replies.tool(name)

    def fail_tool(self, call_id: Any) -> None:
        """Note that a call failed; of an unknown call nothing."""
        if call_id in self.tools:
            self.tools[call_id]["status"] = "error"

    def facts(self) -> AnswerFacts:
        """Return what has arrived so far."""
        texts = (join_pieces(pieces) for pieces in self.texts.values())
        return AnswerFacts(
            text=replies.join_texts(texts, is_cited=bool(self.cited)),
            tools=tuple(self.tools.values()),
            sources=sources.unique(sources.from_pairs(self.cited)),
        )
