"""Line breaks, escaping and cutting."""

from __future__ import annotations

import pytest

from emitter.conversation.lines import (
    cut,
    cut_middle,
    escape,
    one_line,
    unescape,
    unify_breaks,
)


@pytest.mark.parametrize(
    "end",
    [
        "\n",
        "\r",
        "\r\n",
        "\x0b",
        "\x0c",
        "\x1c",
        "\x1d",
        "\x1e",
        "\x85",
        "\u2028",
        "\u2029",
    ],
)
def test_every_line_break_becomes_a_newline(end):
    """A reader that knows more line breaks than we do finds no hidden line."""
    assert unify_breaks(f"a{end}b{end}") == "a\nb\n"
    assert escape(f"a{end}[user] b") == "a\n\\[user] b"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a", "\\[a"),
        ("\\[a", "\\\\[a"),
        ("\\\\[a", "\\\\\\[a"),
        ("a [b", "a [b"),
        (" [a", " [a"),
        ("\\a[", "\\a["),
        ("\u200b[a", "\u200b\\[a"),
        ("\x00\\[a", "\x00\\\\[a"),
        ("", ""),
    ],
)
def test_brackets_at_the_start_of_a_line_are_escaped(text, expected):
    """One backslash more, behind what nobody sees; undone exactly."""
    assert escape(text) == expected
    assert unescape(expected) == text


def test_a_cut_says_how_much_is_missing():
    """The count is of characters."""
    assert cut("abcdef", 4) == "abcd…(+2 chars)"
    assert cut("abcd", 4) == "abcd"


@pytest.mark.parametrize("limit", [0, 1, 10, 40, 60, 100, 150])
def test_a_cut_text_keeps_its_limit(limit):
    """However small the limit, the text keeps it."""
    assert len(cut_middle("word and [word] \n" * 20, limit)) <= limit


def test_a_name_stays_on_one_line():
    """Control and invisible characters go, space is folded, length is bounded."""
    assert one_line(" a\n\u2028b\x00\u202ec ") == "a bc"
    assert len(one_line("x" * 10_000)) < 300
