"""The text that a person sees on a card, adaptive or classic."""

from __future__ import annotations

from typing import Any, Final

from emitter.conversation.shape import as_dict, as_list, first_text, parse_json

_SHOWN: Final = (
    "title",
    "subtitle",
    "activityTitle",
    "activitySubtitle",
    "activityText",
    "messagePreview",
    "text",
    "value",
    "label",
)
_NESTED: Final = (
    "body",
    "items",
    "columns",
    "facts",
    "inlines",
    "rows",
    "cells",
    "sections",
)
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
            texts += _member(name, each, depth + 1)
    return texts


def _member(where: str, value: Any, depth: int) -> list[str]:
    if isinstance(value, str):
        # A rich text's runs may stand as bare text.
        return [value] if where == "inlines" and value.strip() else []
    if where == "facts":
        # A connector card's facts are named, an adaptive card's have a title.
        name = first_text(as_dict(value) or {}, "name")
        return [*filter(None, [name]), *_texts(value, depth)]
    return _texts(value, depth)
