"""Envelopes as AWS sends them."""

from __future__ import annotations

import gzip
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_record.limits import MAX_FIREHOSE_RECORD_BYTES
from chatbot_audit.sandbox.aws.subscription import (
    Envelope,
    Rebatcher,
    control_message,
)
from chatbot_audit.sandbox.errors import ServerError


def forwarded(stream, *events, group="/aws/ai-bots/audit-logs"):
    return {
        "messageType": "DATA_MESSAGE",
        "owner": "123456789012",
        "logGroup": group,
        "logStream": stream,
        "subscriptionFilters": ["chatbot-audit"],
        "logEvents": list(events),
    }


def event(number, message="m"):
    return {"id": number, "timestamp": 1_795_600_000_000 + number, "message": message}


def many(count=200):
    return [forwarded(f"Bot/{n % 3}", event(n, f"m{n}")) for n in range(count)]


def test_several_events_of_a_stream_come_together():
    """Envelopes with one and with more events both occur, of one stream each."""
    envelopes = list(Rebatcher(1).pack(many()))

    sizes = {len(envelope.events) for envelope in envelopes}
    assert 1 in sizes
    assert max(sizes) > 2
    assert sum(len(e.events) for e in envelopes) == 200


def test_every_id_is_56_digits_and_unique():
    """Small numbers become ids like AWS's, unique over streams and groups."""
    messages = [*many(), forwarded("Bot/0", event(1), group="/other")]

    ids = [e["id"] for envelope in Rebatcher(1).pack(messages) for e in envelope.events]

    assert all(len(name) == 56 and name.isdecimal() for name in ids)
    assert len(set(ids)) == len(ids) == 201


def test_the_same_seed_makes_the_same_envelopes():
    """A run can be repeated; another seed packs otherwise, with the same ids."""
    first, again, other = (
        [(dict(e.head), e.events) for e in Rebatcher(seed).pack(many())]
        for seed in (1, 1, 2)
    )

    assert first == again
    assert first != other
    ids = [{e["id"] for _, events in run for e in events} for run in (first, other)]
    assert ids[0] == ids[1]


def test_numbers_go_on_from_call_to_call():
    """What is forwarded later never reuses an id."""
    rebatcher = Rebatcher(1)

    calls = [list(rebatcher.pack([forwarded("Bot/0", event(1))])) for _ in range(2)]

    assert calls[0][0].events[0]["id"] != calls[1][0].events[0]["id"]


def test_everything_else_of_an_envelope_stays():
    """Owner, names, filters, times and texts are what they were."""
    (envelope,) = Rebatcher(1).pack([forwarded("Bot/0", event(5, "text"))])

    value = json.loads(gzip.decompress(envelope.data()))
    (only,) = value.pop("logEvents")
    assert value | {"logEvents": []} == forwarded("Bot/0")
    assert (only["timestamp"], only["message"]) == (1_795_600_000_005, "text")


def test_an_envelope_without_events_is_not_sent():
    """AWS sends none, so neither do we."""
    assert list(Rebatcher(1).pack([forwarded("Bot/0")])) == []


@given(st.lists(st.integers(1, 400_000), max_size=12), st.integers())
def test_no_event_is_lost_doubled_or_moved(sizes, seed):
    """Whatever the sizes, a stream's events come out once and in order."""
    messages = [forwarded("Bot/0", event(n, "x" * s)) for n, s in enumerate(sizes)]

    envelopes = list(Rebatcher(seed).pack(messages))

    times = [e["timestamp"] for envelope in envelopes for e in envelope.events]
    assert times == [1_795_600_000_000 + n for n in range(len(sizes))]


def test_the_worst_text_stays_under_firehoses_limit():
    """Incompressible text of many bytes a character never makes a record too large."""
    rng = random.Random(1)
    texts = [
        "".join(chr(rng.randrange(0x4E00, 0x9FFF)) for _ in range(size // 3))
        for size in (1_048_550, 450_000, 449_000, 449_000)
    ]
    messages = [forwarded("Bot/0", event(n, text)) for n, text in enumerate(texts)]

    sizes = [len(envelope.data()) for envelope in Rebatcher(3).pack(messages)]

    assert max(sizes) <= MAX_FIREHOSE_RECORD_BYTES


def test_too_large_is_said_and_not_cut():
    """An envelope that no Firehose record holds is an error."""
    noise = random.Random(1).randbytes(1_100_000).decode("latin-1")

    with pytest.raises(ServerError, match="1,000 KiB"):
        Envelope(forwarded("Bot/0"), [event(1, noise)]).data()


def test_the_control_message_is_as_captured():
    """CloudWatch asks for the destination with an event without an id."""
    value = json.loads(gzip.decompress(control_message(7).data()))

    assert value["messageType"] == "CONTROL_MESSAGE"
    assert value["owner"] == "CloudwatchLogs"
    assert value["logGroup"] == value["logStream"] == value["logEvents"][0]["id"] == ""
