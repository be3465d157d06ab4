"""What a row of the field table is made of: kinds, members, words allowed."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import Final

SCHEMA_VERSION: Final = "1.0"


class Kind(enum.Enum):
    """The JSON shape of a field's value."""

    STRING = "string"
    INTEGER = "integer"
    STRING_LIST = "string list"
    OBJECT_LIST = "object list"
    STRING_MAP = "string map"
    COUNT_MAP = "count map"


class Scalar(enum.Enum):
    """The JSON type of a member of an object in an `OBJECT_LIST`."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Member:
    """One member of the objects in an `OBJECT_LIST`.

    Attributes:
        name: Key in the object.
        scalar: JSON type of the value.
        max_bytes: Limit of a string in UTF-8 bytes; 0 for numbers.
        is_required: Whether each object must have it.
        enum: The only strings allowed, if any.
    """

    name: str
    scalar: Scalar = Scalar.STRING
    max_bytes: int = 0
    is_required: bool = False
    enum: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One row of the table.

    Attributes:
        name: Key in the record.
        kind: Shape of the value.
        meaning: One sentence for the published table.
        tier: Who fills it: A the library alone, B the platform's or model's own
            answer, C the bot, T the transformer (stripped from what comes in).
        max_bytes: Limit of a string, or of each string of a list, in UTF-8
            bytes. For filter fields the limit also holds for the value as JSON
            writes it, so that a text of quotes cannot push others out of reach.
        max_items: Limit of a list or map.
        enum: The only values allowed, if any.
        pattern: What a string must match as a whole, if anything.
        members: The members of the objects in an `OBJECT_LIST`.
        is_filter: Stands within the first 4,500 bytes of every record.
        is_core: Always present, as a string.
        may_be_empty: Whether an empty string is a value.
        default: What an unknown core field holds.
        example: One value, invented.
    """

    name: str
    kind: Kind
    meaning: str
    tier: str
    max_bytes: int = 0
    max_items: int = 0
    enum: tuple[str, ...] = ()
    pattern: re.Pattern[str] | None = None
    members: tuple[Member, ...] = ()
    is_filter: bool = False
    is_core: bool = False
    may_be_empty: bool = False
    default: str = ""
    example: str = ""


TIMESTAMP_PATTERN: Final = re.compile(
    r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
    r"T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z",
    re.ASCII,
)
BOT_NAME = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)
ACCOUNT = re.compile(r"\d{12}|unknown", re.ASCII)
HEX32 = re.compile(r"[0-9a-f]{32}", re.ASCII)
HEX16 = re.compile(r"[0-9a-f]{16}", re.ASCII)
HEX64 = re.compile(r"[0-9a-f]{64}", re.ASCII)
SCHEMA_NUMBER = re.compile(r"\d{1,3}\.\d{1,3}", re.ASCII)

USER_SOURCES: Final = ("slack", "teams", "web", "api", "cli")
USER_TYPES: Final = (
    "member",
    "guest",
    "external",
    "bot",
    "service",
    "anonymous",
    "unknown",
)
USER_RESOLUTIONS: Final = (
    "resolved",
    "resolved:name",
    "resolved:deactivated",
    "partial",
    "unresolved:no_id",
    "unresolved:not_found",
    "unresolved:forbidden",
    "unresolved:unauthorized",
    "unresolved:throttled",
    "unresolved:timeout",
    "unresolved:error",
)
RECORD_TYPES: Final = ("interaction", "feedback", "access", "canary", "invalid")
OUTCOMES: Final = (
    "answered",
    "blocked",
    "partial",
    "empty",
    "error",
    "timeout",
    "cancelled",
)
CHANNEL_TYPES: Final = ("dm", "group", "private_channel", "public_channel", "api")
# From least to most: the highest over all calls of a question is kept.
GUARDRAIL_ACTIONS: Final = ("none", "detected", "anonymized", "blocked")
GUARDRAIL_SIDES: Final = ("input", "output", "both")
DELIVERED_BY: Final = ("fallback", "backfill", "replay")
TOOL_STATUSES: Final = ("ok", "error", "returned")
FEEDBACKS: Final = ("up", "down")

UNKNOWN_USER_ID: Final = "unknown_user_id"


def string_field(
    name: str, max_bytes: int, tier: str, meaning: str, **more: object
) -> Field:
    """Make a row of kind STRING."""
    return Field(name, Kind.STRING, meaning, tier, max_bytes, **more)  # type: ignore[arg-type]


def filter_field(
    name: str, max_bytes: int, tier: str, meaning: str, **more: object
) -> Field:
    """Make a STRING row that stands within the first 4,500 bytes."""
    return string_field(name, max_bytes, tier, meaning, is_filter=True, **more)


def choice_field(name: str, values: tuple[str, ...], tier: str, meaning: str) -> Field:
    """Make a filter row whose value is one of some words."""
    longest = max(len(value) for value in values)
    return filter_field(name, longest, tier, meaning, enum=values, example=values[0])


def count_field(name: str, tier: str, meaning: str, *, is_filter: bool = True) -> Field:
    """Make an INTEGER row."""
    return Field(name, Kind.INTEGER, meaning, tier, is_filter=is_filter, example="42")


def strings_field(
    name: str, max_items: int, max_bytes: int, tier: str, meaning: str, **more: object
) -> Field:
    """Make a STRING_LIST row."""
    return Field(
        name,
        Kind.STRING_LIST,
        meaning,
        tier,
        max_bytes,
        max_items,
        **more,  # type: ignore[arg-type]
    )


def core_field(
    name: str, max_bytes: int, meaning: str, example: str, **more: object
) -> Field:
    """Make a filter row of a field that is always present."""
    return filter_field(
        name, max_bytes, "A", meaning, is_core=True, example=example, **more
    )


def text_field(name: str, max_bytes: int, meaning: str, example: str) -> Field:
    """Make the row of a long text that is always present."""
    return string_field(
        name,
        max_bytes,
        "B/C",
        meaning,
        is_core=True,
        may_be_empty=True,
        example=example,
    )
