"""The emitter's settings: argument beats environment beats default."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final

from audit_record import limits
from emitter.identity.model import (
    DEFAULT_SERVICE_PATTERN,
    DEFAULT_TEAMS_ORDER,
    LOGIN_PROPERTIES,
    parts_of,
    read_domain,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DEFAULT_LOG_GROUP: Final = "/aws/ai-bots/audit-logs"
PREFIX: Final = "BOT_AUDIT_"
SINKS: Final = ("auto", "cloudwatch", "stdout")
MODES: Final = ("sync", "thread")
FALLBACKS: Final = ("full", "metadata", "off")
STYLES: Final = ("tagged", "plain")
OVERFLOWS: Final = ("block", "spool", "raise")
_MIB: Final = 1_048_576
_LOG_GROUP: Final = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}", re.ASCII)
# The European sovereign cloud's regions begin with four letters.
_REGION: Final = re.compile(r"[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}", re.ASCII)
# A label of a domain; domains may be written in any alphabet.
_LABEL: Final = r"[a-z0-9\u0080-\U0010ffff](?:-*[a-z0-9\u0080-\U0010ffff])*"
_DOMAIN: Final = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
_DOMAINS: Final = "domains separated by commas"
_ID: Final = re.compile(r"[A-Za-z0-9\-]{1,64}", re.ASCII)
_FOLDER: Final = re.compile(r"[^\0]+")
_SWITCH: Final = {"1": True, "true": True, "on": True, "yes": True} | {
    "0": False,
    "false": False,
    "off": False,
    "no": False,
}


class _Unnamed(str):
    """A log group that nobody has named, unlike the same name given by somebody."""

    __slots__ = ()


_UNNAMED: Final = _Unnamed(DEFAULT_LOG_GROUP)


@dataclass(frozen=True, slots=True)
class EmitterSettings:
    """What a bot author can set; `docs/settings.md` has the table.

    Attributes:
        log_group: The shared audit log group.
        sink: ``cloudwatch``, ``stdout`` or ``auto``: CloudWatch on Lambda or where
            somebody chose a log group, else stdout.
        region: Region of the log group; "" leaves it to the AWS library.
        mode: ``sync``, or ``thread`` for long-lived servers.
        home_domains: Mail domains that share one login namespace.
        slack_team: Our own Slack workspace.
        tenant: Our own Entra tenant.
        teams_order: Properties of a Graph user that may give the login, best first.
        service_pattern: Regular expression for the start of a service account's
            login, in lower case.
        strip_plus_tags: Cut ``+tag`` off logins of home domains.
        max_record_bytes: Cap on one encoded record, 32,768 to 1,048,550.
        budget_ms: The most that writing one record may take, after the reply.
        fallback: What the fallback line holds: ``full``, ``metadata``, ``off``.
        spool_dir: Where records wait that CloudWatch did not take, outside Lambda;
            "" has none, and the marked line goes to stdout.
        style: How conversations are flattened: ``tagged`` or ``plain``.
        is_enabled: False writes nothing, and says so once.
        is_log_group_named: Whether somebody chose the log group.
        overflow: What mode ``thread`` does when its queue is full: ``block`` for
            the budget at most, ``spool`` to the fallback, or ``raise``.
        max_queue_count: Records that may wait in mode ``thread``.
        max_queue_bytes: Their size, estimated.
        max_spool_bytes: Size of the spool folder; what is older is kept.
        problems: What is wrong with the values given; defaults stand for them.
    """

    log_group: str = _UNNAMED
    sink: str = "auto"
    region: str = ""
    mode: str = "sync"
    home_domains: tuple[str, ...] = ()
    slack_team: str | None = None
    tenant: str | None = None
    teams_order: tuple[str, ...] = DEFAULT_TEAMS_ORDER
    service_pattern: str = DEFAULT_SERVICE_PATTERN
    strip_plus_tags: bool = False
    max_record_bytes: int = limits.DEFAULT_MAX_RECORD_BYTES
    budget_ms: int = 5_000
    fallback: str = "full"
    spool_dir: str = ""
    style: str = "tagged"
    is_enabled: bool = True
    is_log_group_named: bool = False
    overflow: str = "spool"
    max_queue_count: int = 10_000
    max_queue_bytes: int = 64 * _MIB
    max_spool_bytes: int = 256 * _MIB
    problems: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.log_group, _Unnamed):
            object.__setattr__(self, "is_log_group_named", True)

    @property
    def is_home_closed(self) -> bool:
        """Whether home domains were given of which none is one.

        Then nobody is named in short: a mistake must not merge people.
        """
        told = any(problem.endswith(_DOMAINS) for problem in self.problems)
        return told and not self.home_domains

    @classmethod
    def from_env(
        cls, environ: Mapping[str, str] = os.environ, **arguments: Any
    ) -> EmitterSettings:
        """Read the ``BOT_AUDIT_*`` variables.

        Args:
            environ: Environment variables; unset and blank ones do not count.
            **arguments: Values by attribute name, which beat the environment.

        Returns:
            Settings in which faulty values have their default, with a sentence for
            each fault in `problems`.

        Raises:
            TypeError: An argument is no attribute.
        """
        found: dict[str, Any] = {}
        problems: list[str] = []
        for name, rule in _RULES.items():
            text = environ.get(rule.variable, "").strip() if rule.variable else ""
            if text and name not in arguments:
                _take(found, problems, rule, rule.variable, name, text)
        settings = cls(**arguments).checked()
        named = settings.is_log_group_named or "log_group" in {*found, *arguments}
        return replace(
            settings,
            **found,
            is_log_group_named=named,
            problems=(*settings.problems, *problems),
        )

    def checked(self) -> EmitterSettings:
        """Return these settings with defaults in place of faulty values."""
        found: dict[str, Any] = {}
        problems = list(self.problems)
        for field in fields(self):
            rule = _RULES.get(field.name)
            value = getattr(self, field.name)
            if rule is None or _is_default(value, field.default):
                continue
            _take(found, problems, rule, field.name, field.name, value)
            found.setdefault(field.name, field.default)
        return replace(self, **found, problems=tuple(problems))


class _Fault(Exception):  # noqa: N818 - never leaves this module
    """A value is not what its setting allows.

    Attributes:
        kept: What of it can be used all the same; None for nothing.
    """

    def __init__(self, kept: Any = None) -> None:
        super().__init__()
        self.kept = kept


def _is_default(value: Any, default: Any) -> bool:
    # A bot's object may raise when compared.
    return type(value) in (type(default), str) and bool(value == default)


@dataclass(frozen=True, slots=True)
class _Rule:
    """One setting: the variable's name, what it must be, and how it is read."""

    variable: str
    expected: str
    read: Callable[[Any], Any]


def _take(
    found: dict[str, Any],
    problems: list[str],
    rule: _Rule,
    shown: str,
    name: str,
    value: Any,
) -> None:
    try:
        found[name] = rule.read(value)
    except Exception as error:  # noqa: BLE001 - a bot may give any object
        problems.append(f"{shown} must be {rule.expected}")
        if isinstance(error, _Fault) and error.kept is not None:
            found[name] = error.kept


def _text(variable: str, expected: str, pattern: re.Pattern[str]) -> _Rule:
    def read(value: Any) -> str:
        text = os.fspath(value)
        if not isinstance(text, str) or pattern.fullmatch(text) is None:
            raise _Fault
        return text

    return _Rule(PREFIX + variable, expected, read)


def _choice(variable: str, allowed: tuple[str, ...]) -> _Rule:
    def read(value: Any) -> str:
        word = str.lower(value)
        if word not in allowed:
            raise _Fault
        return word

    return _Rule(variable and PREFIX + variable, "one of " + ", ".join(allowed), read)


def _number(variable: str, lowest: int, highest: int) -> _Rule:
    def read(value: Any) -> int:
        number = int(value)
        is_whole = isinstance(value, int | str) and not isinstance(value, bool)
        if not is_whole or not lowest <= number <= highest:
            raise _Fault
        return number

    expected = f"a whole number from {lowest} to {highest}"
    return _Rule(variable and PREFIX + variable, expected, read)


def _read_switch(value: Any) -> bool:
    return value if isinstance(value, bool) else _SWITCH[str.lower(value)]


def _read_domains(value: Any) -> tuple[str, ...]:
    """Read home domains; those that are none do not spoil the others."""
    parts = [part for part in parts_of(value) if not _is_blank(part)]
    domains = tuple(filter(_DOMAIN.fullmatch, map(read_domain, parts)))
    if len(domains) < len(parts):
        raise _Fault(domains or None)
    return domains


def _is_blank(part: Any) -> bool:
    return isinstance(part, str) and not part.strip()


def _read_order(value: Any) -> tuple[str, ...]:
    by_folded = {name.lower(): name for name in LOGIN_PROPERTIES}
    parts = [part for part in parts_of(value) if not _is_blank(part)]
    if not parts:
        raise _Fault
    return tuple(by_folded[str.lower(part.strip())] for part in parts)


def _read_pattern(value: Any) -> str:
    pattern = str.__str__(value)
    # What matches an empty text would make a machine of everybody.
    if re.compile(pattern).match(""):
        raise _Fault
    return pattern


_RULES: Final[dict[str, _Rule]] = {
    "log_group": _text("LOG_GROUP", "a log group's name", _LOG_GROUP),
    "sink": _choice("SINK", SINKS),
    "region": _text("REGION", "a region's name", _REGION),
    "mode": _choice("MODE", MODES),
    "home_domains": _Rule(PREFIX + "HOME_DOMAINS", _DOMAINS, _read_domains),
    "slack_team": _text("SLACK_TEAM", "a workspace id", _ID),
    "tenant": _text("TENANT", "a tenant id", _ID),
    "teams_order": _Rule(
        PREFIX + "TEAMS_ORDER",
        "some of " + ", ".join(LOGIN_PROPERTIES),
        _read_order,
    ),
    "service_pattern": _Rule(
        PREFIX + "SERVICE_PATTERN", "a regular expression", _read_pattern
    ),
    "strip_plus_tags": _Rule(PREFIX + "STRIP_PLUS_TAGS", "on or off", _read_switch),
    "max_record_bytes": _number(
        "MAX_RECORD_BYTES", limits.MIN_MAX_RECORD_BYTES, limits.MAX_LOG_EVENT_BYTES
    ),
    "budget_ms": _number("BUDGET_MS", 100, 60_000),
    "fallback": _choice("FALLBACK", FALLBACKS),
    "spool_dir": _text("SPOOL_DIR", "a folder", _FOLDER),
    "style": _choice("STYLE", STYLES),
    "is_enabled": _Rule(PREFIX + "ENABLED", "on or off", _read_switch),
    "overflow": _choice("", OVERFLOWS),
    "max_queue_count": _number("", 1, 10_000_000),
    "max_queue_bytes": _number("", limits.DEFAULT_MAX_RECORD_BYTES, 2**40),
    "max_spool_bytes": _number("", limits.DEFAULT_MAX_RECORD_BYTES, 2**50),
}
