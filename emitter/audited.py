"""The decorator: each call of a handler is a question."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from emitter.question import Question, running_for

if TYPE_CHECKING:
    from emitter.client import AuditEmitter

_F = TypeVar("_F", bound=Callable[..., Any])
# Arguments by which handlers of Lambda, Bolt, Bot Framework and AgentCore are given
# what made them run.
_EVENT_NAMES: Final = ("event", "body", "activity", "payload", "request", "message")
_CONTEXT_NAMES: Final = ("context", "lambda_context")
_OWNERS: Final = ("self", "cls")


def audited(audit: AuditEmitter, function: _F) -> _F:
    """Return *function* such that each call of it is a question of *audit*."""
    begin = _Beginning(audit, function)
    if inspect.iscoroutinefunction(function):
        wrapper: Any = _around_coroutine(begin, function)
    elif inspect.isasyncgenfunction(function):
        wrapper = _around_async_generator(begin, function)
    elif inspect.isgeneratorfunction(function):
        wrapper = _around_generator(begin, function)
    else:
        wrapper = _around_function(begin, function)
    return cast("_F", functools.wraps(function)(wrapper))


class _Beginning:
    """Finds a handler's event and context among its arguments."""

    def __init__(self, audit: AuditEmitter, function: Callable[..., Any]) -> None:
        self._audit = audit
        try:
            names = list(inspect.signature(function).parameters)
        except (TypeError, ValueError):  # a builtin without a signature
            names = []
        self._skipped_count = 1 if names[:1] and names[0] in _OWNERS else 0

    def __call__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Question:
        given = args[self._skipped_count :]
        named = (kwargs[name] for name in _EVENT_NAMES if name in kwargs)
        source = given[0] if given else next(named, None)
        contexts = (*given[1:2], *(kwargs.get(name) for name in _CONTEXT_NAMES))
        context = next((item for item in contexts if item is not None), None)
        return self._audit.question(source, lambda_context=context)


def _around_function(begin: _Beginning, function: Any) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        with begin(args, kwargs) as question:
            answer = function(*args, **kwargs)
            _reply(question, answer)
            return answer

    return call


def _around_coroutine(begin: _Beginning, function: Any) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        async with begin(args, kwargs) as question:
            answer = await function(*args, **kwargs)
            _reply(question, answer)
            return answer

    return call


def _around_generator(begin: _Beginning, function: Any) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Iterator[Any]:
        with begin(args, kwargs) as question:
            question._leave()  # noqa: SLF001 - its reader runs for no question
            texts: list[str] = []
            pieces = function(*args, **kwargs)
            step = question.bind(next)
            try:
                while (piece := step(pieces, _END)) is not _END:
                    _collect(texts, piece)
                    yield piece
            finally:
                pieces.close()
                _reply(question, "".join(texts))

    return call


def _around_async_generator(begin: _Beginning, function: Any) -> Callable[..., Any]:
    async def step(question: Question, pieces: AsyncIterator[Any]) -> Any:
        with running_for(question):
            return await anext(pieces, _END)

    async def call(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        async with begin(args, kwargs) as question:
            question._leave()  # noqa: SLF001 - its reader runs for no question
            texts: list[str] = []
            pieces = function(*args, **kwargs)
            try:
                while (piece := await step(question, pieces)) is not _END:
                    _collect(texts, piece)
                    yield piece
            finally:
                await pieces.aclose()
                _reply(question, "".join(texts))

    return call


_END: Final = object()


def _collect(texts: list[str], piece: Any) -> None:
    if isinstance(piece, str):
        texts.append(piece)


def _reply(question: Question, answer: Any) -> None:
    if isinstance(answer, str) and answer and not question.has_reply:
        question.reply(answer)
