"""Name a Teams user from the Graph answer and the activity.

Trusts `userPrincipalName`, then `mail`; display names never. Pages: Microsoft
Graph "Get a user", Bot Framework activity schema.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from emitter.conversation.shape import (
    as_dict,
    dict_at,
    first_text,
    never_raises,
    only_text,
)
from emitter.identity.actors import TeamsActor, teams_actor
from emitter.identity.clean import Login, clean, fold, split
from emitter.identity.model import Home, Identity, LookupFailure
from emitter.identity.naming import (
    BOT_PREFIX,
    TENANT_DOMAIN,
    Standing,
    kind_of,
    name_person,
)

# Codes of Graph's error body, in lower case, by what they mean for us.
_REASONS: Final = {
    "authorization_identitynotfound": "not_found",
    "directory_objectnotfound": "not_found",
    "request_resourcenotfound": "not_found",
    "resourcenotfound": "not_found",
    "itemnotfound": "not_found",
    "authorization_requestdenied": "forbidden",
    "accessdenied": "forbidden",
    "forbidden": "forbidden",
    "authentication_expiredtoken": "unauthorized",
    "invalidauthenticationtoken": "unauthorized",
    "unauthorized": "unauthorized",
    "unauthenticated": "unauthorized",
    "toomanyrequests": "throttled",
    "activitylimitreached": "throttled",
    "throttledrequest": "throttled",
}


# How Graph's Python SDK spells what is read here.
_SDK_NAMES: Final = {
    "user_principal_name": "userPrincipalName",
    "mail_nickname": "mailNickname",
    "on_premises_sam_account_name": "onPremisesSamAccountName",
    "user_type": "userType",
    "account_enabled": "accountEnabled",
}


def _unreadable() -> Identity:
    return Identity(user_source="teams", user_resolution="unresolved:error")


@never_raises(_unreadable)
def from_teams(graph_user: Any, activity: Any, home: Home) -> Identity:
    """Name the person behind a Teams activity. Pure; never raises.

    Args:
        graph_user: Answer of Graph's ``GET /users/{id}``, or a `LookupFailure`.
        activity: Bot Framework activity: dictionary, JSON or SDK object.
        home: Where our own people live.
    """
    return name_teams_user(graph_user, teams_actor(activity), home)


def name_teams_user(graph_user: Any, actor: TeamsActor, home: Home) -> Identity:
    """Name the person that was read from an activity before; see `from_teams`."""
    actor = actor._replace(tenant=home.spelled(actor.tenant))
    blank = Identity(user_platform_id=actor.platform_id, user_source="teams")
    if actor.is_bot:
        return _bot(actor, blank)
    if actor.is_anonymous or not actor.object_id:
        kind = "anonymous" if actor.is_anonymous else "unknown"
        return replace(blank, user_type=kind)
    user = _user_in(graph_user)
    if isinstance(user, LookupFailure):
        is_foreign = _is_foreign(actor.tenant, home)
        kind = "external" if is_foreign else "unknown"
        return replace(blank, user_type=kind, user_resolution=user.resolution)
    return name_entra_user(user, actor.tenant, home, blank)


def _bot(actor: TeamsActor, blank: Identity) -> Identity:
    name = fold(clean(actor.name))
    if not name:
        return replace(blank, user_type="bot", user_resolution="partial")
    return replace(
        blank,
        user_id=f"{BOT_PREFIX}{name}",
        user_id_raw=only_text(actor.name),
        user_type="bot",
        user_resolution="resolved",
    )


def _user_in(answer: Any) -> dict[str, Any] | LookupFailure:
    if isinstance(answer, LookupFailure):
        return answer
    body = as_dict(answer)
    if body is None:
        return LookupFailure()
    if body.get("error"):
        code = first_text(dict_at(body, "error"), "code").lower()
        return LookupFailure(_REASONS.get(code, "error"))
    return _wire_named(body)


def _wire_named(body: dict[str, Any]) -> dict[str, Any]:
    """Return a user under Graph's names; its Python SDK spells them its own way."""
    found = {
        wire: body[name]
        for name, wire in _SDK_NAMES.items()
        if body.get(name) is not None
    }
    return {**found, **body} if found else body


def _is_foreign(tenant: str, home: Home) -> bool:
    return bool(home.tenant and tenant) and not home.is_tenant(tenant)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A property that may name the person, with its untouched value."""

    login: Login
    raw: str


def name_entra_user(
    user: dict[str, Any], tenant: str, home: Home, blank: Identity
) -> Identity:
    """Name a person by the properties of an Entra account.

    Args:
        user: Properties under their Graph names.
        tenant: Tenant the person came from, in any case; may be empty.
        home: Where our own people live.
        blank: Carries platform id and source into the answer.
    """
    kind = _user_type(user, tenant, home)
    chosen = _choose(user, kind, home)
    if chosen is None:
        return replace(blank, user_resolution="partial")
    login = _with_domain(chosen.login, user)
    standing = Standing(
        user_type=kind,
        is_home_tenant=home.is_tenant(tenant),
        fallback_domain=f"{fold(tenant) or 'unknown'}.{TENANT_DOMAIN}",
    )
    disabled = user.get("accountEnabled") is False
    return replace(
        blank,
        user_id=name_person(login, standing, home),
        user_id_raw=chosen.raw,
        user_domain=login.domain or None,
        user_email=_email(user, chosen.login),
        user_type=kind_of(login, kind, home),
        user_resolution="resolved:deactivated" if disabled else "resolved",
        department=clean(user.get("department")) or None,
    )


def _user_type(user: dict[str, Any], tenant: str, home: Home) -> str:
    principal = split(user.get("userPrincipalName"))
    if principal.is_guest or clean(user.get("userType")).lower() == "guest":
        return "guest"
    # Entra lets only one tenant verify a domain, so a UPN in one of our domains
    # is ours even if it comes from a second tenant of ours.
    is_ours = principal.is_address and principal.domain in home.domains
    return "external" if _is_foreign(tenant, home) and not is_ours else "member"


def _choose(user: dict[str, Any], kind: str, home: Home) -> _Candidate | None:
    """Return the first usable property, in the configured order.

    A guest whose UPN lacks the guest mark has an account made up in our tenant:
    the mail address says who it is.
    """
    order = tuple(home.teams_order)
    is_plain_guest = not split(user.get("userPrincipalName")).is_guest
    if kind == "guest" and is_plain_guest:
        order = ("mail", *order)
    for name in order:
        login = split(user.get(name))
        if login.local:
            return _Candidate(login, only_text(user.get(name)))
    return None


def _with_domain(login: Login, user: dict[str, Any]) -> Login:
    """Return a login with a domain; a bare nickname takes it from UPN or mail."""
    if login.domain:
        return login
    for name in ("userPrincipalName", "mail"):
        other = split(user.get(name))
        if other.domain:
            return replace(login, domain=other.domain, is_address=other.is_address)
    return login


def _email(user: dict[str, Any], chosen: Login) -> str | None:
    principal = split(user.get("userPrincipalName"))
    return split(user.get("mail")).email or principal.email or chosen.email
