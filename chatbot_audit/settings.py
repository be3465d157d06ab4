"""Where the command finds its store and zone: options, environment, profile file.

The profile file is TOML, by default ``~/.config/chatbot-audit/config.toml``::

    store = "audit.db"
    tz = "Europe/Berlin"

    [profiles.helpdesk]
    no_content = true
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from chatbot_audit.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_STORE: Final = Path(".sandbox/audit.db")
_CONFIG: Final = "CHATBOT_AUDIT_CONFIG"
_STORE: Final = "CHATBOT_AUDIT_STORE"
_TZ: Final = "CHATBOT_AUDIT_TZ"
_PROFILE: Final = "CHATBOT_AUDIT_PROFILE"
_KEYS: Final[Mapping[str, type]] = {"store": str, "tz": str, "no_content": bool}
_TYPE_NAMES: Final = {str: "a text that is not empty", bool: "true or false"}


@dataclass(frozen=True, slots=True)
class QuerySettings:
    """What a query command needs to know before it starts.

    Attributes:
        store: The store's file.
        tz: Name of the zone; None asks the machine.
        no_content: Whether questions and answers are left out.
    """

    store: Path = DEFAULT_STORE
    tz: str | None = None
    no_content: bool = False

    @classmethod
    def from_env(
        cls, environ: Mapping[str, str], profile: str | None = None
    ) -> QuerySettings:
        """Read the profile file and what the environment sets over it.

        Args:
            environ: Variables; unset and empty ones change nothing.
            profile: Which part of the file; else ``CHATBOT_AUDIT_PROFILE`` says.

        Raises:
            SettingsError: With all faults of the file together.
        """
        path, is_named = _config_path(environ)
        settings = _from_file(path, profile or environ.get(_PROFILE), is_named=is_named)
        if environ.get(_STORE):
            settings = replace(settings, store=Path(environ[_STORE]))
        if environ.get(_TZ):
            settings = replace(settings, tz=environ[_TZ])
        return settings


def _config_path(environ: Mapping[str, str]) -> tuple[Path, bool]:
    if environ.get(_CONFIG):
        return Path(environ[_CONFIG]), True
    home = environ.get("HOME")
    folder = Path(home) if home else Path.home()
    return folder / ".config" / "chatbot-audit" / "config.toml", False


def _from_file(path: Path, profile: str | None, *, is_named: bool) -> QuerySettings:
    table = _read(path, is_named=is_named or profile is not None)
    profiles = table.pop("profiles", {})
    faults: list[str] = []
    values = _checked(table, "", faults)
    if not isinstance(profiles, dict):
        faults.append("profiles must be a table")
        profiles = {}
    for name, part in profiles.items():
        chosen = _checked(part, f"profiles.{name}", faults)
        values |= chosen if name == profile else {}
    if profile is not None and profile not in profiles:
        known = ", ".join(sorted(profiles)) or "none"
        faults.append(f"there is no profile {profile!r}; known: {known}")
    if faults:
        raise SettingsError(str(path), tuple(faults))
    return _settings(values, path.parent)


def _read(path: Path, *, is_named: bool) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        if not is_named:
            return {}
        raise SettingsError(str(path), ("there is no such file",)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(str(path), (f"not TOML: {error}",)) from error
    except (OSError, ValueError) as error:
        raise SettingsError(str(path), ("cannot be read",)) from error


def _checked(part: Any, place: str, faults: list[str]) -> dict[str, Any]:
    if not isinstance(part, dict):
        faults.append(f"{place} must be a table")
        return {}
    prefix = place + "." if place else ""
    for key, value in part.items():
        kind = _KEYS.get(key)
        if kind is None:
            faults.append(f"unknown key {prefix}{key}; known: {', '.join(_KEYS)}")
        elif not isinstance(value, kind) or value == "":
            faults.append(f"{prefix}{key} must be {_TYPE_NAMES[kind]}")
    return part


def _settings(values: Mapping[str, Any], folder: Path) -> QuerySettings:
    store = values.get("store")
    return QuerySettings(
        # A path in a file is seen from that file's folder.
        store=_seen_from(folder, store) if store else DEFAULT_STORE,
        tz=values.get("tz"),
        no_content=values.get("no_content", False),
    )


def _seen_from(folder: Path, name: str) -> Path:
    try:
        return folder / Path(name).expanduser()
    except RuntimeError:
        # No such person on this machine: the name is taken as it stands.
        return folder / name
