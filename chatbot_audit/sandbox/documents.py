"""Deliver documents as Firehose delivers to OpenSearch: one record, one document.

Firehose builds the bulk request itself and looks into nothing, so whatever is not
exactly one JSON object on one line breaks there (AWS guide, "Data delivery failure
handling"). Here each such record is refused by itself, with the status that
OpenSearch gives. Stricter than OpenSearch where a lenient parser hides a mistake.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import TYPE_CHECKING, Any, Final

from chatbot_audit.sandbox.backup_objects import OPENSEARCH_FAILED
from chatbot_audit.sandbox.destinations import Failure, Outgoing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chatbot_audit.sandbox.destinations import Sink

# Statuses as they stand in the error objects, whose code is OpenSearch's.
BAD_DOCUMENT: Final = "400"
STORE_FAILED: Final = "500"
# RFC 3339, section 5.6, with the letters that OpenSearch reads.
_INSTANT: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII
)
_DOCUMENT_ID: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)


class DocumentError(ValueError):
    """A record is not one document; the message says why, without its content."""


class DocumentDestination:
    """Writes one document for each record to a store, by its ``document_id``.

    OpenSearch has ids of Firehose's own, and its dashboards collapse documents by
    ``document_id``; a store that overwrites by it shows what they show.

    Args:
        sink: The store.
    """

    error_type = OPENSEARCH_FAILED
    bad_data_code = BAD_DOCUMENT

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def deliver(self, records: Sequence[Outgoing]) -> list[Failure]:
        """Write what is a document; return each record that is none."""
        failures: list[Failure] = []
        taken: list[tuple[Outgoing, dict[str, Any]]] = []
        for record in records:
            try:
                taken.append((record, read_document(record.data)))
            except DocumentError as error:
                failures.append(Failure(record, BAD_DOCUMENT, str(error)))
        return failures + self._write(taken)

    def _write(self, taken: list[tuple[Outgoing, dict[str, Any]]]) -> list[Failure]:
        if not taken:
            return []
        try:
            self._sink.write(document for _, document in taken)
        except Exception as error:  # noqa: BLE001 - what no store takes is kept in S3
            text = f"The store failed with {type(error).__name__}."
            return [Failure(record, STORE_FAILED, text) for record, _ in taken]
        return []


def read_document(data: bytes) -> dict[str, Any]:
    """Return the one document that *data* is; a newline may end it.

    Raises:
        DocumentError: It is none, or more than one, or not on one line, or has no
            ``@timestamp`` or no ``document_id`` of 32 hexadecimal digits.
    """
    document = _one_object(_one_line(data))
    if not _is_instant(document.get("@timestamp")):
        raise DocumentError("@timestamp is no RFC 3339 instant")
    name = document.get("document_id")
    if not isinstance(name, str) or not _DOCUMENT_ID.fullmatch(name):
        raise DocumentError("document_id is not 32 hexadecimal digits")
    return document


def _one_line(data: bytes) -> str:
    try:
        line = data.removesuffix(b"\n").decode()
    except UnicodeDecodeError:
        raise DocumentError("the record is no UTF-8") from None
    if "\n" in line or "\r" in line:
        raise DocumentError("the record is not on one line")
    return line


def _one_object(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line, object_pairs_hook=_object, parse_constant=_refuse)
        # Half a character, escaped, has no bytes.
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise DocumentError("the record is no JSON that is taken") from None
    if not isinstance(value, dict):
        raise DocumentError("the record is no object")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        # OpenSearch's parser refuses a name that stands twice.
        raise ValueError("a name stands twice")
    return value


def _refuse(_: str) -> None:
    raise ValueError("NaN and infinities are no JSON")


def _is_instant(value: Any) -> bool:
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        return False
    try:
        dt.datetime.fromisoformat(value)
    except ValueError:
        return False
    return True
