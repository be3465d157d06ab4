"""Let a bot read its stream while the audit reads along."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, Self

from emitter.conversation.answer.errors import error_name
from emitter.conversation.answer.facts import AnswerFacts
from emitter.conversation.shape import as_dict, attribute
from emitter.conversation.stream.collector import Collector

if TYPE_CHECKING:
    from types import TracebackType

OnDone = Callable[[AnswerFacts], Any]

# Under which names botocore hands over a stream inside a response.
_STREAM_NAMES: Final = ("stream", "completion", "body")


class _Along:
    """Reads along and tells the facts exactly once."""

    def __init__(self, on_done: OnDone) -> None:
        self._on_done: OnDone | None = on_done
        self._collector = Collector()

    def read(self, event: Any) -> None:
        try:
            self._collector.feed(event)
        except Exception:  # noqa: BLE001 - auditing must not harm the bot
            return

    def finish(self, *, ended: bool, error: BaseException | None = None) -> None:
        on_done, self._on_done = self._on_done, None
        if on_done is None:
            return
        try:
            name = None if error is None else error_name(error)
            on_done(self._collector.facts(ended=ended, error_type=name))
        except Exception:  # noqa: BLE001 - auditing must not harm the bot
            return


class Tee:
    """A stream that gives every event through, unchanged and once.

    Everything else (``close``, ``response``, …) is the original's. The facts are
    told when the stream ends, raises, is closed, leaves its ``with`` block or is
    thrown away, whichever comes first. Not thread-safe, as streams are not.
    """

    def __init__(self, stream: Any, on_done: OnDone) -> None:
        self._stream = stream
        self._along = _Along(on_done)
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

    def tell_facts(self) -> None:
        """Tell what has arrived so far, unless it was told; the stream stays open."""
        self._along.finish(ended=False)

    def close(self) -> None:
        """Close the original, if it can be closed, and tell the facts."""
        try:
            close = attribute(self._stream, "close") or attribute(self._events, "close")
            if callable(close):
                close()
        finally:
            self._along.finish(ended=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._along.finish(ended=False, error=error)
        self.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __del__(self) -> None:
        along = self.__dict__.get("_along")
        if along is not None:
            along.finish(ended=False)


class AsyncTee:
    """The same for an asynchronous stream."""

    def __init__(self, stream: Any, on_done: OnDone) -> None:
        self._stream = stream
        self._along = _Along(on_done)
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

    def tell_facts(self) -> None:
        """Tell what has arrived so far, unless it was told; the stream stays open."""
        self._along.finish(ended=False)

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
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._along.finish(ended=False, error=error)
        await self.aclose()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __del__(self) -> None:
        along = self.__dict__.get("_along")
        if along is not None:
            along.finish(ended=False)


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
    return Tee(_inner(stream), on_done)


def tee_async(stream: Any, on_done: OnDone) -> AsyncTee:
    """Return an asynchronous iterator over *stream*; see `tee`."""
    return AsyncTee(_inner(stream), on_done)


def _inner(stream: Any) -> Any:
    """Take the stream out of a botocore response."""
    response = as_dict(stream) if isinstance(stream, dict) else None
    for name in _STREAM_NAMES:
        if response is not None and response.get(name) is not None:
            return response[name]
    return stream
