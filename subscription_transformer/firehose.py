"""What Firehose hands to the Lambda, and what it wants back.

Read from the AWS guide "Transform source data in Amazon Data Firehose".
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from subscription_transformer.errors import InvocationError


class Result(enum.Enum):
    """The three words that Firehose understands."""

    OK = "Ok"
    DROPPED = "Dropped"
    PROCESSING_FAILED = "ProcessingFailed"


@dataclass(frozen=True, slots=True)
class FirehoseRecord:
    """One record of an invocation.

    Attributes:
        firehose_record_id: Firehose's id; has to be answered exactly once.
        data: Base64 text as it came; anything else makes the record fail.
        arrival_ms: When the record reached Firehose, if it says.
    """

    firehose_record_id: str
    data: Any
    arrival_ms: int | None = None


@dataclass(frozen=True, slots=True)
class TransformedRecord:
    """The answer to one record.

    Attributes:
        firehose_record_id: The id of the record answered.
        result: What Firehose should do.
        data: What to deliver, before base64; None unless the result is OK.
        reason: Why it was not delivered, a fixed phrase; "" when it was.
    """

    firehose_record_id: str
    result: Result
    data: bytes | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of the Lambda.

    Attributes:
        records: In the order they came.
        delivery_stream: Name of the stream, taken from its ARN; "" if unknown, or
            if it takes no direct puts.
        region: Region of the stream; "" if unknown.
    """

    records: tuple[FirehoseRecord, ...]
    delivery_stream: str = ""
    region: str = ""


def read_invocation(event: Any) -> Invocation:
    """Read the Lambda's *event*.

    Raises:
        InvocationError: There is no list of records in it.
    """
    records = event.get("records") if isinstance(event, Mapping) else None
    if not isinstance(records, list):
        raise InvocationError("the event has no list of records")
    arn = event.get("deliveryStreamArn")
    # A stream that reads Kinesis refuses what is put into it directly.
    takes_puts = isinstance(arn, str) and not event.get("sourceKinesisStreamArn")
    return Invocation(
        tuple(_read_record(record) for record in records),
        str(arn).rpartition("/")[2] if takes_puts else "",
        str(event.get("region") or ""),
    )


def _read_record(record: Any) -> FirehoseRecord:
    if not isinstance(record, Mapping):
        return FirehoseRecord("", None)
    arrival = record.get("approximateArrivalTimestamp")
    is_number = isinstance(arrival, int | float) and not isinstance(arrival, bool)
    return FirehoseRecord(
        str(record.get("recordId") or ""),
        record.get("data"),
        int(arrival) if is_number and 0 <= arrival < 2**53 else None,  # type: ignore[operator, arg-type]
    )
