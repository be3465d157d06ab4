"""Name a Slack user from the `users.info` answer and the event.

Trusts the e-mail first, then ``user.name``; display and real names never, since
everybody chooses those for themselves. Pages: docs.slack.dev, `users.info` and
the user type.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from emitter.conversation.shape import (
    as_dict,
    as_list,
    dict_at,
    first_text,
    never_raises,
    only_text,
)
from emitter.identity.actors import SlackActor, slack_actor
from emitter.identity.answers import body_of
from emitter.identity.clean import Login, clean, first_usable, fold, split
from emitter.identity.model import Home, Identity, LookupFailure
from emitter.identity.naming import (
    BOT_PREFIX,
    SLACK_DOMAIN,
    Standing,
    kind_of,
    name_person,
)

_SLACKBOT: Final = "USLACKBOT"

# Error codes of Slack's Web API, by what they mean for us. Page: users.info.
_REASONS: Final = {
    **dict.fromkeys(
        ("user_not_found", "user_not_visible", "users_not_found"), "not_found"
    ),
    **dict.fromkeys(
        (
            "missing_scope",
            "no_permission",
            "no_scope",
            "access_denied",
            "accesslimited",
            "ekm_access_denied",
            "enterprise_is_restricted",
            "not_allowed_token_type",
            "org_login_required",
            "restricted_action",
            "team_access_not_granted",
        ),
        "forbidden",
    ),
    **dict.fromkeys(
        (
            "account_inactive",
            "invalid_auth",
            "invalid_token",
            "not_authed",
            "token_expired",
            "token_revoked",
            "two_factor_setup_required",
        ),
        "unauthorized",
    ),
    **dict.fromkeys(
        ("message_limit_exceeded", "rate_limited", "ratelimited"), "throttled"
    ),
    "request_timeout": "timeout",
}


def _unreadable() -> Identity:
    return Identity(user_source="slack", user_resolution="unresolved:error")


@never_raises(_unreadable)
def from_slack(users_info: Any, event: Any, home: Home) -> Identity:
    """Name the person behind a Slack event. Pure; never raises.

    Args:
        users_info: Answer of `users.info` (``{"ok": true, "user": {…}}``, also the
            SDK's response object or the user alone), or a `LookupFailure`.
        event: Outer envelope, inner event, slash command or interaction.
        home: Where our own people live.
    """
    return name_slack_user(users_info, slack_actor(event), home)


def name_slack_user(users_info: Any, actor: SlackActor, home: Home) -> Identity:
    """Name the person that was read from an event before; see `from_slack`."""
    if not actor.user:
        return _nobody(actor)
    if actor.user == _SLACKBOT:
        return _bot("slackbot", actor)
    user = _user_in(users_info)
    if isinstance(user, LookupFailure):
        kind = "external" if _is_surely_foreign(actor, home) else "unknown"
        return replace(_blank(actor), user_type=kind, user_resolution=user.resolution)
    return _person_or_bot(user, actor, home)


def _blank(actor: SlackActor) -> Identity:
    return Identity(user_platform_id=actor.platform_id, user_source="slack")


def _nobody(actor: SlackActor) -> Identity:
    """Answer for an event without a user: a bot's own message, or nothing at all."""
    return _bot(actor.bot_name, actor) if actor.bot else _blank(actor)


def _bot(raw: str, actor: SlackActor, resolution: str = "resolved") -> Identity:
    name = fold(clean(raw))
    blank = replace(_blank(actor), user_type="bot")
    if not name:
        return replace(blank, user_resolution="partial")
    return replace(
        blank,
        user_id=f"{BOT_PREFIX}{name}",
        user_id_raw=only_text(raw),
        user_resolution=resolution,
    )


def _user_in(answer: Any) -> dict[str, Any] | LookupFailure:
    """Return the user of a `users.info` answer, or why there is none."""
    if isinstance(answer, LookupFailure):
        return answer
    body = body_of(answer)
    if body is None:
        return LookupFailure()
    if body.get("ok") is False or first_text(body, "error"):
        return LookupFailure(_REASONS.get(first_text(body, "error"), "error"))
    if "user" not in body and ("profile" in body or "name" in body):
        return body
    user = as_dict(body.get("user"))
    return LookupFailure() if user is None else user


def _person_or_bot(user: dict[str, Any], actor: SlackActor, home: Home) -> Identity:
    actor = actor._replace(team=first_text(user, "team_id") or actor.team)
    suffix = ":deactivated" if user.get("deleted") is True else ""
    name = first_usable(user, "name")
    if _is_bot(user):
        return _bot(name, actor, f"resolved{suffix}")
    email = split(dict_at(user, "profile").get("email"))
    kind = _user_type(user, actor, home)
    if email.local:
        raw = first_usable(dict_at(user, "profile"), "email")
        return replace(
            _named(email, raw, kind, actor, home),
            user_domain=email.domain or None,
            user_email=email.email,
            user_resolution=f"resolved{suffix}",
        )
    return _from_name(name, kind, actor, home, suffix)


def _is_bot(user: dict[str, Any]) -> bool:
    # `is_app_user` only says that a person has authorised an app.
    flags = (user.get("is_bot"), user.get("is_workflow_bot"))
    return True in flags or user.get("id") == _SLACKBOT


def _from_name(
    raw: str, kind: str, actor: SlackActor, home: Home, suffix: str
) -> Identity:
    """Name a person by ``user.name``: nothing confirms that it is theirs alone."""
    name = fold(clean(raw))
    if not name:
        return replace(_blank(actor), user_resolution="partial")
    unsure = ":name" if kind == "member" else ""
    identity = _named(Login(name, whole=name), raw, kind, actor, home)
    return replace(identity, user_resolution=f"resolved{suffix or unsure}")


def _named(
    login: Login, raw: str, kind: str, actor: SlackActor, home: Home
) -> Identity:
    team = fold(actor.team)
    fallback = f"{team or 'unknown'}.{SLACK_DOMAIN}"
    standing = Standing(user_type=kind, fallback_domain=fallback)
    return replace(
        _blank(actor),
        user_id=name_person(login, standing, home),
        user_id_raw=only_text(raw),
        user_type=kind_of(login, kind, home),
    )


def _user_type(user: dict[str, Any], actor: SlackActor, home: Home) -> str:
    if user.get("is_stranger") is True or _is_foreign(actor, user, home):
        return "external"
    # Single-channel guests carry both flags.
    is_guest = True in (user.get("is_restricted"), user.get("is_ultra_restricted"))
    return "guest" if is_guest else "member"


def _is_surely_foreign(actor: SlackActor, home: Home) -> bool:
    """Whether the event alone shows that somebody is from outside.

    It does not where we are an organisation: another workspace may be ours too,
    and only the look-up would have told.
    """
    ours = (*actor.host_teams, home.slack_team or "")
    is_organisation = any(team.startswith("E") for team in ours)
    return not is_organisation and _is_foreign(actor, {}, home)


def _is_foreign(actor: SlackActor, user: dict[str, Any], home: Home) -> bool:
    """Whether the person's workspace is neither ours nor of our organisation.

    Slack Connect shows people of other firms without `is_stranger` as soon as
    they share a channel with us: the workspace is what tells them apart.
    """
    ours = actor.host_teams
    if home.slack_team and home.slack_team not in ours:
        ours = frozenset({home.slack_team})
    if not ours or not actor.team:
        return False
    grid = dict_at(user, "enterprise_user")
    theirs = {
        actor.team,
        user.get("enterprise_id"),
        grid.get("enterprise_id"),
        *as_list(grid.get("teams")),
    }
    return ours.isdisjoint(each for each in theirs if isinstance(each, str))
