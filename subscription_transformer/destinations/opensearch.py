"""OpenSearch by Firehose: exactly one JSON object on one line a record."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from subscription_transformer.document import Document


def encode(document: Document) -> bytes:
    """Return one document as a single line; the newline ends it."""
    return document.json_with_time() + b"\n"
