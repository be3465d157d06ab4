"""Timestamps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_record.times import MAX_TIMESTAMP_MS, format_timestamp, parse_timestamp_ms


@given(st.integers(0, MAX_TIMESTAMP_MS))
def test_reads_what_it_wrote(epoch_ms):
    """Every millisecond from 1970 to 9999 survives the round trip."""
    text = format_timestamp(epoch_ms)

    assert parse_timestamp_ms(text) == epoch_ms
    assert len(text) == 24


@pytest.mark.parametrize("epoch_ms", [-1, 10**18])
def test_is_bounded(epoch_ms):
    """A time outside the format's years becomes the nearest inside."""
    nearest = 0 if epoch_ms < 0 else MAX_TIMESTAMP_MS

    assert parse_timestamp_ms(format_timestamp(epoch_ms)) == nearest


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24T15:04:05Z",
        "2026-11-24 15:04:05.123Z",
        "2026-11-24T15:04:05.123+00:00",
        "2026-02-30T15:04:05.123Z",
        "2026-11-24T24:00:00.000Z",
        "٢٠٢٦-11-24T15:04:05.123Z",
        "",
    ],
)
def test_refuses_other_formats(text):
    """Only the record's own fixed-width format is read, on real days."""
    with pytest.raises(ValueError, match="not a"):
        parse_timestamp_ms(text)
