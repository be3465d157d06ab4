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
_TAG: Final = re.compile(f"[{_FIRST_TAG}-{_LAST_TAG}]")
# Flags of regions are spelt with them, after this one.
_FLAG: Final = "\U0001f3f4"
_REMOVED: Final = dict.fromkeys(map(ord, ZERO_WIDTH)) | _TAGS
_HIDDEN: Final = re.compile(
    rf"(?<=[A-Za-z0-9])[{''.join(sorted(ZERO_WIDTH))}]+(?=[A-Za-z0-9])"
)
_SCRIPT_ALIKES: Final = "".join(
    chr(code)
    for code in CONFUSABLES
    if 0x370 <= code <= 0x52F  # noqa: PLR2004
)
_MIXED: Final = re.compile(rf"[A-Za-z][{_SCRIPT_ALIKES}]|[{_SCRIPT_ALIKES}][A-Za-z]")


_REMOVED_RUN: Final = re.compile(
    rf"[{''.join(sorted(ZERO_WIDTH))}{_FIRST_TAG}-{_LAST_TAG}]+"
)
_CONFUSABLE_RUN: Final = re.compile("[\u0131\u0196\u0251\u0261\u0370-\u052f]+")
# First bytes in UTF-8 of the characters that `CONFUSABLES` folds.
_ALIKE_LEADS: Final = bytes(sorted({chr(code).encode()[0] for code in CONFUSABLES}))
# What `str.split` splits at and NFKC leaves alone.
_OTHER_SPACES: Final = tuple(
    char.encode() for char in ("\x85", "\u1680", "\u2028", "\u2029")
)
# Small letters, and a space for whatever `str.split` splits at.
_ASCII_FOLDS: Final = bytes(
    32 if chr(code).isspace() else ord(chr(code).lower()) for code in range(128)
) + bytes(range(128, 256))


def normalise(text: str) -> str:
    """Return *text* folded for matching; see the module's own text."""
    return normalised_bytes(text).decode()


def normalised_bytes(text: str, *, may_be_disguised: bool = True) -> bytes:
    """Return `normalise` of *text* as UTF-8; quick for ASCII.

    Args:
        text: Any text.
        may_be_disguised: Whether it may have invisible characters.
    """
    if text.isascii():
        return _collapsed(text.encode())
    folded = _REMOVED_RUN.sub(_without_removed, text) if may_be_disguised else text
    # Case first: a capital of another script folds to its small look-alike.
    folded = unicodedata.normalize("NFKC", folded).casefold()
    data = folded.encode(errors="replace")
    if len(data.translate(None, _ALIKE_LEADS)) != len(data):
        folded = _CONFUSABLE_RUN.sub(_without_disguise, folded)
        data = folded.encode(errors="replace")
    return _collapsed(data)


def _collapsed(data: bytes) -> bytes:
    if not data.isascii():
        for space in _OTHER_SPACES:
            if space in data:
                data = data.replace(space, b" ")
    folded = data.translate(_ASCII_FOLDS).strip(b" ")
    while b"  " in folded:
        folded = folded.replace(b"  ", b" ")
    return folded


def _without_removed(run: re.Match[str]) -> str:
    return run[0].translate(_REMOVED)


def _without_disguise(run: re.Match[str]) -> str:
    return run[0].translate(CONFUSABLES)


def hidden_count(text: str) -> int:
    """Count characters that hide something: invisible ones inside Latin words.

    Between letters of other scripts they belong to the spelling, and a flag is
    spelt with invisible letters too.
    """
    if text.isascii():
        return 0
    inside = sum(len(found[0]) for found in _HIDDEN.finditer(text))
    return inside if _FLAG in text else inside + len(_TAG.findall(text))


def has_mixed_scripts(text: str) -> bool:
    """Tell whether look-alikes of another script stand beside Latin letters."""
    return not text.isascii() and _MIXED.search(text) is not None
