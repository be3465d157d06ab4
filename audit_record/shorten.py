"""Bring a record under its limits, visibly, and under any legal cap in all.

What was shortened is listed in the record's `truncated`: field, size and digest
of the first original, and the size kept. Sizes are measured after encoding,
because quotes double and control characters grow six-fold when JSON writes them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from audit_record import limits
from audit_record.checks import is_over, size_bytes
from audit_record.codec import dumps, encode
from audit_record.cut import shorten_text
from audit_record.errors import RecordTooLargeError
from audit_record.fields import CORE_FIELDS, FIELDS, FIELDS_BY_NAME, Field, Kind, Scalar
from audit_record.plain import to_plain
from audit_record.record import AuditRecord

__all__ = ["fit", "shorten_text"]

TEXT_NAMES: Final = (
    "full_conversation",
    "response",
    "user_query",
    "raw_text",
    "feedback_comment",
)
_CONVERSATION_HEAD_SHARE: Final = 0.1
_TEXT_HEAD_SHARE: Final = 0.7
# Fields are shortened in this order while the record is still over its cap.
_ORDER: Final = (
    "full_conversation",
    "sources",
    "tools",
    "attachments",
    "attributes",
    "response",
    "user_query",
    "raw_text",
    "feedback_comment",
    "source_uris",
    "tool_names",
    "failed_tools",
    "attachment_sha256s",
    "guardrail_policies",
    "redaction_kinds",
    "redactions",
    "problems",
)
# Under which name `truncated` lists fields that the table does not know.
UNKNOWN_FIELDS: Final = "(unknown)"
# What a value of the wrong shape may take before it becomes a shortened string.
_MAX_STRAY_BYTES: Final = 1_024
# One entry of `truncated` as JSON writes it, with its longest name and numbers.
_ENTRY_BYTES: Final = 250
# An over-long id keeps its beginning, and this much of a digest tells it apart.
_ID_DIGEST_DIGITS: Final = 16


def fit(
    record: AuditRecord,
    max_bytes: int = limits.DEFAULT_MAX_RECORD_BYTES,
    *,
    max_text_bytes: Mapping[str, int] | None = None,
) -> AuditRecord:
    """Return *record* with every field under its limit and the whole under a cap.

    Each field is first brought under its own limit. If the encoded record is
    still over *max_bytes*, it is shortened in a fixed order: the conversation,
    the last items of lists, the answer, the question, then whatever is largest.

    Args:
        record: Any record, also an invalid one.
        max_bytes: Cap on the encoded record, 32,768 to 1,048,550.
        max_text_bytes: Lower limits for some of the long texts, by name.

    Returns:
        A record whose encoding is valid JSON of at most *max_bytes*; the same
        object if nothing had to change.

    Raises:
        RecordTooLargeError: *max_bytes* is below the smallest legal cap.
    """
    if max_bytes < limits.MIN_MAX_RECORD_BYTES:
        raise RecordTooLargeError(max_bytes, limits.MIN_MAX_RECORD_BYTES)
    fitting = _Fitting(record, max_bytes, max_text_bytes or {})
    fitting.limit_fields()
    fitting.reduce_in_order()
    fitting.reduce_largest()
    return fitting.result()


class _Fitting:
    """One record while it is being shortened."""

    def __init__(
        self, record: AuditRecord, max_bytes: int, max_text_bytes: Mapping[str, int]
    ) -> None:
        self._record = record
        self._max_bytes = max_bytes
        self._max_text_bytes = max_text_bytes
        self._values = _plain_values(record)
        self._entries: dict[str, dict[str, Any]] = {}
        nonce = self._values.get("nonce")
        self._nonce = nonce.encode() if isinstance(nonce, str) else b""
        self._take_entries(self._values.pop("truncated", []))

    def limit_fields(self) -> None:
        """Bring each field under its own limit."""
        for field in FIELDS:
            value = self._values.get(field.name)
            if value is None:
                continue
            limited = self._limited(field, value)
            if limited != value:
                self._change(field.name, limited)

    def reduce_in_order(self) -> None:
        """Shorten field after field until the record fits."""
        for name in _ORDER:
            excess_bytes = self._excess_bytes()
            if excess_bytes <= 0:
                return
            if name in self._values:
                self._reduce(name, excess_bytes)
        if self._excess_bytes() > 0:
            self._drop_unknown()

    def reduce_largest(self) -> None:
        """Halve whatever is largest until the record fits: for hostile input."""
        while self._excess_bytes() > 0:
            name = max(self._values, key=lambda key: len(dumps(self._values[key])))
            self._change(name, _halved(self._values[name]))

    def result(self) -> AuditRecord:
        """Return the shortened record."""
        shortened = AuditRecord(self._with_entries())
        return self._record if shortened == self._record else shortened

    def _limited(self, field: Field, value: Any) -> Any:
        if field.name in TEXT_NAMES:
            text = value if isinstance(value, str) else dumps(value).decode()
            limit = self._max_text_bytes.get(field.name, field.max_bytes)
            return _shortened(field.name, text, min(limit, field.max_bytes))
        return _LIMITERS[field.kind](field, value)

    def _reduce(self, name: str, excess_bytes: int) -> None:
        value = self._values[name]
        needed_bytes = excess_bytes
        if name not in self._entries:
            needed_bytes += _ENTRY_BYTES
        if isinstance(value, str):
            budget_bytes = len(dumps(value)) - needed_bytes
            self._change(name, _within_encoded(name, value, budget_bytes))
        elif isinstance(value, list):
            self._change(name, _without_last(value, needed_bytes))
        elif isinstance(value, dict):
            kept = _without_last(list(value.items()), needed_bytes)
            self._change(name, dict(kept))

    def _drop_unknown(self) -> None:
        unknown = {k: v for k, v in self._values.items() if k not in FIELDS_BY_NAME}
        if not unknown:
            return
        for name in unknown:
            del self._values[name]
        self._note(UNKNOWN_FIELDS, dumps(unknown), 0)

    def _change(self, name: str, changed: Any) -> None:
        original = _as_bytes(self._values[name])
        if changed or name in CORE_FIELDS:
            self._values[name] = changed
        else:
            del self._values[name]
        kept = _as_bytes(changed) if changed else b""
        self._note(name, original, len(kept))

    def _note(self, name: str, original: bytes, kept_bytes: int) -> None:
        known_name = name if name in FIELDS_BY_NAME else UNKNOWN_FIELDS
        if known_name in self._entries:
            self._entries[known_name]["kept_bytes"] = kept_bytes
            return
        self._entries[known_name] = {
            "field": known_name,
            "bytes": len(original),
            "kept_bytes": kept_bytes,
            "sha256": hashlib.sha256(self._nonce + original).hexdigest(),
        }

    def _take_entries(self, claimed: Any) -> None:
        entries = claimed if isinstance(claimed, list) else [claimed]
        valid = [dict(entry) for entry in entries if _is_entry(entry)]
        self._entries = {entry["field"]: entry for entry in valid}
        if len(self._entries) != len(entries):
            self._note("truncated", dumps(claimed), len(dumps(valid)))

    def _with_entries(self) -> dict[str, Any]:
        entries = list(self._entries.values())
        return self._values | ({"truncated": entries} if entries else {})

    def _excess_bytes(self) -> int:
        return len(encode(AuditRecord(self._with_entries()))) - self._max_bytes


def _plain_values(record: AuditRecord) -> dict[str, Any]:
    values = {str(name): to_plain(value) for name, value in record.items()}
    return {
        name: value
        for name, value in values.items()
        if value or isinstance(value, int) or (value == "" and name in CORE_FIELDS)
    }


def _is_entry(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and set(entry) == {"field", "bytes", "kept_bytes", "sha256"}
        and (entry["field"] in FIELDS_BY_NAME or entry["field"] == UNKNOWN_FIELDS)
        and all(isinstance(entry[key], int) for key in ("bytes", "kept_bytes"))
        and isinstance(entry["sha256"], str)
        and len(entry["sha256"]) == 64  # noqa: PLR2004 - SHA-256 in hex
    )


def _as_bytes(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else dumps(value)


def _shortened(name: str, text: str, max_bytes: int) -> str:
    share = (
        _CONVERSATION_HEAD_SHARE if name == "full_conversation" else _TEXT_HEAD_SHARE
    )
    return shorten_text(text, max_bytes, head_share=share)


def _within_encoded(name: str, text: str, budget_bytes: int) -> str:
    """Shorten *text* until JSON writes it, quotes included, in the budget."""
    kept = text
    limit_bytes = size_bytes(text)
    while (encoded_bytes := len(dumps(kept))) > budget_bytes and kept:
        ratio = max(budget_bytes, 0) / encoded_bytes
        limit_bytes = min(limit_bytes - 1, int(limit_bytes * ratio))
        kept = _shortened(name, text, limit_bytes)
    return kept


def _without_last(items: list[Any], needed_bytes: int) -> list[Any]:
    kept = list(items)
    freed_bytes = 0
    while kept and freed_bytes < needed_bytes:
        freed_bytes += len(dumps(kept.pop())) - 1
    return kept


def _halved(value: Any) -> Any:
    text = value if isinstance(value, str) else dumps(value).decode()
    half = text[: len(text) // 2]
    return half if len(half) > _ID_DIGEST_DIGITS else ""


def _limit_string(field: Field, value: Any) -> Any:
    text = value if isinstance(value, str) else dumps(value).decode()
    return _short_id(text, field.max_bytes, is_encoded=field.is_filter)


def _limit_stray(value: Any) -> Any:
    text = value if isinstance(value, str) else dumps(value).decode()
    return (
        value
        if not is_over(text, _MAX_STRAY_BYTES)
        else _short_id(text, _MAX_STRAY_BYTES)
    )


def _limit_integer(_: Field, value: Any) -> Any:
    return value if isinstance(value, int) else _limit_stray(value)


def _limit_string_list(field: Field, value: Any) -> Any:
    if not isinstance(value, list):
        return _limit_stray(value)
    items = value[: field.max_items]
    return [_limit_string(field, item) for item in items]


def _limit_object_list(field: Field, value: Any) -> Any:
    if not isinstance(value, list):
        return _limit_stray(value)
    return [_limit_object(field, item) for item in value[: field.max_items]]


def _limit_object(field: Field, value: Any) -> Any:
    if not isinstance(value, dict):
        return _limit_stray(value)
    sizes = {m.name: m.max_bytes for m in field.members if m.scalar is Scalar.STRING}
    return {
        name: _short_id(item, sizes[name])
        if name in sizes and isinstance(item, str)
        else _limit_stray(item)
        for name, item in value.items()
    }


def _limit_map(field: Field, value: Any) -> Any:
    if not isinstance(value, dict):
        return _limit_stray(value)
    return {
        _short_id(key, limits.MAX_ATTRIBUTE_KEY_BYTES): _short_entry(field, item)
        for key, item in list(value.items())[: field.max_items]
    }


def _short_entry(field: Field, value: Any) -> Any:
    if isinstance(value, str):
        return shorten_text(value, field.max_bytes)
    return value if field.kind is Kind.COUNT_MAP else _limit_stray(value)


def _short_id(text: str, max_bytes: int, *, is_encoded: bool = False) -> str:
    """Keep the beginning of an over-long id, and a digest that tells it apart."""
    if not is_over(text, max_bytes, is_encoded=is_encoded):
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:_ID_DIGEST_DIGITS]
    digest = digest[: max(max_bytes - 1, 0)]
    room_bytes = max(max_bytes - len(digest) - 1, 0)
    prefix = text.encode()[:room_bytes].decode(errors="ignore")
    while is_over(prefix, room_bytes, is_encoded=is_encoded):
        prefix = prefix[:-1]
    return f"{prefix}-{digest}"


_Limiter = Callable[[Field, Any], Any]
_LIMITERS: Final[dict[Kind, _Limiter]] = {
    Kind.STRING: _limit_string,
    Kind.INTEGER: _limit_integer,
    Kind.STRING_LIST: _limit_string_list,
    Kind.OBJECT_LIST: _limit_object_list,
    Kind.STRING_MAP: _limit_map,
    Kind.COUNT_MAP: _limit_map,
}
