"""Putting records back: limits in bytes, positions, pauses, deadline."""

from __future__ import annotations

import gzip
import json

import pytest

from audit_record import limits
from subscription_transformer.put_back import (
    MAX_ATTEMPTS,
    PutBack,
    pack_batches,
    wrap,
)

KIB = 1_024


class ClientError(Exception):
    """Shaped like botocore's."""

    def __init__(self, code):
        super().__init__(code)
        self.response = {"Error": {"Code": code}}


def putter(firehose, sleeps=None):
    return PutBack(
        "chatbot-audit",
        lambda: firehose,
        sleep=(sleeps if sleeps is not None else []).append,
        jitter=float,
    )


@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 1_000, 1_001])
def test_a_batch_holds_at_most_500_records(count):
    """At each multiple: as few batches as possible, and never an empty one."""
    batches = list(pack_batches([b"x"] * count))

    assert [len(batch) for batch in batches] == [
        min(500, count - start) for start in range(0, count, 500)
    ]


@pytest.mark.parametrize(("last_bytes", "batch_count"), [(-1, 1), (0, 1), (1, 2)])
def test_a_batch_holds_at_most_four_mebibytes(last_bytes, batch_count):
    """Four records of 1,000 KiB leave 96 KiB: one byte more begins another batch."""
    whole = limits.MAX_FIREHOSE_RECORD_BYTES
    room = limits.MAX_PUT_RECORD_BATCH_BYTES - 4 * whole

    batches = list(pack_batches([b"x" * whole] * 4 + [b"x" * (room + last_bytes)]))

    assert len(batches) == batch_count


@pytest.mark.parametrize(("extra", "is_taken"), [(-1, True), (0, True), (1, False)])
def test_a_record_holds_at_most_1000_kib(refusing, extra, is_taken):
    """What no put can carry is reported as not put, and never tried."""
    firehose = refusing()

    is_put = putter(firehose).put([b"x" * (1_000 * KIB + extra)], lambda: 60.0)

    assert is_put == [is_taken]
    assert bool(firehose.calls) == is_taken


def test_only_failed_positions_are_sent_again(refusing):
    """By position, in order, until all are taken."""
    firehose = refusing({3, 499}, {1}, set())
    records = [b"%d" % n for n in range(500)]

    is_put = putter(firehose).put(records, lambda: 60.0)

    assert all(is_put)
    assert firehose.calls[1:] == [[b"3", b"499"], [b"499"]]


def test_pauses_grow(refusing):
    """The longest pause that jitter may choose doubles, up to five seconds."""
    sleeps = []

    putter(refusing(*[{0}] * 8), sleeps).put([b"x"], lambda: 60.0)

    assert sleeps == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]


def test_attempts_are_bounded(refusing):
    """A stream that never takes a record does not hold us for ever."""
    firehose = refusing(*[{0}] * 100)

    assert putter(firehose).put([b"x"], lambda: 60.0) == [False]
    assert len(firehose.calls) == MAX_ATTEMPTS


def test_nothing_is_sent_past_the_deadline(refusing):
    """When time is up, what is left counts as not put."""
    firehose = refusing({0}, {0}, {0})
    seconds = iter([5.0, 2.0, 1.5, 0.0])
    sleeps = []

    is_put = putter(firehose, sleeps).put([b"x"], lambda: next(seconds))

    assert is_put == [False]
    assert len(firehose.calls) == 2
    assert all(pause <= 1.5 for pause in sleeps)


@pytest.mark.parametrize(
    ("error", "call_count"),
    [
        (ClientError("ServiceUnavailableException"), 2),
        (ClientError("ThrottlingException"), 2),
        (ConnectionError(), 2),
        (ClientError("AccessDeniedException"), 1),
        (ClientError("ResourceNotFoundException"), 1),
        (ImportError(), 1),
    ],
)
def test_only_what_time_can_mend_is_tried_again(refusing, error, call_count):
    """A refusal for good ends the batch; a passing one does not."""
    firehose = refusing(error, set())

    is_put = putter(firehose).put([b"x"], lambda: 60.0)

    assert is_put == [call_count == 2]
    assert len(firehose.calls) == call_count


def test_an_answer_of_another_length_counts_for_nothing(refusing):
    """Where positions cannot be told, all are sent again."""
    firehose = refusing()
    whole = firehose.put_record_batch
    answers = iter([{"FailedPutCount": 0, "RequestResponses": []}])
    firehose.put_record_batch = lambda **call: next(answers, None) or whole(**call)

    assert putter(firehose).put([b"x", b"y"], lambda: 60.0) == [True, True]
    assert firehose.calls == [[b"x", b"y"]]


def test_the_wrapper_is_gzip_of_one_object():
    """Shape and bytes are fixed: the same document gives the same wrapper."""
    wrapped = wrap("document", b'{"a":1.50}\n', 2)

    assert gzip.decompress(wrapped) == (
        b'{"chatbot_audit_put_back":1,"generation":2,"kind":"document",'
        b'"data":{"a":1.50}}'
    )
    assert wrapped == wrap("document", b'{"a":1.50}', 2)
    assert json.loads(gzip.decompress(wrapped))["data"] == {"a": 1.5}
