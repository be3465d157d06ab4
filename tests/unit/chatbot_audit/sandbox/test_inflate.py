"""Bounded gunzip."""

from __future__ import annotations

import gzip

import pytest

from chatbot_audit.sandbox.inflate import gunzip


def test_reads_several_members():
    """Members one after the other are one text."""
    data = gzip.compress(b"one ") + gzip.compress(b"two")

    assert gunzip(data, 100) == b"one two"


def test_the_bound_is_exact():
    """As many bytes as allowed pass, one more does not."""
    data = gzip.compress(b"x" * 100) + gzip.compress(b"y")

    assert len(gunzip(data, 101)) == 101
    with pytest.raises(ValueError, match="more than 100"):
        gunzip(data, 100)


def test_a_bomb_is_an_error():
    """A gigabyte of zeros does not fill the memory."""
    bomb = gzip.compress(b"\0" * 50_000_000)

    with pytest.raises(ValueError, match="more than"):
        gunzip(bomb, 1_000_000)


@pytest.mark.parametrize("size", range(1, len(gzip.compress(b"some text"))))
def test_cut_anywhere_is_an_error(size):
    """A gzip that was cut at any byte is not taken for a whole one."""
    with pytest.raises(ValueError, match=r"cut short|broken"):
        gunzip(gzip.compress(b"some text")[:size], 100)


def test_what_follows_must_be_gzip_too():
    """Rubbish behind a member is no padding."""
    with pytest.raises(ValueError, match="broken"):
        gunzip(gzip.compress(b"x") + b"rubbish", 100)
