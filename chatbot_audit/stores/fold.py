"""Bring names and texts into the form in which they are compared.

Used on both sides, on what is stored and on what is asked, so that width,
composition and invisible characters make no difference to a search.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Soft hyphen, zero-width characters, joiners, direction marks, byte order mark.
_INVISIBLE: Final = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
# From Thai on, many scripts are written without spaces between words.
_FIRST_UNSPACED: Final = "\u0e00"


def mend(text: str) -> str:
    """Return *text* as UTF-8 can say it: lone surrogates become U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def fold_text(text: str) -> str:
    """Return *text* as it is indexed: NFKC, without invisible characters.

    Letters keep their case: the index and `holds` compare without it. NUL, which
    ends a query for SQLite, becomes a space; lone surrogates become U+FFFD.
    """
    if not text.isascii():
        text = mend(text)
        text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    return text.replace("\0", " ")


def fold_name(name: str) -> str:
    """Return a login, e-mail or id as it is compared: lower case, composed."""
    return unicodedata.normalize("NFC", fold_text(name).strip().lower())


def has_words(text: str) -> bool:
    """Tell whether there is a letter or a digit in *text*."""
    return any(character.isalnum() for character in text)


def is_indexable(text: str) -> bool:
    """Tell whether the word index can find *text*, which has words.

    It cannot if some are of a script that sets no spaces: there a whole sentence
    is one word of the index.
    """
    return not any(
        character >= _FIRST_UNSPACED and character.isalnum() for character in text
    )


def holds(needle: str, *texts: str | None) -> bool:
    """Tell whether one of *texts* contains *needle*, both folded, in any case."""
    wanted = needle.casefold()
    return any(text is not None and wanted in text.casefold() for text in texts)
