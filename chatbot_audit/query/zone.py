"""Find the zone that an analyst's days belong to."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from chatbot_audit.errors import WhenError

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOCALTIME: Final = Path("/etc/localtime")
_DATABASE: Final = "zoneinfo/"
_EXPECTED: Final = "expected a name like Europe/Berlin, America/New_York or UTC"


def find_zone(
    name: str | None, environ: Mapping[str, str], localtime: Path = _LOCALTIME
) -> dt.tzinfo:
    """Return the zone *name*, else the one of ``TZ``, else the machine's own.

    Args:
        name: A name of the zone database; None and ``local`` ask the machine.
        environ: Where ``TZ`` is looked up.
        localtime: The machine's zone file.

    Raises:
        WhenError: No such zone, or the machine does not tell its own.
    """
    if name is not None and name != "local":
        return _named(name, "--tz")
    if "TZ" in environ:
        return _of_variable(environ["TZ"])
    return _of_machine(localtime)


def _named(name: str, origin: str) -> dt.tzinfo:
    if name.upper() in {"UTC", "Z"}:
        return dt.UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise WhenError(f"{origin} names no known time zone; {_EXPECTED}") from error


def _of_variable(value: str) -> dt.tzinfo:
    # POSIX: a colon may stand in front, and nothing at all means UTC.
    name = value.removeprefix(":")
    if not name:
        return dt.UTC
    if name.startswith("/"):
        return _of_machine(Path(name))
    return _named(name, "the environment's TZ")


def _of_machine(localtime: Path) -> dt.tzinfo:
    try:
        _, found, name = localtime.resolve().as_posix().rpartition(_DATABASE)
        if found:
            return _named(name, f"{localtime}")
        with localtime.open("rb") as file:
            return ZoneInfo.from_file(file)
    except (OSError, ValueError) as error:
        raise WhenError(
            f"the time zone of this machine is unknown; give one with --tz, {_EXPECTED}"
        ) from error
