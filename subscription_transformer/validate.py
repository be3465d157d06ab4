"""Read one message into a record: valid, repaired or invalid, and say why.

A repair turns a wrong type into the right one only where there is nothing to guess.
What is still wrong afterwards makes the record invalid: it is delivered as a
quarantined document, so that analysts see it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from audit_record.checks import find_problems, wrong_type
from audit_record.codec import dumps
from audit_record.errors import DecodeError, UnknownSchemaError
from audit_record.fields import (
    CORE_FIELDS,
    FIELDS_BY_NAME,
    TRANSFORMER_FIELDS,
    Field,
    Kind,
    Scalar,
)
from audit_record.times import MAX_TIMESTAMP_MS, format_timestamp
from audit_record.upgrade import upgrade
from subscription_transformer.exact import read_exact

_INTEGER: Final = re.compile(r"[+]?\d{1,18}(?:\.0{1,9})?", re.ASCII)
_ACCOUNT_DIGITS: Final = 12
# Kinds of problems that shortening mends at the end, and lists in `truncated`: not
# here, because a text has to be redacted whole before it is cut.
_MENDED_BY_FIT: Final = frozenset({"length", "items"})
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Validated:
    """One message after validation.

    Attributes:
        values: Fields of the record; empty when it is invalid.
        problems: What was wrong, as ``code:field``; repaired or not.
        is_valid: Whether `values` obeys every rule but those on length.
    """

    values: dict[str, Any]
    problems: tuple[str, ...]
    is_valid: bool


def validate(message: str) -> Validated:
    """Read *message* and repair what can be repaired without guessing."""
    try:
        values, had_surrogates = read_exact(message)
    except DecodeError:
        return Validated({}, _why_not_json(message), is_valid=False)
    if not isinstance(values, dict):
        return Validated({}, ("not_an_object",), is_valid=False)
    problems = ["utf8:replaced"] if had_surrogates else []
    return validate_values(values, problems)


def validate_values(values: dict[str, Any], problems: list[str]) -> Validated:
    """Check and repair decoded *values*; *problems* are known already."""
    try:
        values = upgrade(values)
    except UnknownSchemaError:
        return Validated({}, (*problems, "schema:unknown_major"), is_valid=False)
    repaired, repairs = _repair(values)
    found = find_problems(repaired)
    left = tuple(str(p) for p in found if p.code not in _MENDED_BY_FIT)
    return Validated(repaired, (*problems, *repairs, *left), is_valid=not left)


def _why_not_json(message: str) -> tuple[str, ...]:
    """Tell a piece of a record that was cut apart from any other text."""
    text = message.strip()
    is_piece = text.startswith('{"') or text.endswith('"}')
    return ("not_json", "fragment") if is_piece else ("not_json",)


def _repair(values: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    repaired: dict[str, Any] = {}
    problems: list[str] = []
    strays: dict[str, Any] = {}
    for name, value in values.items():
        field = FIELDS_BY_NAME.get(name)
        if field is None:
            strays[name] = value
        elif name not in TRANSFORMER_FIELDS:
            _repair_field(field, value, repaired, problems)
    if strays:
        _adopt(strays, repaired, problems)
    return repaired, problems


def _repair_field(
    field: Field, value: Any, repaired: dict[str, Any], problems: list[str]
) -> None:
    if _is_absent(field, value):
        return
    mended = _REPAIRS[field.kind](field, value)
    if wrong_type(field, value):
        problems.append(f"type:{field.name}")
    elif mended != value:
        problems.append(f"repaired:{field.name}")
    repaired[field.name] = mended


def _is_absent(field: Field, value: Any) -> bool:
    """Null, and an empty optional value, say the same as a missing field."""
    return value is None or (value in ("", [], {}) and field.name not in CORE_FIELDS)


def _adopt(
    strays: dict[str, Any], repaired: dict[str, Any], problems: list[str]
) -> None:
    """Keep what the table does not know among the bot's own extras."""
    attributes = repaired.get("attributes")
    known = dict(attributes) if isinstance(attributes, dict) else {}
    extra = {
        name: _as_text(value) for name, value in strays.items() if value is not None
    }
    # The bot's declared attributes win a clash of names, and come first where
    # there are too many.
    repaired["attributes"] = known | {k: v for k, v in extra.items() if k not in known}
    if not repaired["attributes"]:
        del repaired["attributes"]
    problems.append("unknown:fields")


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else dumps(value).decode()


def _repair_string(field: Field, value: Any) -> Any:
    if isinstance(value, bool | int | float):
        text = _as_text(value)
        if field.name == "aws_account_id" and text.isdigit():
            # Written as a number, an account id loses its leading zeros.
            return text.zfill(_ACCOUNT_DIGITS)
        return text
    if isinstance(value, str):
        return _repair_text(field, value)
    return _as_text(value) if field.may_be_empty else value


def _repair_text(field: Field, value: str) -> str:
    if field.name == "timestamp":
        return _repair_timestamp(value)
    if field.enum or (field.pattern and field.pattern.pattern.startswith("[0-9a-f]")):
        folded = value.strip().lower()
        is_right = not field.enum or folded in field.enum
        return folded if is_right else value
    return value


def _repair_timestamp(value: str) -> str:
    """Write an instant with a zone in the record's own format; leave others."""
    try:
        moment = dt.datetime.fromisoformat(value.strip())
    except ValueError:
        return value
    if moment.tzinfo is None:
        return value
    epoch_ms = (moment - _EPOCH) // dt.timedelta(milliseconds=1)
    is_sayable = 0 <= epoch_ms <= MAX_TIMESTAMP_MS
    return format_timestamp(epoch_ms) if is_sayable else value


def _repair_integer(_: Field, value: Any) -> Any:
    text = _as_text(value) if isinstance(value, str | float) else ""
    return int(float(text)) if _INTEGER.fullmatch(text.strip()) else value


def _repair_string_list(_: Field, value: Any) -> Any:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return [_as_text(value)]
    if isinstance(value, list):
        return [_as_text(item) for item in value if item not in (None, "")]
    return value


def _repair_object_list(field: Field, value: Any) -> Any:
    objects = [value] if isinstance(value, dict) else value
    if not isinstance(objects, list):
        return value
    return [_repair_object(field, item) for item in objects]


def _repair_object(field: Field, value: Any) -> Any:
    if isinstance(value, str):
        # A bare name or URI stands for an object that has nothing else.
        return {field.members[0].name: value}
    if not isinstance(value, dict):
        return value
    scalars = {member.name: member.scalar for member in field.members}
    return {
        name: _repair_member(scalars[name], item)
        for name, item in value.items()
        if name in scalars and item is not None
    }


def _repair_member(scalar: Scalar, value: Any) -> Any:
    if scalar is Scalar.STRING:
        return _as_text(value)
    if scalar is Scalar.INTEGER:
        return _repair_integer(FIELDS_BY_NAME["duration_ms"], value)
    return value


def _repair_string_map(_: Field, value: Any) -> Any:
    if not isinstance(value, dict):
        return {"value": _as_text(value)}
    return {key: _as_text(item) for key, item in value.items() if item is not None}


def _repair_count_map(field: Field, value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: _repair_integer(field, item) for key, item in value.items()}


_Repair = Callable[[Field, Any], Any]
_REPAIRS: Final[dict[Kind, _Repair]] = {
    Kind.STRING: _repair_string,
    Kind.INTEGER: _repair_integer,
    Kind.STRING_LIST: _repair_string_list,
    Kind.OBJECT_LIST: _repair_object_list,
    Kind.STRING_MAP: _repair_string_map,
    Kind.COUNT_MAP: _repair_count_map,
}
