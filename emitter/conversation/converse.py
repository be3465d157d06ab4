"""Content blocks of Bedrock Converse, as parts of a message.

Each block is an object with one member that names its kind. Page: Amazon Bedrock
API reference, ContentBlock; members as of botocore 1.44.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from emitter.conversation import parts
from emitter.conversation.lines import one_line
from emitter.conversation.parts import Part
from emitter.conversation.shape import (
    as_dict,
    as_text,
    dict_at,
    dicts_in,
    first_text,
    only_count,
    only_text,
    take,
)

if TYPE_CHECKING:
    from collections.abc import Callable

# Members by which a citation without title or address says what it cites.
_INDICES: Final = (
    ("documentIndex", "document"),
    ("searchResultIndex", "search result"),
)
# Members of guarded text that are not shown as blocks.
_GUARDED_TEXT: Final = frozenset({"text", "qualifiers"})
# What botocore calls a member that its service model does not know yet.
_UNKNOWN_MEMBER: Final = "SDK_UNKNOWN_MEMBER"


def read_block(block: dict[str, Any], *, with_reasoning: bool = False) -> list[Part]:
    """Return the parts of one block, in the order of its members."""
    found: list[Part] = []
    for name, value in block.items():
        if value is None:
            continue
        if name == "reasoningContent":
            found += _reasoning(value, with_reasoning)
        elif name in _READERS:
            found += _READERS[name](value)
        else:
            found += parts.unsupported(name)
    return found


def _media(kind: str) -> Callable[[Any], list[Part]]:
    def read(value: Any) -> list[Part]:
        source = dict_at(value, "source")
        where = parts.s3_uri(source.get("s3Location"))
        return parts.placeholder(
            kind, _format(value), where or parts.blob(source.get("bytes"))
        )

    return read


def _format(value: Any) -> str:
    return one_line(as_text((as_dict(value) or {}).get("format")), 32)


def _document(value: Any) -> list[Part]:
    document = as_dict(value) or {}
    source = dict_at(document, "source")
    texts = [source.get("text")] if "text" in source else source.get("content")
    size = parts.s3_uri(source.get("s3Location")) or parts.blob(source.get("bytes"))
    if not size and texts is not None:
        size = parts.chars(_joined(texts))
    return parts.placeholder(
        "document", _format(document), parts.quoted(document.get("name")), size
    )


def _joined(texts: Any) -> str:
    """Join texts that come as strings or as objects with ``text``."""
    return "".join(as_text(_inner_text(each)) for each in _many(texts))


def _inner_text(value: Any) -> Any:
    """Return the ``text`` of an object, or what stands in its place."""
    found = as_dict(value)
    return value if found is None else found.get("text")


def _many(value: Any) -> list[Any]:
    """Return several values, or the one that stands without a list around it."""
    if isinstance(value, (list, tuple, Iterator)):
        return take(value)
    return [] if value is None else [value]


def _tool_use(value: Any) -> list[Part]:
    call = as_dict(value) or {}
    return parts.tool_use(call.get("name"), call.get("toolUseId"), call.get("input"))


def _tool_result(value: Any) -> list[Part]:
    result = as_dict(value) or {}
    content: list[Part] = []
    for each in _many(result.get("content")):
        content += _result_block(each)
    return parts.tool_result(
        result.get("toolUseId"),
        failed=result.get("status") == "error",
        content=content,
    )


def _result_block(value: Any) -> list[Part]:
    block = as_dict(value)
    if block is None:
        return parts.said(value)
    if "json" in block:
        return [Part(parts.json_text(block["json"]), is_text=True)]
    return read_block(block)


def _guard_content(value: Any) -> list[Part]:
    guarded = as_dict(value)
    if guarded is None:
        return parts.said(value)
    found = parts.said(_inner_text(guarded.get("text")))
    rest = {name: each for name, each in guarded.items() if name not in _GUARDED_TEXT}
    return found + read_block(rest)


def _reasoning(value: Any, copied: bool) -> list[Part]:
    block = as_dict(value)
    if block is None:
        return parts.reasoning(value, copied=copied)
    if "redactedContent" in block:
        return parts.placeholder("reasoning redacted")
    return parts.reasoning(_inner_text(block.get("reasoningText")), copied=copied)


def _citations(value: Any) -> list[Part]:
    block = as_dict(value) or {}
    cited = zip(dicts_in(block.get("citations")), citations_of(block), strict=True)
    shown = [pair if any(pair) else (_place(each), "") for each, pair in cited]
    return parts.said(_joined(block.get("content")), parts.cite(shown))


def _place(citation: dict[str, Any]) -> str:
    """Name what was cited by its place among the documents that were sent."""
    for where in dict_at(citation, "location").values():
        for name, kind in _INDICES:
            at = only_count((as_dict(where) or {}).get(name))
            if at is not None:
                return f"{kind} {at}"
    return ""


def citations_of(block: dict[str, Any]) -> list[tuple[str, str]]:
    """Return (title, URI) of each citation in a ``citationsContent`` block."""
    return [
        (
            first_text(each, "title"),
            first_text(dict_at(each, "location", "web"), "url")
            or only_text(each.get("source")),
        )
        for each in dicts_in(block.get("citations"))
    ]


def _search_result(value: Any) -> list[Part]:
    result = as_dict(value) or {}
    return parts.placeholder(
        "search_result",
        parts.quoted(result.get("title")),
        parts.uri(result.get("source")),
        parts.chars(_joined(result.get("content"))),
    )


def _tools_changed(value: Any) -> list[Part]:
    del value
    return parts.placeholder("tools changed")


def _nothing(value: Any) -> list[Part]:
    del value
    return []


def _unknown_member(value: Any) -> list[Part]:
    return parts.unsupported((as_dict(value) or {"name": value}).get("name"))


_READERS: Final[dict[str, Callable[[Any], list[Part]]]] = {
    "text": parts.said,
    "image": _media("image"),
    "document": _document,
    "video": _media("video"),
    "audio": _media("audio"),
    "toolUse": _tool_use,
    "toolResult": _tool_result,
    "guardContent": _guard_content,
    "cachePoint": _nothing,
    "citationsContent": _citations,
    "searchResult": _search_result,
    "toolAddition": _tools_changed,
    "toolRemoval": _tools_changed,
    _UNKNOWN_MEMBER: _unknown_member,
}
