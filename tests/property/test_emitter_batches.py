"""Batches keep every entry and obey every limit of PutLogEvents."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_record import limits
from audit_record.errors import RecordTooLargeError
from emitter.sinks.batches import BatchLimits, is_too_large, pack_batches, write_many
from emitter.sinks.entry import Entry
from emitter.testing import FailingSink, MemorySink

SMALL = BatchLimits(max_bytes=400, max_count=5, max_span_ms=1_000, overhead_bytes=26)
entries = st.lists(
    st.builds(
        Entry,
        log_group=st.sampled_from(["/a", "/b"]),
        log_stream=st.sampled_from(["one", "two"]),
        timestamp_ms=st.integers(0, 5_000),
        line=st.binary(min_size=1, max_size=370),
    ),
    max_size=60,
)


def weight(batch):
    return sum(len(entry.line) + 26 for entry in batch)


@given(entries)
def test_every_batch_is_one_that_the_service_takes(given_entries):
    """One stream, in order of time, within count, bytes and span."""
    for batch in pack_batches(given_entries, SMALL):
        times = [entry.timestamp_ms for entry in batch]
        assert len({(entry.log_group, entry.log_stream) for entry in batch}) == 1
        assert times == sorted(times)
        assert times[-1] - times[0] <= 1_000
        assert 1 <= len(batch) <= 5
        assert weight(batch) <= 400


@given(entries)
def test_no_entry_is_lost_or_doubled(given_entries):
    """What goes in comes out, the very same entries."""
    packed = [entry for batch in pack_batches(given_entries, SMALL) for entry in batch]

    assert sorted(map(id, packed)) == sorted(map(id, given_entries))


@given(entries)
def test_no_batch_could_have_taken_the_next_entry(given_entries):
    """A batch ends only at a limit: there are no needless calls."""
    batches = list(pack_batches(given_entries, SMALL))
    for batch, following in itertools.pairwise(batches):
        if batch[0].log_stream != following[0].log_stream:
            continue
        if batch[0].log_group != following[0].log_group:
            continue
        more = (*batch, following[0])
        span_ms = following[0].timestamp_ms - batch[0].timestamp_ms
        assert len(more) > 5 or weight(more) > 400 or span_ms > 1_000


@given(entries, st.integers(0, 20))
def test_a_sink_gets_every_entry_once(given_entries, count):
    """What is not refused is written, and only what is refused comes back."""
    sink = FailingSink(count=count)

    refused = write_many(sink, given_entries)

    assert len(refused) == min(count, len(given_entries))
    taken = [*sink.entries, *(item.entry for item in refused)]
    assert sorted(map(id, taken)) == sorted(map(id, given_entries))


def make_entry(size_bytes, time_ms=0):
    return Entry("/g", "s", time_ms, b"x" * size_bytes)


@pytest.mark.parametrize(
    ("made", "sizes"),
    [
        pytest.param([make_entry(1)] * 10_000, [10_000], id="10,000"),
        pytest.param([make_entry(1)] * 10_001, [10_000, 1], id="10,001"),
        pytest.param(
            [make_entry(limits.MAX_LOG_EVENT_BYTES)] * 2, [1, 1], id="largest"
        ),
        pytest.param(
            [make_entry(524_262), make_entry(524_262)], [2], id="exactly full"
        ),
        pytest.param(
            [make_entry(524_262), make_entry(524_263)], [1, 1], id="a byte more"
        ),
        pytest.param([make_entry(1), make_entry(1, 86_400_000)], [2], id="24 h apart"),
        pytest.param(
            [make_entry(1), make_entry(1, 86_400_001)], [1, 1], id="a moment more"
        ),
        pytest.param(
            [make_entry(1), make_entry(1, 90_000_000)], [1, 1], id="25 h apart"
        ),
        pytest.param([], [], id="nothing"),
    ],
)
def test_the_services_own_limits(made, sizes):
    """The edges of 1,048,576 bytes, 10,000 events and 24 hours."""
    assert [len(batch) for batch in pack_batches(made)] == sizes


def test_bytes_are_counted_not_characters():
    """Four-byte emoji fill a batch four times as fast as letters."""
    line = ("\U0001f600" * 100_000).encode()

    batches = list(pack_batches([Entry("/g", "s", 0, line)] * 5))

    assert [len(batch) for batch in batches] == [2, 2, 1]


def test_an_entry_that_fits_no_batch_is_told():
    """Nothing is cut here: the caller decides."""
    large = make_entry(limits.MAX_LOG_EVENT_BYTES + 1)

    assert is_too_large(large)
    with pytest.raises(RecordTooLargeError):
        list(pack_batches([make_entry(1), large]))


def test_an_entry_that_is_too_large_does_not_stop_the_others():
    """It is offered alone, and the rest is written."""
    sink = MemorySink()
    large = make_entry(limits.MAX_LOG_EVENT_BYTES + 1)

    refused = write_many(sink, [make_entry(1), large, make_entry(2)])

    assert refused == []
    assert len(sink.entries) == 3
