"""Make a valid record of whatever was collected; nothing raises and nothing is lost.

A value that its field cannot hold is kept among the record's `attributes`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from audit_record import AuditRecord
from audit_record.checks import find_problems
from audit_record.codec import dumps, encode
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

_LOG: Final = logging.getLogger("emitter")
WITHHELD: Final = "[withheld: redact hook failed]"
# Fields that only this library or the pipeline fills.
OWN_FIELDS: Final = frozenset(
    {
        *TRANSFORMER_FIELDS,
        *PLACEHOLDER,
        *("nonce", "schema_version", "record_id", "truncated", "redactions"),
    }
)
# Texts of people inside lists.
_NAMED_TEXTS: Final = (("sources", "title"), ("attachments", "name"))
# Shortening mends these; everything else has to move.
_MENDED: Final = frozenset({"length", "items"})

Redact = Callable[[str], str]


def without_own_fields(
    fields: Mapping[str, Any], and_keep: Collection[str] = ()
) -> dict[str, Any]:
    """Return *fields* without those that only this library or the pipeline fills.

    Args:
        fields: What a bot has stated, by name.
        and_keep: Fields of ours that may be stated here.

    Raises:
        TypeError: A field does not exist: a plain mistake.
    """
    unknown = sorted(set(fields) - set(FIELDS_BY_NAME))
    if unknown:
        raise TypeError(f"no such field of an audit record: {unknown[0]}")
    dropped = sorted(OWN_FIELDS.intersection(fields).difference(and_keep))
    if dropped:
        _LOG.warning("audit: fields that a bot cannot set: %s", ", ".join(dropped))
    return {name: value for name, value in fields.items() if name not in dropped}


def assemble(
    collected: Mapping[str, Any],
    redact: Redact | None,
    max_bytes: int,
    core: Mapping[str, Any] | None = None,
) -> tuple[AuditRecord, AuditRecord]:
    """Return the record before and after it was fitted under *max_bytes*.

    Both have placeholders for the chain's fields. Without shortening both are one.

    Args:
        collected: Fields by name, of any kind.
        redact: Runs on each text.
        max_bytes: Cap on the encoded record.
        core: What a core field holds if what was collected for it is none.
    """
    plain = {name: to_plain(value) for name, value in collected.items()}
    defaults: dict[str, Any] = CORE_DEFAULTS | dict(core or {})
    values = {name: defaults[name] for name in CORE_DEFAULTS}
    values |= {n: v for n, v in plain.items() if _says_something(n, v)}
    _make_attributes_texts(values)
    for name in TEXT_FIELDS:
        values[name] = _as_text(values[name])
    values |= {"schema_version": SCHEMA_VERSION} | PLACEHOLDER
    is_valid = not _move_misfits(values, defaults)
    if redact is not None:
        # Also what was just moved; and what the hook made of a text may be a misfit.
        _redact(values, redact)
        is_valid = not _move_misfits(values, defaults)
    record = AuditRecord(values)
    # Nothing to shorten: whatever is valid keeps each limit but the whole's.
    if is_valid and len(encode(record)) <= max_bytes:
        return record, record
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
    withheld_count = 0
    attributes = values.get("attributes")
    texts = [(values, name) for name in (*TEXT_FIELDS, "feedback_comment")]
    if isinstance(attributes, dict):
        texts += [(attributes, name) for name in attributes]
    for list_name, member in _NAMED_TEXTS:
        items = values.get(list_name)
        if isinstance(items, list):
            texts += [(item, member) for item in items if isinstance(item, dict)]
    for holder, name in texts:
        text = holder.get(name)
        if isinstance(text, str) and text:
            holder[name], failed = _redacted(text, redact)
            withheld_count += failed
    if withheld_count:
        values["redactions"] = {"withheld": withheld_count}


def _redacted(text: str, redact: Redact) -> tuple[str, int]:
    try:
        changed: Any = redact(text)
    except BaseException:  # noqa: BLE001 - the bot's own code, on a thread of ours
        return WITHHELD, 1
    # An empty text is no text in most fields: the hook has removed all of it.
    return (changed or WITHHELD, 0) if isinstance(changed, str) else (WITHHELD, 1)


def _move_misfits(values: dict[str, Any], defaults: Mapping[str, Any]) -> bool:
    """Move what its field cannot hold into `attributes`; core fields get defaults.

    Returns:
        Whether any rule was broken, also one that shortening mends.
    """
    attributes = values.get("attributes")
    kept = dict(attributes) if isinstance(attributes, dict) else {}
    moved = False
    problems = find_problems(values)
    for problem in problems:
        if problem.code in _MENDED or problem.field not in values:
            continue
        value = values.pop(problem.field)
        moved = True
        if problem.field in CORE_FIELDS:
            values[problem.field] = defaults[problem.field]
        if problem.field != "attributes" or not isinstance(value, dict):
            kept.setdefault(problem.field, _as_text(value))
    if moved and kept:
        values["attributes"] = kept
    return bool(problems)
