"""The form in which names and texts are compared."""

from __future__ import annotations

import pytest

from chatbot_audit.stores.fold import (
    fold_name,
    fold_text,
    has_words,
    holds,
    is_indexable,
)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        pytest.param("Plain text", "Plain text", id="plain"),
        pytest.param("sal\u200bary", "salary", id="zero-width"),
        pytest.param("\uff30assword", "Password", id="full-width"),
        pytest.param("a\0b", "a b", id="nul"),
        pytest.param("a\ud800b", "a\ufffdb", id="lone-surrogate"),
        pytest.param("e\u0301", "\u00e9", id="composed"),
    ],
)
def test_folds_texts(text, folded):
    """Width, composition and invisible characters make no difference."""
    assert fold_text(text) == folded


def test_folds_names_to_lower_case_only():
    """Names are lowered, never case-folded: Strauß is not strauss."""
    assert fold_name("  Strau\u00df@Example.com ") == "strau\u00df@example.com"


def test_knows_what_the_word_index_can_find():
    """Scripts without spaces and bare signs are not found by words."""
    assert is_indexable("ssl certificate")
    assert not is_indexable("ssl 証明書")
    assert has_words("x?")
    assert not has_words("?!")


def test_holds_compares_without_case():
    """A part of any of the texts is enough."""
    assert holds("STRASSE", None, "Hauptstra\u00dfe 5")
    assert not holds("x", None, "")
