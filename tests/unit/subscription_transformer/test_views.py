"""Views of a text: disguises taken off, and the way back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscription_transformer.views import is_foldable, joined_view, plain_view


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("plain", "plain"),
        (r"\u0041KIA", "AKIA"),
        (r"\\u0041KIA", "AKIA"),
        (r"\x41KIA", "AKIA"),
        ("%41KIA%3D", "AKIA="),
        ("&#65;&#x41;&quot;&amp;", 'AA"&'),
        (r"https:\/\/x", "https://x"),
        ("A\u200bK\u00adI\u2060A", "AKIA"),
        ("\uff21\uff2b\uff29\uff21", "AKIA"),
        ("\U0001d400KIA", "AKIA"),
        ("p\u0430ss", "pass"),
        ("漢p", "?p"),
    ],
)
def test_disguises_are_taken_off(text, plain):
    """Escapes, invisible characters, width and look-alikes read as what they show."""
    assert plain_view(text).data == plain.encode()


def test_broken_lines_are_joined_inside_tokens():
    """A line break between token characters is taken out, with quote marks."""
    assert joined_view("AKIA\n> Q3\\\r\n  x\n\ny").data == b"AKIAQ3x\n\ny"


def test_a_span_leads_back_to_what_stood_there():
    """Bytes of the original, the whole disguise included."""
    text = "漢 \\u0041K\u200bIA end"
    view = plain_view(text)
    start = view.data.index(b"AKIA")

    ((first, last),) = view.original_spans([(start, start + 4)])

    assert text.encode()[first:last].decode() == "\\u0041K\u200bIA"


PIECES = st.sampled_from(
    ["a", "漢", "\U0001f600", "\u200b", "\\u0041", "%41", "&#65;", "\uff21", "\n", " "]
)


@given(st.lists(PIECES, max_size=30), st.data())
def test_spans_lead_back_whatever_stands_between(pieces, data):
    """A span of a view covers the same visible characters in the original."""
    text = "".join(pieces)
    view = plain_view(text)
    start = data.draw(st.integers(0, len(view.data)))
    end = data.draw(st.integers(start, len(view.data)))

    ((first, last),) = view.original_spans([(start, end)])

    there = text.encode()[first:last].decode()
    assert plain_view(there).data == view.data[start:end]


def test_ordinary_text_of_any_script_is_not_foldable():
    """Only what may stand for Latin letters costs a second look."""
    assert not is_foldable("plain")
    assert not is_foldable("漢字 ü é ß")
    assert is_foldable("\uff21")
    assert is_foldable("\u200b")
