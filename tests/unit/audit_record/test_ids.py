"""Ids and stream names."""

from __future__ import annotations

import re
import uuid

import pytest

from audit_record.ids import (
    document_id,
    log_stream_name,
    new_random_hex,
    new_record_id,
)


def test_record_ids_are_uuid7():
    """A record id is a version 7 UUID that carries its time."""
    value = uuid.UUID(new_record_id(1_764_000_000_123))

    assert value.version == 7
    assert value.variant == uuid.RFC_4122
    assert value.int >> 80 == 1_764_000_000_123


def test_record_ids_sort_by_time_and_differ():
    """Later ids sort later; two of one millisecond differ."""
    ids = [new_record_id(ms) for ms in (1, 2, 3)]

    assert ids == sorted(ids)
    assert new_record_id(5) != new_record_id(5)
    assert re.fullmatch("[0-9a-f]{32}", new_record_id())


@pytest.mark.parametrize("now_ms", [-5, 2**60])
def test_record_ids_survive_a_broken_clock(now_ms):
    """A time outside 48 bits still gives 32 hex digits."""
    assert re.fullmatch("[0-9a-f]{32}", new_record_id(now_ms))


def test_random_hex_has_the_asked_length():
    """Leading zeros are kept."""
    assert new_random_hex(16, random_bits=lambda _: 1) == "0" * 15 + "1"


def test_a_line_keeps_its_document_id():
    """The id depends on each part of a line's origin and on its bytes."""
    base = ("123456789012", "/group", "Bot/s", b"{}")

    ids = {
        document_id(*base),
        document_id("210987654321", *base[1:]),
        document_id(base[0], "/other", *base[2:]),
        document_id(*base[:2], "Bot/t", base[3]),
        document_id(*base[:3], b"{ }"),
        document_id(*base, 5),
        document_id(*base, 6),
    }

    assert len(ids) == 7
    assert document_id(*base) in ids


def test_parts_of_a_document_id_cannot_run_together():
    """Moving a character from one part to the next gives another id."""
    assert document_id("a", "bc", "d", b"") != document_id("ab", "c", "d", b"")


def test_a_lambda_stream_keeps_its_name():
    """A legal name is used as it is."""
    name = log_stream_name("VeraSlack", "2026/11/24/[$LATEST]8f3c")

    assert name == "VeraSlack/2026/11/24/[$LATEST]8f3c"


@pytest.mark.parametrize(
    ("session", "start"),
    [
        pytest.param("a:b", "Vera/a_b-", id="colon"),
        pytest.param("a*b", "Vera/a_b-", id="asterisk"),
        pytest.param("x" * 600, "Vera/xxx", id="too long"),
        pytest.param("漢" * 300, "Vera/漢", id="too long in bytes"),
        pytest.param("a\ud83d:", "Vera/a\ufffd_-", id="surrogate"),
    ],
)
def test_an_altered_name_ends_in_a_digest(session, start):
    """A name that had to change says so and stays legal."""
    name = log_stream_name("Vera", session)

    assert name.startswith(start)
    assert re.search("-[0-9a-f]{8}$", name)
    assert len(name.encode()) <= 512
    assert not set(":*") & set(name)


def test_two_sessions_never_share_an_altered_name():
    """Sessions that differ only in what was altered get different streams."""
    names = {log_stream_name("Vera", s) for s in ("a:b", "a*b", "a_b", "a_:b")}

    assert len(names) == 4
