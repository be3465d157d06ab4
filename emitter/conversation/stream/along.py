"""Let a bot read its stream while the audit reads along."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Self

from emitter.conversation.answer.errors import error_name
from emitter.conversation.answer.facts import AnswerFacts
from emitter.conversation.shape import as_dict, attribute, dict_at
from emitter.conversation.stream.collector import SPEAKERS, Collector, Speaker
from emitter.conversation.stream.halves import as_came

if TYPE_CHECKING:
    from types import TracebackType

OnDone = Callable[[AnswerFacts], Any]

# Under which names botocore hands over a stream inside a response.
_STREAM_NAMES: Final = ("stream", "completion", "body")
# How often a look is tried while another thread changes what is looked at.
_PEEKS: Final = 3


class _Along:
    """Reads along and tells the facts exactly once."""

    def __init__(self, on_done: OnDone, speaker: Speaker | None) -> None:
        self._on_done: OnDone | None = on_done
        self._collector = Collector(speaker)

    def read(self, event: Any) -> None:
        try:
            self._collector.feed(event)
        except Exception:  # noqa: BLE001 - auditing must not harm the bot
            return

    def peek(self) -> AnswerFacts | None:
        """Return what has arrived, without telling it; None once that was told."""
        for _ in range(_PEEKS):
            if self._on_done is None:
                return None
            # The bot's own thread may be reading on.
            with suppress(Exception):
                return self._collector.facts(ended=False)
        return AnswerFacts(is_complete=False)

    def finish(self, *, ended: bool, error: BaseException | None = None) -> None:
        on_done, self._on_done = self._on_done, None
        if on_done is None:
            return
        try:
            name = None if error is None else error_name(error)
            self._collector.end()
            on_done(self._collector.facts(ended=ended, error_type=name))
        except Exception:  # noqa: BLE001 - auditing must not harm the bot
            return


class _Original:
    """What both kinds of `Tee` have: all that is the original's, and the facts."""

    def __init__(self, given: Any, on_done: OnDone) -> None:
        self._given = given
        self._stream, speaker = _inner(given)
        self._along = _Along(on_done, speaker)
        # What has to be left again, once it was entered.
        self._entered: Any = None

    def tell_facts(self) -> None:
        """Tell what has arrived so far, unless it was told; the stream stays open."""
        self._along.finish(ended=False)

    def peek_facts(self) -> AnswerFacts | None:
        """Return what has arrived so far; None once it was told. From any thread."""
        return self._along.peek()

    def _enter(self, entered: Any) -> None:
        """Take what the original's ``with`` block gives in its place."""
        self._entered = self._stream
        self._stream = entered

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.__dict__.get("_stream"), name)
        if name == "text_stream" and self._can_be_read():
            return self._texts()
        # The SDKs' own ways to read to the end.
        if name == "until_done" or name.startswith("get_final_"):
            return self._after_the_end(found) if self._can_be_read() else found
        return found

    def _can_be_read(self) -> bool:
        raise NotImplementedError

    def _texts(self) -> Any:
        raise NotImplementedError

    def _after_the_end(self, method: Callable[..., Any]) -> Any:
        raise NotImplementedError

    def __len__(self) -> int:
        return len(self._given)

    def __bool__(self) -> bool:
        return bool(self._given)

    def __getitem__(self, key: Any) -> Any:
        found = self._given[key]
        is_own = isinstance(self._given, dict) and found is self._stream
        return self if is_own else found

    def __del__(self) -> None:
        along = self.__dict__.get("_along")
        if along is not None:
            along.finish(ended=False)


class Tee(_Original):
    """A stream that gives every event through, unchanged and once.

    Everything else (``close``, ``response``, …) is the original's. The facts are
    told when the stream ends, raises, is closed, leaves its ``with`` block or is
    thrown away, whichever comes first. Not thread-safe, as streams are not.
    """

    def __init__(self, stream: Any, on_done: OnDone) -> None:
        super().__init__(stream, on_done)
        self._events: Iterator[Any] | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        try:
            if self._events is None:
                self._events = iter(self._stream)
            event = next(self._events)
        except StopIteration:
            self._along.finish(ended=True)
            raise
        except BaseException as error:
            self._along.finish(ended=False, error=error)
            raise
        self._along.read(event)
        return event

    def _can_be_read(self) -> bool:
        return hasattr(self._stream, "__iter__")

    def _texts(self) -> Iterator[str]:
        return (text for event in self if (text := _text_of(event)))

    def _after_the_end(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def read_out(*args: Any, **kwargs: Any) -> Any:
            for _ in self:
                continue
            return method(*args, **kwargs)

        return read_out

    def close(self) -> None:
        """Close the original, if it can be closed, and tell the facts."""
        try:
            close = attribute(self._stream, "close") or attribute(self._events, "close")
            if callable(close):
                close()
        finally:
            self._along.finish(ended=False)

    def __enter__(self) -> Self:
        if attribute(self._stream, "__enter__") is not None:
            self._enter(self._stream.__enter__())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> Any:
        self._along.finish(ended=False, error=error)
        if self._entered is None:
            return self.close()
        return self._entered.__exit__(kind, error, trace)


class AsyncTee(_Original):
    """The same for an asynchronous stream."""

    def __init__(self, stream: Any, on_done: OnDone) -> None:
        super().__init__(stream, on_done)
        self._events: AsyncIterator[Any] | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        try:
            if self._events is None:
                self._events = aiter(self._stream)
            event = await anext(self._events)
        except StopAsyncIteration:
            self._along.finish(ended=True)
            raise
        except BaseException as error:
            self._along.finish(ended=False, error=error)
            raise
        self._along.read(event)
        return event

    def _can_be_read(self) -> bool:
        return hasattr(self._stream, "__aiter__")

    def _texts(self) -> AsyncIterator[str]:
        return (text async for event in self if (text := _text_of(event)))

    def _after_the_end(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        async def read_out(*args: Any, **kwargs: Any) -> Any:
            async for _ in self:
                continue
            return await method(*args, **kwargs)

        return read_out

    async def aclose(self) -> None:
        """Close the original, if it can be closed, and tell the facts."""
        try:
            close = attribute(self._stream, "aclose") or attribute(
                self._stream, "close"
            )
            closing = close() if callable(close) else None
            if closing is not None:
                await closing
        finally:
            self._along.finish(ended=False)

    async def __aenter__(self) -> Self:
        if attribute(self._stream, "__aenter__") is not None:
            self._enter(await self._stream.__aenter__())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> Any:
        self._along.finish(ended=False, error=error)
        if self._entered is None:
            return await self.aclose()
        return await self._entered.__aexit__(kind, error, trace)


def tee(stream: Any, on_done: OnDone) -> Tee:
    """Return an iterator over *stream* that reads along for the audit.

    Nothing is read before the bot reads it, and nothing is held back or changed.

    Args:
        stream: Event stream of ConverseStream, InvokeModelWithResponseStream,
            InvokeAgent or RetrieveAndGenerateStream (or the response that holds
            it), of the Anthropic or OpenAI SDK, of Strands, server-sent events, or
            pieces of text.
        on_done: Gets the facts exactly once, also of a stream that was aborted,
            closed or that raised; what it raises is swallowed.
    """
    return Tee(stream, on_done)


def tee_async(stream: Any, on_done: OnDone) -> AsyncTee:
    """Return an asynchronous iterator over *stream*; see `tee`."""
    return AsyncTee(stream, on_done)


def tee_any(stream: Any, on_done: OnDone) -> Tee | AsyncTee:
    """Return the kind of iterator that *stream* needs; see `tee`."""
    inner, _ = _inner(stream)
    # What has to be entered first may be no iterator itself.
    is_async = hasattr(inner, "__aiter__") or (
        hasattr(inner, "__aenter__") and not hasattr(inner, "__enter__")
    )
    return AsyncTee(stream, on_done) if is_async else Tee(stream, on_done)


def _inner(stream: Any) -> tuple[Any, Speaker | None]:
    """Take the stream out of a botocore response; tell whose chunks are in it."""
    response = as_dict(stream) if isinstance(stream, dict) else None
    for name in _STREAM_NAMES:
        if response is not None and response.get(name) is not None:
            return response[name], SPEAKERS.get(name)
    operation = attribute(stream, "_operation_name")
    return stream, SPEAKERS.get(operation) if isinstance(operation, str) else None


def _text_of(event: Any) -> str:
    """Return the text in an event of Anthropic's; "" for any other event."""
    found = as_dict(event) or {}
    is_delta = found.get("type") == "content_block_delta"
    return as_came(dict_at(found, "delta").get("text")) if is_delta else ""
