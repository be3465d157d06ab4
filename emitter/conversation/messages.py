"""Messages of any framework as who spoke and what is shown of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from emitter.conversation import converse, parts, typed
from emitter.conversation.shape import (
    as_dict,
    attribute,
    dict_at,
    dicts_in,
    first_text,
    never_raises,
    only_text,
    take,
)

if TYPE_CHECKING:
    from emitter.conversation.parts import Part

_ROLE: Final = re.compile(r"[^A-Za-z0-9_.-]+")
_MAX_ROLE_CHARS: Final = 32
_SYSTEM_ROLES: Final = frozenset({"system", "developer"})
# LangChain's names of roles, and the types its messages have instead of one.
_OTHER_NAMES: Final = {
    "human": "user",
    "ai": "assistant",
    "HumanMessageChunk": "user",
    "AIMessageChunk": "assistant",
}
_ROLES_BY_TYPE: Final = _OTHER_NAMES | {
    "tool": "tool",
    "function": "function",
    "system": "system",
    "developer": "developer",
}
_KNOWN_ROLES: Final = frozenset(
    {"user", "assistant", "system", "developer", "tool", "function", "model"}
)
_BESIDE: Final = frozenset({"tool_calls", "function_call", "refusal", "audio"})
# Where a request or an agent keeps its messages.
_CONTAINERS: Final = ("messages", "conversation", "conversationHistory", "history")


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        role: Who spoke; letters, digits and ``_.-`` alone.
        parts: What is shown of it, in order.
    """

    role: str
    parts: list[Part]


def read_messages(
    conversation: Any, *, with_reasoning: bool = False
) -> Iterator[Message]:
    """Read a list, an iterator, a request or an agent; system prompts left out.

    Keeps the order. An iterator is read once.
    """
    is_start = True
    for item in items_of(conversation):
        message = _read_message(item, with_reasoning=with_reasoning)
        if is_start and message.role in _SYSTEM_ROLES:
            shown = [part for part in message.parts if not part.is_text]
            if shown:
                yield Message(message.role, shown)
            continue
        is_start = False
        yield message


def items_of(conversation: Any) -> list[Any]:
    """Return the messages of a list, an iterator, a request or an agent."""
    if isinstance(conversation, Mapping):
        return _items_of_request(as_dict(conversation) or {})
    if isinstance(conversation, (str, bytes)) or _is_tuple_pair(conversation):
        return [conversation]
    inner = attribute(conversation, "messages")
    if isinstance(inner, (list, tuple)):
        return list(inner)
    single = as_dict(conversation)
    if single is not None and ("role" in single or "content" in single):
        return [single]
    return take(conversation) if isinstance(conversation, Iterable) else [conversation]


def _is_tuple_pair(item: Any) -> bool:
    """Whether a tuple is one (role, text); a list of two may be two texts."""
    return isinstance(item, tuple) and _is_pair(item)


def _items_of_request(request: dict[str, Any]) -> list[Any]:
    """Return what a request holds, its question last."""
    if "role" in request or "content" in request:
        return [request]
    session = dict_at(request, "sessionState")
    for owner in (request, session, dict_at(session, "conversationHistory")):
        for name in _CONTAINERS:
            found = owner.get(name)
            if isinstance(found, Iterable) and not isinstance(found, (str, Mapping)):
                return take(found) + _asked(request, "inputText")
    return _asked(request, "input", "inputText") or [request]


def _asked(request: dict[str, Any], *names: str) -> list[Any]:
    """Return the question of an agent's, a retrieval's or a responses request."""
    for name in names:
        given = request.get(name)
        if isinstance(given, (list, tuple)):
            return list(given)
        if text := only_text(given) or first_text(as_dict(given) or {}, "text"):
            return [text]
    return []


def _unreadable() -> list[Part]:
    return parts.unsupported("unreadable")


@never_raises(lambda: Message("unknown", _unreadable()))
def _read_message(item: Any, *, with_reasoning: bool) -> Message:
    if isinstance(item, str):
        return Message("user", parts.said(item))
    message = {"role": item[0], "content": item[1]} if _is_pair(item) else as_dict(item)
    if message is None:
        return Message("unknown", [] if item is None else parts.said(item))
    message = _unwrapped(message)
    found = [
        part
        for block in _blocks(message)
        for part in _read_block(block, with_reasoning=with_reasoning)
    ]
    return Message(_role(message), found + _calls(message))


def _is_pair(item: Any) -> bool:
    """Whether an item is (role, content), as LangChain and Gradio write it."""
    if not isinstance(item, (list, tuple)) or len(item) != 2:  # noqa: PLR2004 - a pair
        return False
    role, content = item
    is_role = isinstance(role, str) and (role in _KNOWN_ROLES or role in _OTHER_NAMES)
    return is_role and isinstance(content, (str, list, tuple))


def _unwrapped(message: dict[str, Any]) -> dict[str, Any]:
    """Return what LangChain's ``messages_to_dict`` puts under ``data``."""
    if message.get("type") in _ROLES_BY_TYPE and "content" not in message:
        inner = dict_at(message, "data")
        return {"type": message["type"], **inner} if "content" in inner else message
    return message


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
    told = only_text(role)
    if told.lower() in _KNOWN_ROLES:
        return told.lower()
    if told in _OTHER_NAMES:
        return _OTHER_NAMES[told]
    cleaned = _ROLE.sub("", told)[:_MAX_ROLE_CHARS]
    return cleaned or "unknown"


def _blocks(message: dict[str, Any]) -> list[Any]:
    """Return the content of a message as a list of blocks."""
    if call_id := message.get("tool_call_id"):
        return [{"type": "tool_result", "tool_use_id": call_id, **_result(message)}]
    is_item = "content" not in message or message.get("type") in typed.THOUGHTS
    if is_item and "role" not in message:
        return [message]
    content = message.get("content")
    if content is None:
        content = message.get("parts", message.get("text"))
    if content is None:
        return []
    is_many = isinstance(content, (list, tuple, Iterator))
    return take(content) if is_many else [content]


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
    """Return what OpenAI keeps beside the content: calls, a refusal, speech."""
    if not _BESIDE & message.keys():
        return []
    found: list[Part] = []
    for call in dicts_in(message.get("tool_calls")):
        function = dict_at(call, "function") or dict_at(call, "custom") or call
        named = (name for name in ("arguments", "args", "input") if name in function)
        given = function.get(next(named, ""))
        found += typed.function_call(function.get("name"), call.get("id"), given)
    if legacy := dict_at(message, "function_call"):
        found += typed.function_call(legacy.get("name"), None, legacy.get("arguments"))
    if "role" in message:
        found += parts.said(only_text(message.get("refusal")))
        found += _speech(dict_at(message, "audio"))
    return found


def _speech(audio: dict[str, Any]) -> list[Part]:
    """Return what was spoken; without a transcript the sound's id."""
    if transcript := only_text(audio.get("transcript")):
        return parts.said(transcript)
    where = parts.uri(audio.get("id"))
    return parts.placeholder("audio", where) if audio else []
