"""A stream that the bot reads through the audit stays what it was."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from emitter.conversation import tee, tee_async
from emitter.conversation.stream.along import AsyncTee, Tee, tee_any

EVENTS = [
    {"type": "message_start", "message": {"id": "m1", "usage": {"input_tokens": 3}}},
    {"type": "content_block_delta", "index": 0, "delta": {"text": "Use "}},
    {"type": "text", "text": "Use ", "snapshot": "Use "},
    {"type": "content_block_delta", "index": 0, "delta": {"text": "ACM."}},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
    {"type": "message_stop"},
]


class MessageStream:
    """As Anthropic's: reads itself in each of its own ways."""

    def __init__(self):
        self._events = iter(EVENTS)
        self.request_id = "r1"

    def __iter__(self):
        return self._events

    @property
    def text_stream(self):
        return (e["delta"]["text"] for e in self if e["type"] == "content_block_delta")

    def until_done(self):
        for _ in self:
            pass

    def get_final_text(self):
        self.until_done()
        return "Use ACM."


class Manager:
    """Gives the stream when its block is entered."""

    def __init__(self):
        self.left = []

    def __enter__(self):
        return MessageStream()

    def __exit__(self, kind, error, trace):
        self.left.append(kind)
        return kind is KeyError


class AsyncMessageStream:
    def __init__(self):
        self._events = iter(EVENTS)

    async def __aiter__(self):
        for event in self._events:
            yield event

    @property
    def text_stream(self):
        raise AssertionError

    async def get_final_text(self):
        return "Use ACM."


class AsyncManager:
    def __init__(self):
        self.left = []

    async def __aenter__(self):
        return AsyncMessageStream()

    async def __aexit__(self, kind, error, trace):
        self.left.append(kind)


WAYS = [
    pytest.param(list, EVENTS, id="events"),
    pytest.param(lambda s: list(s.text_stream), ["Use ", "ACM."], id="texts"),
    pytest.param(lambda s: s.until_done(), None, id="until done"),
    pytest.param(lambda s: s.get_final_text(), "Use ACM.", id="final text"),
]


@pytest.mark.parametrize(("read", "expected"), WAYS)
@pytest.mark.parametrize("is_entered_before", [True, False])
def test_an_sdks_own_ways_to_read_are_read_along(read, expected, is_entered_before):
    """The stream may be given before or after its block was entered."""
    told = []

    if is_entered_before:
        got = read(tee(MessageStream(), told.append))
    else:
        with tee(Manager(), told.append) as along:
            got = read(along)
            assert along.request_id == "r1"

    assert got == expected
    (facts,) = told
    assert (facts.text, facts.input_tokens) == ("Use ACM.", 3)
    assert facts.is_complete


def test_a_managers_block_is_left_as_it_was_entered():
    """The manager learns how the block ended, and what it swallows is swallowed."""
    manager, told = Manager(), []

    with tee(manager, told.append) as along:
        next(along)
        raise KeyError

    assert manager.left == [KeyError]
    assert [each.error_type for each in told] == ["KeyError"]


def test_what_closing_gives_is_read_along():
    """Any manager counts, whatever it is made for."""
    told = []
    events = (event for event in EVENTS)

    with tee(contextlib.closing(events), told.append) as along:
        assert list(along) == EVENTS

    assert told[0].text == "Use ACM."


def test_an_asynchronous_manager_is_entered_as_well():
    """The same for asynchronous streams."""
    manager, told = AsyncManager(), []

    async def read():
        async with tee_async(manager, told.append) as along:
            return await along.get_final_text()

    assert asyncio.run(read()) == "Use ACM."
    assert [each.text for each in told] == ["Use ACM."]
    assert manager.left == [None]


class AsyncTexts:
    """Has the SDK's name for its texts."""

    text_stream = None

    def __init__(self, events):
        self._events = events

    def __aiter__(self):
        return aiter(self._events)


def test_asynchronous_texts_are_read_along():
    """They are made of the events that the audit sees."""
    told = []

    async def produce():
        for event in EVENTS:
            yield event

    async def read():
        along = tee_async(AsyncTexts(produce()), told.append)
        return [text async for text in along.text_stream]

    assert asyncio.run(read()) == ["Use ", "ACM."]
    assert told[0].is_complete


def test_what_cannot_be_read_keeps_its_own_ways():
    """An object with the same names that is no stream is left as it is."""

    class Other:
        text_stream = "x"

        def get_final_text(self):
            return "y"

    for along in (tee(Other(), print), tee_async(Other(), print)):
        assert (along.text_stream, along.get_final_text()) == ("x", "y")
        along.tell_facts()


@pytest.mark.parametrize(
    ("stream", "kind"),
    [
        (iter(EVENTS), Tee),
        (Manager(), Tee),
        (AsyncManager(), AsyncTee),
        (AsyncMessageStream(), AsyncTee),
        ({"stream": AsyncMessageStream()}, AsyncTee),
        ({"stream": iter(EVENTS)}, Tee),
        (7, Tee),
    ],
)
def test_the_kind_of_stream_is_seen_before_it_is_entered(stream, kind):
    """A manager of an asynchronous stream is no iterator itself."""
    assert type(tee_any(stream, lambda facts: None)) is kind


def test_a_list_keeps_its_length_and_items():
    """A stand-in for a stream may be asked for both."""
    along = tee(EVENTS, lambda facts: None)

    assert len(along) == len(EVENTS)
    assert along[-1] is EVENTS[-1]
    assert along
    assert not tee([], lambda facts: None)


def test_a_stream_without_a_length_has_none():
    """And is true, as every object is."""
    along = tee(iter(EVENTS), lambda facts: None)

    assert along
    with pytest.raises(TypeError):
        len(along)


def test_a_response_keeps_its_members():
    """Its stream is the one that is read along, its other members are its own."""
    told = []
    response = {"stream": iter(EVENTS), "ResponseMetadata": {"RequestId": "r1"}}
    along = tee(response, told.append)

    assert along["ResponseMetadata"] == {"RequestId": "r1"}
    assert list(along["stream"]) == EVENTS
    assert told[0].text == "Use ACM."


@pytest.mark.parametrize("wrap", [tee, tee_async])
def test_a_look_neither_ends_nor_consumes(wrap):
    """What has arrived can be looked at again; once it is told there is nothing."""
    told = []
    along = wrap(EVENTS, told.append)

    assert along.peek_facts().text == ""
    assert told == []
    along.tell_facts()

    assert along.peek_facts() is None
    assert len(told) == 1


def test_a_look_sees_what_was_read():
    """It is incomplete until the stream ends."""
    told = []
    along = tee(iter(EVENTS), told.append)
    next(along)
    next(along)

    facts = along.peek_facts()
    rest = list(along)

    assert (facts.text, facts.is_complete) == ("Use ", False)
    assert rest == EVENTS[2:]
    assert told[0].text == "Use ACM."


def test_a_look_does_not_end_a_line():
    """A line of which the rest is still to come is not read twice."""
    told = []
    along = tee(
        iter(['data: {"generation": "Hi",', ' "stop_reason": "x"}']), told.append
    )
    next(along)

    assert not along.peek_facts().is_complete
    next(along)
    along.peek_facts()
    list(along)

    assert told[0].text == "Hi"


def test_a_look_that_fails_gives_an_unknown_answer(monkeypatch):
    """The bot's thread may change what is looked at, but the call is known."""
    along = tee(iter(EVENTS), lambda facts: None)

    def fail(**_):
        raise RuntimeError

    monkeypatch.setattr(along._along._collector, "facts", fail)

    facts = along.peek_facts()

    assert (facts.text, facts.llm_calls, facts.is_complete) == ("", 1, False)
