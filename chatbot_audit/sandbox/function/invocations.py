"""Pack buffered records into invocations of the function.

The event is ``{"invocationId", "deliveryStreamArn", "region", "records": [{"recordId",
"approximateArrivalTimestamp", "data"}]}`` with base64 data (AWS docs, "Transform
source data in Amazon Data Firehose"); Direct PUT records carry nothing else.
"""

from __future__ import annotations

import base64
import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from audit_record.limits import MAX_LAMBDA_PAYLOAD_BYTES
from chatbot_audit.sandbox.settings import ACCOUNT_ID, DELIVERY_STREAM, REGION

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

STREAM_ARN: Final = (
    f"arn:aws:firehose:{REGION}:{ACCOUNT_ID}:deliverystream/{DELIVERY_STREAM}"
)
# What stands around the records of an event; measured, with room.
_FRAME_BYTES: Final = 512
# A comma and a space between two records.
_BETWEEN_BYTES: Final = 2


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One record in the stream.

    Attributes:
        firehose_record_id: Made by the stream.
        data: As it was put.
        arrival_ms: When it was put.
    """

    firehose_record_id: str
    data: bytes
    arrival_ms: int


def pack_invocations(
    records: Iterable[StreamRecord], buffer_bytes: int
) -> list[list[StreamRecord]]:
    """Return the records in batches, each small enough for one invocation.

    Keeps the order; loses none. A batch ends at the buffer's size hint, or where
    the event would be over Lambda's 6 MB; a record over the hint goes alone.
    """
    batches: list[list[StreamRecord]] = []
    buffered_bytes = event_bytes = 0
    for record in records:
        size = _encoded_bytes(record)
        is_full = (
            buffered_bytes + len(record.data) > buffer_bytes
            or event_bytes + size > MAX_LAMBDA_PAYLOAD_BYTES
        )
        if not batches or is_full:
            batches.append([])
            buffered_bytes, event_bytes = 0, _FRAME_BYTES
        batches[-1].append(record)
        buffered_bytes += len(record.data)
        event_bytes += size
    return batches


def make_event(batch: Sequence[StreamRecord]) -> bytes:
    """Return the JSON that the function is invoked with."""
    event = {
        "invocationId": str(uuid.uuid4()),
        "deliveryStreamArn": STREAM_ARN,
        "region": REGION,
        "records": [
            _head(record) | {"data": base64.b64encode(record.data).decode()}
            for record in batch
        ],
    }
    return json.dumps(event).encode()


def _head(record: StreamRecord) -> dict[str, object]:
    return {
        "recordId": record.firehose_record_id,
        "approximateArrivalTimestamp": record.arrival_ms,
    }


def _encoded_bytes(record: StreamRecord) -> int:
    """Return the bytes that *record* takes in an event."""
    head = len(json.dumps(_head(record) | {"data": ""}))
    return head + 4 * ((len(record.data) + 2) // 3) + _BETWEEN_BYTES
