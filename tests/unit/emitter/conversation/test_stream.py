"""Streams that pass through untouched while the audit reads along."""

from __future__ import annotations

import asyncio
import gc
import json
from types import SimpleNamespace

import pytest
from botocore.exceptions import EventStreamError

from emitter.conversation import read_answer, tee, tee_async


def drain(events, *, wrap=iter):
    """Return what came through and the facts that were told."""
    told = []
    passed = list(tee(wrap(events), told.append))
    assert len(told) == 1
    return passed, told[0]


CONVERSE = [
    {"messageStart": {"role": "assistant"}},
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Use "}}},
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "ACM."}}},
    {"contentBlockStop": {"contentBlockIndex": 0}},
    {
        "contentBlockStart": {
            "contentBlockIndex": 1,
            "start": {"toolUse": {"toolUseId": "t1", "name": "jira"}},
        }
    },
    {
        "contentBlockDelta": {
            "contentBlockIndex": 1,
            "delta": {"toolUse": {"input": '{"a":'}},
        }
    },
    {"messageStop": {"stopReason": "tool_use"}},
    {
        "metadata": {
            "usage": {"inputTokens": 10, "outputTokens": 5, "cacheReadInputTokens": 3},
            "metrics": {"latencyMs": 7},
            "trace": {
                "promptRouter": {"invokedModelId": "m1"},
                "guardrail": {
                    "inputAssessment": {
                        "g": {
                            "topicPolicy": {
                                "topics": [{"name": "T", "action": "BLOCKED"}]
                            }
                        }
                    }
                },
            },
        }
    },
]
ANTHROPIC = [
    {
        "type": "message_start",
        "message": {
            "id": "msg_1",
            "model": "claude-x",
            "usage": {
                "input_tokens": 10,
                "cache_read_input_tokens": 3,
                "output_tokens": 1,
            },
        },
    },
    {
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "text", "text": ""},
    },
    {"type": "ping"},
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": "Use "},
    },
    {"type": "text", "text": "Use ", "snapshot": "Use "},
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": "ACM."},
    },
    {
        "type": "content_block_start",
        "index": 1,
        "content_block": {"type": "tool_use", "id": "t1", "name": "jira"},
    },
    {
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use"},
        "usage": {"output_tokens": 5},
    },
    {"type": "message_stop"},
]
CHAT = [
    {"id": "c1", "model": "gpt-x", "choices": [{"delta": {"content": "Use "}}]},
    {"id": "c1", "model": "gpt-x", "choices": [{"delta": {"content": "ACM."}}]},
    {
        "id": "c1",
        "choices": [
            {"delta": {"tool_calls": [{"index": 0, "function": {"name": "jira"}}]}}
        ],
    },
    {
        "id": "c1",
        "choices": [
            {"delta": {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}}
        ],
    },
    {"id": "c1", "choices": [{"delta": {}, "finish_reason": "tool_use"}]},
    {
        "id": "c1",
        "choices": [],
        "usage": {
            "prompt_tokens": 13,
            "completion_tokens": 5,
            "prompt_tokens_details": {"cached_tokens": 3},
        },
    },
]


def in_chunks(events):
    return [{"chunk": {"bytes": json.dumps(each).encode()}} for each in events]


def as_objects(events):
    return [SimpleNamespace(**each) for each in events]


def as_sse(events):
    text = "".join(f"event: x\ndata: {json.dumps(each)}\n\n" for each in events)
    data = f"{text}data: [DONE]\n\n".encode()
    return [data[at : at + 7] for at in range(0, len(data), 7)]


@pytest.mark.parametrize(
    "events",
    [
        CONVERSE,
        in_chunks(CONVERSE),
        ANTHROPIC,
        in_chunks(ANTHROPIC),
        as_objects(ANTHROPIC),
        as_sse(ANTHROPIC),
        CHAT,
        as_objects(CHAT),
        as_sse(CHAT),
        in_chunks(CHAT),
        [{"init_event_loop": True}, *({"event": each} for each in CONVERSE)],
    ],
    ids=[
        "converse",
        "nova",
        "anthropic",
        "invoke_model",
        "anthropic sdk",
        "anthropic sse",
        "chat",
        "chat sdk",
        "chat sse",
        "chat invoke_model",
        "strands",
    ],
)
def test_collects_the_facts_and_passes_everything_through(events):
    """Every streaming API gives the same facts, and every event the bot's."""
    passed, facts = drain(events)

    assert all(a is b for a, b in zip(passed, events, strict=True))
    assert facts.text == "Use ACM."
    assert facts.stop_reason == "tool_use"
    assert facts.tools == ({"name": "jira", "status": "ok"},)
    assert (facts.input_tokens, facts.output_tokens) == (13, 5)
    assert facts.cache_read_tokens == 3
    assert facts.is_complete
    assert facts.error_type is None


def test_converse_tells_router_and_guardrail():
    """The last event carries model and trace."""
    _, facts = drain(CONVERSE)

    assert facts.model == "m1"
    assert (facts.guardrail_action, facts.guardrail_side) == ("blocked", "input")
    assert facts.guardrail_policies == ("topic:T",)


def test_citations_of_a_stream_become_sources():
    """Text that is cut at citations is put together as it is."""
    events = [
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Use "}}},
        {
            "contentBlockDelta": {
                "contentBlockIndex": 0,
                "delta": {"citation": {"title": "SSL", "source": "s3://kb/ssl.pdf"}},
            }
        },
        {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"text": "ACM."}}},
        {"messageStop": {"stopReason": "end_turn"}},
    ]

    _, facts = drain(events)

    assert facts.text == "Use ACM."
    assert facts.sources == ({"uri": "s3://kb/ssl.pdf", "title": "SSL"},)


def test_reads_the_responses_stream():
    """The last event repeats the answer; without it the deltas are kept."""
    deltas = [
        {"type": "response.created", "response": {}},
        {
            "type": "response.output_text.delta",
            "output_index": 0,
            "content_index": 0,
            "delta": "Use ACM.",
        },
    ]
    response = {
        "object": "response",
        "status": "completed",
        "output": [{"type": "message", "content": [{"text": "Use ACM."}]}],
        "usage": {"input_tokens": 3, "output_tokens": 2},
    }

    _, whole = drain([*deltas, {"type": "response.completed", "response": response}])
    _, cut_short = drain(deltas)

    assert (whole.text, whole.input_tokens, whole.is_complete) == ("Use ACM.", 3, True)
    assert (cut_short.text, cut_short.is_complete) == ("Use ACM.", False)


@pytest.mark.parametrize(
    "bodies",
    [
        [
            {"outputText": "Use ", "completionReason": None},
            {
                "outputText": "ACM.",
                "completionReason": "FINISH",
                "amazon-bedrock-invocationMetrics": {
                    "inputTokenCount": 3,
                    "outputTokenCount": 2,
                },
            },
        ],
        [
            {"generation": "Use ", "stop_reason": None},
            {
                "generation": "ACM.",
                "stop_reason": "FINISH",
                "prompt_token_count": 3,
                "generation_token_count": 2,
            },
        ],
        [
            {"outputs": [{"text": "Use ", "stop_reason": None}]},
            {
                "outputs": [{"text": "ACM.", "stop_reason": "FINISH"}],
                "amazon-bedrock-invocationMetrics": {
                    "inputTokenCount": 3,
                    "outputTokenCount": 2,
                },
            },
        ],
    ],
    ids=["titan", "llama", "mistral"],
)
def test_reads_streams_of_model_families(bodies):
    """InvokeModel's stream is a row of bodies with counts in the last."""
    _, facts = drain(in_chunks(bodies))

    assert (facts.text, facts.stop_reason) == ("Use ACM.", "FINISH")
    assert (facts.input_tokens, facts.output_tokens) == (3, 2)
    assert facts.is_complete


def trace(**step):
    return {"trace": {"trace": step, "sessionId": "s1"}}


AGENT = [
    trace(
        preProcessingTrace={
            "modelInvocationOutput": {
                "metadata": {"usage": {"inputTokens": 10, "outputTokens": 1}}
            }
        }
    ),
    trace(
        orchestrationTrace={
            "modelInvocationInput": {"foundationModel": "m1", "type": "ORCHESTRATION"}
        }
    ),
    trace(
        orchestrationTrace={
            "modelInvocationOutput": {
                "metadata": {"usage": {"inputTokens": 20, "outputTokens": 2}}
            }
        }
    ),
    trace(
        orchestrationTrace={
            "invocationInput": {
                "actionGroupInvocationInput": {
                    "actionGroupName": "tickets",
                    "function": "find_ticket",
                    "executionType": "LAMBDA",
                }
            }
        }
    ),
    trace(
        orchestrationTrace={
            "observation": {"repromptResponse": {"source": "ACTION_GROUP", "text": "x"}}
        }
    ),
    trace(
        orchestrationTrace={
            "invocationInput": {"knowledgeBaseLookupInput": {"knowledgeBaseId": "KB1"}}
        }
    ),
    trace(orchestrationTrace={"observation": {"knowledgeBaseLookupOutput": {}}}),
    trace(
        guardrailTrace={
            "action": "INTERVENED",
            "outputAssessments": [
                {
                    "sensitiveInformationPolicy": {
                        "piiEntities": [{"type": "EMAIL", "action": "ANONYMIZED"}]
                    }
                }
            ],
        }
    ),
    {
        "chunk": {
            "bytes": "Grüße".encode()[:3],
            "attribution": {
                "citations": [
                    {
                        "retrievedReferences": [
                            {"location": {"s3Location": {"uri": "s3://kb/a.pdf"}}}
                        ]
                    }
                ]
            },
        }
    },
    {"chunk": {"bytes": "Grüße".encode()[3:]}},
]


def test_g4_reads_an_agents_traces():
    """Tokens are summed, tools told with their end, and traces are no text."""
    passed, facts = drain(AGENT)

    assert passed == AGENT
    assert facts.text == "Grüße"
    assert facts.model == "m1"
    assert (facts.input_tokens, facts.output_tokens) == (30, 3)
    assert facts.tools == (
        {"name": "find_ticket", "status": "error"},
        {"name": "KB1", "status": "ok"},
    )
    assert facts.sources == ({"uri": "s3://kb/a.pdf"},)
    assert facts.guardrail_action == "anonymized"
    assert facts.guardrail_side == "output"
    assert facts.is_complete


@pytest.mark.parametrize(
    "call",
    [
        {"functionInvocationInput": {"actionGroup": "g", "function": "find_ticket"}},
        {"apiInvocationInput": {"actionGroup": "g", "apiPath": "find_ticket"}},
    ],
    ids=["function", "api"],
)
def test_g3_control_returned_is_a_partial_answer(call):
    """The bot is asked to run the tool itself; nobody was answered."""
    control = {"returnControl": {"invocationId": "i", "invocationInputs": [call]}}

    _, facts = drain([control])

    assert facts.text == ""
    assert facts.tools == ({"name": "find_ticket", "status": "returned"},)
    assert not facts.is_complete


def test_g5_an_exception_member_ends_the_answer():
    """What arrived is kept, and the member names the error."""
    events = [AGENT[-1], {"throttlingException": {"message": "secret"}}]

    _, facts = drain(events)

    assert facts.error_type == "throttlingException"
    assert not facts.is_complete
    assert "secret" not in repr(facts)


def test_g5_botocores_error_names_the_member():
    """Botocore raises what the service sends as an exception event."""

    def events():
        yield {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Use"}}}
        raise EventStreamError(
            {"Error": {"Code": "modelStreamErrorException", "Message": "secret"}}, "C"
        )

    told = []
    with pytest.raises(EventStreamError):
        list(tee(events(), told.append))

    assert len(told) == 1
    assert told[0].text == "Use"
    assert told[0].error_type == "modelStreamErrorException"
    assert not told[0].is_complete


def test_agents_json_answer_is_text():
    """An agent may answer in JSON; only a model's own events are unpacked."""
    _, facts = drain([{"chunk": {"bytes": b'{"answer": "x"}'}}])

    assert facts.text == '{"answer": "x"}'


def test_reads_retrieve_and_generate_stream():
    """Text, citations and the guardrail's word come as events of their own."""
    reference = {"location": {"s3Location": {"uri": "s3://kb/a.pdf"}}}
    events = [
        {"output": {"text": "Use "}},
        {"output": {"text": "ACM."}},
        {"citation": {"citation": {"retrievedReferences": [reference]}}},
        {"citation": {"retrievedReferences": [reference]}},
        {"guardrail": {"action": "INTERVENED"}},
    ]

    _, facts = drain(events)

    assert facts.text == "Use ACM."
    assert facts.sources == ({"uri": "s3://kb/a.pdf"},)
    assert facts.guardrail_action == "blocked"


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["Use ", "ACM."], "Use ACM."),
        (["Grüße".encode()[:3], "Grüße".encode()[3:]], "Grüße"),
        ([b'data: "Use "\n\n', b"data: ACM.\n\n"], "Use ACM."),
        ([b"a\xff"], "a\ufffd"),
    ],
    ids=["text", "bytes", "events", "faulty"],
)
def test_reads_streams_of_text(pieces, text):
    """A piece may end inside a character."""
    passed, facts = drain(pieces)

    assert passed == pieces
    assert facts.text == text
    assert facts.is_complete


def test_a_stream_without_its_end_is_incomplete():
    """A stop event is what tells a full answer from a cut one."""
    for events in (CONVERSE[:3], ANTHROPIC[:5], CHAT[:2]):
        _, facts = drain(events)

        assert not facts.is_complete


class Stream:
    """A stream with what SDK streams have beside their events."""

    def __init__(self, events):
        self.events = iter(events)
        self.closed = 0
        self.request_id = "r1"

    def __iter__(self):
        return self.events

    def close(self):
        self.closed += 1


def test_a_bot_that_stops_reading_is_told_once():
    """Closing early gives what arrived, incomplete, exactly once."""
    told = []
    stream = Stream(CONVERSE)
    along = tee(stream, told.append)

    next(along)
    next(along)
    along.close()
    along.close()

    assert [each.text for each in told] == ["Use "]
    assert not told[0].is_complete
    assert stream.closed == 2
    assert along.request_id == "r1"


def test_facts_can_be_had_before_the_end():
    """A question that ends before its stream is told what has arrived, once."""
    told = []
    along, later = (each(CONVERSE, told.append) for each in (tee, tee_async))
    next(along)
    next(along)

    along.tell_facts()
    rest = list(along)
    later.tell_facts()

    assert rest == CONVERSE[2:]
    assert [each.text for each in told] == ["Use ", ""]


def test_leaving_the_loop_and_forgetting_is_told():
    """A stream that is thrown away tells its facts as it goes."""
    told = []
    along = tee(Stream(CONVERSE), told.append)
    for _ in along:
        break

    del along
    gc.collect()

    assert len(told) == 1
    assert not told[0].is_complete


def test_a_bot_that_fails_inside_the_block_is_told():
    """The bot's own exception names the error and passes through."""
    told = []
    stream = Stream(CONVERSE)

    def answer():
        with tee(stream, told.append) as along:
            raise KeyError(next(along))

    with pytest.raises(KeyError):
        answer()

    assert [each.error_type for each in told] == ["KeyError"]
    assert stream.closed == 1


def test_stopping_after_the_stop_event_is_complete():
    """Who does not wait for the counts has read the whole answer all the same."""
    told = []
    along = tee(iter(CONVERSE), told.append)
    for event in along:
        if "messageStop" in event:
            break

    along.close()

    assert told[0].is_complete


def test_reads_nothing_before_the_bot_does():
    """The stream is asked for an event only when the bot is."""
    asked = []

    def events():
        asked.append(1)
        yield CONVERSE[0]
        asked.append(2)
        yield CONVERSE[1]

    along = tee(events(), lambda facts: None)
    assert asked == []

    next(along)

    assert asked == [1]


def test_a_response_that_holds_its_stream_is_opened():
    """Botocore's response may be given whole."""
    told = []

    passed = list(tee({"stream": iter(CONVERSE), "ResponseMetadata": {}}, told.append))

    assert passed == CONVERSE
    assert told[0].text == "Use ACM."


def test_a_broken_listener_harms_nobody():
    """What `on_done` raises stays here."""

    def on_done(facts):
        raise RuntimeError

    assert list(tee(iter(CONVERSE), on_done)) == CONVERSE


class Trap:
    def __getattribute__(self, name):
        raise RuntimeError(name)


def test_a_trap_among_the_events_passes_through():
    """An event that cannot be read is the bot's affair."""
    trap = Trap()
    told = []

    passed = [each is trap for each in tee(iter([*CONVERSE, trap]), told.append)]

    assert passed[-1] is True
    assert told[0].text == "Use ACM."


def test_what_is_no_stream_raises_as_before():
    """The bot sees the very error that its own loop would have given."""
    with pytest.raises(TypeError):
        next(tee(7, lambda facts: None))


@pytest.mark.parametrize(
    "events",
    [CONVERSE, ANTHROPIC, CHAT, AGENT],
    ids=["converse", "anthropic", "chat", "agent"],
)
def test_collected_events_are_read_like_a_stream(events):
    """A bot that kept its events may hand them over at the end."""
    _, facts = drain(events)

    assert read_answer(events) == facts
    assert read_answer({"completion": events}) == facts


def test_reads_an_agents_result_from_its_stream():
    """The result of a Strands stream replaces what was put together."""
    result = SimpleNamespace(
        stop_reason="end_turn",
        message={"content": [{"text": "Whole."}]},
        metrics=SimpleNamespace(accumulated_usage={"inputTokens": 3}, tool_metrics={}),
    )

    _, facts = drain([{"init_event_loop": True}, {"data": "Wh"}, {"result": result}])

    assert (facts.text, facts.input_tokens) == ("Whole.", 3)
    assert facts.is_complete


async def produce(events):
    for event in events:
        yield event


def test_asynchronous_streams_are_read_as_well():
    """The same facts, told once, whether drained or left."""
    told = []

    async def read(stop_after=None):
        along = tee_async(produce(CONVERSE), told.append)
        passed = []
        async with along:
            async for event in along:
                passed.append(event)
                if len(passed) == stop_after:
                    break
        return passed

    assert asyncio.run(read()) == CONVERSE
    assert len(asyncio.run(read(stop_after=2))) == 2
    assert [each.text for each in told] == ["Use ACM.", "Use "]
    assert [each.is_complete for each in told] == [True, False]


def test_cancellation_is_told_and_passes_through():
    """A cancelled task ends its stream."""
    told = []

    async def hang():
        yield CONVERSE[0]
        await asyncio.sleep(60)

    async def read():
        async for _ in tee_async(hang(), told.append):
            pass

    async def main():
        task = asyncio.create_task(read())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())

    assert [each.error_type for each in told] == ["CancelledError"]


def test_a_failed_server_tool_is_told_in_every_stream():
    """A result with an error belongs to its call."""
    converse = [
        {
            "contentBlockStart": {
                "start": {"toolUse": {"toolUseId": "t", "name": "web"}}
            }
        },
        {
            "contentBlockStart": {
                "start": {"toolResult": {"toolUseId": "t", "status": "error"}}
            }
        },
        {"messageStop": {"stopReason": "end_turn"}},
    ]
    anthropic = [
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "server_tool_use", "id": "t", "name": "web"},
        },
        {
            "type": "content_block_start",
            "index": 1,
            "content_block": {
                "type": "web_search_tool_result",
                "tool_use_id": "t",
                "content": {"type": "web_search_tool_result_error"},
            },
        },
        {
            "type": "content_block_start",
            "index": 2,
            "content_block": {"type": "text", "text": "x"},
        },
    ]

    for events in (converse, anthropic):
        _, facts = drain(events)

        assert facts.tools == ({"name": "web", "status": "error"},)


def test_an_error_event_names_its_kind():
    """Anthropic and OpenAI send errors as events."""
    error = {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "secret"},
    }
    failed = {"type": "error", "code": "rate_limit", "message": "secret"}

    _, anthropic = drain([*ANTHROPIC[:4], error])
    _, openai = drain([{"type": "response.created", "response": {}}, failed])

    assert anthropic.error_type == "overloaded_error"
    assert openai.error_type == "rate_limit"
    assert not anthropic.is_complete
    assert not openai.is_complete
    assert "secret" not in repr((anthropic, openai))


def test_agents_text_may_come_as_text():
    """A stub or a proxy may have decoded the bytes."""
    _, facts = drain([{"chunk": {"bytes": "hi"}}])

    assert facts.text == "hi"


def test_an_agents_failure_belongs_to_its_last_tool():
    """Code that failed and traces of failure close the open call."""
    code = {"invocationInput": {"codeInterpreterInvocationInput": {"code": "x"}}}
    group = {
        "invocationInput": {
            "actionGroupInvocationInput": {
                "function": "f",
                "executionType": "RETURN_CONTROL",
            }
        }
    }
    failed = {
        "observation": {"codeInterpreterInvocationOutput": {"executionTimeout": True}}
    }
    events = [
        trace(orchestrationTrace=group),
        trace(orchestrationTrace=code),
        trace(orchestrationTrace=failed),
        trace(
            orchestrationTrace={
                "invocationInput": {
                    "knowledgeBaseLookupInput": {"knowledgeBaseId": "KB"}
                }
            }
        ),
        trace(failureTrace={"failureReason": "secret"}),
    ]

    _, facts = drain(events)

    assert facts.tools == (
        {"name": "code_interpreter", "status": "error"},
        {"name": "KB", "status": "error"},
    )
    assert "secret" not in repr(facts)


def test_an_endless_line_is_not_kept():
    """A stream of events without an end of line is bounded."""
    piece = "x" * 1_048_576

    _, facts = drain(["data: a\n", *[piece] * 6, "\n"])

    assert len(facts.text) < 1_000


def test_a_stream_that_cannot_be_closed_is_told():
    """An iterator without `close`, closed before it was read."""
    told = []

    tee(iter([1]), told.append).close()

    assert [each.is_complete for each in told] == [False]


def test_an_asynchronous_stream_that_is_forgotten_is_told():
    """Nothing was read, and that is told."""
    told = []

    along = tee_async(produce([]), told.append)
    assert along.__name__ == "produce"
    del along
    gc.collect()

    assert [each.is_complete for each in told] == [False]


def test_chunks_that_a_helper_wraps_are_read():
    """OpenAI's own reader gives the API's chunks beside events of its own."""
    events = []
    for chunk in CHAT:
        events += [{"type": "chunk", "chunk": chunk, "snapshot": {}}]
        events += [{"type": "content.delta", "delta": "Use ", "snapshot": "Use "}]

    _, facts = drain(as_objects(events))

    assert (facts.text, facts.stop_reason) == ("Use ACM.", "tool_use")
    assert facts.input_tokens == 13
    assert facts.is_complete
