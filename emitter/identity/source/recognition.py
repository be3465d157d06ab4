"""Tell what kind of payload made a bot run: a Slack one, a Teams activity, a request.

What the bot hands over itself is recognised by little, because some bots keep little.
The body of a web request has to look like what the platform posts: front ends send
JSON of their own, in which a ``user`` is nobody's proof.
"""

from __future__ import annotations

import re
from typing import Any, Final

from emitter.conversation.shape import as_dict, dict_at, first_text, only_text
from emitter.identity.actors import sender

# Types of Slack payloads in which somebody pressed, submitted or chose something.
_INTERACTIONS: Final = frozenset(
    {
        "block_actions",
        "block_suggestion",
        "dialog_cancellation",
        "dialog_submission",
        "dialog_suggestion",
        "interactive_message",
        "message_action",
        "shortcut",
        "view_closed",
        "view_submission",
    }
)
_SENDERS: Final = ("from", "from_property", "from_", "recipient", "conversation")
_PLACES: Final = (
    "channelId",
    "channel_id",
    "serviceUrl",
    "service_url",
    "conversation",
    "channelData",
    "channel_data",
)
# How Slack writes ids: of people and bots, and of conversations.
_SLACK_USER: Final = "[UWB][A-Z0-9]+"
_SLACK_CHANNEL: Final = "[CDG][A-Z0-9]+"


def is_web(payload: dict[str, Any]) -> bool:
    """Whether it is an event of API Gateway, a function URL or a load balancer."""
    return bool(dict_at(payload, "requestContext"))


def is_teams(payload: dict[str, Any]) -> bool:
    """Whether it is an activity; without its type, whether it names who and where."""
    is_placed = any(payload.get(name) for name in _PLACES)
    if only_text(payload.get("type")):
        return is_placed and any(as_dict(payload.get(name)) for name in _SENDERS)
    return is_placed and bool(sender(payload))


def is_slack(payload: dict[str, Any]) -> bool:
    """Whether it is an envelope, an inner event, a command or an interaction."""
    return (
        _is_slack_event(dict_at(payload, "event"))
        or payload.get("type") == "event_callback"
        or _is_interaction(payload)
        or first_text(payload, "command").startswith("/")
        or _is_slack_event(payload)
    )


def is_posted_by_teams(body: dict[str, Any]) -> bool:
    """Whether the body of a web request is an activity, with sender and place."""
    return (
        bool(only_text(body.get("type")))
        and bool(sender(body))
        and bool(dict_at(body, "conversation"))
    )


def is_posted_by_slack(body: dict[str, Any]) -> bool:
    """Whether the body of a web request is what Slack posts to a bot."""
    if first_text(body, "command").startswith("/"):
        someone = re.fullmatch(_SLACK_USER, first_text(body, "user_id"))
        return someone is not None and bool(first_text(body, "team_id"))
    event = dict_at(body, "event")
    return (
        (body.get("type") == "event_callback" and bool(event))
        or (first_text(body, "team_id") != "" and _is_slack_event(event))
        or (_is_interaction(body) and bool(dict_at(body, "user")))
    )


def _is_interaction(payload: dict[str, Any]) -> bool:
    return payload.get("type") in _INTERACTIONS


def _is_slack_event(payload: dict[str, Any]) -> bool:
    if not only_text(payload.get("type")):
        return bool(payload.get("channel")) and (
            bool(payload.get("ts")) or _has_slack_ids(payload)
        )
    names = ("channel", "user", "bot_id", "ts", "event_ts", "assistant_thread")
    return any(payload.get(name) for name in names)


def _has_slack_ids(payload: dict[str, Any]) -> bool:
    """Whether somebody said something, by ids as only Slack writes them."""
    someone = first_text(payload, "user", "bot_id")
    return (
        re.fullmatch(_SLACK_USER, someone) is not None
        and re.fullmatch(_SLACK_CHANNEL, first_text(payload, "channel")) is not None
    )
