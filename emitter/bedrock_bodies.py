"""Read along while a bot reads the body of InvokeModel's answer."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from emitter.conversation.answer.errors import error_name
from emitter.conversation.answer.facts import AnswerFacts
from emitter.conversation.answer.reading import read_answer
from emitter.conversation.shape import as_dict, attribute, parse_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# More than the longest answer in text; a bigger body is an image or a video.
_MAX_BODY_BYTES: Final = 2_097_152
# Where botocore's StreamingBody keeps the connection it reads from.
_RAW: Final = "_raw_stream"


class BodyReading:
    """What a bot has read of a body; at most 2 MiB are kept."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._count = 0
        self._is_ended = False
        self._error_type: str | None = None

    def read(self, data: bytes) -> None:
        """Take the next bytes; of a body that gets too long nothing is kept."""
        # A stand-in for a body may give anything, and the bot must still get it.
        with contextlib.suppress(TypeError):
            self._count += len(data)
            if self._count <= _MAX_BODY_BYTES:
                self._data += data
            else:
                self._data.clear()

    def end(self, error: BaseException | None = None) -> None:
        """Note that nothing more comes, or why."""
        self._is_ended = error is None
        self._error_type = None if error is None else error_name(error)

    def facts(self) -> AnswerFacts:
        """Return what the body says; one that nobody reads was not cut off."""
        body = as_dict(parse_json(bytes(self._data)))
        # What is no JSON is a picture or a sound.
        facts = AnswerFacts() if body is None else read_answer(body)
        is_whole = body is not None or self._is_ended or not self._count
        failure = self._error_type
        return replace(
            facts,
            error_type=failure or facts.error_type,
            is_complete=facts.is_complete and is_whole and failure is None,
        )


class _RawAlong:
    """The connection under a body; what is read of it is noted.

    Everything else is the original's.
    """

    def __init__(self, raw: Any, reading: BodyReading) -> None:
        self._raw = raw
        self._reading = reading

    def read(self, *args: Any, **kwargs: Any) -> bytes:
        data: bytes = self._noting(self._raw.read, *args, **kwargs)
        self._reading.read(data)
        wanted = args[0] if args else kwargs.get("amt")
        if wanted is None or (wanted and not data):
            self._reading.end()
        return data

    def readinto(self, buffer: Any) -> Any:
        count = self._noting(self._raw.readinto, buffer)
        if count:
            self._reading.read(bytes(memoryview(buffer)[:count]))
        return count

    def readlines(self, *args: Any) -> list[bytes]:
        lines: list[bytes] = self._noting(self._raw.readlines, *args)
        for line in lines:
            self._reading.read(line)
        return lines

    def stream(self, *args: Any, **kwargs: Any) -> Iterator[bytes]:
        return self._each(self._raw.stream(*args, **kwargs))

    def __iter__(self) -> Iterator[bytes]:
        return self._each(iter(self._raw))

    def _each(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        while (piece := self._noting(next, pieces, None)) is not None:
            self._reading.read(piece)
            yield piece
        self._reading.end()

    def _noting(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            self._reading.end(error)
            raise

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)


def read_along(body: Any) -> BodyReading:
    """Let *body* stay what it is, and note what the bot reads of it.

    Args:
        body: A StreamingBody. Of anything else nothing is noted: it cannot be read
            without taking it away from the bot.
    """
    reading = BodyReading()
    raw = attribute(body, _RAW)
    if raw is not None:
        setattr(body, _RAW, _RawAlong(raw, reading))
    return reading
