"""Bring a text into the form that rules are matched on.

Compatibility forms (NFKC), look-alike letters, zero-width characters, white space
and case are made one, so that a disguised phrase reads like the plain one.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Letters of other scripts that look like Latin ones in common fonts; the pairs that
# Unicode's confusables list and reports of disguised prompts have in common.
CONFUSABLES: Final = str.maketrans(
    "аеіјорсухѕһԁԛԝвкмнтгѵѡ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαονικρτυχ" + "АВЕКМНОРСТУХІЈЅ" + "ıƖɑɡ",
    "aeijopcyxshdqwbkmhtrvw" + "abezhikmnoptyxaovikptux" + "abekmhopctyxijs" + "ilag",
)
ZERO_WIDTH: Final = frozenset(
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200c\u200d\u200e\u200f"
    "\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068"
    "\u2069\ufeff"
)


# Letters that no font shows, and that some models read: ASCII moved to plane 14.
_TAGS: Final = {code: code - 0xE0000 for code in range(0xE0020, 0xE007F)}
_FIRST_TAG: Final = "\U000e0020"
_LAST_TAG: Final = "\U000e007e"
# Flags of regions are spelt with them, after this one.
_FLAG: Final = "\U0001f3f4"
_REMOVED: Final = dict.fromkeys(map(ord, ZERO_WIDTH)) | _TAGS
_HIDDEN: Final = re.compile(
    rf"(?<=[A-Za-z0-9])[{''.join(sorted(ZERO_WIDTH))}]+(?=[A-Za-z0-9])"
)
_WORD: Final = re.compile(r"[^\W\d_]+")


def normalise(text: str) -> str:
    """Return *text* folded for matching; see the module's own text."""
    if text.isascii():
        return " ".join(text.lower().split())
    folded = unicodedata.normalize("NFKC", text.translate(_REMOVED))
    # Case first: a capital of another script folds to its small look-alike.
    folded = folded.casefold().translate(CONFUSABLES)
    return " ".join(folded.split())


def hidden_count(text: str) -> int:
    """Count characters that hide something: invisible ones inside Latin words.

    Between letters of other scripts they belong to the spelling, and a flag is
    spelt with invisible letters too.
    """
    if text.isascii():
        return 0
    inside = sum(len(found[0]) for found in _HIDDEN.finditer(text))
    if _FLAG in text:
        return inside
    return inside + sum(_FIRST_TAG <= char <= _LAST_TAG for char in text)


def has_mixed_scripts(text: str) -> bool:
    """Tell whether a word mixes Latin letters with look-alikes of another script."""
    if text.isascii():
        return False
    return any(_is_mixed(word[0]) for word in _WORD.finditer(text))


def _is_mixed(word: str) -> bool:
    if word.isascii():
        return False
    has_latin = any("a" <= char.lower() <= "z" for char in word)
    has_other = any(
        ord(char) in CONFUSABLES and "\u0370" <= char <= "\u052f" for char in word
    )
    return has_latin and has_other
