"""The engine behind one interface, and its stand-in."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from subscription_transformer import scan
from subscription_transformer.scan import Pattern, PatternSet


def test_spans_are_of_the_group_where_there_is_one():
    """The whole match without a group, the first group with one."""
    assert list(Pattern(r"a\d").spans(b"a1 a2")) == [(0, 2), (3, 5)]
    assert list(Pattern(r"a(\d)").spans(b"a1 a2")) == [(1, 2), (4, 5)]


def test_a_set_names_every_pattern_that_hits():
    """In the order they were given."""
    patterns = PatternSet(["b", "x", r"a\z", ""])

    assert patterns.hits(b"b a") == [0, 2, 3]
    assert PatternSet([]).hits(b"x") == []


@pytest.mark.parametrize("pattern", ["(", "a(?=b)", r"(a)\1"])
def test_what_is_not_linear_does_not_compile(pattern):
    """RE2 refuses what it could not promise to do in time."""
    with pytest.raises(ValueError, match="RE2 refuses"):
        Pattern(pattern)


PROBE = """
import json, sys
for name in ("re2", "isal", "pybase64", "msgspec", "hyperscan"):
    sys.modules[name] = None
from subscription_transformer.handler import lambda_handler
from tests.factories import make_envelope, make_invocation, make_line, pack
line = make_line(user_query="salary AKIAQ3EGRXVZT5BMJ7WD password=hunter2")
print(json.dumps(lambda_handler(make_invocation(pack(make_envelope(line, "x"))), None)))
"""


def test_works_without_any_native_package():
    """Slower, but the same bytes: nothing depends on a wheel that is missing."""
    outputs = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, check=True, text=True
        ).stdout.splitlines()[-1]
        for code in (PROBE, PROBE.replace("sys.modules[name] = None", "pass"))
    ]

    assert json.loads(outputs[0]) == json.loads(outputs[1])
    assert json.loads(outputs[0])["records"][0]["result"] == "Ok"


def test_a_pattern_tells_its_size():
    """What the rules' cost check relies on."""
    assert Pattern("a{100}").program_size > Pattern("a").program_size > 0
    assert scan.IS_LINEAR
