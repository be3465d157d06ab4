"""Hypothesis strategies for the values that bots and AWS really send."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from audit_record.fields import TEXT_FIELDS
from tests.factories import CORE

# Letters people write, and what breaks writers: controls, quotes, emoji with
# joiners, combining marks, and code points that UTF-8 cannot carry alone.
awkward_characters = st.sampled_from(
    [
        *("\x00", "\n", "\r", "\u2028", '"', "\\", "\ud83d", "\udc00"),
        *("e\u0301", "\U0001f468\u200d\U0001f469\u200d\U0001f467"),
        *("\U0001f1e9\U0001f1ea", "漢", "ß"),
    ]
)
texts = st.lists(st.one_of(st.text(max_size=20), awkward_characters)).map("".join)
clean_texts = texts.map(lambda text: text.encode(errors="replace").decode())

json_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    texts,
)
json_values: st.SearchStrategy[Any] = st.recursive(
    json_scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)
    ),
    max_leaves=12,
)

record_values = st.fixed_dictionaries(
    {n: st.just(v) for n, v in CORE.items() if n not in TEXT_FIELDS},
    optional={
        "user_query": texts,
        "response": texts,
        "full_conversation": texts,
        "outcome": json_values,
        "duration_ms": json_values,
        "attributes": st.dictionaries(texts, json_values, max_size=60),
        "sources": st.lists(json_values, max_size=4),
        "tools": json_values,
        "truncated": json_values,
        "guardrail_policies": st.lists(texts, max_size=30),
    },
)
