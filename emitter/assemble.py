"""Make a valid record of whatever was collected; nothing raises and nothing is lost.

A value that its field cannot hold is kept among the record's `attributes`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from audit_record import AuditRecord
from audit_record.checks import find_problems
from audit_record.codec import dumps
from audit_record.fields import (
    CORE_DEFAULTS,
    CORE_FIELDS,
    FIELDS_BY_NAME,
    SCHEMA_VERSION,
    TEXT_FIELDS,
    TRANSFORMER_FIELDS,
)
from audit_record.plain import to_plain
from audit_record.shorten import fit
from emitter.chain import PLACEHOLDER

WITHHELD: Final = "[withheld: redact hook failed]"
# Fields that only this library fills; a bot that names one makes a mistake.
OWN_FIELDS: Final = frozenset(
    {
        *TRANSFORMER_FIELDS,
        *PLACEHOLDER,
        *("nonce", "schema_version", "record_id", "truncated", "redactions"),
    }
)
SETTABLE_FIELDS: Final = frozenset(FIELDS_BY_NAME) - OWN_FIELDS
# Shortening mends these; everything else has to move.
_MENDED: Final = frozenset({"length", "items"})

Redact = Callable[[str], str]


def require_settable(fields: Mapping[str, Any]) -> None:
    """Raise `TypeError` for a field that a bot cannot set: a plain mistake."""
    unknown = sorted(set(fields) - SETTABLE_FIELDS)
    if unknown:
        raise TypeError(f"no such field of an audit record: {unknown[0]}")


def assemble(
    collected: Mapping[str, Any], redact: Redact | None, max_bytes: int
) -> tuple[AuditRecord, AuditRecord]:
    """Return the record before and after it was fitted under *max_bytes*.

    Both have placeholders for the chain's fields. Without shortening both are one.
    """
    plain = {name: to_plain(value) for name, value in collected.items()}
    values: dict[str, Any] = dict(CORE_DEFAULTS)
    values |= {n: v for n, v in plain.items() if _says_something(n, v)}
    _make_attributes_texts(values)
    for name in TEXT_FIELDS:
        values[name] = _as_text(values[name])
    if redact is not None:
        _redact(values, redact)
    values |= {"schema_version": SCHEMA_VERSION} | PLACEHOLDER
    _move_misfits(values)
    record = AuditRecord(values)
    return record, fit(record, max_bytes)


def _says_something(name: str, value: Any) -> bool:
    return value not in (None, "", [], {}) or (name in TEXT_FIELDS and value == "")


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else dumps(value).decode()


def _make_attributes_texts(values: dict[str, Any]) -> None:
    attributes = values.get("attributes")
    if isinstance(attributes, dict):
        values["attributes"] = {
            name: _as_text(value) for name, value in attributes.items()
        }


def _redact(values: dict[str, Any], redact: Redact) -> None:
    withheld = 0
    for name in (*TEXT_FIELDS, "feedback_comment"):
        if values.get(name):
            values[name], failed = _redacted(values[name], redact)
            withheld += failed
    attributes = values.get("attributes")
    if isinstance(attributes, dict):
        for name, value in attributes.items():
            attributes[name], failed = _redacted(value, redact)
            withheld += failed
    if withheld:
        values["redactions"] = {"withheld": withheld}


def _redacted(text: str, redact: Redact) -> tuple[str, int]:
    try:
        changed: Any = redact(text)
    except Exception:  # noqa: BLE001 - the hook is the bot's own code
        return WITHHELD, 1
    return (changed, 0) if isinstance(changed, str) else (WITHHELD, 1)


def _move_misfits(values: dict[str, Any]) -> None:
    """Move what its field cannot hold into `attributes`; core fields get defaults."""
    attributes = values.get("attributes")
    kept = dict(attributes) if isinstance(attributes, dict) else {}
    moved = False
    for problem in find_problems(values):
        if problem.code in _MENDED or problem.field not in values:
            continue
        value = values.pop(problem.field)
        moved = True
        if problem.field in CORE_FIELDS:
            values[problem.field] = CORE_DEFAULTS[problem.field]
        if problem.field != "attributes" or not isinstance(value, dict):
            kept.setdefault(problem.field, _as_text(value))
    if moved and kept:
        values["attributes"] = kept
