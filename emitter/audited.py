"""The decorator: each call of a handler is a question."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import AsyncExitStack, ExitStack
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
_Begin = Callable[[tuple[Any, ...], dict[str, Any]], Question]
_Steps = Generator[Any, Any, Any]


def audited(audit: AuditEmitter, function: _F) -> _F:
    """Return *function* such that each call of it is a question of *audit*."""
    begin = _Beginning(audit, function)
    code = _code_of(function)
    if inspect.iscoroutinefunction(code):
        wrapper: Any = _around_coroutine(begin, function)
    elif inspect.isasyncgenfunction(code):
        wrapper = _around_async_generator(begin, function)
    elif inspect.isgeneratorfunction(code) and not _is_coroutine(code):
        wrapper = _around_generator(begin, function)
    else:
        wrapper = _around_function(begin, function)
    return cast("_F", functools.wraps(function)(wrapper))


def _code_of(function: Any) -> Any:
    """Return the function that a call of *function* runs, also of an object."""
    while isinstance(function, functools.partial):
        function = function.func
    is_object = not inspect.isroutine(function) and not inspect.isclass(function)
    return type(function).__call__ if is_object else function


def _is_coroutine(code: Any) -> bool:
    """Whether a generator function is one of `types.coroutine`, to be awaited."""
    flags = getattr(getattr(code, "__code__", code), "co_flags", 0)
    return bool(flags & inspect.CO_ITERABLE_COROUTINE)


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


def _around_function(begin: _Begin, function: Any) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        with ExitStack() as block:
            question = block.enter_context(begin(args, kwargs))
            answer = function(*args, **kwargs)
            if rest := _rest_of(question, answer):
                block.pop_all()
                return rest
            _reply(question, answer)
            return answer

    return call


def _around_coroutine(begin: _Begin, function: Any) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        async with AsyncExitStack() as block:
            question = await block.enter_async_context(begin(args, kwargs))
            answer = await function(*args, **kwargs)
            if rest := _rest_of(question, answer):
                block.pop_all()
                return rest
            _reply(question, answer)
            return answer

    return call


def _rest_of(question: Question, answer: Any) -> Any:
    """Return what carries the question on, if the handler has only begun to answer.

    A generator or coroutine that it returns runs when its caller reads or awaits
    it; until its end the question is open. None for any other answer.
    """
    around = next((run for is_kind, run in _LAZY if is_kind(answer)), None)
    if around is None:
        return None
    question._leave()  # noqa: SLF001 - its caller runs for no question
    return around(question, answer)


def _unread(question: Question, pieces: Any) -> _Steps:
    """Stand in the block from the start: what nobody reads leaves a record too."""

    def steps() -> _Steps:
        with question:
            question._leave()  # noqa: SLF001 - as above
            first = yield None
            return (yield from _steps(question, pieces, first))

    started = steps()
    next(started)
    return started


def _around_generator(begin: _Begin, function: Any) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> _Steps:
        with begin(args, kwargs) as question:
            question._leave()  # noqa: SLF001 - its reader runs for no question
            return (yield from _steps(question, function(*args, **kwargs)))

    return call


def _steps(question: Question, pieces: Any, first: Any = None) -> _Steps:
    """Do as ``yield from`` does, each step for the question; tell it the texts."""
    texts: list[str] = []
    go_on, value = pieces.send, first
    try:
        while True:
            with running_for(question):
                piece = go_on(value)
            _collect(texts, piece)
            try:
                go_on, value = pieces.send, (yield piece)
            except GeneratorExit:
                with running_for(question):
                    pieces.close()
                raise
            except BaseException as error:  # noqa: BLE001 - the generator's to see
                go_on, value = pieces.throw, error
    except StopIteration as stop:
        return stop.value
    finally:
        _reply(question, "".join(texts))


def _around_async_generator(begin: _Begin, function: Any) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        async with begin(args, kwargs) as question:
            question._leave()  # noqa: SLF001 - its reader runs for no question
            texts: list[str] = []
            pieces = function(*args, **kwargs)
            go_on, value = pieces.asend, None
            try:
                while (piece := await _step(question, go_on, value)) is not _END:
                    _collect(texts, piece)
                    try:
                        go_on, value = pieces.asend, (yield piece)
                    except GeneratorExit:
                        raise
                    except BaseException as error:  # noqa: BLE001 - as above
                        go_on, value = pieces.athrow, error
            finally:
                with running_for(question):
                    await pieces.aclose()
                _reply(question, "".join(texts))

    return call


async def _step(question: Question, go_on: Callable[[Any], Any], value: Any) -> Any:
    with running_for(question):
        try:
            return await go_on(value)
        except StopAsyncIteration:
            return _END


_END: Final = object()


def _is_awaited(answer: Any) -> bool:
    # Generators of `types.coroutine` are awaited too.
    is_old = inspect.isgenerator(answer) and _is_coroutine(answer.gi_code)
    return is_old or inspect.iscoroutine(answer)


def _with(around: Any) -> Callable[[Question, Any], Any]:
    return lambda question, answer: around(lambda *_: question, lambda: answer)()


# What a handler may return before it has answered, and what goes on with it.
_LAZY: Final[tuple[tuple[Callable[[Any], bool], Callable[..., Any]], ...]] = (
    (_is_awaited, _with(_around_coroutine)),
    (inspect.isgenerator, _unread),
    (inspect.isasyncgen, _with(_around_async_generator)),
)


def _collect(texts: list[str], piece: Any) -> None:
    if isinstance(piece, str):
        texts.append(piece)


def _reply(question: Question, answer: Any) -> None:
    if isinstance(answer, str) and answer and not question.has_reply:
        question.reply(answer)
