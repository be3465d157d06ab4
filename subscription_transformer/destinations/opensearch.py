"""OpenSearch by Firehose: exactly one JSON object on one line a record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_record import AuditRecord
from audit_record.codec import dumps
from audit_record.times import format_timestamp

if TYPE_CHECKING:
    from subscription_transformer.document import Document


def encode(document: Document) -> bytes:
    """Return one document as a single line; the newline ends it."""
    time = {"@timestamp": format_timestamp(document.index_ms)}
    return dumps(time | AuditRecord(document.values).as_dict()) + b"\n"
