"""What models send through InvokeModelWithResponseStream, each in its own shape.

An agent's chunk looks the same from outside, and its text may be any JSON. So where
nobody has said who speaks, only what no answer is likely to be counts as a model's.
"""

from __future__ import annotations

from typing import Any, Final

from emitter.conversation.shape import as_dict, dict_at, dicts_in, first_text
from emitter.conversation.stream.openai import is_chat_chunk

METRICS_KEY: Final = "amazon-bedrock-invocationMetrics"
_ADDED: Final = "amazon-bedrock-"
# Anthropic's events, with one of the members that each has.
_ANTHROPIC: Final = {
    "message_start": ("message",),
    "message_delta": ("delta",),
    "content_block_start": ("content_block",),
    "content_block_delta": ("delta",),
    "content_block_stop": ("index",),
}
_BARE: Final = ("message_stop", "ping")
# Converse's events, and Nova's; likewise.
_CONVERSE: Final = {
    "messageStart": ("role",),
    "contentBlockStart": ("start", "contentBlockIndex"),
    "contentBlockDelta": ("delta",),
    "contentBlockStop": ("contentBlockIndex",),
    "messageStop": ("stopReason",),
    "metadata": ("usage", "metrics"),
}
CONVERSE_EVENTS: Final = tuple(_CONVERSE)
# Members that stand together in a piece of Titan, Llama, Claude 2 and Cohere.
_TOGETHER: Final = (
    ("outputText", "completionReason"),
    ("generation", "stop_reason"),
    ("completion", "stop_reason"),
    ("is_finished", "text"),
    ("is_finished", "event_type"),
    ("is_finished", "finish_reason"),
)
# Lists of pieces in Mistral's, Cohere's and DeepSeek's.
_LISTS: Final = ("outputs", "generations", "choices")
_STOPS: Final = ("stop_reason", "finish_reason")


def is_native(event: dict[str, Any]) -> bool:
    """Whether an event is one that a model sends through InvokeModel's stream."""
    return (
        METRICS_KEY in event
        or _is_anthropic(event)
        or _is_converse(event)
        or is_chat_chunk(event)
        or is_body_piece(event)
    )


def is_body_piece(event: dict[str, Any]) -> bool:
    """Whether an event is a piece of Titan, Llama, Mistral, Cohere or DeepSeek."""
    if any(all(name in event for name in names) for names in _TOGETHER):
        return True
    items = (dicts_in(event.get(name))[:1] for name in _LISTS)
    return any(
        "text" in item and any(stop in item for stop in _STOPS)
        for each in items
        for item in each
    )


def _own_names(event: dict[str, Any]) -> list[str]:
    """Return the members that are not Bedrock's."""
    return [name for name in event if not str(name).startswith(_ADDED)]


def _is_anthropic(event: dict[str, Any]) -> bool:
    kind = event.get("type")
    if kind == "error":
        return bool(first_text(dict_at(event, "error"), "type"))
    if kind in _BARE:
        return _own_names(event) == ["type"]
    members = _ANTHROPIC.get(kind, ()) if isinstance(kind, str) else ()
    return any(name in event for name in members)


def _is_converse(event: dict[str, Any]) -> bool:
    names = _own_names(event)
    if len(names) != 1 or names[0] not in _CONVERSE:
        return False
    members = as_dict(event[names[0]]) or {}
    return any(name in members for name in _CONVERSE[names[0]])
