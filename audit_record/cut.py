"""Cut a long text in two and join its ends, without leaving half of anything.

A cut never splits a character, a grapheme where that can be helped, or a token:
half of a password or of a base64 block would pass a secret scanner unseen, so a
run of token characters that touches a cut is dropped whole.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from audit_record.text import clean_text

MARKER: Final = "\n[shortened: {cut_bytes} bytes left out]\n"
# Room for the marker with a count of any size a record can have.
_MARKER_BYTES: Final = len(MARKER.format(cut_bytes=10**12))
# Put before a tail that begins inside a line, so that what follows cannot pass
# for the beginning of a turn of the conversation.
_INSIDE_LINE: Final = "…"
_INSIDE_LINE_BYTES: Final = len(_INSIDE_LINE.encode())

# What passwords, keys, URLs and base64 are made of: visible ASCII without the
# characters that stand around values. CJK text has no spaces and is no token.
_RUN_CHARS: Final = r"[!#$%&*+\-./0-9:=?@A-Z\\^_`a-z|~]"
_IS_RUN_CHAR: Final = re.compile(_RUN_CHARS)
_RUN_BEFORE: Final = re.compile(rf"{_RUN_CHARS}*")
# Base64 may go on over lines, indented or quoted; a short last line counts when
# the END line of a key follows it.
_RUN_AFTER: Final = re.compile(
    rf"{_RUN_CHARS}*"
    r"(?:\r?\n[ \t>]*[A-Za-z0-9+/=]{16,}(?=\r?\n|\Z))*"
    r"(?:(?:\r?\n[ \t>]*[A-Za-z0-9+/=]{1,76})?\r?\n[ \t>]*-----END[A-Z -]+)?"
)
_KEY_BEGIN: Final = "-----BEGIN"
_KEY_END: Final = "-----END"
_KEY_NAME: Final = "PRIVATE KEY"
# Longest header of a key block that is looked at: names of key kinds are short.
_MAX_KEY_HEADER_CHARS: Final = 64

_ZERO_WIDTH_JOINER: Final = "\u200d"
# Graphemes longer than this are cut: nobody's name is.
_MAX_GRAPHEME_CHARS: Final = 32


def shorten_text(text: str, max_bytes: int, *, head_share: float = 0.7) -> str:
    """Return *text* in at most *max_bytes* of UTF-8: its head, a marker, its tail.

    Args:
        text: Any text; lone surrogates become U+FFFD.
        max_bytes: The limit; a limit too small for the marker gives "".
        head_share: Part of the kept bytes that comes from the beginning: 0.1
            for conversations, whose end matters most, 0.7 for other texts.
    """
    data = clean_text(text).encode()
    if len(data) <= max_bytes:
        return data.decode()
    room_bytes = max_bytes - _MARKER_BYTES - _INSIDE_LINE_BYTES
    if room_bytes <= 0:
        return ""
    head_bytes = int(room_bytes * head_share)
    head = _cut_head(data, head_bytes)
    tail = _cut_tail(data, room_bytes - head_bytes)
    cut_bytes = len(data) - len(head.encode()) - len(tail.encode())
    return head + MARKER.format(cut_bytes=cut_bytes) + _joined(data, tail)


def _cut_head(data: bytes, head_bytes: int) -> str:
    head = data[:head_bytes].decode(errors="ignore")
    # What comes after decides whether the cut is inside something.
    after = data[len(head.encode()) :][:256].decode(errors="ignore")
    head = _without_open_grapheme(head, after)
    key_start = _open_key_start(head)
    if key_start is not None:
        return head[:key_start]
    if head and _IS_RUN_CHAR.match(head[-1]) and _IS_RUN_CHAR.match(after):
        run = _RUN_BEFORE.match(head[::-1])
        return head[: len(head) - run.end()] if run else head
    return head


def _cut_tail(data: bytes, tail_bytes: int) -> str:
    if tail_bytes <= 0:
        return ""
    text = data.decode()
    start = len(text) - len(data[-tail_bytes:].decode(errors="ignore"))
    start = _grapheme_end(text, start)
    start = _run_end(text, start)
    return text[_grapheme_end(text, start) :]


def _run_end(text: str, start: int) -> int:
    """Return where the token or key ends that a cut at *start* falls into."""
    if _open_key_start(text[:start]) is not None:
        # The cut may fall between two lines of the key, or in an indent.
        indent = len(text) - start - len(text[start:].lstrip(" \t>"))
        start += indent
    elif not (_IS_RUN_CHAR.match(text, start - 1) and _IS_RUN_CHAR.match(text, start)):
        return start
    run = _RUN_AFTER.match(text, start)
    return run.end() if run else start


def _open_key_start(text: str) -> int | None:
    """Return where a private key begins whose end is not in *text*, if any."""
    start = text.rfind(_KEY_BEGIN)
    if start < 0 or text.find(_KEY_END, start) >= 0:
        return None
    header = text[start : start + _MAX_KEY_HEADER_CHARS]
    is_key = _KEY_NAME in header or len(text) - start < _MAX_KEY_HEADER_CHARS
    return start if is_key else None


def _without_open_grapheme(head: str, after: str) -> str:
    kept = head
    for _ in range(_MAX_GRAPHEME_CHARS):
        if not kept or not _is_joined(kept[-1], after):
            return kept
        after = kept[-1] + after
        kept = kept[:-1]
    return head


def _grapheme_end(text: str, start: int) -> int:
    """Return where the grapheme ends that a cut at *start* falls into."""
    for index in range(start, min(start + _MAX_GRAPHEME_CHARS, len(text))):
        if index == 0 or not _is_joined(text[index - 1], text[index : index + 1]):
            return index
    return start


def _is_joined(last: str, after: str) -> bool:
    """Tell whether a cut between *last* and *after* falls inside a grapheme."""
    if not after:
        return False
    following = after[0]
    return (
        _ZERO_WIDTH_JOINER in (last, following)
        or unicodedata.category(following).startswith("M")
        or "\U0001f3fb" <= following <= "\U0001f3ff"
        or (_is_regional(last) and _is_regional(following))
        or last + following == "\r\n"
    )


def _is_regional(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _joined(data: bytes, tail: str) -> str:
    start = len(data) - len(tail.encode())
    is_line_start = data[start - 1 : start] == b"\n"
    return tail if is_line_start or not tail else _INSIDE_LINE + tail
