"""Make evidence harmless to look at, and let nothing of it vanish.

What a person wrote to a bot must not move the analyst's cursor, hide a line, turn
text round or open a link. Whatever could is shown as a visible sign instead.
"""

from __future__ import annotations

import re
from typing import Final

# Controls other than tab and newline, and those of Latin-1.
_CONTROLS: Final = "\x00-\x08\x0b-\x1f\x7f-\x9f"
# Direction marks and overrides, invisible operators, tags, and parts of no character.
_UNSEEN: Final = (
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e0fff"
)
_HARMFUL: Final = re.compile(f"[{_CONTROLS}{_UNSEEN}\ud800-\udfff]")
_LINE_BREAKS: Final = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_PICTURES: Final = 0x2400  # Unicode's pictures of the controls 0 to 31
_DELETE: Final = 0x7F
_LAST_WITH_PICTURE: Final = 0x1F
_UNSAFE_IN_JSON: Final = re.compile(f"[\x7f-\x9f\u2028\u2029{_UNSEEN}]")
_ELLIPSIS: Final = "…"
_FIRST_OF_TWO: Final = 0x10000


def clean(text: str) -> str:
    """Return *text* with its lines kept and every harmful character made visible."""
    unbroken = _LINE_BREAKS.sub("\n", text).expandtabs(4)
    return _HARMFUL.sub(_sign, unbroken)


def clean_line(text: str, max_chars: int = 400) -> str:
    """Return *text* on one line, harmless, shortened to *max_chars* with ``…``."""
    # Only what can be shown is looked at; a conversation may be half a megabyte.
    start = " ".join(clean(text[: 4 * max_chars]).split())
    is_cut = len(text) > 4 * max_chars
    if len(start) <= max_chars and not is_cut:
        return start
    return start[: max_chars - 1] + _ELLIPSIS


def escape_json(text: str) -> str:
    r"""Write what a terminal may obey as ``\u`` escapes; the JSON means the same."""
    return _UNSAFE_IN_JSON.sub(_json_escape, text)


def _sign(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code <= _LAST_WITH_PICTURE:
        return chr(_PICTURES + code)
    if code == _DELETE:
        return "\u2421"
    return f"<U+{code:04X}>"


def _json_escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < _FIRST_OF_TWO:
        return f"\\u{code:04x}"
    units = match[0].encode("utf-16-be").hex()
    return f"\\u{units[:4]}\\u{units[4:]}"
