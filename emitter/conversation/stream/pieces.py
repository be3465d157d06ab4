"""Streams of text or bytes: a model's text as it comes, or server-sent events.

Page: HTML Standard, "Server-sent events", 9.2.6.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Any, Final

from emitter.conversation.shape import as_dict
from emitter.conversation.stream.halves import join_pieces, parse_event

if TYPE_CHECKING:
    from collections.abc import Iterator

_SSE_STARTS: Final = ("data:", "event:", "id:", "retry:", ":")
_DONE: Final = "[DONE]"
# A line of server-sent events longer than this is not waited for.
_MAX_LINE_CHARS: Final = 4_194_304


class TextReader:
    """Puts pieces together, also where one ends inside a character or a line.

    Text may begin as an event does (``:wave: hello``). It is taken for events only
    when data in JSON has come, or data, an empty line and nothing else than events.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        # The text as it came, as long as it is or may be mere text.
        self._raw: list[str] = []
        # Text in events.
        self._said: list[str] = []
        self._is_sse: bool | None = None
        self._line = ""
        # Lines that were read before it was clear what they are.
        self._waiting: list[str] = []

    def feed(self, piece: str | bytes | bytearray) -> Iterator[dict[str, Any]]:
        """Take one piece; give the events in it, if it is made of events."""
        text = piece if isinstance(piece, str) else self._decoder.decode(bytes(piece))
        if not self._is_sse:
            self._raw.append(text)
        if self._is_sse is False:
            return
        if self._line and self._is_line_by_itself(piece, text):
            yield from self._take(self._line)
            self._line = "" if piece else "\n"
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            yield from self._take(line)
        if self._is_sse is None and not self._waiting and not _may_begin(self._line):
            self._decide(is_sse=False)
        if len(self._line) > _MAX_LINE_CHARS:
            yield from self._drop_line()

    def _drop_line(self) -> list[dict[str, Any]]:
        """Let go of a line that does not end; by itself it is a text."""
        is_sse = bool(self._is_sse or self._waiting)
        # What is still to come of it passes for a comment.
        self._line = ":"
        return self._decide(is_sse=is_sse) if self._is_sse is None else []

    def end(self) -> Iterator[dict[str, Any]]:
        """Give the events in a last line that has no end."""
        line, self._line = self._line, ""
        if self._is_sse is None and self._has_data_and_gap() and _may_begin(line):
            yield from self._decide(is_sse=True)
        if line and self._is_sse is not False:
            yield from self._take(line)

    def _is_line_by_itself(self, piece: str | bytes | bytearray, text: str) -> bool:
        """Whether what waits was a line, given without its end, before *piece*."""
        if piece and not text.startswith(_SSE_STARTS):
            return False
        name, value = _parts(self._line)
        if name != "data":
            return self._line.startswith(_SSE_STARTS)
        is_json = value.startswith(("{", "[", '"')) and value != _DONE
        return parse_event(value) is not None if is_json else not piece

    def _take(self, line: str) -> Iterator[dict[str, Any]]:
        """Take a line that is whole."""
        if self._is_sse is None:
            yield from self._consider(line.rstrip("\r"))
        elif self._is_sse:
            yield from self._read_line(line.rstrip("\r"))

    def _consider(self, line: str) -> Iterator[dict[str, Any]]:
        """Take a line while it is not clear whether it is an event's."""
        if line and not line.startswith(_SSE_STARTS):
            self._decide(is_sse=False)
            return
        is_sure = _is_sure(line) or (line and self._has_data_and_gap())
        self._waiting.append(line)
        if is_sure:
            yield from self._decide(is_sse=True)

    def _has_data_and_gap(self) -> bool:
        has_data = any(_parts(line)[0] == "data" for line in self._waiting)
        return has_data and self._waiting[-1] == ""

    def _decide(self, *, is_sse: bool) -> list[dict[str, Any]]:
        self._is_sse = is_sse
        waiting, self._waiting = self._waiting, []
        if not is_sse:
            self._line = ""
            return []
        self._raw.clear()
        return [event for line in waiting for event in self._read_line(line)]

    def _read_line(self, line: str) -> Iterator[dict[str, Any]]:
        """Give the event in a ``data:`` line; text in it is kept as text."""
        name, value = _parts(line)
        if name != "data" or value.strip() in ("", _DONE):
            return
        parsed = parse_event(value)
        event = as_dict(parsed)
        if event is not None:
            yield event
        else:
            self._said.append(parsed if isinstance(parsed, str) else value)

    def text(self) -> str:
        """Return the text that has arrived so far."""
        return join_pieces(self._said if self._is_sse else self._raw)


def _parts(line: str) -> tuple[str, str]:
    """Return name and value of a line; one space after the colon is no value."""
    name, _, value = line.partition(":")
    return name, value.removeprefix(" ").rstrip("\r")


def _is_sure(line: str) -> bool:
    name, value = _parts(line)
    if name != "data":
        return False
    return value.strip() == _DONE or as_dict(parse_event(value)) is not None


def _may_begin(line: str) -> bool:
    """Whether a line that has not ended may still be an event's."""
    return any(line.startswith(each) or each.startswith(line) for each in _SSE_STARTS)
