"""Who an event says has asked: read when it arrives, looked up after the reply.

Only what the platform itself states counts; nothing here asks anybody.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from emitter.conversation.shape import (
    as_dict,
    as_list,
    dict_at,
    first_text,
    only_text,
    parse_json,
)

# `from` of a Bot Framework activity says who writes by the start of its id.
_BOT_ID_PREFIX: Final = "28:"
# Participants without an account are called so in Teams' own ids.
_VISITOR_MARK: Final = "teamsvisitor:"
# Conversations of meetings are called so.
_MEETING_PREFIX: Final = "19:meeting_"
_BOT_ROLES: Final = frozenset({"bot", "skill", "agenticuser", "agenticappinstance"})

# How wire format and SDK models spell the object id; some models take the name
# from the roster's format instead of the activity's.
_OBJECT_ID_NAMES: Final = ("aadObjectId", "aad_object_id", "objectId", "object_id")

_ROLE_NAMES: Final = ("role", "userRole", "user_role", "userType", "user_type")
_TENANT_NAMES: Final = ("tenantId", "tenant_id", "tenantID")


def first_as_given(values: dict[str, Any], *names: str) -> str:
    """Return the first of the named strings that is not blank, untouched.

    For names: what cannot stay in one is dropped when the person is named, while
    a text's reader would put a sign in its place.
    """
    for name in names:
        value = values.get(name)
        if isinstance(value, str) and value.strip():
            return str.__str__(value)
    return ""


class SlackActor(NamedTuple):
    """Who the event says has asked.

    Attributes:
        user: ``U…`` or ``W…``; empty if the event names nobody.
        team: Workspace of the person; with Slack Connect not the bot's own.
        host_teams: Workspace and organisation in which the bot is installed.
        bot: ``B…`` of the bot that wrote the message; empty for people.
        bot_name: That bot's registered name.
    """

    user: str = ""
    team: str = ""
    host_teams: frozenset[str] = frozenset()
    bot: str = ""
    bot_name: str = ""

    @property
    def platform_id(self) -> str | None:
        """``team/user``, as far as it is known."""
        someone = self.user or self.bot
        return "/".join(filter(None, (self.team, someone))) if someone else None


def slack_event(source: Any) -> dict[str, Any]:
    """Return the inner event of any Slack payload; of an edit the edited message."""
    outer = as_dict(source) or {}
    inner = dict_at(outer, "event") or outer
    return dict_at(inner, "message") if _is_change(inner) else inner


def _is_change(event: dict[str, Any]) -> bool:
    return event.get("subtype") in ("message_changed", "message_replied")


def slack_actor(source: Any) -> SlackActor:
    """Read who has asked from an envelope, inner event, command or interaction."""
    outer, event = as_dict(source) or {}, slack_event(source)
    person = dict_at(event, "user") or dict_at(outer, "user")
    user = (
        first_text(event, "user", "user_id")
        or first_text(person, "id")
        # Who has opened an assistant's thread.
        or first_text(dict_at(event, "assistant_thread"), "user_id")
    )
    profile = dict_at(event, "bot_profile")
    team = (
        first_text(person, "team_id")
        or first_text(event, "user_team", "team", "team_id", "source_team")
        or first_text(outer, "team_id")
        or first_text(dict_at(outer, "team"), "id")
    )
    return SlackActor(
        user=user,
        team=team,
        host_teams=_host_teams(outer),
        bot=first_text(event, "bot_id"),
        bot_name=first_as_given(profile, "name"),
    )


def _host_teams(outer: dict[str, Any]) -> frozenset[str]:
    """Return workspace and organisation in which the bot is installed.

    Of interactions that is the payload's ``team`` and ``enterprise``; where the
    person comes from is said beside their id.
    """
    authorization = next(iter(as_list(outer.get("authorizations"))), None)
    host = as_dict(authorization) or {}
    team = dict_at(outer, "team")
    hosts = (
        first_text(host, "team_id")
        or first_text(outer, "context_team_id", "team_id")
        or first_text(team, "id"),
        first_text(host, "enterprise_id")
        or first_text(outer, "context_enterprise_id", "enterprise_id")
        or first_text(dict_at(outer, "enterprise"), "id")
        or first_text(team, "enterprise_id"),
    )
    return frozenset(filter(None, hosts))


class TeamsActor(NamedTuple):
    """Who the activity says has asked.

    Attributes:
        account: ``from.id``: ``29:…`` for people (another one for each bot),
            ``28:…`` for bots; empty if the activity names nobody.
        object_id: Entra object id; missing in the emulator, in web chat and for
            anonymous participants.
        tenant: Tenant from which the activity came.
        name: Display name; used for bots alone.
        is_bot: Another bot or skill speaks.
        is_anonymous: A meeting participant who has not signed in.
    """

    account: str = ""
    object_id: str = ""
    tenant: str = ""
    name: str = ""
    is_bot: bool = False
    is_anonymous: bool = False

    @property
    def platform_id(self) -> str | None:
        """``tenant/object id``, or the account if no object id is known.

        Bots and participants without an account go by the account of the chat: an
        object id says nothing about them.
        """
        if self.object_id and not self.is_bot and not self.is_anonymous:
            return "/".join(filter(None, (self.tenant, self.object_id)))
        return self.account or self.object_id or None


def teams_activity(source: Any) -> dict[str, Any]:
    """Return an activity as a dictionary: of a dict, JSON text or SDK object."""
    if isinstance(source, (str, bytes, bytearray)):
        text = bytes(source) if isinstance(source, bytearray) else source
        return as_dict(parse_json(text)) or {}
    return as_dict(source) or {}


def part(values: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return the first of the named members that is an object."""
    return next((found for name in names if (found := dict_at(values, name))), {})


def sender(activity: dict[str, Any]) -> dict[str, Any]:
    """Return ``from``, which Python SDKs must spell differently."""
    return part(activity, "from", "from_property", "from_", "sender")


def tenant_of(activity: dict[str, Any]) -> str:
    """Return the activity's tenant id as it came; empty if it names none."""
    data = part(activity, "channelData", "channel_data")
    conversation = dict_at(activity, "conversation")
    return (
        first_text(dict_at(data, "tenant"), "id")
        or first_text(conversation, *_TENANT_NAMES)
        or first_text(sender(activity), *_TENANT_NAMES)
    ).strip()


def teams_actor(source: Any) -> TeamsActor:
    """Read who has asked from an activity."""
    activity = teams_activity(source)
    person = sender(activity)
    account = first_text(person, "id")
    extra = dict_at(person, "additional_properties")
    given = (first_as_given(each, *_OBJECT_ID_NAMES) for each in (person, extra))
    object_id = only_text(next(filter(None, given), "")).strip()
    roles = {
        role.lower()
        for owner in (person, dict_at(person, "properties"))
        for name in _ROLE_NAMES
        if (role := only_text(owner.get(name)))
    }
    return TeamsActor(
        account=account,
        object_id=object_id,
        tenant=tenant_of(activity),
        name=first_as_given(person, "name"),
        is_bot=bool(roles & _BOT_ROLES) or account.startswith(_BOT_ID_PREFIX),
        is_anonymous="anonymous" in roles
        or _VISITOR_MARK in account
        or _is_in_meeting(activity, object_id),
    )


def _is_in_meeting(activity: dict[str, Any], object_id: str) -> bool:
    """Whether somebody without an account writes in a meeting."""
    data = part(activity, "channelData", "channel_data")
    chat = first_text(dict_at(activity, "conversation"), "id")
    is_meeting = bool(dict_at(data, "meeting")) or chat.startswith(_MEETING_PREFIX)
    return is_meeting and not object_id
