"""Recognise the event that made a bot run and read its facts.

Takes Slack payloads, Teams activities, API Gateway and load balancer events, a
Bedrock Agents request, plain text, or nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from emitter.conversation.shape import (
    as_dict,
    as_text,
    attribute,
    first_text,
    never_raises,
    parse_json,
)
from emitter.identity.source.facts import SourceFacts
from emitter.identity.source.recognition import (
    is_posted_by_slack,
    is_posted_by_teams,
    is_slack,
    is_teams,
    is_web,
)
from emitter.identity.source.slack import read_slack
from emitter.identity.source.teams import read_teams
from emitter.identity.source.web import (
    body_text,
    gateway_claims,
    read_request,
    read_web,
)
from emitter.loading import load

if TYPE_CHECKING:
    from collections.abc import Callable

# A form as Slack posts it; its members come in any order.
_FORM: Final = r"\A(?:\S*&)?(?:payload|command)="
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
def read_source(source: Any, *, text: Any = None, bot_name: str = "") -> SourceFacts:
    """Read the facts of the triggering event. Never raises, for any object.

    A Slack payload or a Teams activity is opened as well where it is the body of a
    web request (JSON, a form, base64), unless the gateway gives claims. It is
    believed as much as one that the bot passes itself: the bot has to verify the
    request, by Slack's signature or the Bot Framework's token, before it asks.

    Args:
        source: What the bot was called with.
        text: The question, if the bot knows it better than the event.
        bot_name: How the bot's own mention inside a Slack text is read.
    """
    payload = _unwrap(_as_payload(source))
    facts = _recognise(payload, bot_name)
    query = as_text(text)
    return facts._replace(user_query=query) if query else facts


def _recognise(payload: dict[str, Any], bot_name: str) -> SourceFacts:
    for is_kind, read in _KINDS:
        if is_kind(payload):
            return read(payload, bot_name)
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
    if parsed is None:
        parsed = _parse_form(source)
    if parsed is not None:
        return parsed
    return {"text": source} if source else {}


def _parse_form(source: str) -> dict[str, Any] | None:
    """Read a slash command or an interaction; None if it is neither."""
    if not re.search(_FORM, source):
        return None
    load("urllib.parse")
    from urllib.parse import parse_qsl  # noqa: PLC0415 - slow, and rarely needed

    form: dict[str, Any] = dict(parse_qsl(source))
    is_command = first_text(form, "command").startswith("/")
    return form if is_command or _unwrap(form) is not form else None


def _activity_attributes(source: Any) -> dict[str, Any]:
    """Read an SDK's activity by its attributes, wherever its dumper fails."""
    if type(source) is dict or not isinstance(attribute(source, "type"), str):
        return {}
    if attribute(source, "conversation") is None:
        return {}
    dumped = as_dict(source) or {}
    if is_teams(dumped):
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


def _read_gateway(event: dict[str, Any], bot_name: str) -> SourceFacts:
    """Read a web request, or the Slack or Teams payload that it carries.

    Claims win: where the gateway knows who asks, the body's names are not believed.
    """
    if not gateway_claims(event) and (posted := _read_posted(event, bot_name)):
        return posted
    return read_web(event)


def _read_posted(event: dict[str, Any], bot_name: str) -> SourceFacts | None:
    """Read what a platform has posted to a bot behind a gateway, if it is that.

    The event stays the gateway's: its headers carry the trace.
    """
    body = body_text(event)
    payload = _unwrap(_parse(body)) if body else {}
    if is_posted_by_teams(payload):
        return read_teams(payload)._replace(event=event)
    if is_posted_by_slack(payload):
        return read_slack(payload, bot_name)._replace(event=event)
    return None


def _read_plain(payload: dict[str, Any], bot_name: str) -> SourceFacts:
    """Read a request; a proxy's own event may say no more than its body."""
    return _read_posted(payload, bot_name) or read_request(payload)


def _read_activity(payload: dict[str, Any], _: str) -> SourceFacts:
    return read_teams(payload)


_KINDS: Final[
    tuple[
        tuple[
            Callable[[dict[str, Any]], bool],
            Callable[[dict[str, Any], str], SourceFacts],
        ],
        ...,
    ]
] = (
    (is_web, _read_gateway),
    (is_teams, _read_activity),
    (is_slack, read_slack),
    (bool, _read_plain),
)
