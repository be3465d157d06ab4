"""The rules file: shape, examples, cost."""

from __future__ import annotations

import json
import time

import pytest

from subscription_transformer.errors import RulesError
from subscription_transformer.label import Labeller
from subscription_transformer.rules import check_rules, load_rules, main, parse_rules

RULE = {"name": "pay", "words": ["wages"], "hit": ["my wages"], "miss": ["wagers"]}


def pattern(text):
    return {"signals": [RULE | {"words": [], "patterns": [text]}]}


def faults(value):
    with pytest.raises(RulesError) as caught:
        parse_rules(value)
    return " / ".join(caught.value.faults)


def test_shipped_rules_pass_their_own_examples():
    """What is shipped is held to what users are held to."""
    assert check_rules(load_rules()) == []


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (5, "one JSON object"),
        ({"topics": "x"}, "topics must be a list"),
        ({"topics": [RULE] * 501}, "at most 500"),
        ({"topics": ["x"]}, "has no name"),
        ({"topics": [{"words": ["x"]}]}, "has no name"),
        ({"topics": [RULE | {"name": "Not A Label"}]}, "no label"),
        ({"topics": [RULE | {"name": "n" * 60}]}, "no label"),
        ({"topics": [RULE, RULE]}, "stands twice"),
        ({"topics": [RULE | {"where": ["session_id"]}]}, "looks where rules cannot"),
        ({"topics": [RULE | {"where": "user_query"}]}, "no list of texts"),
        ({"topics": [RULE | {"words": 5}]}, "no list of texts"),
        ({"topics": [RULE | {"hit": "my wages"}]}, "no list of texts"),
        ({"topics": [RULE | {"words": []}]}, "neither words nor patterns"),
        ({"topics": [RULE | {"words": ["\u200b"]}]}, "without letters"),
        (pattern("(a)\\1"), "look-around or back-references"),
        (pattern("a(?=b)"), "look-around or back-references"),
        (pattern("(?<!a)b"), "look-around or back-references"),
        (pattern("(?P<x>a)(?P=x)"), "look-around or back-references"),
        (pattern("(unclosed"), "does not compile"),
        (pattern("((a{500}){500}){500}"), "does not compile"),
        (pattern("x*"), "matches nothing at all"),
        ({"disguise": {"base64_run_chars": -1}}, "whole numbers"),
        ({"disguise": {"zero_width_count": True}}, "whole numbers"),
        ({"disguise": 5}, "whole numbers"),
        ({"redact": 5}, "must be an object"),
        ({"redact": {"on": "email"}}, "no list of texts"),
        ({"redact": {"off": ["nothing"]}}, "kind that does not exist"),
        ({"redact": {"custom": {}}}, "no list"),
        ({"redact": {"custom": [{"pattern": "x"}]}}, "no kind"),
        ({"redact": {"custom": [{"kind": "a", "pattern": 5}]}}, "no text"),
        ({"redact": {"custom": [{"kind": "a", "pattern": "(?!x)y"}]}}, "look-around"),
    ],
)
def test_faulty_files_are_refused_with_a_sentence(value, fault):
    """Every fault has its own words; none is a traceback."""
    assert fault in faults(value)


def test_all_faults_are_told_together():
    """A rule author mends a file once, not once a fault."""
    text = faults({"topics": [RULE | {"words": []}], "redact": {"on": ["nothing"]}})

    assert "neither" in text
    assert "does not exist" in text


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"hit": ["nothing"]}, "misses its hit example 1"),
        ({"miss": ["wagers", "the wages"]}, "hits its miss example 2"),
        ({"hit": []}, "needs examples"),
        ({"words": ["w" * 900 for _ in range(40)]}, "costs too much"),
    ],
)
def test_rules_that_fail_their_examples_are_named(changes, fault):
    """A rule has to prove itself before it is built in."""
    words = [f"{n:03d}{w}" for n, w in enumerate(changes.get("words", ["wages"]))]
    changed = changes | ({"words": words} if "words" in changes else {})

    found = check_rules(parse_rules({"topics": [RULE | changed]}))

    assert any(fault in text for text in found)


def test_custom_kinds_are_tried_on_their_examples():
    """Own kinds of secrets prove themselves too."""
    custom = {"kind": "badge", "pattern": "BADGE-\\d{6}", "hit": ["BADGE-12"]}

    found = check_rules(parse_rules({"redact": {"custom": [custom]}}))

    assert found == ["kind badge misses its hit example 1"]


@pytest.mark.parametrize("text", ["(\\w+\\s?)+@x", "(a|a)*b", "(.*)*x", "(a+)+$"])
def test_patterns_that_hang_other_engines_are_linear_here(text):
    """Time on hostile text grows with its length and no faster."""
    labeller = Labeller(parse_rules(pattern(text)))

    def cost(count):
        best = 9.0
        for _ in range(3):
            started = time.perf_counter()
            labeller.label({"user_query": "a" * count + "!"})
            best = min(best, time.perf_counter() - started)
        return best

    assert cost(400_000) < max(cost(100_000) * 12, 0.05)


def test_the_command_prints_a_sentence_for_each_fault(tmp_path, capsys):
    """Exit code 1 stops a build."""
    path = tmp_path / "rules.json"
    path.write_text(json.dumps({"topics": [RULE | {"hit": ["nothing"]}]}))

    assert main([]) == 0
    assert main([str(path)]) == 1
    assert main([str(tmp_path / "missing.json")]) == 1
    assert "rule pay misses its hit example 1" in capsys.readouterr().err


def test_kinds_are_switched_on_and_off():
    """Defaults, what a file adds, and what it takes away."""
    kinds = {f.kind for f in parse_rules({}).finders}
    changed = {
        f.kind
        for f in parse_rules(
            {
                "redact": {
                    "on": ["email"],
                    "off": ["iban"],
                    "custom": [{"kind": "badge", "pattern": "B\\d{6}"}],
                }
            }
        ).finders
    }

    assert "email" not in kinds
    assert changed == (kinds | {"email", "badge"}) - {"iban"}
