"""Looking into values of any shape."""

from __future__ import annotations

from collections import UserDict
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar

import pytest

from emitter.conversation.shape import (
    as_dict,
    as_text,
    attribute,
    never_raises,
    only_count,
    take,
)


class Slotted:
    __slots__ = ("text",)


class Trap:
    def __getattribute__(self, name):
        raise RuntimeError(name)


class Pydantic:
    def __init__(self, dumped):
        self.dumped = dumped

    def model_dump(self):
        if isinstance(self.dumped, Exception):
            raise self.dumped
        return self.dumped


@dataclass
class Point:
    x: int


class Model:
    """What the Bot Framework's models look like."""

    _attribute_map: ClassVar = {
        "tenant_id": {"key": "tenantID", "type": "str"},
        "from_property": {"key": "from", "type": "ChannelAccount"},
        "additional_properties": {"key": "", "type": "{object}"},
    }

    def __init__(self):
        self.tenant_id = None
        self.from_property = "bob"
        self.additional_properties = {"tenantId": "tid0"}

    def serialize(self):
        return {"from": "bob"}


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: {"a": 1}, {"a": 1}),
        (lambda: UserDict(a=1), {"a": 1}),
        (lambda: Pydantic({"a": 1}), {"a": 1}),
        (lambda: Pydantic(RuntimeError()).dumped, {}),
        (lambda: Point(1), {"x": 1}),
        (lambda: SimpleNamespace(a=1), {"a": 1}),
        (Model, {"from": "bob", "tenantId": "tid0"}),
        (Slotted, None),
        (Trap, None),
        (lambda: None, None),
        (lambda: "text", None),
        (lambda: [1], None),
        (lambda: 7, None),
        (lambda: dict, None),
    ],
    ids=[
        "dict",
        "mapping",
        "pydantic",
        "exception",
        "dataclass",
        "object",
        "msrest",
        "slots",
        "trap",
        "none",
        "text",
        "list",
        "int",
        "class",
    ],
)
def test_objects_become_dictionaries(make, expected):
    """Mappings, models and plain objects are read; everything else is none."""
    assert as_dict(make()) == (expected or None)


def test_a_dumper_that_raises_is_passed_over():
    """The object's own attributes are the last resort."""
    broken = Pydantic(RuntimeError())

    assert as_dict(broken) == {"dumped": broken.dumped}


def test_a_plain_dictionary_is_not_copied():
    """Large payloads cost nothing to look into."""
    given = {"a": 1}

    assert as_dict(given) is given


def test_attributes_that_raise_are_absent():
    """Reading never raises."""
    assert attribute(Trap(), "x") is None
    assert attribute(SimpleNamespace(x=1), "x") == 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [("a", "a"), (None, ""), (5, "5"), ({"a": 1}, '{"a":1}'), (True, "true")],
)
def test_text_of_json_values(value, expected):
    """Strings stay, other values are written as JSON."""
    assert as_text(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(3, 3), (0, 0), (-1, None), (True, None), ("3", None)]
)
def test_counts_are_whole_numbers(value, expected):
    """Nothing else counts."""
    assert only_count(value) == expected


def test_an_endless_iterator_is_bounded():
    """A limit ends what would never end."""

    def endless():
        while True:
            yield 1

    assert len(take(endless(), limit=10)) == 10


def test_a_total_function_falls_back():
    """What raises inside gives the fallback outside."""

    @never_raises(list)
    def broken(value: int) -> list[int]:
        raise RuntimeError(value)

    assert broken(1) == []
