"""Cleaning and splitting of names."""

from __future__ import annotations

import pytest

from emitter.identity.clean import clean, fold, split


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("  bob\t", "bob"),
        ("b\u200bo\u202eb", "bob"),
        ("\uff42ob\uff20example.com", "bob@example.com"),
        ("bob\ud800", "bob"),
        ("e\u200d\u0301", "é"),
        ("\u3000bob\u00a0", "bob"),
        ("b\x00ob", "bob"),
        (None, ""),
        (b"bob", ""),
        (" \u200b\u00a0", ""),
    ],
)
def test_cleaning_leaves_what_a_person_sees(value, expected):
    """Invisible characters and outer space go; compatibility forms are unified."""
    assert clean(value) == expected


def test_folding_lowers_and_never_casefolds():
    """Strauß and Strauss are two people."""
    assert fold("STRAUß") == "strauß"


@pytest.mark.parametrize(
    ("value", "local", "domain", "is_guest"),
    [
        ("Bob@Example.com", "bob", "example.com", False),
        ("a@b@example.com", "a@b", "example.com", False),
        ("EXAMPLE\\Bob", "bob", "example", False),
        ("bob", "bob", "", False),
        ("bob@", "bob", "", False),
        ("bob@example.com.", "bob", "example.com", False),
        ("x_y_z.example#Ext#@t.onmicrosoft.com", "x_y", "z.example", True),
        ("x_y@z.example#EXT#@t.onmicrosoft.com", "x_y", "z.example", True),
        ("bob#EXT#@t.onmicrosoft.com", "bob", "", True),
        ("_z.example#EXT#@t.onmicrosoft.com", "", "z.example", True),
    ],
)
def test_splits_the_three_ways_of_writing_a_person(value, local, domain, is_guest):
    """Guest mark first, then the last @, then the backslash."""
    login = split(value)

    assert (login.local, login.domain, login.is_guest) == (local, domain, is_guest)
