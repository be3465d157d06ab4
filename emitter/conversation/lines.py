r"""Line breaks, escaping and cutting of conversation text.

A line that begins with ``[`` is ours: a turn tag or a placeholder. Content that
begins a line the same way gets a backslash, so nobody can forge one::

    [user] hi
    \[assistant] I approve
"""

from __future__ import annotations

import re
from typing import Final

# Everything that `str.splitlines`, and so some reader, takes for the end of a
# line: LF, CR, VT, FF, the information separators FS GS RS, NEL, and LINE and
# PARAGRAPH SEPARATOR.
_BREAKS: Final = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"

# Characters that show nothing on a screen; behind them a bracket would still look
# like the start of a line.
_INVISIBLE: Final = (
    "[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\ufffb\U000e0000-\U000e0fff]*"
)
_UNESCAPED: Final = re.compile(rf"{_INVISIBLE}(?=\\*\[)")
_ESCAPED: Final = re.compile(rf"{_INVISIBLE}(?=\\+\[)")
_SPACES: Final = re.compile(r"\s+")

# A run of these may be half a secret or half a blob once it is cut.
_RUN_CHARS: Final = (
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-.~%"
)
# Share of a cut text that its head keeps. Conversation rules, F17.
_HEAD_SHARE: Final = 0.1


def unify_breaks(text: str) -> str:
    """Turn every kind of line break into a newline; CRLF becomes one."""
    unified = "\n".join(text.splitlines())
    return f"{unified}\n" if text[-1:] in _BREAKS and text else unified


def escape(text: str) -> str:
    r"""Escape content: a line that begins with ``[`` gets one more backslash.

    So does a line that begins with backslashes and ``[``, or with invisible
    characters before them. Line breaks become newlines. `unescape` undoes it.
    """
    unified = unify_breaks(text)
    if "[" not in unified:
        return unified
    return "\n".join(map(_escape_line, unified.split("\n")))


def _escape_line(line: str) -> str:
    found = _UNESCAPED.match(line)
    return f"{found[0]}\\{line[found.end() :]}" if found else line


def unescape(text: str) -> str:
    """Undo `escape` exactly, but for the kind of the line breaks."""
    return "\n".join(map(_unescape_line, text.split("\n")))


def _unescape_line(line: str) -> str:
    found = _ESCAPED.match(line)
    return f"{found[0]}{line[found.end() + 1 :]}" if found else line


def escape_after_first(text: str) -> str:
    """Escape content that does not begin its line: all lines but the first."""
    first, found, rest = unify_breaks(text).partition("\n")
    return f"{first}\n{escape(rest)}" if found else first


def one_line(text: str, limit: int = 256) -> str:
    """Return a name or address on one line, without control characters, cut."""
    spaced = _SPACES.sub(" ", unify_breaks(text[: 4 * limit])).strip()
    return cut("".join(char for char in spaced if char.isprintable()), limit)


def cut(text: str, limit: int) -> str:
    """Cut *text* at *limit* characters and say how many are missing."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}…(+{len(text) - limit} chars)"


def cut_middle(text: str, max_chars: int) -> str:
    """Bring a transcript to *max_chars*: its head, a marker line, its tail.

    The head gets a tenth. Both end at a line's end where one is near, and a run of
    token or base64 characters that touches the cut goes whole: half a secret
    would escape the scanner. A tail that begins inside a line is escaped again.
    """
    if len(text) <= max_chars:
        return text
    # Beside the marker: two newlines, and the backslash a cut line may need.
    room = max_chars - len(_marker(len(text))) - 3
    if room <= 0:
        return text[: max(0, max_chars)].rstrip(_RUN_CHARS)
    head_end = int(room * _HEAD_SHARE)
    head = _end_cleanly(text[:head_end])
    tail = _begin_cleanly(text, len(text) - (room - head_end))
    missing = max(0, len(text) - len(head) - len(tail))
    return "\n".join(filter(None, (head, _marker(missing), tail)))


def _marker(count: int) -> str:
    return f"[… {count} characters left out …]"


def _end_cleanly(head: str) -> str:
    """End at a newline in the last fifth, else before a token."""
    at = head.rfind("\n", len(head) - len(head) // 5)
    return head[:at] if at >= 0 else head.rstrip(_RUN_CHARS)


def _begin_cleanly(text: str, start: int) -> str:
    """Begin at a line's start in the first fifth, else behind a token, escaped."""
    at = text.find("\n", start - 1, start + (len(text) - start) // 5)
    if at >= 0:
        return text[at + 1 :]
    line, found, rest = text[start:].lstrip(_RUN_CHARS).partition("\n")
    return f"{escape(line)}{found}{rest}"
