"""The values that identity works with: who asked, where home is, what failed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from typing import Any, Final

from emitter.identity.clean import clean, fold

UNKNOWN_USER_ID: Final = "unknown_user_id"

# Why nobody was found, as `user_resolution` says it after "unresolved:".
FAILURE_REASONS: Final = (
    "no_id",
    "not_found",
    "forbidden",
    "unauthorized",
    "throttled",
    "timeout",
    "error",
)

# Logins that people give to accounts of machines.
DEFAULT_SERVICE_PATTERN: Final = r"(?:svc|srv|sa|service)[-_.]"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asked, with the names of the record's fields.

    Attributes:
        user_id: Normalised login, or ``unknown_user_id``.
        user_id_raw: The very string `user_id` was made from, untouched.
        user_domain: Domain of mail or UPN, in lower case.
        user_email: E-mail address, in lower case; the join between platforms.
        user_type: member, guest, external, bot, service, anonymous or unknown.
        user_platform_id: ``team/user`` or ``tenant/object id``; never changes.
        user_resolution: resolved, resolved:name, resolved:deactivated, partial or
            ``unresolved:`` and a reason of `FAILURE_REASONS`.
        user_source: slack, teams, web, api or cli.
        department: As the directory says it.
    """

    user_id: str = UNKNOWN_USER_ID
    user_id_raw: str | None = None
    user_domain: str | None = None
    user_email: str | None = None
    user_type: str = "unknown"
    user_platform_id: str | None = None
    user_resolution: str = "unresolved:no_id"
    user_source: str = "api"
    department: str | None = None

    def as_fields(self) -> dict[str, str]:
        """Return the record's fields; what is unknown is left out."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in values.items() if value}


@dataclass(frozen=True, slots=True)
class LookupFailure:
    """Stands for the answer of a look-up that gave none.

    A reason outside `FAILURE_REASONS` counts as ``error``.
    """

    reason: str = "error"

    @property
    def resolution(self) -> str:
        """What `user_resolution` says about it."""
        given: Any = self.reason
        known = isinstance(given, str) and given in FAILURE_REASONS
        return f"unresolved:{given if known else 'error'}"


@dataclass(frozen=True, slots=True)
class Home:
    """Where our own people live.

    Attributes:
        domains: Mail domains that share one login namespace: ``bob`` at one of
            them is ``bob`` at each. None given: every member is our own.
        slack_team: Our Slack workspace (``T…``) or Enterprise Grid (``E…``).
        tenant: Our Entra tenant id.
        teams_order: Properties of a Graph user that may give the login, best
            first: userPrincipalName, mail, mailNickname, onPremisesSamAccountName.
        strip_plus_tags: Cut ``+tag`` off logins of home domains. Off by default:
            a false merge of two people is worse than a false split.
        service_pattern: Regular expression for the start of a service account's
            login.

    Raises:
        ValueError: `service_pattern` is not a regular expression.
    """

    domains: tuple[str, ...] = ()
    slack_team: str | None = None
    tenant: str | None = None
    teams_order: tuple[str, ...] = ("userPrincipalName", "mail")
    strip_plus_tags: bool = False
    service_pattern: str = DEFAULT_SERVICE_PATTERN
    _service: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        given: Any = self.domains
        domains = given.split(",") if isinstance(given, str) else tuple(given)
        folded = (fold(clean(domain)).lstrip("@") for domain in domains)
        object.__setattr__(self, "domains", tuple(filter(None, folded)))
        try:
            service = re.compile(self.service_pattern)
        except re.error as error:
            raise ValueError("service_pattern is not a regular expression") from error
        object.__setattr__(self, "_service", service)

    def is_service(self, local: str) -> bool:
        """Whether a login in lower case belongs to a service account."""
        return self._service.match(local) is not None
