"""Evidence that is harmless to look at."""

from __future__ import annotations

import json

import pytest

from chatbot_audit.query.clean import clean, clean_line, escape_json


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("\x1b[31mred", "\u241b[31mred", id="escape-sequence"),
        pytest.param("a\x07\x00b", "a\u2407\u2400b", id="controls"),
        pytest.param("a\x7fb", "a\u2421b", id="delete"),
        pytest.param("\x9b31m", "<U+009B>31m", id="eight-bit-escape"),
        pytest.param("a\u202eb", "a<U+202E>b", id="text-turned-round"),
        pytest.param("a\U000e0041b", "a<U+E0041>b", id="hidden-tags"),
        pytest.param("a\ud800b", "a<U+D800>b", id="lone-surrogate"),
        pytest.param("a\u200bb", "a<U+200B>b", id="zero-width"),
        pytest.param("a\r\nb\rc\u2028d", "a\nb\nc\nd", id="line-breaks"),
        pytest.param("a\tb", "a   b", id="tab"),
    ],
)
def test_harmful_characters_become_visible(text, shown):
    """Nothing reaches the terminal as a command, and nothing vanishes."""
    assert clean(text) == shown


@pytest.mark.parametrize(
    "text",
    ["\u2714\ufe0f", "e\u0301", "漢字", "עברית", "\U0001f468\u200d\U0001f469", "a\nb"],
    ids=["variant", "accent", "chinese", "hebrew", "joined", "newline"],
)
def test_what_people_write_stays(text):
    """Scripts, accents and joined signs are shown as they are."""
    assert clean(text) == text


def test_a_line_is_one_line_and_short():
    """Newlines become spaces; what is cut shows a sign."""
    assert clean_line(" a\n\n b ") == "a b"
    assert clean_line("x" * 20, 10) == "x" * 9 + "…"
    assert clean_line("x" + " " * 500_000, 10) == "x…"


def test_json_of_any_text_is_harmless_and_the_same():
    """A JSON line can be read on a terminal and parsed without loss."""
    values = {"a": "\x7f\x9b\u202e\u2028\U000e0041 ok é"}

    written = escape_json(json.dumps(values, ensure_ascii=False))

    assert json.loads(written) == values
    assert written.isprintable()
    assert "é" in written
