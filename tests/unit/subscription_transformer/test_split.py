"""Splitting an envelope whose output fits no response."""

from __future__ import annotations

import base64
import gzip
import json

import pytest

from audit_record import limits
from subscription_transformer.envelope import decode_data
from subscription_transformer.split import split_envelope
from tests.factories import make_envelope, pack


def message_of(*messages):
    data = base64.b64encode(pack(make_envelope(*messages))).decode()
    return decode_data(data)[0]


def events_of(part):
    return json.loads(gzip.decompress(part))["data"]["logEvents"]


@pytest.mark.parametrize(("output", "count"), [(25, 2), (26, 4), (50, 4), (60, 4)])
def test_a_part_makes_at_most_half_a_budget(output, count):
    """Base64 takes a third more: half a budget of output always fits."""
    parts = split_envelope(message_of("a", "b", "c", "d"), [output] * 4, 100)

    assert len(parts) == count
    messages = [event["message"] for part in parts for event in events_of(part)]
    assert messages == ["a", "b", "c", "d"]


def test_parts_count_their_generation_and_keep_their_source():
    """A part is the same envelope with fewer events, one generation on."""
    (first, _) = split_envelope(message_of("a", "", "b"), [60, 60], 100)

    wrapper = json.loads(gzip.decompress(first))
    assert (wrapper["kind"], wrapper["generation"]) == ("envelope", 1)
    again = decode_data(base64.b64encode(first).decode())[0]
    assert again.generation == 1
    assert again.log_stream == message_of("a").log_stream
    assert again.log_events[0].event_id == message_of("a").log_events[0].event_id


def test_large_events_make_records_that_firehose_takes():
    """Events are counted as they stand, too, so that each part can be put."""
    text = "".join(chr(33 + (n * n * 7 + n // 3) % 90) for n in range(500_000))
    messages = [text[n:] + text[:n] for n in range(4)]

    parts = split_envelope(message_of(*messages), [1] * 4, 6_000_000)

    assert len(parts) >= 2
    assert all(len(part) <= limits.MAX_FIREHOSE_RECORD_BYTES for part in parts)
