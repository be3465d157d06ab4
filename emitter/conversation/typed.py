"""Content blocks that say their kind in ``type``: Anthropic and OpenAI.

Pages: Anthropic Messages API, "Content blocks"; OpenAI API reference, chat
completions and responses.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from emitter.conversation import parts
from emitter.conversation.lines import one_line
from emitter.conversation.shape import (
    as_dict,
    as_list,
    as_text,
    dict_at,
    dicts_in,
    first_text,
    only_count,
    only_text,
    parse_json,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from emitter.conversation.parts import Part


def read_typed(block: dict[str, Any], *, with_reasoning: bool = False) -> list[Part]:
    """Return the parts of one block that has a ``type``."""
    kind = only_text(block.get("type"))
    if kind in THOUGHTS:
        return _reasoning(block, with_reasoning)
    reader = _READERS.get(kind) or _by_ending(kind)
    return reader(block) if reader else parts.unsupported(kind)


def _by_ending(kind: str) -> Callable[[dict[str, Any]], list[Part]] | None:
    """Find a reader for kinds that are named by a rule, such as server tools."""
    for ending, reader in _ENDINGS:
        if kind.endswith(ending):
            return reader
    return None


def _text(block: dict[str, Any]) -> list[Part]:
    pairs = citations_of(block)
    for at, each in enumerate(dicts_in(block.get("citations"))):
        pairs[at] = pairs[at] if any(pairs[at]) else (_place(each), "")
    return parts.said(block.get("text"), parts.cite(pairs))


def _place(citation: dict[str, Any]) -> str:
    """Name what was cited by its place among the documents that were sent."""
    for name in ("document", "search_result"):
        at = only_count(citation.get(f"{name}_index"))
        if at is not None:
            return f"{name.replace('_', ' ')} {at}"
    return ""


def citations_of(block: dict[str, Any]) -> list[tuple[str, str]]:
    """Return (title, URI) of each citation or annotation of a text block.

    Anthropic: web results, search results and documents. OpenAI: ``url_citation``
    and ``file_citation``.
    """
    found = []
    for each in (*dicts_in(block.get("citations")), *_annotations(block)):
        title = first_text(each, "title", "document_title", "filename")
        found.append((title, first_text(each, "url", "source", "file_id")))
    return found


def _annotations(block: dict[str, Any]) -> list[dict[str, Any]]:
    """Return annotations; chat completions nest them under their type."""
    return [
        dict_at(each, only_text(each.get("type"))) or each
        for each in dicts_in(block.get("annotations"))
    ]


def _media(kind: str) -> Callable[[dict[str, Any]], list[Part]]:
    def read(block: dict[str, Any]) -> list[Part]:
        # MCP and LangChain keep type and data in the block itself.
        source = dict_at(block, "source") or block
        return parts.placeholder(
            kind,
            one_line(first_text(source, *_MEDIA_TYPES), 100),
            parts.quoted(first_text(block, "title", "filename")),
            _size(source),
        )

    return read


def _size(source: dict[str, Any]) -> str:
    """Describe where a source's data are, or how much of it there is."""
    if address := first_text(source, "url", "file_id"):
        return parts.uri(address)
    if source.get("type") == "text":
        return parts.chars(source.get("data"))
    if "content" in source:
        content = source["content"]
        texts = [content] if isinstance(content, str) else as_list(content)
        return parts.chars("".join(_plain(each) for each in texts))
    return parts.blob(source.get("data", source.get("base64")))


def _plain(value: Any) -> str:
    return as_text((as_dict(value) or {"text": value}).get("text"))


def _tool_use(block: dict[str, Any]) -> list[Part]:
    return parts.tool_use(block.get("name"), block.get("id"), block.get("input"))


def _tool_result(block: dict[str, Any]) -> list[Part]:
    content = block.get("content")
    is_error = block.get("is_error") is True or _names_error(content)
    return parts.tool_result(
        block.get("tool_use_id"), failed=is_error, content=result_parts(content)
    )


def _names_error(content: Any) -> bool:
    kind = only_text((as_dict(content) or {}).get("type"))
    return kind.endswith("_error")


def result_parts(content: Any) -> list[Part]:
    """Return the parts of a tool's result: text, blocks, or any JSON value."""
    if isinstance(content, (list, tuple, Iterator)):
        return [part for each in content for part in result_parts(each)]
    block = as_dict(content)
    if block is None:
        return parts.said(content)
    if code := first_text(block, "error_code"):
        return parts.said(code)
    if block.get("type") in ("web_search_result", "search_result"):
        address = first_text(block, "url", "source")
        return parts.said(f"{first_text(block, 'title')} <{address}>".strip())
    kind = only_text(block.get("type"))
    if kind in _READERS and kind not in ("tool_result", "tool_use"):
        return read_typed(block)
    return parts.said(parts.json_text(block))


def _reasoning(block: dict[str, Any], copied: bool) -> list[Part]:
    if block.get("type") == "redacted_thinking":
        return parts.placeholder("reasoning redacted")
    # Responses give the thought itself, a summary of it, or both.
    told = (block.get("content"), block.get("summary"))
    texts = ("".join(_plain(each) for each in as_list(list_)) for list_ in told)
    thought = only_text(block.get("thinking")) or next(filter(None, texts), "")
    return parts.reasoning(thought, copied=copied)


def _image_url(block: dict[str, Any]) -> list[Part]:
    given = block.get("image_url")
    address = only_text(given) or first_text(as_dict(given) or {}, "url")
    where = parts.uri(address or first_text(block, "file_id"))
    return parts.placeholder("image", where)


def _input_audio(block: dict[str, Any]) -> list[Part]:
    audio = dict_at(block, "input_audio")
    kind = one_line(first_text(audio, "format"), 32)
    return parts.placeholder("audio", kind, parts.blob(audio.get("data")))


def _input_file(block: dict[str, Any]) -> list[Part]:
    file = dict_at(block, "file") or block
    where = parts.uri(first_text(file, "file_id", "file_url"))
    data = file.get("file_data", file.get("data", file.get("base64")))
    if not where:
        is_url = only_text(data)[:5].lower() == "data:"
        where = parts.uri(data) if is_url else parts.blob(data)
    name = parts.quoted(first_text(file, "filename"))
    kind = one_line(first_text(file, *_MEDIA_TYPES), 100)
    return parts.placeholder("file", kind, name, where)


def _resource(block: dict[str, Any]) -> list[Part]:
    """Read what an MCP server embeds: its text, or the name of its data."""
    resource = dict_at(block, "resource")
    if "blob" not in resource:
        return parts.said(first_text(resource, "text") or parts.json_text(block))
    return parts.placeholder(
        "resource",
        one_line(first_text(resource, *_MEDIA_TYPES), 100),
        parts.uri(resource.get("uri")),
        parts.blob(resource["blob"]),
    )


def function_call(name: Any, call_id: Any, arguments: Any) -> list[Part]:
    """Return a tool's call whose input is JSON text, as OpenAI writes it."""
    given = as_dict(parse_json(arguments)) if isinstance(arguments, str) else arguments
    return parts.tool_use(name, call_id, arguments if given is None else given)


def _function_call(block: dict[str, Any]) -> list[Part]:
    call_id = block.get("call_id") or block.get("id")
    name = block.get("name") or _hosted_tool(block)
    found = function_call(name, call_id, _given(block))
    results = [block[name] for name in _RESULTS if block.get(name)]
    if results:
        failed = bool(block.get("error"))
        found += parts.tool_result(
            call_id, failed=failed, content=result_parts(results)
        )
    return found


def _given(block: dict[str, Any]) -> Any:
    """Return a call's input; tools that run at OpenAI have it under own names."""
    for name in ("arguments", "input", "action"):
        if block.get(name) is not None:
            return block[name]
    return {name: block[name] for name in ("queries", "code") if block.get(name)}


def _hosted_tool(block: dict[str, Any]) -> str:
    """Name a tool that runs at OpenAI: ``web_search_call`` → ``web_search``."""
    return only_text(block.get("type")).removesuffix("_call")


def _function_output(block: dict[str, Any]) -> list[Part]:
    return parts.tool_result(
        block.get("call_id"),
        failed=block.get("status") in ("failed", "incomplete"),
        content=result_parts(block.get("output")),
    )


def _refusal(block: dict[str, Any]) -> list[Part]:
    return parts.said(block.get("refusal"))


def _upload(block: dict[str, Any]) -> list[Part]:
    return parts.placeholder("file", parts.uri(block.get("file_id")))


def _search_result(block: dict[str, Any]) -> list[Part]:
    return parts.placeholder(
        "search_result",
        parts.quoted(block.get("title")),
        parts.uri(block.get("source")),
        parts.chars("".join(_plain(each) for each in as_list(block.get("content")))),
    )


# Media types in Anthropic's, MCP's and LangChain's words.
_MEDIA_TYPES: Final = ("media_type", "mimeType", "mime_type")
# What a tool that runs at OpenAI has given stands in its call.
_RESULTS: Final = ("output", "outputs", "results", "error")
THOUGHTS: Final = frozenset({"thinking", "redacted_thinking", "reasoning"})
_READERS: Final[dict[str, Callable[[dict[str, Any]], list[Part]]]] = {
    "text": _text,
    "input_text": _text,
    "output_text": _text,
    "image": _media("image"),
    "document": _media("document"),
    "audio": _media("audio"),
    "video": _media("video"),
    "resource": _resource,
    "computer_screenshot": _image_url,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
    "search_result": _search_result,
    "container_upload": _upload,
    "image_url": _image_url,
    "input_image": _image_url,
    "input_audio": _input_audio,
    "file": _input_file,
    "input_file": _input_file,
    "refusal": _refusal,
    "function_call": _function_call,
    "function_call_output": _function_output,
}
_ENDINGS: Final = (
    ("_tool_use", _tool_use),
    ("_tool_result", _tool_result),
    ("_call_output", _function_output),
    ("_call", _function_call),
)
# Roles of OpenAI's items that stand in a list without one.
ITEM_ROLES: Final = (
    ("_call_output", "tool"),
    ("_call", "assistant"),
    ("reasoning", "assistant"),
)
