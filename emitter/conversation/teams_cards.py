"""The text that a person sees on a card, adaptive or classic."""

from __future__ import annotations

from typing import Any, Final

from emitter.conversation.shape import as_dict, as_list, first_text, parse_json

_SHOWN: Final = ("title", "subtitle", "messagePreview", "text", "value", "label")
_NESTED: Final = ("body", "items", "columns", "facts", "inlines", "rows", "cells")
_MAX_DEPTH: Final = 12
# What one card shows of itself in a question.
_MAX_CHARS: Final = 2_000


def card_text(content: Any) -> str:
    """Return a card's texts joined by a space; empty if it shows none.

    Args:
        content: The attachment's ``content``, as a dictionary or JSON text.
    """
    card = parse_json(content) if isinstance(content, str) else content
    return " ".join(_texts(card, 0))[:_MAX_CHARS]


def _texts(value: Any, depth: int) -> list[str]:
    node = as_dict(value)
    if node is None or depth > _MAX_DEPTH:
        return []
    texts = [text for name in _SHOWN if (text := first_text(node, name))]
    for name in _NESTED:
        for each in as_list(node.get(name)):
            texts += _texts(each, depth + 1)
    return texts
