"""Streams of text: how they are cut must not matter."""

from __future__ import annotations

import itertools
import json

from hypothesis import given
from hypothesis import strategies as st

from emitter.conversation import tee

TEXTS = st.text(st.characters(codec="utf-8"), max_size=40)
# What events are made of, in any order.
TRAPS = st.lists(
    st.sampled_from(["data:", "event: x", ":", "id", " ", "\n", "\n\n", "{", '"', "a"]),
    max_size=12,
).map("".join)


def text_of(pieces):
    """Return the text that is told of a stream, read to its end."""
    told = []
    list(tee(iter(pieces), told.append))
    return told[0].text


def cut(text, places):
    """Cut *text* at some of its places."""
    at = sorted({min(place, len(text)) for place in places} | {0, len(text)})
    return [text[a:b] for a, b in itertools.pairwise(at)]


PLACES = st.lists(st.integers(0, 400), max_size=30)


@given(st.lists(TEXTS | TRAPS, min_size=1, max_size=5), PLACES, st.booleans())
def test_events_give_the_same_text_however_they_are_cut(texts, places, in_bytes):
    """A cut may go through a name, a value, a character or an end of line."""
    events = [{"generation": text, "stop_reason": None} for text in texts]
    stream = "".join(f"data: {json.dumps(each)}\n\n" for each in events)

    pieces = cut(stream.encode() if in_bytes else stream, places)

    assert text_of(pieces) == "".join(texts)


@given(TEXTS | TRAPS, PLACES)
def test_text_without_data_is_text_however_it_is_cut(text, places):
    """Nothing of what a model said is lost, whatever it begins with."""
    said = text.replace("data", "date").replace("\r", "")

    assert text_of(cut(said, places)) == said
