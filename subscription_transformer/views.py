r"""Read a text the way a person or a program would, and find the way back.

A key may stand in a text in full-width letters, with zero-width characters inside,
as ``\u0041KIA``, as ``%41KIA`` or broken over two lines. A view is the text with
such a disguise taken off, in ASCII, and a map from its places to the original's.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from functools import cache
from typing import TYPE_CHECKING, Final

from subscription_transformer.normalise import CONFUSABLES, ZERO_WIDTH

if TYPE_CHECKING:
    from collections.abc import Callable

    from subscription_transformer.scan import Span

# Hits say that a text has to be looked at in the plain view too. RE2 syntax.
ESCAPES: Final = (
    r"\\u00[2-7][0-9a-fA-F]|\\x[2-7][0-9a-fA-F]|\\/|%[2-7][0-9a-fA-F]"
    r"|&#(?:\d{2,3}|[xX][2-7][0-9a-fA-F]);|&(?:quot|amp|apos|lt|gt);"
)
# The beginning of a token whose line ends before it does.
BROKEN_OVER_LINES: Final = (
    r"\b(?:AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|AIza|GOCSPX-|eyJ"
    r"|[sr]k_(?:live|test)_)[A-Za-z0-9_\-.]{0,400}\\?\r?\n[ \t>|]*[A-Za-z0-9_\-.]"
)

# The same in a text as JSON writes it, and what only there is an escape.
_HEX: Final = "[0-9a-fA-F]"
_ALIKES: Final = rf"\\u0(?i:131|196|251|261|3[7-9a-f]{_HEX}|4{_HEX}{{2}}|5[012]{_HEX})"
JSON_FOLDABLE: Final = (
    r"[\x{ad}\x{34f}\x{61c}\x{115f}\x{1160}\x{17b4}\x{17b5}\x{180e}\x{200b}-\x{200f}"
    r"\x{202a}-\x{202e}\x{2060}-\x{2069}\x{feff}\x{2100}-\x{214f}\x{2460}-\x{24ff}"
    r"\x{ff01}-\x{ff5e}\x{1d400}-\x{1d7ff}\x{e0020}-\x{e007e}]"
    r"|[A-Za-z0-9][\x{131}\x{196}\x{251}\x{261}\x{370}-\x{52f}]"
    r"|[\x{131}\x{196}\x{251}\x{261}\x{370}-\x{52f}][A-Za-z0-9]"
    r"|(?i:\\u(?:00ad|034f|061c|115f|1160|17b[45]|180e|200[b-f]|202[a-e]|206|feff"
    r"|ff[0-5]|21[0-4]|24[6-9a-f]|d835|db40))"
    # A look-alike behind a letter, told from the digits of another escape ...
    rf"|(?:[g-zG-Z]|[^0-9a-fA-F]{_HEX}{{1,3}}|[^u]{_HEX}{{4}}|[^\\]u{_HEX}{{4}}){_ALIKES}"
    # ... and before one.
    rf"|{_ALIKES}[A-Za-z0-9]"
)
JSON_BROKEN: Final = (
    r"(?:AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|AIza|GOCSPX-|eyJ"
    r"|[sr]k_(?:live|test)_)[A-Za-z0-9_\-.]*\\"
)

_ESCAPE: Final = re.compile(
    r"\\+u00([2-7][0-9a-fA-F])|\\+x([2-7][0-9a-fA-F])|%([2-7][0-9a-fA-F])"
    r"|&#[xX]([2-7][0-9a-fA-F]);|&#(\d{2,3});|&(quot|amp|apos|lt|gt);|\\+(/)"
    rf"|[{''.join(sorted(ZERO_WIDTH))}]+"
)
_LINE_BREAK: Final = re.compile(
    r"(?<=[A-Za-z0-9_\-.])\\?\r?\n[ \t>|]*(?=[A-Za-z0-9_\-.])"
)
_NAMED: Final = {"quot": '"', "amp": "&", "apos": "'", "lt": "<", "gt": ">"}
_DECIMAL_GROUP: Final = 5
_LAST_HEX_GROUP: Final = 4
_PRINTABLE: Final = range(0x20, 0x7F)
# Blocks with compatibility forms of ASCII: letterlike, circled, full width,
# mathematical; and the scripts whose letters look like Latin ones.
_FOLDED_BLOCKS: Final = (
    range(0x2100, 0x2150),
    range(0x2460, 0x2500),
    range(0xFF01, 0xFF5F),
    range(0x1D400, 0x1D800),
)
# Look-alikes count where they stand in a Latin word or number: a word of another
# script is that.
_ALIKE: Final = "[\u0131\u0196\u0251\u0261\u0370-\u052f]"
_FOLDABLE: Final = re.compile(
    rf"[{''.join(sorted(ZERO_WIDTH))}\u2100-\u214f\u2460-\u24ff\uff01-\uff5e"
    rf"\U0001d400-\U0001d7ff]|[A-Za-z0-9]{_ALIKE}|{_ALIKE}[A-Za-z0-9]"
)


class View:
    """One text in another form.

    Attributes:
        data: ASCII; characters that are none are question marks.

    Args:
        text: The text in that form.
        breaks: Places in *text* before which the original has more or fewer
            characters than this form, with the place in the original.
        original: The original text.
    """

    def __init__(self, text: str, breaks: list[tuple[int, int]], original: str) -> None:
        self.data = text.encode("ascii", "replace")
        self._places = [place for place, _ in breaks]
        self._origins = [origin for _, origin in breaks]
        self._original = original

    def original_spans(self, spans: list[Span]) -> list[Span]:
        """Return the bytes of the original's UTF-8 that *spans* here stand for."""
        pairs = [(self._origin(start), self._origin(end)) for start, end in spans]
        if self._original.isascii():
            return pairs
        places = self._byte_places({place for pair in pairs for place in pair})
        return [(places[first], places[last]) for first, last in pairs]

    def _byte_places(self, chars: set[int]) -> dict[int, int]:
        places: dict[int, int] = {}
        done_chars = done_bytes = 0
        for char in sorted(chars):
            done_bytes += len(self._original[done_chars:char].encode())
            done_chars = char
            places[char] = done_bytes
        return places

    def _origin(self, place: int) -> int:
        index = bisect_right(self._places, place) - 1
        if index < 0:
            return place
        return self._origins[index] + place - self._places[index]


def is_foldable(text: str) -> bool:
    """Tell whether *text* has characters that may stand for Latin ones."""
    return not text.isascii() and _FOLDABLE.search(text) is not None


def plain_view(text: str) -> View:
    """Return *text* without look-alikes, invisible characters and escapes."""
    folded = text if text.isascii() else text.translate(_folds())
    return _rewritten(text, folded, _ESCAPE, _unescape)


def joined_view(text: str) -> View:
    """Return *text* with lines joined where a break stands inside a token."""
    return _rewritten(text, text, _LINE_BREAK, lambda _: "")


def _rewritten(
    original: str,
    text: str,
    pattern: re.Pattern[str],
    change: Callable[[re.Match[str]], str],
) -> View:
    parts: list[str] = []
    breaks: list[tuple[int, int]] = []
    position = length = 0
    for match in pattern.finditer(text):
        changed = change(match)
        parts += [text[position : match.start()], changed]
        length += match.start() - position + len(changed)
        position = match.end()
        breaks.append((length, position))
    parts.append(text[position:])
    return View("".join(parts), breaks, original)


def _unescape(match: re.Match[str]) -> str:
    group = match.lastindex
    if group is None:
        return ""
    if group <= _LAST_HEX_GROUP:
        return chr(int(match[group], 16))
    if group == _DECIMAL_GROUP:
        code = int(match[group])
        return chr(code) if code in _PRINTABLE else " "
    return _NAMED.get(match[group], "/")


@cache
def _folds() -> dict[int, int | str]:
    """Map each character that stands for one of ASCII; one for one."""
    folds: dict[int, int | str] = dict(CONFUSABLES)
    for block in _FOLDED_BLOCKS:
        for code in block:
            plain = unicodedata.normalize("NFKC", chr(code))
            if len(plain) == 1 and plain.isascii():
                folds[code] = plain
    return folds
