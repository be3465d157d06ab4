"""What the triggering event says: who, where, and what was asked."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from emitter.identity.actors import SlackActor, TeamsActor

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class SourceFacts(NamedTuple):
    """What could be read from the event that made the bot run.

    Attributes:
        kind: slack, teams, web or api.
        event: The payload as a dictionary; the caller's own where it gave one.
        actor: Who has asked, fixed when the event was read: what the bot does to
            its event later changes nothing.
        claims: Verified OIDC claims, for kind web; a copy.
        user_query: This turn's question as readable text.
        conversation_id: Slack ``channel:thread_ts``, Teams conversation id, or
            the session id of an agent.
        message_id: ``slack:TEAM/CHANNEL/TS`` or ``teams:CONVERSATION/ID``; the
            same for every delivery of the same post.
        channel_id: Where it was asked.
        channel_type: dm, group, private_channel, public_channel or api.
        user_platform_id: ``team/user`` or ``tenant/object id``.
        attachments: ``{"name", "type", "bytes"}`` of files the person gave, as
            far as the event says it.
        history: Earlier messages that the request itself carries.
    """

    kind: str = "api"
    event: Mapping[str, Any] = _NOTHING
    actor: SlackActor | TeamsActor | None = None
    claims: Mapping[str, Any] = _NOTHING
    user_query: str = ""
    conversation_id: str | None = None
    message_id: str | None = None
    channel_id: str | None = None
    channel_type: str | None = None
    user_platform_id: str | None = None
    attachments: tuple[dict[str, Any], ...] = ()
    history: tuple[Any, ...] = ()
