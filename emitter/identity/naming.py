"""Make one `user_id` from a login: our own people short, everybody else in full.

Short means ``bob.smith``, in full ``bob.smith@partner.example``. A false merge of
two people is worse than a false split, so whatever is in doubt stays in full.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from emitter.identity.clean import Login, split
from emitter.identity.model import UNKNOWN_USER_ID, Home

# What `user_id` starts with for bots and machine clients. No person's short name
# may look like one.
BOT_PREFIX: Final = "bot:"
CLIENT_PREFIX: Final = "svc:"

# Domains made up here for people of a workspace or tenant whose mail domain is
# unknown. Nobody can register them, and they are never anybody's home.
SLACK_DOMAIN: Final = "slack"
TENANT_DOMAIN: Final = "tenant"
_PSEUDO_DOMAINS: Final = (f".{SLACK_DOMAIN}", f".{TENANT_DOMAIN}")


@dataclass(frozen=True, slots=True)
class Standing:
    """How a person stands to us.

    Attributes:
        user_type: member, guest or external, as the platform says.
        is_home_tenant: The question came from our own Entra tenant.
        fallback_domain: Domain for a person who must be named in full and has
            none; empty if the platform gives nothing to make one from.
    """

    user_type: str = "member"
    is_home_tenant: bool = False
    fallback_domain: str = ""


def name_person(login: Login, standing: Standing, home: Home) -> str:
    """Return the `user_id` of a person; *login* must be usable."""
    if is_own(login, standing, home):
        short = _without_tag(login, home)
        if reads_as_itself(short):
            return short
    domain = login.domain or standing.fallback_domain
    return f"{login.local}@{domain}" if domain else login.whole or login.local


def is_own(login: Login, standing: Standing, home: Home) -> bool:
    """Whether a member with that login is one of our own people.

    True for an unknown domain (a NetBIOS name has no dot and counts as unknown; a
    mail domain is known, dot or not), for a home domain, for any domain while no
    home domain is configured, and for our own tenant's ``.onmicrosoft.com``. Never
    for guests and externals.
    """
    domain = login.domain
    if standing.user_type != "member" or domain.endswith(_PSEUDO_DOMAINS):
        return False
    is_unknown = "." not in domain and not login.is_address
    if is_unknown or home.takes_everybody or domain in home.domains:
        return True
    return standing.is_home_tenant and domain.endswith(".onmicrosoft.com")


def _without_tag(login: Login, home: Home) -> str:
    is_home = not login.domain or login.domain in home.domains
    if home.strip_plus_tags and is_home:
        return login.local.partition("+")[0] or login.local
    return login.local


def reads_as_itself(short: str) -> bool:
    """Whether a short name, read again, is that same login and nothing else.

    A login with an ``@``, a backslash or a prefix of ours in it would read as
    somebody else's name: ``"bob@partner.example"@example.com`` is not Bob.
    """
    if short == UNKNOWN_USER_ID or short.startswith((BOT_PREFIX, CLIENT_PREFIX)):
        return False
    again = split(short)
    return again.local == short and not again.domain and not again.is_guest


def kind_of(login: Login, user_type: str, home: Home) -> str:
    """Return the `user_type`: a member whose login says so is a service account."""
    if user_type == "member" and home.is_service(login.local):
        return "service"
    return user_type
