"""Streams of text or bytes: a model's text as it comes, or server-sent events."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Any, Final

from emitter.conversation.shape import as_dict, parse_json

if TYPE_CHECKING:
    from collections.abc import Iterator

_SSE_STARTS: Final = ("data:", "event:", "id:", "retry:", ":")
# A line of server-sent events longer than this is not waited for.
_MAX_LINE_CHARS: Final = 4_194_304


class TextReader:
    """Puts pieces together, also where one ends inside a character or a line."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._pieces: list[str] = []
        self._is_sse: bool | None = None
        self._line = ""

    def feed(self, piece: str | bytes | bytearray) -> Iterator[dict[str, Any]]:
        """Take one piece; give the events in it, if it is made of events."""
        text = piece if isinstance(piece, str) else self._decoder.decode(bytes(piece))
        if self._is_sse is None and text:
            self._is_sse = text.startswith(_SSE_STARTS)
        if not self._is_sse:
            self._pieces.append(text)
            return
        *lines, self._line = (self._line + text).split("\n")
        # An iterator over lines gives them without their ends.
        if "\n" not in text and self._line and len(self._line) > _MAX_LINE_CHARS:
            lines.append(self._line)
            self._line = ""
        for line in lines:
            yield from self._read_line(line)

    def _read_line(self, line: str) -> Iterator[dict[str, Any]]:
        """Give the event in a ``data:`` line; text in it is kept as text."""
        name, _, value = line.rstrip("\r").partition(":")
        value = value.strip()
        if name != "data" or value in ("", "[DONE]"):
            return
        parsed = parse_json(value)
        event = as_dict(parsed)
        if event is not None:
            yield event
        else:
            self._pieces.append(parsed if isinstance(parsed, str) else value)

    def text(self) -> str:
        """Return the text that has arrived so far."""
        return "".join(self._pieces)
