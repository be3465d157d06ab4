"""The pieces a message is shown as, and how binaries are named in one line."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any, Final

from emitter.conversation.binaries import hide_in_json, hide_in_text, looks_encoded
from emitter.conversation.lines import cut, escape_after_first, one_line
from emitter.conversation.shape import (
    as_dict,
    as_json,
    as_plain,
    as_text,
    first_text,
)

# Conversation rules: input and results of tools are cut here, in characters.
MAX_TOOL_INPUT_CHARS: Final = 1_000
MAX_TOOL_RESULT_CHARS: Final = 2_000
# Twelve hex digits name a blob well enough to be recognised again.
_DIGEST_DIGITS: Final = 12
_MAX_URI_CHARS: Final = 2_048
_MAX_CITATIONS: Final = 50


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a message.

    Attributes:
        text: What somebody said, untouched; or one of our placeholders.
        is_text: It is what somebody said, and must be escaped.
        citations: Our list of what it drew on, shown behind it.
        is_result: It is what a tool gave, under the user's role in most formats.
    """

    text: str
    is_text: bool = False
    citations: str = ""
    is_result: bool = False


def said(value: Any, citations: str = "") -> list[Part]:
    """Return text as a part; nothing for an empty text without citations."""
    text = as_text(value if isinstance(value, str) else hide_in_json(as_plain(value)))
    return [Part(text, True, citations)] if text or citations else []


def placeholder(*words: str) -> list[Part]:
    """Return ``[word word …]``; empty words are left out."""
    return [Part(f"[{' '.join(filter(None, words))}]")]


def unsupported(name: Any) -> list[Part]:
    """Return what stands for a block that nobody here knows."""
    return placeholder(f"unsupported block: {one_line(as_text(name)) or 'unnamed'}")


def quoted(name: Any) -> str:
    """Return a name in quotes, on one line; empty for no name."""
    shown = one_line(as_text(name)).replace('"', "'")
    return f'"{shown}"' if shown else ""


def blob(data: Any) -> str:
    """Describe binary data: size and digest, or the length of its base64 text."""
    if isinstance(data, (bytes, bytearray, memoryview)):
        content = bytes(data)
        digest = hashlib.sha256(content).hexdigest()[:_DIGEST_DIGITS]
        return f"{len(content)} bytes sha256:{digest}"
    return f"{len(data)} base64 chars" if isinstance(data, str) else ""


def chars(text: Any) -> str:
    """Describe text that is not copied by its length."""
    return f"{len(as_text(text))} chars"


def uri(address: Any) -> str:
    """Return an address on one line; of a data URL only type and length."""
    shown = as_text(address)
    if shown[:5].lower() == "data:":
        kind, _, data = shown[5:].partition(",")
        return f"{one_line(kind.partition(';')[0], 100)} {blob(data)}".strip()
    if looks_encoded(shown):
        return blob(shown)
    return one_line(shown, _MAX_URI_CHARS)


def tool_use(name: Any, call_id: Any, given: Any) -> list[Part]:
    """Return a tool's call with its input, cut at 1,000 characters."""
    if isinstance(given, str):
        shown = hide_in_text(given)
    else:
        shown = json_text({} if given is None else given)
    return placeholder(
        "tool_use",
        one_line(as_text(name)) or "unnamed",
        _id(call_id),
        f"input={escape_after_first(cut(as_text(shown), MAX_TOOL_INPUT_CHARS))}",
    )


def json_text(value: Any) -> str:
    """Write what a tool takes or gives as JSON; binary data are named, not copied."""
    return as_json(hide_in_json(as_plain(value)))


def tool_result(call_id: Any, *, failed: bool, content: list[Part]) -> list[Part]:
    """Return a tool's result, cut at 2,000 characters."""
    shown = cut(_inline(content), MAX_TOOL_RESULT_CHARS)
    found = placeholder(
        "tool_result",
        _id(call_id),
        f"{'error' if failed else 'success'}: {escape_after_first(shown) or 'empty'}",
    )
    return [replace(part, is_result=True) for part in found]


def _id(call_id: Any) -> str:
    shown = one_line(as_text(call_id))
    return f"id={shown}" if shown else ""


def _inline(content: list[Part]) -> str:
    """Join a result's parts; placeholders stay on the line, where nothing escapes."""
    shown = ""
    for part in content:
        separator = "\n" if part.is_text else " "
        text = hide_in_text(part.text) if part.is_text else part.text
        shown = f"{shown.rstrip()}{separator}{text}" if shown else text
    return shown


def reasoning(text: Any, *, copied: bool) -> list[Part]:
    """Return how much was thought; the thought itself only if it is asked for."""
    if copied:
        return placeholder(f"reasoning: {escape_after_first(as_text(text))}")
    return placeholder(f"reasoning omitted {chars(text)}")


def cite(citations: list[tuple[str, str]]) -> str:
    """Return ``[citations: title <uri>; …]`` for (title, uri) pairs, each once."""
    shown: dict[str, None] = {}
    for title, address in citations[:_MAX_CITATIONS]:
        name, where = one_line(title), uri(address)
        both = f"{name} <{where}>" if name and where else name or where
        if both:
            shown[both] = None
    return f"[citations: {'; '.join(shown)}]" if shown else ""


def s3_uri(location: Any) -> str:
    """Return the URI of an ``s3Location``; empty if it has none."""
    return uri(first_text(as_dict(location) or {}, "uri"))
