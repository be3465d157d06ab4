"""A conversation of any framework as one text that an analyst can read.

::

    [user] see
    [image png 4 bytes sha256:0f4636c78f65]
    [assistant] A chart of last week's tickets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from emitter.conversation import converse, parts, typed
from emitter.conversation.lines import cut_middle, escape, unify_breaks
from emitter.conversation.shape import (
    as_dict,
    as_text,
    attribute,
    dict_at,
    dicts_in,
    never_raises,
    only_text,
    take,
)

if TYPE_CHECKING:
    from emitter.conversation.parts import Part

# What the record's full_conversation is cut to if nobody says otherwise.
DEFAULT_MAX_CHARS: Final = 131_072

_ROLE: Final = re.compile(r"[^A-Za-z0-9_.-]+")
_MAX_ROLE_CHARS: Final = 32
_SYSTEM_ROLES: Final = frozenset({"system", "developer"})
_KNOWN_ROLES: Final = frozenset(
    {"user", "assistant", "system", "developer", "tool", "function", "model"}
)
# LangChain messages say a type instead of a role.
_ROLES_BY_TYPE: Final = {"human": "user", "ai": "assistant", "tool": "tool"}
_BESIDE: Final = frozenset({"tool_calls", "function_call", "refusal"})
# Where a request or an agent keeps its messages.
_CONTAINERS: Final = ("messages", "conversation", "conversationHistory", "history")


@dataclass(frozen=True, slots=True)
class _Message:
    role: str
    parts: list[Part]


@never_raises(str)
def flatten(
    conversation: Any,
    *,
    style: str = "tagged",
    max_chars: int = DEFAULT_MAX_CHARS,
    with_reasoning: bool = False,
) -> str:
    """Return a conversation as text. Pure; any input gives a string.

    Takes messages of Bedrock Converse, Anthropic, OpenAI (chat and responses),
    Strands and LangChain, as dictionaries or SDK objects; a request that holds
    them; strings; or a text, which comes back as it is. An iterator is read once.
    System prompts at the start are left out. Binaries are never copied.

    Args:
        conversation: What the model is about to see.
        style: ``tagged``: each message begins with ``[role] `` and content is
            escaped, so that no turn can be forged. ``plain``: texts and
            placeholders alone.
        max_chars: Longer texts keep a tenth at the head and the rest at the tail.
        with_reasoning: Copy the model's reasoning instead of counting it.
    """
    if conversation is None:
        return ""
    if isinstance(conversation, (str, int, float, bytes, bytearray)):
        return cut_middle(as_text(conversation), max_chars)
    messages = _read_messages(_items(conversation), with_reasoning=with_reasoning)
    show = _show_plain if style == "plain" else _show_tagged
    shown = (show(each) for each in messages)
    return cut_middle("\n".join(filter(None, shown)), max_chars)


def _items(conversation: Any) -> list[Any]:
    """Return the messages of a list, an iterator, a request or an agent."""
    if isinstance(conversation, Mapping):
        return _items_of(as_dict(conversation) or {})
    inner = attribute(conversation, "messages")
    if isinstance(inner, (list, tuple)):
        return list(inner)
    single = as_dict(conversation)
    if single is not None and ("role" in single or "content" in single):
        return [single]
    return take(conversation) if isinstance(conversation, Iterable) else [conversation]


def _items_of(request: dict[str, Any]) -> list[Any]:
    if "role" in request or "content" in request:
        return [request]
    session = dict_at(request, "sessionState")
    for owner in (request, session, dict_at(session, "conversationHistory")):
        for name in _CONTAINERS:
            found = owner.get(name)
            if isinstance(found, (list, tuple)):
                return list(found)
    asked = request.get("input", request.get("inputText"))
    if isinstance(asked, (list, tuple)):
        return list(asked)
    return [asked] if isinstance(asked, str) else [request]


def _read_messages(items: list[Any], *, with_reasoning: bool) -> Iterator[_Message]:
    is_start = True
    for item in items:
        message = _read_message(item, with_reasoning=with_reasoning)
        if is_start and message.role in _SYSTEM_ROLES:
            shown = [part for part in message.parts if not part.is_text]
            if shown:
                yield _Message(message.role, shown)
            continue
        is_start = False
        yield message


def _unreadable() -> list[Part]:
    return parts.unsupported("unreadable")


@never_raises(lambda: _Message("unknown", _unreadable()))
def _read_message(item: Any, *, with_reasoning: bool) -> _Message:
    if isinstance(item, str):
        return _Message("user", parts.said(item))
    if _is_pair(item):
        return _Message(_clean_role(item[0]), parts.said(item[1]))
    message = as_dict(item)
    if message is None:
        return _Message("unknown", [] if item is None else parts.said(item))
    found = [
        part
        for block in _blocks(message)
        for part in _read_block(block, with_reasoning=with_reasoning)
    ]
    return _Message(_role(message), found + _calls(message))


def _is_pair(item: Any) -> bool:
    """Whether an item is (role, text), as LangChain and Gradio write it."""
    if not isinstance(item, (list, tuple)) or len(item) != 2:  # noqa: PLR2004 - a pair
        return False
    role, text = item
    return isinstance(role, str) and role in _KNOWN_ROLES and isinstance(text, str)


def _role(message: dict[str, Any]) -> str:
    if role := only_text(message.get("role")):
        return _clean_role(role)
    kind = only_text(message.get("type"))
    for ending, role in typed.ITEM_ROLES:
        if kind.endswith(ending):
            return role
    return _ROLES_BY_TYPE.get(kind, "unknown")


def _clean_role(role: Any) -> str:
    """Keep what a role may consist of: nobody can write a tag into it."""
    if role in _KNOWN_ROLES:
        return str(role)
    cleaned = _ROLE.sub("", only_text(role))[:_MAX_ROLE_CHARS]
    return cleaned or "unknown"


def _blocks(message: dict[str, Any]) -> list[Any]:
    """Return the content of a message as a list of blocks."""
    if call_id := message.get("tool_call_id"):
        return [{"type": "tool_result", "tool_use_id": call_id, **_result(message)}]
    if "content" not in message and "role" not in message:
        return [message]
    content = message.get("content")
    if content is None:
        content = message.get("parts", message.get("text"))
    if content is None:
        return []
    return list(content) if isinstance(content, (list, tuple)) else [content]


def _result(message: dict[str, Any]) -> dict[str, Any]:
    is_error = message.get("status") == "error" or message.get("is_error") is True
    return {"content": message.get("content"), "is_error": is_error}


@never_raises(_unreadable)
def _read_block(block: Any, *, with_reasoning: bool) -> list[Part]:
    found = as_dict(block)
    if found is None:
        return parts.said(block)
    if isinstance(found.get("type"), str):
        return typed.read_typed(found, with_reasoning=with_reasoning)
    return converse.read_block(found, with_reasoning=with_reasoning)


def _calls(message: dict[str, Any]) -> list[Part]:
    """Return the tool calls and the refusal that OpenAI keeps beside the content."""
    if not _BESIDE & message.keys():
        return []
    found: list[Part] = []
    for call in dicts_in(message.get("tool_calls")):
        function = dict_at(call, "function") or call
        given = function.get("arguments", function.get("args"))
        found += typed.function_call(function.get("name"), call.get("id"), given)
    if legacy := dict_at(message, "function_call"):
        found += typed.function_call(legacy.get("name"), None, legacy.get("arguments"))
    if "role" in message:
        found += parts.said(only_text(message.get("refusal")))
    return found


def _show_tagged(message: _Message) -> str:
    shown = [_show_part(part) for part in message.parts] or ["[empty]"]
    return f"[{message.role}] " + "\n".join(shown)


def _show_part(part: Part) -> str:
    text = escape(part.text) if part.is_text else part.text
    return f"{text} {part.citations}".strip() if part.citations else text


def _show_plain(message: _Message) -> str:
    shown = (f"{part.text} {part.citations}".strip() for part in message.parts)
    return unify_breaks("\n".join(shown))
