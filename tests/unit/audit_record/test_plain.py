"""Turning anything into JSON values."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import uuid
from collections import UserDict

import pytest

from audit_record.plain import to_plain


@dataclasses.dataclass
class Point:
    x: int
    label: str


class Colour(enum.StrEnum):
    RED = "red"


class Hostile(dict):
    def items(self):
        raise RuntimeError("never shown")


class Text(str):
    __slots__ = ()

    def __str__(self):
        raise RuntimeError("never shown")


BERLIN = dt.timezone(dt.timedelta(hours=1))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("hi", "hi", id="text"),
        pytest.param(Text("hi"), "hi", id="subclass of text"),
        pytest.param("a\ud83db", "a\ufffdb", id="lone surrogate"),
        pytest.param("\ud83d\ude00", "\U0001f600", id="split pair joins"),
        pytest.param(True, True, id="bool"),
        pytest.param(None, None, id="none"),
        pytest.param(2**63, 2**63, id="64 bits"),
        pytest.param(2**64, "18446744073709551616", id="65 bits"),
        pytest.param(-(2**63) - 1, "-9223372036854775809", id="below 64 bits"),
        pytest.param(10**5000, "<int>", id="huge integer"),
        pytest.param(1.5, 1.5, id="float"),
        pytest.param(float("nan"), None, id="nan"),
        pytest.param(float("-inf"), None, id="infinity"),
        pytest.param(b"\x89PNG", "<bytes 4 sha256:0f4636c78f65>", id="bytes"),
        pytest.param(bytearray(b"\x89PNG"), "<bytes 4 sha256:0f4636c78f65>", id="ba"),
        pytest.param(
            dt.datetime(2026, 11, 24, 16, 4, tzinfo=BERLIN),
            "2026-11-24T15:04:00Z",
            id="datetime",
        ),
        pytest.param(dt.date(2026, 11, 24), "2026-11-24", id="date"),
        pytest.param(decimal.Decimal("3.0"), 3, id="whole decimal"),
        pytest.param(decimal.Decimal("3.25"), 3.25, id="decimal"),
        pytest.param(decimal.Decimal("NaN"), None, id="decimal nan"),
        pytest.param({3, 1, 2}, [1, 2, 3], id="set"),
        pytest.param((1, "a"), [1, "a"], id="tuple"),
        pytest.param(Point(1, "p"), {"x": 1, "label": "p"}, id="dataclass"),
        pytest.param(Point, "<type>", id="class"),
        pytest.param(Colour.RED, "red", id="string enum"),
        pytest.param(UserDict({"a": 1}), {"a": 1}, id="mapping"),
        pytest.param(
            {7: "a", None: "b", True: "c", 2.5: "d"},
            {"7": "a", "true": "c", "null": "b", "2.5": "d"},
            id="keys",
        ),
        pytest.param(ValueError("secret"), "ValueError", id="exception"),
        pytest.param(uuid.UUID(int=0), "<UUID>", id="unknown type"),
        pytest.param(Hostile(a=1), "<Hostile>", id="raises when read"),
        pytest.param((x for x in "ab"), "<generator>", id="generator untouched"),
    ],
)
def test_names_what_json_cannot_say(value, expected):
    """JSON values stay as they are; all others become something readable."""
    assert to_plain(value) == expected


def test_a_value_inside_itself_is_named():
    """A list that contains itself ends instead of recursing."""
    loop: list = [1]
    loop.append(loop)

    assert to_plain(loop) == [1, "<list>"]


def test_the_same_value_twice_is_no_loop():
    """A value that stands in two places is written in both."""
    shared = {"a": 1}

    assert to_plain([shared, shared]) == [{"a": 1}, {"a": 1}]


def test_deep_nesting_is_named():
    """Nesting beyond 32 levels is named, not followed."""
    deep: list = []
    for _ in range(5_000):
        deep = [deep]

    plain = to_plain(deep)

    depth = 0
    while isinstance(plain, list):
        plain, depth = plain[0], depth + 1
    assert (plain, depth) == ("<list>", 32)
