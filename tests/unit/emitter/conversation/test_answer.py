"""The facts of complete answers, API by API."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from emitter.conversation import AnswerFacts, read_answer


def make_converse(*content, stop="end_turn", **rest):
    message = {"role": "assistant", "content": list(content) or [{"text": "Use ACM."}]}
    return {
        "ResponseMetadata": {"RequestId": "r1"},
        "output": {"message": message},
        "stopReason": stop,
        "usage": {"inputTokens": 10, "outputTokens": 5, "totalTokens": 15},
        **rest,
    }


def test_reads_converse():
    """Text, stop reason, tokens and request id of an answer."""
    facts = read_answer(make_converse())

    assert facts == AnswerFacts(
        text="Use ACM.",
        stop_reason="end_turn",
        input_tokens=10,
        output_tokens=5,
        request_id="r1",
    )


def test_cached_tokens_count_once():
    """Read and written cache tokens belong to the input."""
    usage = {
        "inputTokens": 10,
        "outputTokens": 5,
        "cacheReadInputTokens": 100,
        "cacheWriteInputTokens": 20,
    }

    facts = read_answer(make_converse(usage=usage))

    assert (facts.input_tokens, facts.output_tokens) == (130, 5)
    assert facts.cache_read_tokens == 100


def test_the_routed_model_is_told():
    """A prompt router names the model that has answered."""
    facts = read_answer(make_converse(trace={"promptRouter": {"invokedModelId": "m1"}}))

    assert facts.model == "m1"
    assert facts.guardrail_action is None


def test_reads_tools_and_citations_of_converse():
    """Tools asked for, server tools that failed, and documents cited."""
    cited = {
        "content": [{"text": "Use ACM."}],
        "citations": [{"title": "SSL guide", "source": "s3://kb/ssl.pdf"}],
    }
    facts = read_answer(
        make_converse(
            {"citationsContent": cited},
            {"toolUse": {"toolUseId": "a", "name": "jira", "input": {}}},
            {"toolUse": {"toolUseId": "b", "name": "web", "type": "server_tool_use"}},
            {"toolResult": {"toolUseId": "b", "status": "error", "content": []}},
            stop="tool_use",
        )
    )

    assert facts.text == "Use ACM."
    assert facts.tools == (
        {"name": "jira", "status": "ok"},
        {"name": "web", "status": "error"},
    )
    assert facts.sources == ({"uri": "s3://kb/ssl.pdf", "title": "SSL guide"},)


ASSESSMENT = {
    "topicPolicy": {
        "topics": [{"name": "Salaries", "type": "DENY", "action": "BLOCKED"}]
    },
    "contentPolicy": {
        "filters": [{"type": "HATE", "action": "NONE", "detected": True}]
    },
    "wordPolicy": {
        "customWords": [{"match": "secretword", "action": "BLOCKED"}],
        "managedWordLists": [
            {"match": "damn", "type": "PROFANITY", "action": "NONE", "detected": False}
        ],
    },
    "sensitiveInformationPolicy": {
        "piiEntities": [{"match": "bob@x.io", "type": "EMAIL", "action": "ANONYMIZED"}],
        "regexes": [
            {"name": "Badge", "match": "B-1", "regex": "B-.", "action": "BLOCKED"}
        ],
    },
    "contextualGroundingPolicy": {
        "filters": [
            {"type": "GROUNDING", "threshold": 0.7, "score": 0.2, "action": "BLOCKED"},
            {"type": "RELEVANCE", "threshold": 0.7, "score": 0.9, "action": "NONE"},
        ]
    },
    "automatedReasoningPolicy": {"findings": [{"invalid": {}}, {"valid": {}}]},
}
POLICIES = (
    "topic:Salaries",
    "content:HATE",
    "word:custom",
    "pii:EMAIL",
    "regex:Badge",
    "grounding:GROUNDING",
    "reasoning:invalid",
)


@pytest.mark.parametrize(
    ("trace", "side"),
    [
        ({"inputAssessment": {"g1": ASSESSMENT}}, "input"),
        ({"outputAssessments": {"g1": [ASSESSMENT]}}, "output"),
        (
            {
                "inputAssessment": {"g1": ASSESSMENT},
                "outputAssessments": {"g1": [ASSESSMENT]},
            },
            "both",
        ),
    ],
)
def test_reads_all_policies_on_both_sides(trace, side):
    """Every kind of policy is named, and the matched text never."""
    facts = read_answer(
        make_converse(stop="guardrail_intervened", trace={"guardrail": trace})
    )

    assert facts.guardrail_action == "blocked"
    assert facts.guardrail_side == side
    assert facts.guardrail_policies == POLICIES
    assert "secretword" not in repr(facts)
    assert "bob@x.io" not in repr(facts)


@pytest.mark.parametrize(
    ("item", "action"),
    [
        ({"action": "BLOCKED"}, "blocked"),
        ({"action": "ANONYMIZED"}, "anonymized"),
        ({"action": "NONE", "detected": True}, "detected"),
        ({"action": "NONE", "detected": False}, "none"),
        ({"action": "NONE"}, "none"),
        ({"detected": True}, "detected"),
        ({"detected": False}, "none"),
        ({}, "detected"),
    ],
)
def test_action_and_detection_of_a_match(item, action):
    """`detected` counts where nothing was done; old answers lack it."""
    entity = {"type": "EMAIL", "match": "x"} | item
    policy = {"sensitiveInformationPolicy": {"piiEntities": [entity]}}

    facts = read_answer(
        make_converse(trace={"guardrail": {"inputAssessment": {"g": policy}}})
    )

    assert facts.guardrail_action == action
    assert facts.guardrail_policies == (() if action == "none" else ("pii:EMAIL",))


def test_a_stop_by_guardrail_without_a_trace_is_a_block():
    """The stop reason alone says that it was blocked, not on which side."""
    facts = read_answer(make_converse(stop="guardrail_intervened"))

    assert facts.guardrail_action == "blocked"
    assert facts.guardrail_side is None


@pytest.mark.parametrize(
    "text", ["Sorry, I cannot answer that.", "blocked by guardrail"]
)
def test_the_wording_says_nothing(text):
    """An answer that reads like a block is an answer."""
    facts = read_answer(make_converse({"text": text}))

    assert facts.guardrail_action is None


def test_reads_apply_guardrail():
    """The stand-alone API gives the same findings."""
    facts = read_answer(
        {"action": "GUARDRAIL_INTERVENED", "assessments": [ASSESSMENT], "outputs": []}
    )

    assert facts.guardrail_action == "blocked"
    assert facts.guardrail_policies == POLICIES


ANTHROPIC = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-x",
    "stop_reason": "tool_use",
    "content": [
        {"type": "thinking", "thinking": "hmm"},
        {"type": "text", "text": "Use ", "citations": [{"url": "https://x/acm"}]},
        {"type": "text", "text": "ACM."},
        {"type": "tool_use", "id": "t1", "name": "jira", "input": {}},
        {"type": "server_tool_use", "id": "t2", "name": "web_search", "input": {}},
        {
            "type": "web_search_tool_result",
            "tool_use_id": "t2",
            "content": {"type": "web_search_tool_result_error", "error_code": "x"},
        },
    ],
    "usage": {
        "input_tokens": 10,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 20,
        "output_tokens": 5,
    },
}


@pytest.mark.parametrize(
    "response",
    [
        ANTHROPIC,
        json.dumps(ANTHROPIC),
        json.dumps(ANTHROPIC).encode(),
        SimpleNamespace(model_dump=lambda: ANTHROPIC),
        {"body": json.dumps(ANTHROPIC).encode(), "contentType": "application/json"},
    ],
    ids=["dict", "text", "bytes", "object", "invoke_model"],
)
def test_reads_anthropic(response):
    """A message is read in every form, by itself or as InvokeModel's body."""
    facts = read_answer(response)

    assert facts.text == "Use ACM."
    assert facts.model == "claude-x"
    assert facts.stop_reason == "tool_use"
    assert (facts.input_tokens, facts.output_tokens) == (130, 5)
    assert facts.cache_read_tokens == 100
    assert facts.sources == ({"uri": "https://x/acm"},)
    assert facts.tools == (
        {"name": "jira", "status": "ok"},
        {"name": "web_search", "status": "error"},
    )
    assert facts.request_id == "msg_1"


def test_reads_an_openai_chat():
    """Cached tokens are part of the prompt's count already."""
    facts = read_answer(
        {
            "id": "c1",
            "object": "chat.completion",
            "model": "gpt-x",
            "choices": [
                {
                    "finish_reason": "tool_calls",
                    "message": {
                        "content": "Checking.",
                        "tool_calls": [{"id": "1", "function": {"name": "f"}}],
                        "annotations": [
                            {
                                "type": "url_citation",
                                "url_citation": {"url": "https://x", "title": "X"},
                            }
                        ],
                    },
                }
            ],
            "usage": {
                "prompt_tokens": 110,
                "completion_tokens": 5,
                "prompt_tokens_details": {"cached_tokens": 100},
            },
        }
    )

    assert facts.text == "Checking."
    assert facts.stop_reason == "tool_calls"
    assert (facts.input_tokens, facts.cache_read_tokens) == (110, 100)
    assert facts.tools == ({"name": "f", "status": "ok"},)
    assert facts.sources == ({"uri": "https://x", "title": "X"},)


def make_openai_response(**changes):
    return {
        "id": "resp_1",
        "object": "response",
        "status": "completed",
        "model": "gpt-x",
        "output": [
            {"type": "web_search_call", "status": "failed"},
            {"type": "function_call", "name": "f", "status": "completed"},
            {
                "type": "message",
                "content": [
                    {
                        "type": "output_text",
                        "text": "Use ACM.",
                        "annotations": [{"type": "url_citation", "url": "https://x"}],
                    }
                ],
            },
        ],
        "usage": {
            "input_tokens": 110,
            "output_tokens": 5,
            "input_tokens_details": {"cached_tokens": 100},
        },
    } | changes


def test_reads_openai_responses():
    """Items, hosted tools and annotations of the responses API."""
    facts = read_answer(make_openai_response())

    assert facts.text == "Use ACM."
    assert facts.is_complete
    assert facts.tools == (
        {"name": "web_search", "status": "error"},
        {"name": "f", "status": "ok"},
    )
    assert facts.sources == ({"uri": "https://x"},)
    assert (facts.input_tokens, facts.cache_read_tokens) == (110, 100)


def test_an_incomplete_response_says_why():
    """The reason takes the place of a stop reason."""
    facts = read_answer(
        make_openai_response(
            status="incomplete", incomplete_details={"reason": "max_output_tokens"}
        )
    )

    assert facts.stop_reason == "max_output_tokens"
    assert not facts.is_complete


LOCATIONS = [
    ("s3Location", {"uri": "s3://kb/a.pdf"}, "s3://kb/a.pdf"),
    (
        "confluenceLocation",
        {"url": "https://c.example.com/a"},
        "https://c.example.com/a",
    ),
    (
        "sharePointLocation",
        {"url": "https://s.example.com/a"},
        "https://s.example.com/a",
    ),
    ("webLocation", {"url": "https://w.example.com/a"}, "https://w.example.com/a"),
    (
        "salesforceLocation",
        {"url": "https://f.example.com/a"},
        "https://f.example.com/a",
    ),
    (
        "kendraDocumentLocation",
        {"uri": "https://k.example.com/a"},
        "https://k.example.com/a",
    ),
    ("sqlLocation", {"query": "SELECT 1"}, "SELECT 1"),
    ("customDocumentLocation", {"id": "doc-7"}, "doc-7"),
    (
        "googleDriveLocation",
        {"url": "https://g.example.com/a"},
        "https://g.example.com/a",
    ),
    ("oneDriveLocation", {"url": "https://o.example.com/a"}, "https://o.example.com/a"),
    ("moonLocation", {"url": "https://m.example.com/a"}, "unknown"),
]


@pytest.mark.parametrize(
    ("member", "location", "uri"),
    [pytest.param(*each, id=f"G7-{each[0]}") for each in LOCATIONS],
)
def test_g7_every_location_names_its_document(member, location, uri):
    """Ten kinds of location, and `unknown` for the next one."""
    found = {"location": {"type": "X", member: location}, "score": 0.5}

    facts = read_answer({"retrievalResults": [found]})

    assert facts.sources == ({"uri": uri, "score": 0.5},)


def test_an_unknown_location_may_have_metadata():
    """Bedrock writes source and title beside each chunk."""
    metadata = {"x-amz-bedrock-kb-source-uri": "s3://kb/b.pdf", "title": "B"}

    facts = read_answer({"retrievalResults": [{"metadata": metadata}]})

    assert facts.sources == ({"uri": "s3://kb/b.pdf", "title": "B"},)


@pytest.mark.parametrize(
    ("action", "expected"), [("INTERVENED", "blocked"), ("NONE", "none"), (None, None)]
)
def test_g6_reads_retrieve_and_generate(action, expected):
    """Answer, sources and the guardrail's word."""
    reference = {"location": {"s3Location": {"uri": "s3://kb/a.pdf"}}}
    body = {
        "output": {"text": "Use ACM."},
        "citations": [{"retrievedReferences": [reference, reference]}],
        "sessionId": "s1",
    }
    if action:
        body["guardrailAction"] = action

    facts = read_answer(body)

    assert facts.text == "Use ACM."
    assert facts.sources == ({"uri": "s3://kb/a.pdf"},)
    assert facts.guardrail_action == expected


@pytest.mark.parametrize(
    ("body", "text", "stop", "tokens"),
    [
        pytest.param(
            {
                "inputTextTokenCount": 3,
                "results": [
                    {"outputText": "hi", "completionReason": "FINISH", "tokenCount": 2}
                ],
            },
            "hi",
            "FINISH",
            (3, 2),
            id="titan",
        ),
        pytest.param(
            {
                "generation": "hi",
                "stop_reason": "stop",
                "prompt_token_count": 3,
                "generation_token_count": 2,
            },
            "hi",
            "stop",
            (3, 2),
            id="llama",
        ),
        pytest.param(
            {"outputs": [{"text": "hi", "stop_reason": "stop"}]},
            "hi",
            "stop",
            (None, None),
            id="mistral",
        ),
        pytest.param(
            {"generations": [{"text": "hi", "finish_reason": "COMPLETE"}]},
            "hi",
            "COMPLETE",
            (None, None),
            id="cohere",
        ),
        pytest.param(
            {"text": "hi", "finish_reason": "COMPLETE"},
            "hi",
            "COMPLETE",
            (None, None),
            id="command-r",
        ),
        pytest.param(
            {"completion": "hi", "stop_reason": "stop_sequence"},
            "hi",
            "stop_sequence",
            (None, None),
            id="claude-2",
        ),
        pytest.param(
            {"choices": [{"text": "hi", "stop_reason": "stop"}]},
            "hi",
            "stop",
            (None, None),
            id="deepseek",
        ),
        pytest.param(
            {
                "output": {"message": {"content": [{"text": "hi"}]}},
                "stopReason": "end_turn",
                "usage": {"inputTokens": 3, "outputTokens": 2},
            },
            "hi",
            "end_turn",
            (3, 2),
            id="nova",
        ),
    ],
)
def test_reads_the_bodies_of_model_families(body, text, stop, tokens):
    """InvokeModel's bodies differ by family."""
    facts = read_answer({"body": json.dumps(body).encode()})

    assert (facts.text, facts.stop_reason) == (text, stop)
    assert (facts.input_tokens, facts.output_tokens) == tokens


def test_reads_the_guardrail_in_a_models_body():
    """Bedrock adds its own members to every family's body."""
    body = ANTHROPIC | {
        "amazon-bedrock-guardrailAction": "INTERVENED",
        "amazon-bedrock-trace": {"guardrail": {"input": {"g1": ASSESSMENT}}},
    }

    facts = read_answer(body)

    assert (facts.guardrail_action, facts.guardrail_side) == ("blocked", "input")
    assert facts.text == "Use ACM."


def test_a_body_that_is_a_stream_is_left_to_the_bot():
    """Tokens come from the headers; the body is not read."""
    headers = {
        "x-amzn-bedrock-input-token-count": "10",
        "x-amzn-bedrock-cache-read-input-token-count": "5",
        "x-amzn-bedrock-output-token-count": "7",
    }
    stream = SimpleNamespace(read=lambda: pytest.fail("read"))

    facts = read_answer(
        {
            "ResponseMetadata": {"RequestId": "r1", "HTTPHeaders": headers},
            "body": stream,
        }
    )

    assert (facts.input_tokens, facts.output_tokens) == (15, 7)
    assert facts.request_id == "r1"


def test_reads_a_strands_result():
    """Sums over all calls, measured tools, and the last message."""
    tool = SimpleNamespace(
        call_count=2, success_count=1, error_count=1, total_time=0.25
    )
    result = SimpleNamespace(
        stop_reason="end_turn",
        message={"role": "assistant", "content": [{"text": "Use ACM."}]},
        metrics=SimpleNamespace(
            accumulated_usage={
                "inputTokens": 10,
                "outputTokens": 5,
                "totalTokens": 15,
                "cacheReadInputTokens": 3,
            },
            tool_metrics={"jira": tool},
        ),
        state={},
    )

    facts = read_answer(result)

    assert facts.text == "Use ACM."
    assert facts.stop_reason == "end_turn"
    assert (facts.input_tokens, facts.cache_read_tokens) == (13, 3)
    assert facts.tools == ({"name": "jira", "status": "error", "ms": 250},)


def make_client_error():
    error = RuntimeError("Bob's secret")
    error.response = {"Error": {"Code": "ThrottlingException", "Message": "secret"}}
    return error


@pytest.mark.parametrize(
    ("response", "error_type"),
    [
        (make_client_error(), "ThrottlingException"),
        (ValueError("secret"), "ValueError"),
        (
            {
                "type": "error",
                "error": {"type": "overloaded_error", "message": "secret"},
            },
            "overloaded_error",
        ),
        ({"error": {"code": "rate_limit_exceeded"}}, "rate_limit_exceeded"),
    ],
)
def test_errors_give_their_kind_and_never_their_message(response, error_type):
    """Messages carry content."""
    facts = read_answer(response)

    assert facts.error_type == error_type
    assert not facts.is_complete
    assert "secret" not in repr(facts)


class Trap:
    def __getattribute__(self, name):
        raise RuntimeError(name)


@pytest.mark.parametrize(
    "make",
    [
        lambda: None,
        lambda: 7,
        list,
        dict,
        object,
        Trap,
        lambda: {"output": {"message": Trap()}},
        lambda: {"choices": [{"message": Trap()}]},
        lambda: {"usage": {"inputTokens": "x"}, "output": {"message": {"x": 1}}},
    ],
    ids=["none", "int", "list", "dict", "object", "trap", "inside", "choice", "types"],
)
def test_what_nobody_knows_gives_empty_facts(make):
    """Any object gives facts."""
    assert read_answer(make()).text == ""


def test_a_plain_text_is_the_answer():
    """Text that is JSON by accident is text as well."""
    assert read_answer("Use ACM.").text == "Use ACM."
    assert read_answer('{"a": 1}').text == '{"a": 1}'


def test_a_detection_by_score_is_told():
    """Old answers give score and threshold without action or `detected`."""
    filters = [
        {"type": "GROUNDING", "threshold": 0.7, "score": 0.2},
        {"type": "RELEVANCE", "threshold": 0.7, "score": 0.9},
    ]
    policy = {"contextualGroundingPolicy": {"filters": filters}}

    facts = read_answer(
        make_converse(trace={"guardrail": {"outputAssessments": {"g": [policy]}}})
    )

    assert facts.guardrail_policies == ("grounding:GROUNDING",)
    assert facts.guardrail_action == "detected"


def test_a_trace_without_findings_is_none():
    """A guardrail that found nothing has reported all the same."""
    facts = read_answer(make_converse(trace={"guardrail": {"inputAssessment": {}}}))

    assert facts.guardrail_action == "none"
    assert facts.guardrail_side is None


def test_nested_assessments_end():
    """A trace that contains itself is read to a bounded depth."""
    cycle = {}
    cycle["g"] = cycle

    facts = read_answer(make_converse(trace={"guardrail": {"inputAssessment": cycle}}))

    assert facts.guardrail_action == "none"


def test_reads_a_chat_with_parts_and_a_refusal():
    """Content may be a list, or a refusal beside it."""
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    as_parts = {"choices": [{"message": {"content": parts}}]}
    refused = {"choices": [{"message": {"content": None, "refusal": "no"}}]}

    assert read_answer(as_parts).text == "a\nb"
    assert read_answer(refused).text == "no"


def test_an_answer_wrapped_once_is_opened():
    """Some bots keep the parsed body inside the response."""
    assert read_answer({"body": ANTHROPIC}).text == "Use ACM."


def test_a_measured_tool_may_lack_its_time():
    """A tool without a finite time has no `ms`."""
    result = SimpleNamespace(
        stop_reason="guardrail_intervened",
        message={"content": []},
        metrics=SimpleNamespace(
            accumulated_usage={}, tool_metrics={"jira": {"total_time": float("nan")}}
        ),
    )

    facts = read_answer(result)

    assert facts.tools == ({"name": "jira", "status": "ok"},)
    assert facts.guardrail_action == "blocked"
