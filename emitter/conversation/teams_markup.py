"""The HTML of Teams messages as text: tags go, what they show stays."""

from __future__ import annotations

import re
from typing import Final

_PICTURE: Final = re.compile(r"<(?:img|emoji)\b[^<>]*>", re.IGNORECASE)
_ALT: Final = re.compile(r"\balt=(?:\"([^\"<>]*)\"|'([^'<>]*)')", re.IGNORECASE)
_ANCHOR: Final = re.compile(r"<(/?)a\b([^<>]*)>", re.IGNORECASE)
_HREF: Final = re.compile(
    r"\bhref\s*=\s*(?:\"([^\"<>]*)\"|'([^'<>]*)'|([^\s\"'<>]+))", re.IGNORECASE
)
_SHOWN_ADDRESS: Final = re.compile(r"(?!javascript:)[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_NEXT_CELL: Final = re.compile(r"</t[dh]\s*>\s*<t[dh]\b[^<>]*>", re.IGNORECASE)
_BLOCK_END: Final = re.compile(
    r"<br\s*/?>|</(?:p|div|li|h[1-6]|tr|pre|blockquote)\s*>", re.IGNORECASE
)
_TAG: Final = re.compile(r"<(?:/?[A-Za-z]|!)[^<>]*>")


def strip_tags(text: str) -> str:
    """Drop all tags; nothing takes their place."""
    return _TAG.sub("", text)


def read_markup(text: str) -> str:
    """Drop all tags. Entities stay, to be decoded after.

    Pictures leave their alternative text, links their address, cells of a table a
    bar between them, and blocks a newline. Comments go whole.
    """
    text = _PICTURE.sub(_alternative, _without_comments(text))
    text = _NEXT_CELL.sub(" | ", _read_links(text))
    text = strip_tags(_BLOCK_END.sub("\n", text))
    return "\n".join(line for line in text.split("\n") if line.strip())


def _without_comments(text: str) -> str:
    """Drop comments, which may hold any bracket; an open one is no comment."""
    pieces: list[str] = []
    at = 0
    while (start := text.find("<!--", at)) >= 0:
        end = text.find("-->", start)
        if end < 0:
            break
        pieces.append(text[at:start])
        at = end + len("-->")
    return "".join((*pieces, text[at:]))


def _alternative(picture: re.Match[str]) -> str:
    found = _ALT.search(picture[0])
    return (found[1] or found[2] or "") if found else ""


def _read_links(text: str) -> str:
    """Put the address of each link behind its label, if it says something else."""
    pieces: list[str] = []
    at = label_at = 0
    address = ""
    for tag in _ANCHOR.finditer(text):
        pieces.append(text[at : tag.start()])
        at = tag.end()
        if tag[1]:
            label = strip_tags(text[label_at : tag.start()]).strip()
            pieces.append(_behind(label, address) if address else "")
            address = ""
        else:
            address, label_at = _address(tag[2]), at
    return "".join((*pieces, text[at:]))


def _address(attributes: str) -> str:
    found = _HREF.search(attributes)
    address = (found[1] or found[2] or found[3] or "").strip() if found else ""
    return address if _SHOWN_ADDRESS.match(address) else ""


def _behind(label: str, address: str) -> str:
    if not label:
        return address
    bare = address.partition(":")[2] if address[:7].lower() == "mailto:" else address
    return "" if label.rstrip("/") == bare.rstrip("/") else f" ({bare})"
