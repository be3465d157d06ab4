"""The emitter's settings: argument beats environment beats default."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from audit_record import limits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_T = TypeVar("_T")
SINKS: Final = ("auto", "cloudwatch", "stdout")
MODES: Final = ("sync", "thread")
FALLBACKS: Final = ("full", "metadata", "off")
STYLES: Final = ("tagged", "plain")
_LOG_GROUP: Final = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}", re.ASCII)
_REGION: Final = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d{1,2}", re.ASCII)
_DOMAIN: Final = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9.\-]{0,251}[A-Za-z0-9])?", re.ASCII
)
_ID: Final = re.compile(r"[A-Za-z0-9\-]{1,64}", re.ASCII)
_SWITCH: Final = {"1": True, "true": True, "on": True, "yes": True} | {
    "0": False,
    "false": False,
    "off": False,
    "no": False,
}


@dataclass(frozen=True, slots=True)
class EmitterSettings:
    """What a bot author can set; `docs/settings.md` has the table.

    Attributes:
        log_group: The shared audit log group.
        sink: ``cloudwatch``, ``stdout`` or ``auto``: CloudWatch on Lambda or where
            a log group is named in the environment, else stdout.
        region: Region of the log group; "" leaves it to the AWS library.
        mode: ``sync``, or ``thread`` for long-lived servers.
        home_domains: Mail domains that share one login namespace.
        slack_team: Our own Slack workspace.
        tenant: Our own Entra tenant.
        max_record_bytes: Cap on one encoded record.
        budget_ms: The most that writing one record may take, after the reply.
        fallback: What the fallback line holds: ``full``, ``metadata``, ``off``.
        spool_dir: Where records wait that CloudWatch did not take, outside Lambda.
        style: How conversations are flattened.
        is_enabled: False writes nothing, and says so once.
        is_log_group_named: Whether somebody chose the log group.
    """

    log_group: str = "/aws/ai-bots/audit-logs"
    sink: str = "auto"
    region: str = ""
    mode: str = "sync"
    home_domains: tuple[str, ...] = ()
    slack_team: str | None = None
    tenant: str | None = None
    max_record_bytes: int = limits.DEFAULT_MAX_RECORD_BYTES
    budget_ms: int = 5_000
    fallback: str = "full"
    spool_dir: str = ""
    style: str = "tagged"
    is_enabled: bool = True
    is_log_group_named: bool = False

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> tuple[EmitterSettings, list[str]]:
        """Read ``BOT_AUDIT_*`` variables.

        Returns:
            Settings in which faulty variables have their default, and a sentence
            for each fault.
        """
        reader = _Reader(environ)
        values: dict[str, Any] = {
            "log_group": reader.text("LOG_GROUP", "a log group's name", _LOG_GROUP),
            "sink": reader.choice("SINK", SINKS),
            "region": reader.text("REGION", "a region's name", _REGION),
            "mode": reader.choice("MODE", MODES),
            "home_domains": reader.domains("HOME_DOMAINS"),
            "slack_team": reader.text("SLACK_TEAM", "a workspace id", _ID),
            "tenant": reader.text("TENANT", "a tenant id", _ID),
            "max_record_bytes": reader.number(
                "MAX_RECORD_BYTES",
                limits.MIN_MAX_RECORD_BYTES,
                limits.MAX_LOG_EVENT_BYTES,
            ),
            "budget_ms": reader.number("BUDGET_MS", 100, 60_000),
            "fallback": reader.choice("FALLBACK", FALLBACKS),
            "spool_dir": reader.text("SPOOL_DIR", "a folder", re.compile(r"[^\0]+")),
            "style": reader.choice("STYLE", STYLES),
            "is_enabled": reader.switch("ENABLED"),
        }
        known = {name: value for name, value in values.items() if value is not None}
        settings = cls(**known, is_log_group_named="log_group" in known)
        return settings, reader.faults


class _Reader:
    """Reads variables and collects what is wrong with them; None is unset."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.faults: list[str] = []

    def text(self, name: str, expected: str, pattern: re.Pattern[str]) -> str | None:
        """Return a text that matches."""
        return self._read(name, expected, str, lambda v: bool(pattern.fullmatch(v)))

    def choice(self, name: str, allowed: tuple[str, ...]) -> str | None:
        """Return one of the words allowed."""
        expected = "one of " + ", ".join(allowed)
        return self._read(name, expected, str.lower, allowed.__contains__)

    def number(self, name: str, lowest: int, highest: int) -> int | None:
        """Return a whole number in a range."""
        expected = f"a whole number from {lowest} to {highest}"
        return self._read(name, expected, int, lambda v: lowest <= v <= highest)

    def switch(self, name: str) -> bool | None:
        """Return on or off."""
        expected = "on or off"
        return self._read(name, expected, lambda v: _SWITCH[v.lower()], lambda _: True)

    def domains(self, name: str) -> tuple[str, ...] | None:
        """Return domains separated by commas."""

        def split(text: str) -> tuple[str, ...]:
            return tuple(part.strip() for part in text.split(",") if part.strip())

        return self._read(
            name,
            "domains separated by commas",
            split,
            lambda v: all(_DOMAIN.fullmatch(domain) for domain in v),
        )

    def _read(
        self,
        name: str,
        expected: str,
        convert: Callable[[str], _T],
        is_legal: Callable[[_T], bool],
    ) -> _T | None:
        text = self._environ.get(f"BOT_AUDIT_{name}", "").strip()
        if not text:
            return None
        value: _T | None
        try:
            value = convert(text)
        except (ValueError, KeyError):
            value = None
        if value is None or not is_legal(value):
            self.faults.append(f"BOT_AUDIT_{name} must be {expected}")
            return None
        return value
