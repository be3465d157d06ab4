"""The JSON Schema of a record, made from the field table.

``audit_record/schema.json`` is this function's result, written by
``scripts/generate.py``; a test compares the two.
"""

from __future__ import annotations

from typing import Any, Final

from audit_record import limits
from audit_record.checks import MAX_INTEGER
from audit_record.fields import (
    CORE_FIELDS,
    FIELDS,
    SCHEMA_VERSION,
    Field,
    Kind,
    Member,
    Scalar,
)

_NUMBER_TYPES: Final = {Scalar.INTEGER: "integer", Scalar.NUMBER: "number"}


def json_schema() -> dict[str, Any]:
    """Return the schema of one record (draft 2020-12).

    ``maxLength`` counts characters and our limits count bytes: a text within
    its limit always passes, and ``x-max-bytes`` holds the exact limit. Unknown
    fields are allowed, since readers ignore them.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:chatbot-audit:record:{SCHEMA_VERSION}",
        "title": "Audit record",
        "description": "One question that a person asked a bot.",
        "type": "object",
        "required": list(CORE_FIELDS),
        "properties": {field.name: _property(field) for field in FIELDS},
    }


def _property(field: Field) -> dict[str, Any]:
    return {"description": field.meaning} | _SHAPES[field.kind](field)


def _string(field: Field) -> dict[str, Any]:
    shape = _limited(field.max_bytes) | _at_least(is_empty_ok=field.may_be_empty)
    if field.enum:
        shape = {"type": "string", "enum": list(field.enum)}
    elif field.pattern is not None:
        shape["pattern"] = f"^(?:{field.pattern.pattern})$"
    return shape


def _integer(field: Field) -> dict[str, Any]:
    lowest = 1 if field.name == "seq" else 0
    return {"type": "integer", "minimum": lowest, "maximum": MAX_INTEGER}


def _string_list(field: Field) -> dict[str, Any]:
    items = _limited(field.max_bytes) | _at_least(is_empty_ok=False)
    return _list(field, items)


def _object_list(field: Field) -> dict[str, Any]:
    items = {
        "type": "object",
        "required": [m.name for m in field.members if m.is_required],
        "properties": {m.name: _member(m) for m in field.members},
        "additionalProperties": False,
    }
    return _list(field, items)


def _string_map(field: Field) -> dict[str, Any]:
    return _map(field, _limited(field.max_bytes))


def _count_map(field: Field) -> dict[str, Any]:
    return _map(field, {"type": "integer", "minimum": 0, "maximum": MAX_INTEGER})


def _list(field: Field, items: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "array",
        "minItems": 1,
        "maxItems": field.max_items,
        "items": items,
    }


def _map(field: Field, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "minProperties": 1,
        "maxProperties": field.max_items,
        "propertyNames": {"maxLength": limits.MAX_ATTRIBUTE_KEY_BYTES},
        "additionalProperties": values,
    }


def _member(member: Member) -> dict[str, Any]:
    if member.enum:
        return {"type": "string", "enum": list(member.enum)}
    if member.scalar is Scalar.STRING:
        return _limited(member.max_bytes)
    number: dict[str, Any] = {"type": _NUMBER_TYPES[member.scalar]}
    return number | ({"minimum": 0} if member.scalar is Scalar.INTEGER else {})


def _limited(max_bytes: int) -> dict[str, Any]:
    return {"type": "string", "maxLength": max_bytes, "x-max-bytes": max_bytes}


def _at_least(*, is_empty_ok: bool) -> dict[str, Any]:
    return {} if is_empty_ok else {"minLength": 1}


_SHAPES: Final = {
    Kind.STRING: _string,
    Kind.INTEGER: _integer,
    Kind.STRING_LIST: _string_list,
    Kind.OBJECT_LIST: _object_list,
    Kind.STRING_MAP: _string_map,
    Kind.COUNT_MAP: _count_map,
}
