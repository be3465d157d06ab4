"""Send spooled records straight into a delivery stream, as CloudWatch would.

CloudWatch Logs refuses events older than 14 days; the stream does not. Envelopes have
the same owner, group, stream and lines, so that the transformer gives the documents the
ids they would have had.
"""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any, Final

from audit_record import limits
from audit_record.codec import dumps
from audit_record.ids import document_id
from emitter.errors import SinkError
from emitter.sinks.aws_errors import error_code, reason_of
from emitter.sinks.entry import Entry, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Lines of that size together always gzip to less than a Firehose record may have.
_MAX_ENVELOPE_BYTES: Final = 1_048_576
FILTER_NAME: Final = "chatbot-audit-spool"


class DeliveryStreamSink:
    """Takes batches of one log stream and puts them into a delivery stream.

    Args:
        client: A boto3 ``firehose`` client.
        delivery_stream: Name of the stream.
        owner: Account that owns the log group: twelve digits.
    """

    def __init__(self, client: Any, delivery_stream: str, owner: str) -> None:
        self._client = client
        self._delivery_stream = delivery_stream
        self._owner = owner

    def write_batch(self, entries: Sequence[Entry]) -> list[Refused]:
        """Put entries of one log stream; return those that Firehose refused.

        Raises:
            SinkError: None was taken, and why: a word of `emitter.sinks.aws_errors`,
                else the service's error code.
        """
        refused: list[Refused] = []
        for part in _parts(entries):
            try:
                self._client.put_record(
                    DeliveryStreamName=self._delivery_stream,
                    Record={"Data": self._envelope(part)},
                )
            except Exception as error:
                reason = _reason(error)
                if part[0] is entries[0]:
                    raise SinkError(reason) from error
                refused += [Refused(entry, reason) for entry in part]
        return refused

    def _envelope(self, entries: Sequence[Entry]) -> bytes:
        first = entries[0]
        envelope = {
            "messageType": "DATA_MESSAGE",
            "owner": self._owner,
            "logGroup": first.log_group,
            "logStream": first.log_stream,
            "subscriptionFilters": [FILTER_NAME],
            "logEvents": [self._log_event(entry) for entry in entries],
        }
        return gzip.compress(dumps(envelope), compresslevel=6, mtime=0)

    def _log_event(self, entry: Entry) -> dict[str, Any]:
        # CloudWatch never saw the line; its id is made of what names the line anyway.
        name = document_id(self._owner, entry.log_group, entry.log_stream, entry.line)
        return {
            "id": f"{int(name, 16):056d}",
            "timestamp": entry.timestamp_ms,
            "message": entry.line.decode(errors="replace"),
        }


def _parts(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    part: list[Entry] = []
    size = 0
    for entry in entries:
        if part and size + len(entry.line) > _MAX_ENVELOPE_BYTES:
            yield part
            part, size = [], 0
        part.append(entry)
        size += len(entry.line) + limits.LOG_EVENT_OVERHEAD_BYTES
    if part:
        yield part


def _reason(error: Exception) -> str:
    reason = reason_of(error)
    return reason if reason != "error" else error_code(error) or type(error).__name__
