"""Every rule of validity, one function a rule; all problems are reported.

A rule is a predicate named after the fault it finds. It sees one field of the
table and a value of the right shape, except `wrong_type`, which looks first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from audit_record import limits
from audit_record.codec import dumps
from audit_record.errors import InvalidRecordError
from audit_record.fields import (
    CORE_FIELDS,
    FIELDS,
    FIELDS_BY_NAME,
    TIMESTAMP_PATTERN,
    Field,
    Kind,
    Member,
    Scalar,
)
from audit_record.times import parse_timestamp_ms

MAX_INTEGER: Final = 2**63 - 1
# A byte grows to at most six when JSON writes it: a control as \u0000.
_MAX_JSON_GROWTH: Final = 6
_MAX_UTF8_GROWTH: Final = 4


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken rule: ``str(problem)`` is ``code:field``."""

    code: str
    field: str

    def __str__(self) -> str:
        return f"{self.code}:{self.field}"


def find_problems(values: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Return every broken rule of a record, in table order; empty when valid.

    Args:
        values: Fields of one record, as decoded from JSON.

    Returns:
        Codes are `missing`, `type`, `empty`, `length`, `items`, `value`,
        `format`, `range` and `unknown`. An unknown field is named
        ``(unknown)``: its name is a bot's text, not ours.
    """
    return tuple(_find(values))


def require_valid(values: Mapping[str, Any]) -> None:
    """Raise `InvalidRecordError` with all problems unless *values* is valid."""
    problems = find_problems(values)
    if problems:
        raise InvalidRecordError(tuple(str(problem) for problem in problems))


def _find(values: Mapping[str, Any]) -> Iterator[Problem]:
    yield from (Problem("missing", name) for name in missing_core(values))
    for name, field, has_shape, rules in _PLAN:
        if name not in values:
            continue
        value = values[name]
        if not has_shape(field, value):
            yield Problem("type", name)
            continue
        for code, is_broken in rules:
            if is_broken(field, value):
                yield Problem(code, name)
    if has_unknown_field(values):
        yield Problem("unknown", "(unknown)")


def missing_core(values: Mapping[str, Any]) -> list[str]:
    """Return the core fields that are not there."""
    return [name for name in CORE_FIELDS if name not in values]


def has_unknown_field(values: Mapping[str, Any]) -> bool:
    """Tell whether a key is not in the table."""
    return any(name not in FIELDS_BY_NAME for name in values)


def wrong_type(field: Field, value: Any) -> bool:
    """Tell whether the value does not have the shape of the field's kind."""
    return not _SHAPES[field.kind](field, value)


def empty_value(field: Field, value: Any) -> bool:
    """Tell whether a field is there and says nothing: absent means unknown."""
    return not value and not field.may_be_empty


def empty_item(_: Field, value: list[str]) -> bool:
    """Tell whether a list holds an empty string."""
    return "" in value


def too_long(field: Field, value: str) -> bool:
    """Tell whether a string is over its limit in bytes.

    For filter fields the bytes are counted as JSON writes them too.
    """
    return is_over(value, field.max_bytes, is_encoded=field.is_filter)


def too_long_item(field: Field, value: list[str]) -> bool:
    """Tell whether a string of a list is over its limit."""
    return any(
        is_over(item, field.max_bytes, is_encoded=field.is_filter) for item in value
    )


def too_long_entry(field: Field, value: dict[str, Any]) -> bool:
    """Tell whether a key or a string of a map is over its limit."""
    return any(
        is_over(key, limits.MAX_ATTRIBUTE_KEY_BYTES)
        or (isinstance(item, str) and is_over(item, field.max_bytes))
        for key, item in value.items()
    )


def too_long_member(field: Field, value: list[dict[str, Any]]) -> bool:
    """Tell whether a string inside a list of objects is over its limit."""
    return any(
        is_over(item[member.name], member.max_bytes)
        for item in value
        for member in field.members
        if member.scalar is Scalar.STRING and member.name in item
    )


def too_many_items(field: Field, value: list[Any] | dict[str, Any]) -> bool:
    """Tell whether a list or map holds more than it may."""
    return len(value) > field.max_items


def not_in_enum(field: Field, value: str) -> bool:
    """Tell whether a string is none of the values allowed."""
    return bool(field.enum) and value not in field.enum


def not_in_member_enum(field: Field, value: list[dict[str, Any]]) -> bool:
    """Tell whether a member of a list of objects is none of the values allowed."""
    return any(
        item[member.name] not in member.enum
        for item in value
        for member in field.members
        if member.enum and member.name in item
    )


def bad_format(field: Field, value: str) -> bool:
    """Tell whether a string does not match the field's pattern."""
    if field.pattern is None:
        return False
    if field.pattern is TIMESTAMP_PATTERN:
        return not is_timestamp(value)
    return field.pattern.fullmatch(value) is None


def out_of_range(field: Field, value: int) -> bool:
    """Tell whether a count is negative, beyond 63 bits, or a chain's zeroth."""
    return not (field.name == "seq") <= value <= MAX_INTEGER


def out_of_range_count(_: Field, value: dict[str, int]) -> bool:
    """Tell whether a count in a map is negative or beyond 63 bits."""
    return any(not 0 <= item <= MAX_INTEGER for item in value.values())


def is_timestamp(text: str) -> bool:
    """Tell whether *text* is an instant in the record's own format."""
    try:
        parse_timestamp_ms(text)
    except ValueError:
        return False
    return True


def is_over(text: str, max_bytes: int, *, is_encoded: bool = False) -> bool:
    """Tell whether *text* takes more than *max_bytes* of UTF-8.

    Args:
        text: Any text.
        max_bytes: The limit.
        is_encoded: Whether the limit holds for the text as JSON writes it,
            without its quotes, too.
    """
    growth = _MAX_JSON_GROWTH if is_encoded else _MAX_UTF8_GROWTH
    if len(text) * growth <= max_bytes:
        return False
    return size_bytes(text, is_encoded=is_encoded) > max_bytes


def size_bytes(text: str, *, is_encoded: bool = False) -> int:
    """Return the size of *text* in UTF-8, or as JSON writes it between quotes."""
    if is_encoded:
        return len(dumps(text)) - 2
    return len(text.encode("utf-8", "surrogatepass"))


def _is_string(_: Field, value: Any) -> bool:
    return isinstance(value, str)


def _is_integer(_: Field, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_string_list(_: Field, value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_string_map(_: Field, value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(key, str) and isinstance(item, str) for key, item in value.items()
    )


def _is_count_map(field: Field, value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(key, str) and _is_integer(field, item) for key, item in value.items()
    )


def _is_object_list(field: Field, value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict) and _is_object(field.members, item) for item in value
    )


def _is_object(members: tuple[Member, ...], value: dict[Any, Any]) -> bool:
    known = {member.name: member for member in members}
    return all(m.name in value for m in members if m.is_required) and all(
        name in known and _is_scalar(known[name].scalar, item)
        for name, item in value.items()
    )


def _is_scalar(scalar: Scalar, value: Any) -> bool:
    if scalar is Scalar.STRING:
        return isinstance(value, str)
    if isinstance(value, bool):
        return False
    if scalar is Scalar.INTEGER:
        return isinstance(value, int) and 0 <= value <= MAX_INTEGER
    return isinstance(value, int | float) and math.isfinite(value)


_Rule = Callable[[Field, Any], bool]
_SHAPES: Final[dict[Kind, _Rule]] = {
    Kind.STRING: _is_string,
    Kind.INTEGER: _is_integer,
    Kind.STRING_LIST: _is_string_list,
    Kind.OBJECT_LIST: _is_object_list,
    Kind.STRING_MAP: _is_string_map,
    Kind.COUNT_MAP: _is_count_map,
}
_RULES: Final[dict[Kind, tuple[tuple[str, _Rule], ...]]] = {
    Kind.STRING: (
        ("empty", empty_value),
        ("length", too_long),
        ("value", not_in_enum),
        ("format", bad_format),
    ),
    Kind.INTEGER: (("range", out_of_range),),
    Kind.STRING_LIST: (
        ("empty", empty_value),
        ("empty", empty_item),
        ("items", too_many_items),
        ("length", too_long_item),
    ),
    Kind.OBJECT_LIST: (
        ("empty", empty_value),
        ("items", too_many_items),
        ("length", too_long_member),
        ("value", not_in_member_enum),
    ),
    Kind.STRING_MAP: (
        ("empty", empty_value),
        ("items", too_many_items),
        ("length", too_long_entry),
    ),
    Kind.COUNT_MAP: (
        ("empty", empty_value),
        ("items", too_many_items),
        ("length", too_long_entry),
        ("range", out_of_range_count),
    ),
}
# What to look at for each field, in table order: looked up once, not once a record.
_PLAN: Final = tuple(
    (field.name, field, _SHAPES[field.kind], _RULES[field.kind]) for field in FIELDS
)
