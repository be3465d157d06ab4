"""From the facts of an event to the one who asked, with or without a look-up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from emitter.conversation.shape import never_raises
from emitter.identity.actors import SlackActor, TeamsActor
from emitter.identity.claims import from_claims, from_text
from emitter.identity.lookup import LookUps, as_look_ups
from emitter.identity.model import UNKNOWN_USER_ID, Home, Identity, LookupFailure
from emitter.identity.slack import name_slack_user
from emitter.identity.teams import name_teams_user

if TYPE_CHECKING:
    from emitter.identity.source.facts import SourceFacts

# Who is asked. A failure stands for a directory that there is no time to ask.
Directory = LookUps | Callable[[str], Any] | LookupFailure | None


def _unreadable() -> Identity:
    return Identity(user_resolution="unresolved:error")


@never_raises(_unreadable)
def resolve(
    facts: SourceFacts,
    *,
    home: Home,
    directory: Directory = None,
    user: Any = None,
) -> Identity:
    """Return who asked. Never raises; blocks for the 2 s of a look-up at most.

    Args:
        facts: Of `emitter.identity.source.read_source`.
        home: Where our own people live.
        directory: A `SlackDirectory` or `TeamsDirectory`, or any callable that
            takes the platform's user id (``U…`` or the Entra object id) and
            returns the answer of `users.info` or Graph. It may raise or hang:
            that is a failed look-up. An `AskedCallable` of it remembers as well.
            Without one, a Slack or Teams person keeps the platform id and has no
            name (``partial``).
        user: The bot's own word for who asked, a string or an `Identity`; wins
            over the event.
    """
    if isinstance(user, Identity):
        return user if user.user_platform_id else _placed(user, facts, home)
    named = from_text(user, home)
    if named.user_id != UNKNOWN_USER_ID:
        return _placed(named, facts, home)
    return _BY_KIND.get(facts.kind, _from_api)(facts, home, directory)


def _placed(identity: Identity, facts: SourceFacts, home: Home) -> Identity:
    """Add the event's platform id, with our own tenant as we write it."""
    platform_id = facts.user_platform_id
    if not platform_id:
        return identity
    owner, slash, user = platform_id.partition("/")
    return replace(identity, user_platform_id=f"{home.spelled(owner)}{slash}{user}")


def _from_slack(facts: SourceFacts, home: Home, directory: Directory) -> Identity:
    actor = facts.actor
    if not isinstance(actor, SlackActor):
        return _unreadable()
    answer = _look_up(directory, actor.platform_id, actor.user)
    return _without_directory(name_slack_user(answer, actor, home), directory)


def _from_teams(facts: SourceFacts, home: Home, directory: Directory) -> Identity:
    actor = facts.actor
    if not isinstance(actor, TeamsActor):
        return _unreadable()
    is_person = not actor.is_bot and not actor.is_anonymous
    object_id = actor.object_id if is_person else ""
    answer = _look_up(directory, actor.platform_id, object_id)
    return _without_directory(name_teams_user(answer, actor, home), directory)


def _without_directory(identity: Identity, directory: Directory) -> Identity:
    """Say ``partial`` where nobody was asked: the look-up did not fail."""
    if directory is None and identity.user_resolution == "unresolved:error":
        return replace(identity, user_resolution="partial")
    return identity


def _look_up(directory: Any, platform_id: str | None, user: str) -> Any:
    asked = as_look_ups(directory)
    if asked is None or not user or not platform_id:
        return LookupFailure()
    if isinstance(asked, LookupFailure):
        return asked
    try:
        return asked.look_up(platform_id)
    except Exception:  # noqa: BLE001 - a class of the bot's own may raise anything
        return LookupFailure()


def _from_web(facts: SourceFacts, home: Home, directory: Directory) -> Identity:
    del directory  # the token already says who it is
    return from_claims(facts.claims, home)


def _from_api(facts: SourceFacts, home: Home, directory: Directory) -> Identity:
    del directory, home
    return Identity(user_platform_id=facts.user_platform_id)


_BY_KIND: Final = {"slack": _from_slack, "teams": _from_teams, "web": _from_web}
