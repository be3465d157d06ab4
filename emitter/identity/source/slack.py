"""Read the facts of a Slack payload: event, slash command or interaction."""

from __future__ import annotations

from typing import Any, Final

from emitter.conversation.shape import (
    as_dict,
    as_list,
    dict_at,
    dicts_in,
    first_text,
    only_count,
    only_text,
)
from emitter.conversation.slack_text import readable_slack
from emitter.identity.actors import slack_actor, slack_event
from emitter.identity.source.facts import SourceFacts

_CHANNEL_TYPES: Final = {
    "im": "dm",
    "app_home": "dm",
    "mpim": "group",
    "group": "private_channel",
    "channel": "public_channel",
    # `channel_name` of a slash command in these places.
    "directmessage": "dm",
    "privategroup": "private_channel",
}
# First letter of a channel id, for events that do not say the type. Private
# channels made since 2021 start with C as well: where only the id is known, a
# channel counts as the kind that more people can read.
_CHANNEL_LETTERS: Final = {"D": "dm", "G": "private_channel", "C": "public_channel"}


def read_slack(payload: dict[str, Any], bot_name: str = "") -> SourceFacts:
    """Read a Slack payload; an edit counts as the message it leaves behind."""
    bot_user = _bot_user(payload)
    event = slack_event(payload)
    actor = slack_actor(payload)
    channel = _channel(payload, event)
    post = _post_time(payload, event)
    places = (event, dict_at(payload, "message"), dict_at(event, "assistant_thread"))
    thread = next(filter(None, (first_text(each, "thread_ts") for each in places)), "")
    return SourceFacts(
        kind="slack",
        event=payload,
        actor=actor,
        user_query=readable_slack(
            event,
            bot_user_id=bot_user,
            names={bot_user: bot_name} if bot_user and bot_name else None,
        ),
        conversation_id=":".join(filter(None, (channel, thread or post))) or None,
        message_id=_message_id(payload, actor.team, channel, post),
        channel_id=channel or None,
        channel_type=_channel_type(payload, event, channel),
        user_platform_id=actor.platform_id,
        attachments=tuple(_file(each) for each in dicts_in(event.get("files"))),
    )


def _bot_user(payload: dict[str, Any]) -> str | None:
    """Return the user id of the bot that the event was sent to, if it says so."""
    for each in as_list(payload.get("authorizations")):
        authorization = as_dict(each) or {}
        if authorization.get("is_bot") is True:
            return only_text(authorization.get("user_id")) or None
    return None


def _channel(payload: dict[str, Any], event: dict[str, Any]) -> str:
    for owner in (event, dict_at(payload, "event"), payload):
        found = first_text(owner, "channel", "channel_id") or first_text(
            dict_at(owner, "channel"), "id"
        )
        if found:
            return found
    places = (
        dict_at(event, "assistant_thread"),
        dict_at(event, "item"),
        dict_at(payload, "container"),
    )
    return next(
        filter(None, (first_text(each, "channel_id", "channel") for each in places)),
        "",
    )


def _post_time(payload: dict[str, Any], event: dict[str, Any]) -> str:
    """Return what names the post inside its channel: its time, or a trigger."""
    return (
        first_text(event, "ts")
        or first_text(dict_at(payload, "message"), "ts")
        or first_text(dict_at(payload, "container"), "message_ts")
        or first_text(dict_at(event, "item"), "ts")
        or first_text(event, "event_ts", "trigger_id")
    )


def _message_id(
    payload: dict[str, Any], actor_team: str, channel: str, post: str
) -> str | None:
    """Name the post, the same for a redelivery and for app_mention and message."""
    if not post:
        return None
    team = (
        first_text(payload, "team_id")
        or first_text(dict_at(payload, "team"), "id")
        or actor_team
    )
    # A button under a post is another question than the post itself.
    actions = dicts_in(payload.get("actions"))
    pressed = first_text(actions[0], "action_ts") if actions else ""
    return f"slack:{'/'.join(filter(None, (team, channel, post, pressed)))}"


def _channel_type(
    payload: dict[str, Any], event: dict[str, Any], channel: str
) -> str | None:
    for owner in (event, dict_at(payload, "event")):
        told = _CHANNEL_TYPES.get(first_text(owner, "channel_type"))
        if told:
            return told
    place = first_text(payload, "channel_name") or first_text(
        dict_at(payload, "channel"), "name"
    )
    return _CHANNEL_TYPES.get(place) or _CHANNEL_LETTERS.get(channel[:1])


def _file(file: dict[str, Any]) -> dict[str, Any]:
    values = {
        "name": first_text(file, "name", "title", "id"),
        "type": first_text(file, "mimetype", "filetype"),
        "bytes": only_count(file.get("size")),
    }
    return {name: value for name, value in values.items() if value not in ("", None)}
