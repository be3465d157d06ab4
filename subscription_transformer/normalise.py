"""Bring a text into the form that rules are matched on.

Compatibility forms (NFKC), look-alike letters, zero-width characters, white space
and case are made one, so that a disguised phrase reads like the plain one.
"""

from __future__ import annotations

import unicodedata
from typing import Final

# Letters of other scripts that look like Latin ones in common fonts; the pairs that
# Unicode's confusables list and reports of disguised prompts have in common.
_CONFUSABLES: Final = str.maketrans(
    "аеіјорсухѕһԁԛԝвкмнтгѵѡ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαονικρτυχ" + "АВЕКМНОРСТУХІЈЅ" + "ıƖɑɡ",
    "aeijopcyxshdqwbkmhtrvw" + "abezhikmnoptyxaovikptux" + "abekmhopctyxijs" + "ilag",
)
ZERO_WIDTH: Final = frozenset(
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200c\u200d\u200e\u200f"
    "\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068"
    "\u2069\ufeff"
)
_REMOVED: Final = dict.fromkeys(map(ord, ZERO_WIDTH))


def normalise(text: str) -> str:
    """Return *text* folded for matching; see the module's own text."""
    if text.isascii():
        return " ".join(text.lower().split())
    folded = unicodedata.normalize("NFKC", text.translate(_REMOVED))
    # Case first: a capital of another script folds to its small look-alike.
    folded = folded.casefold().translate(_CONFUSABLES)
    return " ".join(folded.split())


def zero_width_count(text: str) -> int:
    """Count zero-width characters, those that join emoji left out."""
    if text.isascii():
        return 0
    return sum(char in ZERO_WIDTH and char != "\u200d" for char in text)


def has_mixed_scripts(text: str) -> bool:
    """Tell whether a word mixes Latin letters with look-alikes of another script."""
    if text.isascii():
        return False
    words = (word for word in text.split() if not word.isascii())
    return any(_is_mixed(word) for word in words)


def _is_mixed(word: str) -> bool:
    has_latin = any("a" <= char.lower() <= "z" for char in word)
    has_other = any(
        ord(char) in _CONFUSABLES and "\u0370" <= char <= "\u052f" for char in word
    )
    return has_latin and has_other
