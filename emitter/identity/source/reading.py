"""Recognise the event that made a bot run and read its facts.

Takes Slack payloads, Teams activities, API Gateway and load balancer events, a
Bedrock Agents request, plain text, or nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from emitter.conversation.shape import (
    as_dict,
    as_text,
    attribute,
    dict_at,
    first_text,
    never_raises,
    only_text,
    parse_json,
)
from emitter.identity.source.facts import SourceFacts
from emitter.identity.source.slack import read_slack
from emitter.identity.source.teams import read_teams
from emitter.identity.source.web import read_request, read_web
from emitter.loading import load

if TYPE_CHECKING:
    from collections.abc import Callable

# Types of Slack payloads in which somebody pressed, submitted or chose something.
_INTERACTIONS: Final = frozenset(
    {
        "block_actions",
        "block_suggestion",
        "interactive_message",
        "message_action",
        "shortcut",
        "view_closed",
        "view_submission",
    }
)
# Attributes of a Bot Framework activity object that cannot turn itself into a
# dictionary.
_ACTIVITY_ATTRIBUTES: Final = (
    "type",
    "id",
    "name",
    "text",
    "text_format",
    "from_property",
    "from_",
    "recipient",
    "conversation",
    "channel_id",
    "channel_data",
    "service_url",
    "attachments",
    "entities",
    "value",
)


@never_raises(SourceFacts)
def read_source(source: Any, *, text: Any = None) -> SourceFacts:
    """Read the facts of the triggering event. Never raises, for any object.

    Args:
        source: What the bot was called with.
        text: The question, if the bot knows it better than the event.
    """
    payload = _unwrap(_as_payload(source))
    facts = _recognise(payload)
    query = as_text(text)
    return facts._replace(user_query=query) if query else facts


def _recognise(payload: dict[str, Any]) -> SourceFacts:
    for is_kind, read in _KINDS:
        if is_kind(payload):
            return read(payload)
    return SourceFacts()


def _as_payload(source: Any) -> dict[str, Any]:
    if isinstance(source, (str, bytes, bytearray)):
        return _parse(source)
    if found := _activity_attributes(source):
        return found
    return as_dict(source) or {}


def _parse(source: str | bytes | bytearray) -> dict[str, Any]:
    """Read JSON, a form as Slack posts it, or plain text as the question."""
    if not isinstance(source, str):
        source = bytes(source).decode("utf-8", "replace")
    parsed = as_dict(parse_json(source))
    if parsed is not None:
        return parsed
    if source.startswith(("token=", "payload=", "command=")):
        load("urllib.parse")
        from urllib.parse import parse_qsl  # noqa: PLC0415 - slow, and rarely needed

        return dict(parse_qsl(source))
    return {"text": source} if source else {}


def _activity_attributes(source: Any) -> dict[str, Any]:
    """Read an SDK's activity by its attributes, wherever its dumper fails."""
    if type(source) is dict or not isinstance(attribute(source, "type"), str):
        return {}
    if attribute(source, "conversation") is None:
        return {}
    dumped = as_dict(source) or {}
    if _is_teams(dumped):
        return dumped
    return {name: attribute(source, name) for name in _ACTIVITY_ATTRIBUTES}


def _unwrap(payload: dict[str, Any]) -> dict[str, Any]:
    """Take a payload out of Slack's form field or Socket Mode envelope."""
    inner = payload.get("payload")
    if isinstance(inner, str):
        return as_dict(parse_json(inner)) or payload
    if "envelope_id" in payload:
        return as_dict(inner) or payload
    return payload


def _is_web(payload: dict[str, Any]) -> bool:
    return bool(dict_at(payload, "requestContext"))


def _is_teams(payload: dict[str, Any]) -> bool:
    names = ("from", "from_property", "from_", "recipient", "conversation")
    known = ("channelId", "channel_id", "serviceUrl", "service_url", "conversation")
    return (
        any(as_dict(payload.get(name)) for name in names)
        and any(payload.get(name) for name in known)
        and bool(only_text(payload.get("type")))
    )


def _is_slack(payload: dict[str, Any]) -> bool:
    return (
        _is_slack_event(dict_at(payload, "event"))
        or payload.get("type") in _INTERACTIONS
        or payload.get("type") == "event_callback"
        or first_text(payload, "command").startswith("/")
        or _is_slack_event(payload)
    )


def _is_slack_event(payload: dict[str, Any]) -> bool:
    if not only_text(payload.get("type")):
        return bool(payload.get("channel") and payload.get("ts"))
    names = ("channel", "user", "bot_id", "ts", "event_ts")
    return any(payload.get(name) for name in names)


def _is_request(payload: dict[str, Any]) -> bool:
    return bool(payload)


_KINDS: Final[
    tuple[
        tuple[
            Callable[[dict[str, Any]], bool],
            Callable[[dict[str, Any]], SourceFacts],
        ],
        ...,
    ]
] = (
    (_is_web, read_web),
    (_is_teams, read_teams),
    (_is_slack, read_slack),
    (_is_request, read_request),
)
