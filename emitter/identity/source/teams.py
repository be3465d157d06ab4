"""Read the facts of a Teams activity."""

from __future__ import annotations

from typing import Any, Final

from emitter.conversation.shape import dict_at, dicts_in, first_text, only_count
from emitter.conversation.teams_text import is_file, readable_teams
from emitter.identity.actors import part, teams_actor
from emitter.identity.source.facts import SourceFacts

_CHANNEL_TYPES: Final = {
    "personal": "dm",
    "groupchat": "group",
    "channel": "public_channel",
}


def read_teams(activity: dict[str, Any]) -> SourceFacts:
    """Read an activity in wire names (camelCase) or an SDK's (snake_case)."""
    conversation = dict_at(activity, "conversation")
    conversation_id = first_text(conversation, "id")
    data = part(activity, "channelData", "channel_data")
    actor = teams_actor(activity)
    return SourceFacts(
        kind="teams",
        event=activity,
        actor=actor,
        user_query=readable_teams(activity),
        conversation_id=conversation_id or None,
        message_id=_message_id(activity, conversation_id),
        channel_id=first_text(dict_at(data, "channel"), "id")
        or conversation_id.partition(";")[0]
        or None,
        channel_type=_channel_type(conversation, data),
        user_platform_id=actor.platform_id,
        attachments=_files(activity),
    )


def _message_id(activity: dict[str, Any], conversation_id: str) -> str | None:
    activity_id = first_text(activity, "id")
    if not activity_id:
        return None
    return f"teams:{'/'.join(filter(None, (conversation_id, activity_id)))}"


def _channel_type(conversation: dict[str, Any], data: dict[str, Any]) -> str | None:
    told = first_text(conversation, "conversationType", "conversation_type").lower()
    channel = dict_at(data, "channel")
    if first_text(channel, "type").lower() in ("private", "shared"):
        return "private_channel"
    if told:
        return _CHANNEL_TYPES.get(told)
    return "public_channel" if channel else None


def _files(activity: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    attachments = dicts_in(activity.get("attachments"))
    return tuple(_file(each) for each in attachments if is_file(each))


def _file(attachment: dict[str, Any]) -> dict[str, Any]:
    content = dict_at(attachment, "content")
    values = {
        "name": first_text(attachment, "name"),
        "type": first_text(content, "fileType", "file_type")
        or first_text(attachment, "contentType", "content_type"),
        "bytes": only_count(content.get("fileSize")),
    }
    return {name: value for name, value in values.items() if value not in ("", None)}
