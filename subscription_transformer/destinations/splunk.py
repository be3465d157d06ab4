"""Splunk's HTTP Event Collector: one JSON object an event, a newline after each.

Firehose concatenates the bytes of records as they are, so one record may carry any
number of events. ``time`` is in seconds (Splunk docs, "Format events for HTTP Event
Collector"); fields indexed beside the event get a prefix, because a name that also
stands in the JSON would show each value twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from audit_record import AuditRecord
from audit_record.codec import dumps
from audit_record.fields import CORE_DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from subscription_transformer.document import Document
    from subscription_transformer.settings import TransformerSettings

INDEXED_FIELDS: Final = (
    "document_id",
    "record_id",
    "bot_name",
    "user_id",
    "conversation_id",
    "outcome",
    "record_type",
)
# What goes to the content index when there is one; the rest stays in the first.
CONTENT_FIELDS: Final = (
    "user_query",
    "response",
    "full_conversation",
    "raw_text",
    "feedback_comment",
    "attributes",
)
# Copied into content events, so that they can be joined and filtered.
_JOIN_FIELDS: Final = ("timestamp", "bot_name", "document_id", "record_id")
_SUFFIXES: Final = {"invalid": ":invalid", "access": ":access"}


def encode(document: Document, settings: TransformerSettings) -> Sequence[bytes]:
    """Return the HEC events of one document, each followed by a newline, in parts.

    One event, or two when texts go to an index of their own; both carry the
    document's id, which joins them. Parts are joined once, by the caller: a
    document is copied no more often than it has to be.
    """
    values = document.values
    if not settings.splunk_content_index:
        event = document.encoded or _json(values)
        return _event(event, document, settings, settings.splunk_index)
    content = {k: v for k, v in values.items() if k in CONTENT_FIELDS and v}
    facts = {k: v for k, v in values.items() if k not in CONTENT_FIELDS}
    first = _event(_json(facts), document, settings, settings.splunk_index)
    if not content:
        return first
    content |= {name: values[name] for name in _JOIN_FIELDS if name in values}
    index = settings.splunk_content_index
    return *first, *_event(_json(content), document, settings, index)


def _event(
    event: bytes,
    document: Document,
    settings: TransformerSettings,
    index: str,
) -> tuple[bytes, ...]:
    record_type = document.values.get("record_type", "interaction")
    head: dict[str, Any] = {
        "host": document.values.get("bot_name", CORE_DEFAULTS["bot_name"]),
        "source": _source(document.values),
        "sourcetype": settings.splunk_sourcetype + _SUFFIXES.get(record_type, ""),
    }
    if index:
        head["index"] = index
    head["fields"] = {
        f"audit_{name}": str(document.values[name])
        for name in INDEXED_FIELDS
        if document.values.get(name)
    }
    time_s = b"%d.%03d" % divmod(document.index_ms, 1_000)
    return b'{"time":%b,%b,"event":' % (time_s, dumps(head)[1:-1]), event, b"}\n"


def _json(values: dict[str, Any]) -> bytes:
    """Write a bot's extras as ``key=value``, so that they explode no field list."""
    attributes = values.get("attributes")
    if attributes:
        values = values | {"attributes": [f"{k}={v}" for k, v in attributes.items()]}
    return dumps(AuditRecord(values).as_dict())


def _source(values: dict[str, Any]) -> str:
    group = values.get("source_log_group", "unknown")
    return f"{group}:{values.get('source_log_stream', 'unknown')}"
