"""Streams of text that may be events, in whichever pieces they come."""

from __future__ import annotations

import json

import pytest

from emitter.conversation import tee

DELTA = {
    "type": "content_block_delta",
    "index": 0,
    "delta": {"type": "text_delta", "text": "Use ACM. data: x"},
}
START = {"type": "message_start", "message": {"id": "m1"}}
STOP = {"type": "message_stop"}
LINES = [
    line
    for event in (START, DELTA, STOP)
    for line in (f"event: {event['type']}", f"data: {json.dumps(event)}", "")
]
CHAT = [
    'data: {"choices": [{"delta": {"content": "Use ACM. data: x"}}]}',
    "",
    'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}',
    "",
    "data: [DONE]",
    "",
]


def facts_of(pieces):
    """Return what is told of a stream that was read to its end."""
    told = []
    assert list(tee(iter(pieces), told.append)) == pieces
    return told[0]


def in_sizes(text, size):
    return [text[at : at + size] for at in range(0, len(text), size)]


CUTS = {
    "lines": lambda lines: lines,
    "bytes": lambda lines: [line.encode() for line in lines],
    "lines without gaps": lambda lines: [line for line in lines if line],
    "data only": lambda lines: [line for line in lines if line.startswith("data")],
    "lines with ends": lambda lines: [f"{line}\n" for line in lines],
    "returns": lambda lines: [f"{line}\r\n" for line in lines],
    "whole": lambda lines: ["\n".join(lines)],
    "last line without end": lambda lines: ["\n".join(filter(None, lines))],
    "letters": lambda lines: list("\n".join(lines)),
    "fives": lambda lines: in_sizes("\n".join(lines).encode(), 5),
    "comment first": lambda lines: [": ping", "", *lines],
    "gap first": lambda lines: ["", "\n", *lines],
}


@pytest.mark.parametrize("lines", [LINES, CHAT], ids=["anthropic", "chat"])
@pytest.mark.parametrize("cut", [pytest.param(v, id=k) for k, v in CUTS.items()])
def test_events_are_read_however_they_are_cut(lines, cut):
    """Lines may come without their ends, and the last may have none."""
    facts = facts_of(cut(lines))

    assert facts.text == "Use ACM. data: x"
    assert facts.is_complete


@pytest.mark.parametrize(
    "text",
    [
        ":wave: hello",
        "data: is the new oil",
        "id: 5 is",
        "event: party\n\nat 5",
        "retry: yes",
        "data: x\nmore",
        "data: x\n\nmore of it",
        ":wave: hi\n\nyou\n",
        'data: {"a": broken',
        "data: 5\ndata: 6",
        "d",
        "\n\nHello",
        "x" * 10,
    ],
)
@pytest.mark.parametrize("size", [1, 3, 1_000])
def test_text_that_begins_as_an_event_is_text(text, size):
    """Only data in JSON, or data with an empty line and nothing else, is events."""
    assert facts_of(in_sizes(text, size)).text == text


@pytest.mark.parametrize(
    "pieces",
    [
        ["data: Use \n\ndata: ACM.\n\n"],
        ["data: Use \n\n", "data: ACM."],
        ["data: Use ", "", "data: ACM.", ""],
        ["data: Use ", "", "data: ACM.", "", "data: [DONE]", ""],
        ['data: "Use "', "", 'data: "ACM."', ""],
        ["data:Use \n\nid: 1\ndata: ACM.\n\n"],
    ],
)
def test_text_in_events_is_put_together(pieces):
    """One space after the colon is none of the text; others are."""
    assert facts_of(pieces).text == "Use ACM."


def test_a_line_that_is_still_to_come_is_waited_for():
    """An empty piece inside of a line, as some connections give, ends nothing."""
    line = f"data: {json.dumps(DELTA)}\n\n"

    assert facts_of([line[:30], "", line[30:]]).text == "Use ACM. data: x"


def test_a_first_line_without_end_is_text():
    """Text of 5 MB that begins as an event does is kept as text."""
    piece = "x" * 1_048_576

    assert len(facts_of(["data: ", *[piece] * 5]).text) > 5_000_000


def test_an_endless_line_after_events_is_dropped():
    """What was read before it is kept, and what comes after it."""
    piece = "x" * 1_048_576
    lines = "\n".join(LINES[:6])
    end = "\n".join(LINES[6:])

    facts = facts_of([f"{lines}\ndata: ", *[piece] * 5, f"\n{end}"])

    assert facts.text == "Use ACM. data: x"
    assert facts.is_complete


HALVES = ("Hi \ud83d", "\ude00!")


def converse(text):
    return {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": text}}}


def anthropic(text):
    return {"type": "content_block_delta", "index": 0, "delta": {"text": text}}


def chat(text):
    return {"choices": [{"delta": {"content": text}}]}


def parts(text):
    return {"choices": [{"delta": {"content": [{"type": "text", "text": text}]}}]}


def responses(text):
    return {"type": "response.output_text.delta", "output_index": 0, "delta": text}


KINDS = {
    "converse": converse,
    "anthropic": anthropic,
    "chat": chat,
    "chat parts": parts,
    "responses": responses,
    "retrieval": lambda text: {"output": {"text": text}},
    "agent": lambda text: {"chunk": {"bytes": text}},
    "llama": lambda text: {"generation": text, "stop_reason": None},
    "strands": lambda text: {"data": text},
    "text": lambda text: text,
}


@pytest.mark.parametrize("make", [pytest.param(v, id=k) for k, v in KINDS.items()])
def test_a_character_that_was_cut_in_two_is_whole_again(make):
    """Halves are joined before a lone one is replaced."""
    assert facts_of([make(half) for half in HALVES]).text == "Hi \U0001f600!"
    assert facts_of([make(HALVES[0])]).text == "Hi \ufffd"


@pytest.mark.parametrize("name", ["converse", "anthropic", "chat", "llama"])
@pytest.mark.parametrize("is_sse", [True, False])
def test_a_character_that_was_cut_in_two_json_texts_is_whole(name, is_sse):
    """JSON may write each half as an escape of its own."""
    texts = [json.dumps(KINDS[name](half)).encode() for half in HALVES]
    if is_sse:
        events = [b"data: " + text + b"\n\n" for text in texts]
    else:
        events = [{"chunk": {"bytes": text}} for text in texts]

    assert facts_of(events).text == "Hi \U0001f600!"
