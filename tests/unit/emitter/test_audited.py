"""The decorator changes nothing about what it decorates."""

from __future__ import annotations

import asyncio
import functools
import gc
import types

import pytest

from emitter import AuditEmitter
from emitter.question import current_question
from emitter.testing import MemorySink, assert_valid

SLACK = {"type": "message", "user": "U1", "text": "hi", "ts": "1.2", "channel": "C1"}


@pytest.fixture
def sink():
    return MemorySink()


@pytest.fixture
def audit(sink):
    return AuditEmitter("Vera", sinks=[sink])


def record_of(sink):
    """Return the one record written, which is valid."""
    (record,) = sink.records
    assert_valid(record)
    return record


class ShownError(Exception):
    """What a reader throws into a generator."""


def talk(event):
    """Take what is sent and thrown, and return a value."""
    assert current_question() is not None
    sent = yield "one"
    assert current_question() is not None
    try:
        yield f"got {sent}"
    except ShownError:
        yield "caught"
    return "returned"


def hand_on(function):
    """Return a plain function that returns what *function* gives."""

    def plain(event):
        assert current_question() is not None
        return function(event)

    return plain


def hand_on_later(function):
    """Return a coroutine function that returns what *function* gives."""

    async def later(event):
        return function(event)

    return later


class Callable:
    """An object whose call does what *function* does."""

    def __init__(self, function):
        self.function = function


class GeneratorObject(Callable):
    def __call__(self, event):
        return (yield from self.function(event))


@pytest.mark.parametrize(
    "make",
    [
        lambda: talk,
        lambda: hand_on(talk),
        lambda: functools.partial(talk),
        lambda: GeneratorObject(talk),
    ],
    ids=["function", "returned", "partial", "object"],
)
def test_a_generator_is_sent_to_thrown_into_and_returns(audit, sink, make):
    """A decorated generator keeps every way in which generators are used."""
    pieces = audit.audited(make())(SLACK)

    assert next(pieces) == "one"
    assert current_question() is None
    assert pieces.send("two") == "got two"
    assert pieces.throw(ShownError()) == "caught"
    with pytest.raises(StopIteration) as stop:
        next(pieces)

    assert stop.value.value == "returned"
    assert record_of(sink)["response"] == "onegot twocaught"
    assert record_of(sink)["outcome"] == "answered"


async def talk_async(event):
    """As `talk`; asynchronous generators return nothing."""
    assert current_question() is not None
    sent = yield "one"
    assert current_question() is not None
    try:
        yield f"got {sent}"
    except ShownError:
        yield "caught"


class AsyncGeneratorObject(Callable):
    async def __call__(self, event):
        async for piece in self.function(event):
            yield piece


@pytest.mark.parametrize(
    "make",
    [lambda: talk_async, lambda: hand_on(talk_async)],
    ids=["function", "returned"],
)
def test_an_async_generator_is_sent_to_and_thrown_into(audit, sink, make):
    """The same for asynchronous generators."""

    async def use():
        pieces = audit.audited(make())(SLACK)
        seen = [await anext(pieces)]
        assert current_question() is None
        seen.append(await pieces.asend("two"))
        seen.append(await pieces.athrow(ShownError()))
        return seen + [piece async for piece in pieces]

    assert asyncio.run(use()) == ["one", "got two", "caught"]
    assert record_of(sink)["response"] == "onegot twocaught"


@pytest.mark.parametrize(
    "make",
    [lambda: AsyncGeneratorObject(talk_async), lambda: hand_on(talk_async)],
    ids=["object", "returned"],
)
def test_an_object_can_stream_asynchronously(audit, sink, make):
    """What the call gives counts, not what kind of object is called."""

    async def use():
        return [piece async for piece in audit.audited(make())(SLACK)]

    assert asyncio.run(use()) == ["one", "got None"]
    assert record_of(sink)["response"] == "onegot None"


def test_a_coroutine_may_return_a_generator(audit, sink):
    """Frameworks that stream await the handler and read what it returns."""

    async def use():
        handler = audit.audited(hand_on_later(talk_async))
        return [piece async for piece in await handler(SLACK)]

    assert asyncio.run(use()) == ["one", "got None"]
    assert record_of(sink)["response"] == "onegot None"


async def answer_later(event):
    """Answer after a moment."""
    await asyncio.sleep(0)
    assert current_question() is not None
    return "later"


class AsyncObject(Callable):
    async def __call__(self, event):
        return await self.function(event)


@types.coroutine
def answer_by_generator(event):
    """Answer as coroutines did before there was a word for them."""
    return (yield from answer_later(event).__await__())


@pytest.mark.parametrize(
    "make",
    [
        lambda: answer_later,
        lambda: hand_on(answer_later),
        lambda: functools.partial(answer_later),
        lambda: AsyncObject(answer_later),
        lambda: functools.partial(AsyncObject(answer_later)),
        lambda: answer_by_generator,
    ],
    ids=["function", "returned", "partial", "object", "partial object", "generator"],
)
def test_whatever_can_be_awaited_is(audit, sink, make):
    """The question lasts until the answer is there, whoever awaits it."""

    async def use():
        return await audit.audited(make())(SLACK)

    assert asyncio.run(use()) == "later"
    assert record_of(sink)["response"] == "later"


@pytest.mark.parametrize(
    "make", [lambda: talk, lambda: hand_on(talk)], ids=["function", "returned"]
)
def test_an_error_thrown_in_goes_through(audit, sink, make):
    """What the generator does not catch is its error and the record's."""
    pieces = audit.audited(make())(SLACK)
    next(pieces)

    with pytest.raises(LookupError):
        pieces.throw(LookupError())

    assert record_of(sink)["error_type"] == "LookupError"
    assert record_of(sink)["response"] == "one"


def test_a_returned_generator_that_nobody_reads_leaves_a_record(audit, sink):
    """The handler has run: nothing is lost silently."""
    pieces = audit.audited(hand_on(talk))(SLACK)
    del pieces
    gc.collect()

    assert record_of(sink)["outcome"] == "cancelled"


def test_closing_runs_for_the_question(audit, sink):
    """What a generator tells while it is closed is told to its question."""

    @audit.audited
    def handler(event):
        try:
            yield "one"
        finally:
            current_question().tool("cleanup")

    pieces = handler(SLACK)
    next(pieces)
    pieces.close()

    assert record_of(sink)["tools"][0]["name"] == "cleanup"


def test_what_is_sent_too_early_is_the_readers_mistake(audit, sink):
    """A generator that has not begun takes nothing, decorated or not."""
    pieces = audit.audited(hand_on(talk))(SLACK)

    with pytest.raises(TypeError):
        pieces.send("too early")
