"""Chunks of InvokeModelWithResponseStream and of agents, which look the same."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from emitter.bedrock_calls import OPERATIONS, Call
from emitter.conversation import read_answer, tee

METRICS = {
    "amazon-bedrock-invocationMetrics": {"inputTokenCount": 7, "outputTokenCount": 3}
}


def chunk(event):
    return {"chunk": {"bytes": json.dumps(event).encode()}}


def facts_of(stream):
    told = []
    list(tee(stream, told.append))
    return told[0]


def watched(operation, member, events):
    """Return the facts of a call as `watch` notes it."""
    call = Call(OPERATIONS[operation], {})
    response = {member: iter(events)}
    call.answered(response)
    list(response[member])
    return call.facts()


class EventStream:
    """As botocore's own, which knows its operation."""

    def __init__(self, events, operation):
        self._events = events
        self._operation_name = operation

    def __iter__(self):
        return iter(self._events)


# Pieces of each family: with the stop reason that the last one has.
MODELS = {
    "titan": (
        [
            {"outputText": "Use ", "index": 0, "completionReason": None},
            {"outputText": "ACM.", "index": 0, "completionReason": "LENGTH", **METRICS},
        ],
        "LENGTH",
    ),
    "deepseek": (
        [
            {"choices": [{"index": 0, "text": "Use ", "stop_reason": None}]},
            {"choices": [{"index": 0, "text": "ACM.", "stop_reason": "stop"}]},
            METRICS,
        ],
        "stop",
    ),
    "command-r": (
        [
            {"event_type": "stream-start", "is_finished": False},
            {"event_type": "text-generation", "is_finished": False, "text": "Use "},
            {"event_type": "text-generation", "is_finished": False, "text": "ACM."},
            {
                "event_type": "stream-end",
                "is_finished": True,
                "finish_reason": "COMPLETE",
                "response": {"text": "Use ACM."},
                **METRICS,
            },
        ],
        "COMPLETE",
    ),
    "command": (
        [
            {"is_finished": False, "text": "Use "},
            {"is_finished": False, "text": "ACM."},
            {
                "is_finished": True,
                "finish_reason": "MAX_TOKENS",
                "response": {"generations": [{"text": "Use ACM."}]},
                **METRICS,
            },
        ],
        "MAX_TOKENS",
    ),
    "command generations": (
        [
            {"generations": [{"text": "Use ", "finish_reason": None}]},
            {"generations": [{"text": "ACM.", "finish_reason": "COMPLETE"}], **METRICS},
        ],
        "COMPLETE",
    ),
    "mistral": (
        [
            {"outputs": [{"text": "Use ", "stop_reason": None}]},
            {"outputs": [{"text": "ACM.", "stop_reason": "stop"}], **METRICS},
        ],
        "stop",
    ),
    "mistral chat": (
        [
            {"choices": [{"message": {"content": "Use "}, "stop_reason": None}]},
            {
                "choices": [{"message": {"content": "ACM."}, "stop_reason": "stop"}],
                **METRICS,
            },
        ],
        "stop",
    ),
    "claude 2": (
        [
            {"completion": "Use ", "stop_reason": None, "stop": None},
            {"completion": "ACM.", "stop_reason": "stop_sequence", **METRICS},
        ],
        "stop_sequence",
    ),
    "llama": (
        [
            {
                "generation": "Use ",
                "prompt_token_count": 7,
                "generation_token_count": 1,
                "stop_reason": None,
            },
            {
                "generation": "ACM.",
                "prompt_token_count": None,
                "generation_token_count": 3,
                "stop_reason": "stop",
            },
        ],
        "stop",
    ),
    "chat": (
        [
            {"choices": [{"delta": {"content": "Use "}}]},
            {"choices": [{"delta": {"content": "ACM."}}]},
            {"choices": [{"delta": {}, "finish_reason": "stop"}], **METRICS},
        ],
        "stop",
    ),
    "anthropic": (
        [
            {"type": "message_start", "message": {"id": "m1"}},
            {"type": "content_block_start", "index": 0, "content_block": {}},
            {"type": "content_block_delta", "index": 0, "delta": {"text": "Use ACM."}},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
            {"type": "message_stop", **METRICS},
        ],
        "end_turn",
    ),
    "nova": (
        [
            {"messageStart": {"role": "assistant"}},
            {
                "contentBlockDelta": {
                    "contentBlockIndex": 0,
                    "delta": {"text": "Use ACM."},
                }
            },
            {"messageStop": {"stopReason": "end_turn"}},
            {"metadata": {"metrics": {}, "trace": {}}, **METRICS},
        ],
        "end_turn",
    ),
}
WAYS = {
    "consume": lambda events: facts_of(iter(events)),
    "list": read_answer,
    "response": lambda events: read_answer({"body": events}),
    "consumed response": lambda events: facts_of({"body": iter(events)}),
    "watch": lambda events: watched("InvokeModelWithResponseStream", "body", events),
}


@pytest.mark.parametrize("way", [pytest.param(v, id=k) for k, v in WAYS.items()])
@pytest.mark.parametrize(
    ("events", "stop_reason"), [pytest.param(*v, id=k) for k, v in MODELS.items()]
)
def test_every_familys_stream_is_read(way, events, stop_reason):
    """Text, stop reason and tokens, whichever way the stream comes."""
    facts = way([chunk(event) for event in events])

    assert (facts.text, facts.stop_reason) == ("Use ACM.", stop_reason)
    assert (facts.input_tokens, facts.output_tokens) == (7, 3)
    assert facts.is_complete


@pytest.mark.parametrize(
    "events", [pytest.param(each, id=k) for k, (each, _) in MODELS.items()]
)
def test_every_familys_stream_may_be_cut(events):
    """Without its last event an answer is incomplete."""
    facts = facts_of(iter([chunk(event) for event in events[:1]]))

    assert not facts.is_complete


ANSWERS = [
    {"metadata": {"total": 2}, "rows": [1, 2]},
    {"metadata": {"usage": 3}, "rows": []},
    {"type": "error", "message": "no such user"},
    {"type": "error", "error": "no such user"},
    {"type": "ping", "host": "example.com"},
    {"type": "message_start"},
    {"type": ["error"]},
    {"stop_reason": "bus strike", "text": "Line 5"},
    {"choices": ["a", "b"]},
    {"choices": [{"text": "a"}]},
    {"messageStart": 1},
    {"outputs": [{"text": "a"}]},
    {"completion": "80 %"},
    {"answer": "x"},
]
AGENT_TRACE = {
    "trace": {"trace": {"orchestrationTrace": {"rationale": {"text": "canary"}}}}
}
AGENT_WAYS = {
    "consume": lambda events: facts_of(iter(events)),
    "list": read_answer,
    "after a trace": lambda events: facts_of(iter([AGENT_TRACE, *events])),
}
# Where it is known that an agent speaks, any JSON is its text.
SURE_WAYS = {
    "response": lambda events: read_answer({"completion": events}),
    "consumed response": lambda events: facts_of({"completion": iter(events)}),
    "event stream": lambda events: facts_of(EventStream(events, "InvokeAgent")),
    "inline": lambda events: facts_of(EventStream(events, "InvokeInlineAgent")),
    "watch": lambda events: watched("InvokeAgent", "completion", events),
    "watch inline": lambda events: watched("InvokeInlineAgent", "completion", events),
    "after a trace": AGENT_WAYS["after a trace"],
}


@pytest.mark.parametrize("answer", ANSWERS, ids=json.dumps)
@pytest.mark.parametrize(
    "way", [pytest.param(v, id=k) for k, v in (AGENT_WAYS | SURE_WAYS).items()]
)
def test_an_agents_answer_in_json_is_text(way, answer):
    """JSON that only resembles a model's events is what the agent said."""
    facts = way([chunk(answer)])

    assert facts.text == json.dumps(answer)
    assert facts.is_complete
    assert facts.error_type is None


@pytest.mark.parametrize("way", [pytest.param(v, id=k) for k, v in SURE_WAYS.items()])
@pytest.mark.parametrize(
    "events", [pytest.param(each, id=k) for k, (each, _) in MODELS.items()]
)
def test_even_a_models_event_is_text_where_an_agent_speaks(way, events):
    """An agent may be asked for examples of such events."""
    facts = way([chunk(event) for event in events])

    assert facts.text == "".join(map(json.dumps, events))
    assert facts.is_complete


def test_a_piece_that_nobody_knows_is_read_where_a_model_speaks():
    """A body's text is taken without the members that make it sure."""
    events = [chunk({"text": "Use "}), chunk({"text": "ACM.", "stop_reason": "stop"})]

    facts = facts_of({"body": iter(events)})

    assert (facts.text, facts.stop_reason) == ("Use ACM.", "stop")


@pytest.mark.parametrize("data", [b"[1]", b"no json", 7, None])
def test_a_chunk_that_is_no_event_is_no_harm(data):
    """Other bytes are text, and what is no text is nothing."""
    shown = data.decode() if isinstance(data, bytes) else ""

    assert facts_of({"body": iter([{"chunk": {"bytes": data}}])}).text == shown


def test_an_error_in_a_models_stream_is_told():
    """Anthropic's error event may be the first."""
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "no"}}

    facts = facts_of(iter([chunk(error)]))

    assert (facts.text, facts.error_type) == ("", "overloaded_error")


NOVA_USAGE = {
    "inputTokens": 5,
    "outputTokens": 2,
    "cacheReadInputTokenCount": 3,
    "cacheWriteInputTokenCount": 1,
}


def test_nova_names_cached_tokens_in_its_own_way():
    """InvokeModel's Nova counts as Converse does, under other names."""
    body = {
        "output": {"message": {"content": [{"text": "Hi"}]}},
        "stopReason": "end_turn",
        "usage": NOVA_USAGE,
    }
    metrics = {
        "inputTokenCount": 5,
        "outputTokenCount": 2,
        "cacheReadInputTokenCount": 3,
        "cacheWriteInputTokenCount": 1,
    }
    added = {"amazon-bedrock-invocationMetrics": metrics}
    streams = (
        [{"metadata": {"usage": NOVA_USAGE}}],
        [{"metadata": {"usage": NOVA_USAGE}, **added}],
        [{"metadata": {"metrics": {}}, **added}],
    )

    found = [read_answer({"body": json.dumps(body).encode()})]
    found += [facts_of(iter(map(chunk, events))) for events in streams]

    for facts in found:
        assert (facts.input_tokens, facts.output_tokens) == (9, 2)
        assert facts.cache_read_tokens == 3


def test_events_of_an_sdk_may_have_empty_members():
    """A member that is None is not there."""
    event = SimpleNamespace(
        throttlingException=None,
        output={"text": "Hi"},
    )

    facts = facts_of(iter([event]))

    assert (facts.text, facts.error_type) == ("Hi", None)
