"""Slack's Block Kit as mrkdwn, so that one reader serves text and blocks.

Page: docs.slack.dev, "Blocks" and "Rich text".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from emitter.conversation.shape import (
    as_dict,
    as_list,
    dict_at,
    dicts_in,
    first_text,
    only_count,
    only_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable

# What the reader of mrkdwn takes for an address as it is.
_URL: Final = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*://|mailto:|tel:)[^\s|]*\Z")
# Lists inside quotes inside attachments: people nest no deeper.
_MAX_DEPTH: Final = 16


def read_blocks(blocks: Any, depth: int = 0) -> str:
    """Return the text of blocks as mrkdwn, a line for each."""
    if depth > _MAX_DEPTH:
        return ""
    lines = (_read_block(each, depth + 1) for each in dicts_in(blocks))
    return "\n".join(filter(None, lines))


def _read_block(block: dict[str, Any], depth: int) -> str:
    reader = _BLOCKS.get(only_text(block.get("type")))
    return reader(block, depth) if reader else ""


def quote(text: str) -> str:
    """Escape raw text the way Slack does."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def text_object(value: Any) -> str:
    """Return a text object as mrkdwn."""
    found = as_dict(value) or {}
    text = first_text(found, "text")
    return text if found.get("type") == "mrkdwn" else quote(text)


def _section(block: dict[str, Any], depth: int) -> str:
    del depth
    fields = (text_object(each) for each in dicts_in(block.get("fields")))
    return "\n".join(filter(None, (text_object(block.get("text")), *fields)))


def _context(block: dict[str, Any], depth: int) -> str:
    del depth
    elements = dicts_in(block.get("elements"))
    parts = (
        _image(each, 0) if each.get("type") == "image" else text_object(each)
        for each in elements
    )
    return " ".join(filter(None, parts))


def _markdown(block: dict[str, Any], depth: int) -> str:
    del depth
    return quote(first_text(block, "text"))


def _image(block: dict[str, Any], depth: int) -> str:
    del depth
    alt = first_text(block, "alt_text") or first_text(dict_at(block, "title"), "text")
    return f"[image: {quote(alt)}]" if alt else ""


def _video(block: dict[str, Any], depth: int) -> str:
    del depth
    title = text_object(block.get("title")) or quote(first_text(block, "alt_text"))
    return f"[video: {title}]" if title else ""


def _input(block: dict[str, Any], depth: int) -> str:
    del depth
    return text_object(block.get("label"))


def _table(block: dict[str, Any], depth: int) -> str:
    """Read a table: a line for each row, its cells apart."""
    rows = (
        " | ".join(_cell(each, depth) for each in dicts_in(row))
        for row in as_list(block.get("rows"))
    )
    return "\n".join(filter(None, rows))


def _cell(cell: dict[str, Any], depth: int) -> str:
    return read_blocks([cell], depth) or quote(first_text(cell, "text"))


def _rich_text(block: dict[str, Any], depth: int) -> str:
    return read_blocks(block.get("elements"), depth)


def _rich_section(block: dict[str, Any], depth: int) -> str:
    del depth
    return "".join(_inline(each) for each in dicts_in(block.get("elements")))


def _rich_list(block: dict[str, Any], depth: int) -> str:
    indent = "  " * min(only_count(block.get("indent")) or 0, _MAX_DEPTH)
    first = (only_count(block.get("offset")) or 0) + 1
    is_ordered = block.get("style") == "ordered"
    lines = []
    for at, each in enumerate(dicts_in(block.get("elements")), first):
        sign = f"{at}." if is_ordered else "-"
        lines.append(f"{indent}{sign} {_read_block(each, depth + 1)}")
    return "\n".join(lines)


def _inline(element: dict[str, Any]) -> str:
    reader = _INLINE.get(only_text(element.get("type")))
    return reader(element) if reader else ""


def _link(element: dict[str, Any]) -> str:
    url, label = first_text(element, "url"), first_text(element, "text")
    if not _URL.match(url):
        return quote(f"{label} ({url})" if label and url else label or url)
    inner = quote(url) + (f"|{quote(label)}" if label else "")
    return f"<{inner}>"


def _member(sign: str, name: str) -> Callable[[dict[str, Any]], str]:
    def read(element: dict[str, Any]) -> str:
        target = quote(first_text(element, name))
        return f"<{sign}{target}>" if target else ""

    return read


_BLOCKS: Final[dict[str, Callable[[dict[str, Any], int], str]]] = {
    "rich_text": _rich_text,
    "rich_text_section": _rich_section,
    "rich_text_quote": _rich_section,
    "rich_text_preformatted": _rich_section,
    "rich_text_list": _rich_list,
    "section": _section,
    "header": _section,
    "context": _context,
    "markdown": _markdown,
    "image": _image,
    "video": _video,
    "input": _input,
    "table": _table,
}
_INLINE: Final[dict[str, Callable[[dict[str, Any]], str]]] = {
    "text": lambda element: quote(first_text(element, "text")),
    "link": _link,
    "user": _member("@", "user_id"),
    "channel": _member("#", "channel_id"),
    "usergroup": _member("!subteam^", "usergroup_id"),
    "broadcast": _member("!", "range"),
    "emoji": lambda element: f":{first_text(element, 'name')}:",
    "date": lambda element: quote(first_text(element, "fallback")),
    "color": lambda element: quote(first_text(element, "value")),
}
