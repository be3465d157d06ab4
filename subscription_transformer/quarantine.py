"""Make a document of a message that is no valid record, so that people see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit_record.checks import find_problems
from audit_record.fields import CORE_DEFAULTS, SCHEMA_VERSION, TEXT_FIELDS
from audit_record.ids import document_id
from audit_record.times import format_timestamp
from subscription_transformer.enrich import Source, source_fields

if TYPE_CHECKING:
    from collections.abc import Sequence


def quarantine(
    claimed: dict[str, Any], problems: Sequence[str], source: Source
) -> dict[str, Any]:
    """Return the fields of a quarantined document.

    Args:
        claimed: What could be read of the message; core fields that are valid on
            their own are kept, so that the person's name can be searched.
        problems: Why it is no record.
        source: Where it came from.
    """
    line = source.line.encode(errors="replace")
    values: dict[str, Any] = dict(CORE_DEFAULTS)
    values |= _known_by_aws(source)
    values |= _valid_core(claimed)
    name = document_id(
        source.owner, source.log_group, source.log_stream, line, source.event_ms
    )
    values |= source_fields(source)
    values |= {
        "schema_version": SCHEMA_VERSION,
        "record_type": "invalid",
        "record_id": name,
        "document_id": name,
        "problems": list(dict.fromkeys(problems)),
        "raw_text": source.line.strip(),
    }
    return values


def _known_by_aws(source: Source) -> dict[str, Any]:
    moment_ms = source.event_ms if source.event_ms is not None else source.arrival_ms
    bot_name, _, session = source.log_stream.partition("/")
    facts = {
        "timestamp": format_timestamp(moment_ms or 0),
        "bot_name": bot_name,
        "session_id": session,
        "aws_account_id": source.owner,
    }
    return {name: value for name, value in facts.items() if _is_valid(name, value)}


def _valid_core(claimed: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in claimed.items()
        if name in CORE_DEFAULTS
        and name not in (*TEXT_FIELDS, "timestamp", "bot_name", "aws_account_id")
        and _is_valid(name, value)
    }


def _is_valid(name: str, value: Any) -> bool:
    return not find_problems(CORE_DEFAULTS | {name: value})
