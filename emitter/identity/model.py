"""The values that identity works with: who asked, where home is, what failed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from typing import Any, Final

from emitter.identity.clean import clean, clean_domain, fold

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

DEFAULT_TEAMS_ORDER: Final = ("userPrincipalName", "mail")
# Properties of a Graph user that may hold a login.
LOGIN_PROPERTIES: Final = (
    *DEFAULT_TEAMS_ORDER,
    "mailNickname",
    "onPremisesSamAccountName",
)
_PROPERTIES_BY_FOLDED: Final = {name.lower(): name for name in LOGIN_PROPERTIES}
_SEPARATORS: Final = re.compile("[,;]")

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
        is_closed: Nobody is our own by their domain unless it is in *domains*,
            even if there is none. True by itself where domains were given of which
            none can be one: a mistake must not merge people.

    Raises:
        ValueError: `service_pattern` is not a regular expression.
    """

    domains: tuple[str, ...] = ()
    slack_team: str | None = None
    tenant: str | None = None
    teams_order: tuple[str, ...] = DEFAULT_TEAMS_ORDER
    strip_plus_tags: bool = False
    service_pattern: str = DEFAULT_SERVICE_PATTERN
    is_closed: bool = False
    _service: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        given = tuple(filter(_is_given, parts_of(self.domains)))
        domains = tuple(filter(None, map(read_domain, given)))
        self._set("domains", domains)
        self._set("is_closed", bool(self.is_closed or (given and not domains)))
        self._set("slack_team", clean(self.slack_team).upper() or None)
        self._set("tenant", clean(self.tenant) or None)
        self._set("teams_order", _read_order(self.teams_order))
        try:
            service = re.compile(self.service_pattern)
        except (re.error, TypeError) as error:
            raise ValueError("service_pattern is not a regular expression") from error
        self._set("_service", service)

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    @property
    def takes_everybody(self) -> bool:
        """Whether every member is our own, whatever the domain."""
        return not self.domains and not self.is_closed

    def is_tenant(self, tenant: str) -> bool:
        """Whether that is our own tenant; ids are compared without case."""
        return self.tenant is not None and fold(tenant) == fold(self.tenant)

    def spelled(self, tenant: str) -> str:
        """Return a tenant id as it came; our own as it is written here."""
        if self.tenant and self.is_tenant(tenant):
            return self.tenant
        return tenant

    def is_service(self, local: str) -> bool:
        """Whether a login in lower case belongs to a service account."""
        return self._service.match(local) is not None


def parts_of(value: Any) -> tuple[Any, ...]:
    """Return a list's items, those of a text that has them by comma or semicolon.

    What is neither, and not None, is the one item.
    """
    if value is None:
        return ()
    if isinstance(value, str):
        return tuple(_SEPARATORS.split(value))
    try:
        return tuple(value)
    except Exception:  # noqa: BLE001 - a bot's object may raise anything when read
        return (value,)


def read_domain(value: Any) -> str:
    """Return a home domain as logins are compared with it; empty if it is none."""
    return clean_domain(clean(value).lstrip("@"))


def _is_given(value: Any) -> bool:
    return bool(clean(value)) or not isinstance(value, str)


def _read_order(value: Any) -> Any:
    if value is None or isinstance(value, str):
        names = (clean(part) for part in parts_of(value))
        known = (_PROPERTIES_BY_FOLDED.get(name.lower(), name) for name in names)
        return tuple(filter(None, known)) or DEFAULT_TEAMS_ORDER
    return value
