"""Packing records into invocations."""

from __future__ import annotations

import base64
import json

from hypothesis import given
from hypothesis import strategies as st

from audit_record.limits import MAX_FIREHOSE_RECORD_BYTES, MAX_LAMBDA_PAYLOAD_BYTES
from chatbot_audit.sandbox.function.invocations import (
    StreamRecord,
    make_event,
    pack_invocations,
)

MEBIBYTE = 1_024 * 1_024


def record(size, name="0" * 56):
    return StreamRecord(name, b"x" * size, 1_795_600_000_000)


def test_the_event_is_as_aws_documents_it():
    """A Direct PUT event has these members and no others."""
    event = json.loads(make_event([StreamRecord("id", b"data", 7)]))

    assert set(event) == {"invocationId", "deliveryStreamArn", "region", "records"}
    assert event["region"] == "eu-west-1"
    assert event["records"] == [
        {
            "recordId": "id",
            "approximateArrivalTimestamp": 7,
            "data": base64.b64encode(b"data").decode(),
        }
    ]


def test_a_batch_ends_at_the_size_hint():
    """The hint is reached, not passed; a record over it goes alone."""
    records = [record(100_000), record(150_000), record(20_000), record(1_000_000)]

    batches = pack_invocations(records, 262_144)

    assert [len(batch) for batch in batches] == [2, 1, 1]


def test_no_event_is_over_lambdas_limit():
    """Many small records are cut by what they take as JSON, not as data."""
    records = [record(1) for _ in range(60_000)]

    batches = pack_invocations(records, 3 * MEBIBYTE)

    sizes = [len(make_event(batch)) for batch in batches]
    assert max(sizes) <= MAX_LAMBDA_PAYLOAD_BYTES
    assert max(sizes) > MAX_LAMBDA_PAYLOAD_BYTES - 2_000
    assert sum(map(len, batches)) == 60_000


def test_the_largest_records_fit():
    """As many maximal records as the limit allows go together."""
    records = [record(MAX_FIREHOSE_RECORD_BYTES) for _ in range(9)]

    batches = pack_invocations(records, 100 * MEBIBYTE)

    assert [len(batch) for batch in batches] == [4, 4, 1]
    assert all(len(make_event(b)) <= MAX_LAMBDA_PAYLOAD_BYTES for b in batches)


@given(st.lists(st.integers(0, 400_000), max_size=30), st.integers(1, 3 * MEBIBYTE))
def test_keeps_every_record_in_order(sizes, buffer_bytes):
    """Whatever the sizes and the hint, nothing is lost, doubled or moved."""
    records = [record(size, str(n)) for n, size in enumerate(sizes)]

    batches = pack_invocations(records, buffer_bytes)

    assert [r for batch in batches for r in batch] == records
    assert all(batches)
