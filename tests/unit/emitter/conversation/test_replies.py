"""Answers that lack what they usually have, or have more than is said."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from emitter.conversation import read_answer, tee


def facts_of(events):
    told = []
    list(tee(iter(events), told.append))
    return told[0]


@pytest.mark.parametrize(
    "more",
    [
        {"guardrailAction": "INTERVENED", "sessionId": "s"},
        {"guardrailAction": "INTERVENED"},
        {"guardrailAction": "INTERVENED", "citations": []},
        {"guardrailAction": "INTERVENED", "sessionId": "s", "citations": None},
    ],
)
def test_g6_retrieve_and_generate_without_citations(more):
    """Only text and session are always there."""
    facts = read_answer({"output": {"text": "Sorry"}} | more)

    assert (facts.text, facts.guardrail_action) == ("Sorry", "blocked")
    assert facts.llm_calls == 1


def test_g6_no_guardrail_is_no_word_of_one():
    """Text and session alone are an answer as well."""
    facts = read_answer({"output": {"text": "Hi"}, "sessionId": "s"})

    assert (facts.text, facts.guardrail_action) == ("Hi", None)


def test_a_text_that_has_an_output_is_a_text():
    """JSON that a model wrote is no answer of RetrieveAndGenerate."""
    said = '{"output": {"text": "Hi"}}'

    assert read_answer(said).text == said


@pytest.mark.parametrize(
    ("answer", "calls"),
    [
        ({"retrievalResults": []}, 0),
        ({"retrievalResults": [], "guardrailAction": "INTERVENED"}, 0),
        ({"action": "NONE", "assessments": []}, 0),
        ({"action": "GUARDRAIL_INTERVENED", "assessments": []}, 0),
        ({"output": {"text": "Hi"}, "sessionId": "s"}, 1),
        ("Hi", 1),
        (None, 1),
    ],
)
def test_only_a_models_answer_is_a_call_of_one(answer, calls):
    """Retrieving and judging ask no model."""
    assert read_answer(answer).llm_calls == calls


def output_of(trace_name="orchestrationTrace"):
    used = {"metadata": {"usage": {"inputTokens": 1, "outputTokens": 1}}}
    return {"trace": {"trace": {trace_name: {"modelInvocationOutput": used}}}}


@pytest.mark.parametrize("read", [facts_of, read_answer], ids=["consume", "list"])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_an_agent_counts_its_models_outputs(read, count):
    """And one where no trace tells."""
    events = [*[output_of()] * count, {"chunk": {"bytes": b"Hi"}}]

    assert read(events).llm_calls == max(count, 1)


def test_every_step_of_an_agent_may_ask_a_model():
    """Also before and after the orchestration, and of an agent's agents."""
    steps = (
        "preProcessingTrace",
        "orchestrationTrace",
        "routingClassifierTrace",
        "postProcessingTrace",
    )

    assert facts_of([output_of(step) for step in steps]).llm_calls == 4


REASONING = {
    "type": "reasoning",
    "summary": [{"type": "summary_text", "text": "canary"}],
    "content": [{"type": "reasoning_text", "text": "canary"}],
}
SAID = {"type": "message", "content": [{"type": "output_text", "text": "Use ACM."}]}


@pytest.mark.parametrize(
    "output",
    [
        [REASONING, SAID],
        [SAID, REASONING],
        [
            {
                "type": "message",
                "content": [*REASONING["content"], *SAID["content"]],
            }
        ],
        [{"type": "mcp_list_tools", "content": [{"text": "canary"}]}, SAID],
    ],
)
def test_reasoning_is_never_said(output):
    """Of the responses API only messages and what they say are the answer."""
    body = {"object": "response", "status": "completed", "output": output}

    found = [
        read_answer(body),
        facts_of([{"type": "response.completed", "response": body}]),
    ]

    assert [each.text for each in found] == ["Use ACM."] * 2
    assert "canary" not in repr(found)


def test_reasoning_in_a_stream_is_never_said():
    """Its pieces come under names of their own."""
    events = [
        {"type": "response.reasoning_text.delta", "delta": "canary"},
        {"type": "response.reasoning_summary_text.delta", "delta": "canary"},
        {"type": "response.output_text.delta", "delta": "Hi"},
    ]

    assert facts_of(events).text == "Hi"


@pytest.mark.parametrize(
    "part",
    [
        {"type": "thinking", "thinking": [{"type": "text", "text": "canary"}]},
        {"type": "reasoning", "text": "canary"},
    ],
)
def test_reasoning_in_a_chat_is_never_said(part):
    """Content in parts may hold it beside the text."""
    content = [part, {"type": "text", "text": "Hi"}]
    message = {"content": content, "reasoning_content": "canary"}

    whole = read_answer({"choices": [{"message": message}]})
    pieces = facts_of([{"choices": [{"delta": message}]}])

    assert (whole.text, pieces.text) == ("Hi", "Hi")


CALLS = [{"index": 0, "id": "1", "type": "custom", "custom": {"name": "sql"}}]


def test_a_custom_tool_has_its_name():
    """In a chat it stands beside functions."""
    whole = read_answer({"choices": [{"message": {"tool_calls": CALLS}}]})
    pieces = facts_of([{"choices": [{"delta": {"tool_calls": CALLS}}]}])

    assert whole.tools == pieces.tools == ({"name": "sql", "status": "ok"},)


@pytest.mark.parametrize(
    ("item", "name", "status"),
    [
        ({"type": "custom_tool_call", "name": "sql"}, "sql", "ok"),
        ({"type": "mcp_call", "name": "find", "error": None}, "find", "ok"),
        ({"type": "mcp_call", "name": "find", "error": "canary"}, "find", "error"),
        (
            {"type": "mcp_call", "name": "find", "error": {"message": "canary"}},
            "find",
            "error",
        ),
        ({"type": "code_interpreter_call", "status": "failed"}, None, "error"),
    ],
)
def test_a_call_of_the_responses_api_tells_how_it_ended(item, name, status):
    """A server's tool that failed has its error beside it."""
    facts = read_answer({"object": "response", "output": [item]})

    expected = {"name": name or "code_interpreter", "status": status}
    assert facts.tools == (expected,)
    assert "canary" not in repr(facts)


@pytest.mark.parametrize(
    ("response", "error_type"),
    [
        ({"status": "failed", "error": {"code": "server_error"}}, "server_error"),
        ({"status": "failed", "error": None}, "failed"),
        ({"status": "failed"}, "failed"),
        ({"status": "incomplete"}, None),
        ({"status": "completed", "error": None}, None),
    ],
)
def test_a_failed_response_has_an_error(response, error_type):
    """Whether or not the service says which."""
    facts = read_answer({"object": "response", "output": []} | response)

    assert facts.error_type == error_type
    assert facts.is_complete is (response["status"] == "completed")


@pytest.mark.parametrize("reason", ["malformed_model_output", "malformed_tool_use"])
def test_converse_may_have_no_message(reason):
    """Stop reason and tokens count all the same."""
    body = {"stopReason": reason, "usage": {"inputTokens": 1, "outputTokens": 2}}

    for answer in (body, body | {"output": {}}, body | {"output": {"message": None}}):
        facts = read_answer(answer)

        assert (facts.text, facts.stop_reason) == ("", reason)
        assert (facts.input_tokens, facts.output_tokens) == (1, 2)


def test_a_stop_reason_of_the_guardrail_is_a_block():
    """Anthropic's shape has it too, where the guardrail tells nothing else."""
    body = {
        "type": "message",
        "content": [{"type": "text", "text": "Sorry"}],
        "stop_reason": "guardrail_intervened",
    }
    events = [
        {"type": "message_start", "message": {}},
        {"type": "message_delta", "delta": {"stop_reason": "guardrail_intervened"}},
        {"type": "message_stop"},
    ]

    assert read_answer(body).guardrail_action == "blocked"
    assert facts_of(events).guardrail_action == "blocked"


def test_a_stop_reason_keeps_what_the_trace_has_found():
    """Policies that the trace names are not lost."""
    topics = {"topics": [{"name": "Pay", "action": "BLOCKED"}]}
    found = {"guardrail": {"inputAssessment": {"g": {"topicPolicy": topics}}}}
    body = {
        "output": {"message": {"content": [{"text": "Sorry"}]}},
        "stopReason": "guardrail_intervened",
        "trace": found,
    }

    facts = read_answer(body)

    assert facts.guardrail_policies == ("topic:Pay",)
    assert facts.guardrail_side == "input"


def called(kind="actionGroupInvocationInput", **call):
    return {
        "trace": {"trace": {"orchestrationTrace": {"invocationInput": {kind: call}}}}
    }


def observed(**observation):
    return {"trace": {"trace": {"orchestrationTrace": {"observation": observation}}}}


FAILED = {"trace": {"trace": {"failureTrace": {"failureReason": "canary"}}}}
EMPTY_FAILURE = {"trace": {"trace": {"failureTrace": {}}}}
REPROMPT = observed(repromptResponse={"source": "ACTION_GROUP"})
ENDED = observed(actionGroupInvocationOutput={"text": "canary"})


@pytest.mark.parametrize(
    ("events", "statuses"),
    [
        ([called(function="f"), ENDED, FAILED], ["ok"]),
        ([called(function="f"), ENDED, REPROMPT], ["ok"]),
        ([called(function="f"), FAILED], ["error"]),
        ([called(function="f"), EMPTY_FAILURE], ["error"]),
        ([called(function="f"), REPROMPT, FAILED], ["error"]),
        ([called(function="f"), ENDED, called(function="g"), FAILED], ["ok", "error"]),
        (
            [
                called("agentCollaboratorInvocationInput", agentCollaboratorName="a"),
                called(function="f"),
                ENDED,
                FAILED,
            ],
            ["error", "ok"],
        ),
        (
            [
                called("knowledgeBaseLookupInput", knowledgeBaseId="K"),
                observed(knowledgeBaseLookupOutput={"retrievedReferences": []}),
                FAILED,
            ],
            ["ok"],
        ),
        (
            [
                called("codeInterpreterInvocationInput", code="canary"),
                observed(codeInterpreterInvocationOutput={"executionError": "canary"}),
                FAILED,
            ],
            ["error"],
        ),
        ([called(function="f"), observed(finalResponse={"text": "x"})], ["ok"]),
        ([FAILED], []),
    ],
)
def test_an_agents_failure_is_not_that_of_a_tool_that_ended(events, statuses):
    """Only a call that is still open has failed with it."""
    facts = facts_of(events)

    assert [each["status"] for each in facts.tools] == statuses
    assert "canary" not in repr(facts)


def test_strands_text_alone_is_an_answer():
    """A bot may keep only the pieces of text that an agent's callback gets."""
    facts = facts_of([{"data": "Hi ", "delta": {}}, {"data": "there"}])

    assert facts.text == "Hi there"
    assert facts.is_complete


def test_strands_text_beside_events_is_not_said_twice():
    """They say the same."""
    delta = {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Hi"}}}
    starts = [{"event": {"messageStart": {"role": "assistant"}}}] * 2
    stop = {"event": {"messageStop": {"stopReason": "end_turn"}}}

    facts = facts_of([*starts, {"event": delta}, {"data": "Hi"}, stop])
    cut = facts_of([{"event": delta}, {"data": "Hi"}])

    assert (facts.text, facts.llm_calls, facts.is_complete) == ("Hi", 2, True)
    assert (cut.text, cut.llm_calls, cut.is_complete) == ("Hi", 1, False)


@pytest.mark.parametrize(
    ("metrics", "calls"),
    [
        ({"cycle_count": 3}, 3),
        ({"cycle_count": None}, 1),
        ({"latest_agent_invocation": {"usage": {}, "cycles": [1, 2]}}, 2),
        ({"latest_agent_invocation": {"usage": {}, "cycles": []}}, 1),
    ],
)
def test_a_strands_result_counts_its_cycles(metrics, calls):
    """Each asks the model once."""
    latest = metrics.pop("latest_agent_invocation", None)
    result = SimpleNamespace(
        stop_reason="end_turn",
        message={"content": [{"text": "Hi"}]},
        metrics=SimpleNamespace(
            accumulated_usage={},
            tool_metrics={},
            traces=[],
            latest_agent_invocation=latest and SimpleNamespace(**latest),
            **metrics,
        ),
    )

    assert read_answer(result).llm_calls == calls
