"""Bring records of older schema majors up to the current one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from audit_record.errors import UnknownSchemaError
from audit_record.fields import SCHEMA_VERSION

Upgrade = Callable[[dict[str, Any]], dict[str, Any]]

CURRENT_MAJOR: Final = int(SCHEMA_VERSION.split(".", maxsplit=1)[0])

# From each older major to the next. 1 is the first that was ever published.
UPGRADES: Final[dict[int, Upgrade]] = {}


def upgrade(
    values: Mapping[str, Any],
    upgrades: Mapping[int, Upgrade] | None = None,
    current_major: int = CURRENT_MAJOR,
) -> dict[str, Any]:
    """Return *values* at the current schema major.

    A record without `schema_version` is taken as current: hand-written emitters
    leave it out. Newer minors are read as they are; unknown fields are kept.

    Args:
        values: Fields of one record.
        upgrades: One step for each older major; the published steps by default.
        current_major: The major to reach.

    Raises:
        UnknownSchemaError: The major is newer than this release, older than its
            steps reach, or no number at all.
    """
    steps = UPGRADES if upgrades is None else upgrades
    upgraded = dict(values)
    major = _major(upgraded.get("schema_version", f"{current_major}.0"), current_major)
    while major < current_major:
        if major not in steps:
            raise UnknownSchemaError(str(major))
        upgraded = steps[major](upgraded)
        major += 1
        upgraded["schema_version"] = f"{major}.0"
    return upgraded


def _major(version: Any, current_major: int) -> int:
    head = str(version).split(".", maxsplit=1)[0]
    if not (head.isascii() and head.isdigit() and len(head) <= 3):  # noqa: PLR2004
        raise UnknownSchemaError("?")
    major = int(head)
    if major > current_major:
        raise UnknownSchemaError(head)
    return major
