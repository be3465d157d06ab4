"""Name people of web front ends by OIDC claims, and of bots by a plain string.

Claims are believed because an authorizer has checked the token; a free parameter
of a request is never a claim.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from emitter.conversation.shape import (
    as_dict,
    first_text,
    never_raises,
    only_text,
)
from emitter.identity.clean import Login, clean, first_usable, fold, split
from emitter.identity.model import UNKNOWN_USER_ID, Home, Identity
from emitter.identity.naming import (
    BOT_PREFIX,
    CLIENT_PREFIX,
    Standing,
    kind_of,
    name_person,
)
from emitter.identity.teams import name_entra_user

# Claims that carry a login, best first: OIDC, Entra v1, Cognito.
_LOGIN_CLAIMS: Final = (
    "preferred_username",
    "upn",
    "unique_name",
    "cognito:username",
    "username",
)
# Claims that carry the client's id: OAuth, Entra v1, OIDC, Okta.
_CLIENT_CLAIMS: Final = ("client_id", "clientId", "appid", "azp", "cid")
# How Keycloak calls the account of a client that acts for itself.
_KEYCLOAK_PREFIX: Final = "service-account-"


def _unreadable() -> Identity:
    return Identity(user_source="web", user_resolution="unresolved:error")


@never_raises(_unreadable)
def from_claims(claims: Any, home: Home) -> Identity:
    """Name the person or machine behind verified token claims. Pure; never raises.

    People follow the rules of Teams: ``preferred_username`` stands for the UPN,
    ``email`` for mail, ``oid`` and ``tid`` make the platform id. A token that
    names no person but a client is a machine: ``svc:<client_id>``. An e-mail that
    its issuer calls unverified is not used.
    """
    values = as_dict(claims) or {}
    tenant = home.spelled(first_text(values, "tid"))
    subject = only_text(first_usable(values, "oid", "sub"))
    platform_id = "/".join(filter(None, (tenant, subject))) if subject else None
    blank = Identity(user_platform_id=platform_id, user_source="web")
    user = _entra_properties(values)
    client = first_usable(values, *_CLIENT_CLAIMS)
    client = client or first_text(values, *_CLIENT_CLAIMS)
    if client and _is_machine(values, user, client):
        return _name_client(client, blank)
    if not subject and not any(user.values()):
        return blank
    return name_entra_user(user, tenant, home, blank)


def _entra_properties(claims: dict[str, Any]) -> dict[str, Any]:
    is_unverified = claims.get("email_verified") in (False, "false", "False")
    # Entra's optional claim `acct`: 0 a member of the tenant, 1 a guest.
    is_guest = claims.get("acct") in (1, "1")
    # Okta's access tokens carry the login as the subject.
    subject = first_usable(claims, "sub")
    login = _first_login(claims)
    if not split(login).local and "." in split(subject).domain:
        login = subject
    return {
        "userPrincipalName": login,
        "mail": "" if is_unverified else first_usable(claims, "email"),
        "userType": "Guest" if is_guest else "",
        "department": claims.get("department"),
    }


def _first_login(claims: dict[str, Any]) -> str:
    """Return the first claim that names somebody, else the first that has a text."""
    usable = (name for name in _LOGIN_CLAIMS if split(claims.get(name)).local)
    return first_usable(claims, *usable, *_LOGIN_CLAIMS)


def _is_machine(claims: dict[str, Any], user: dict[str, Any], client: str) -> bool:
    """Whether a token was given to a client that acts for itself.

    Entra says so by `idtyp`, or by a subject that is the object id; Auth0 by
    `gty`; Cognito and Okta by a subject that is the client. A token that merely
    lacks a name may still be a person's.
    """
    subject = claims.get("sub")
    if claims.get("idtyp") == "app" or claims.get("gty") == "client-credentials":
        return True
    if _is_keycloak_client(claims, user["userPrincipalName"]):
        return True
    if user["userPrincipalName"] or user["mail"]:
        return subject == client
    return not subject or subject in (client, f"{client}@clients", claims.get("oid"))


def _is_keycloak_client(claims: dict[str, Any], login: str) -> bool:
    clients = (fold(clean(claims.get(name))) for name in _CLIENT_CLAIMS)
    accounts = {f"{_KEYCLOAK_PREFIX}{client}" for client in clients if client}
    return split(login).whole in accounts


def _name_client(raw: str, blank: Identity) -> Identity:
    client_id = fold(clean(raw))
    if not client_id:
        return replace(blank, user_resolution="partial")
    return replace(
        blank,
        user_id=f"{CLIENT_PREFIX}{client_id}",
        user_id_raw=only_text(raw),
        user_type="service",
        user_resolution="resolved",
    )


@never_raises(Identity)
def from_text(text: Any, home: Home) -> Identity:
    """Name whoever a bot names by a plain string. Pure; never raises.

    ``bot:`` and ``svc:`` ids that this package made come back as they are.
    """
    login = split(text)
    if not login.local:
        reason = "partial" if login.whole else "unresolved:no_id"
        return Identity(user_resolution=reason)
    if login.whole == UNKNOWN_USER_ID:
        return Identity(user_resolution="partial")
    raw = only_text(text)
    if login.whole.startswith((BOT_PREFIX, CLIENT_PREFIX)):
        kind = "bot" if login.whole.startswith(BOT_PREFIX) else "service"
        return _known(login.whole, raw, kind)
    return _name_login(login, raw, home)


def _known(user_id: str, raw: str, kind: str) -> Identity:
    return Identity(
        user_id=user_id, user_id_raw=raw, user_type=kind, user_resolution="resolved"
    )


def _name_login(login: Login, raw: str, home: Home) -> Identity:
    kind = "guest" if login.is_guest else "member"
    identity = _known(
        name_person(login, Standing(user_type=kind), home),
        raw,
        kind_of(login, kind, home),
    )
    return replace(identity, user_domain=login.domain or None, user_email=login.email)
