"""Rules of `emitter.answers` and `emitter.outcome`: how several answers end."""

from __future__ import annotations

import pytest
from botocore.exceptions import EventStreamError

from emitter import AuditEmitter
from emitter.answers import add_up
from emitter.conversation import AnswerFacts
from emitter.outcome import outcome_of
from emitter.testing import MemorySink, assert_valid

PART = {"chunk": {"bytes": b"Part"}}
FAILED = {"throttlingException": {"message": "canary"}}
CONTROL = {
    "returnControl": {
        "invocationId": "i",
        "invocationInputs": [
            {"functionInvocationInput": {"actionGroup": "g", "function": "find"}}
        ],
    }
}
DELTA = {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Part"}}}
WHOLE = [DELTA, {"messageStop": {"stopReason": "end_turn"}}]
ANTHROPIC = [
    {"type": "message_start", "message": {"id": "m1"}},
    {"type": "content_block_delta", "index": 0, "delta": {"text": "Part"}},
    {"type": "error", "error": {"type": "overloaded_error", "message": "canary"}},
]
RESPONSES = [
    {
        "type": "response.output_text.delta",
        "output_index": 0,
        "content_index": 0,
        "delta": "Part",
    },
    {
        "type": "response.failed",
        "response": {
            "status": "failed",
            "error": {"code": "server_error", "message": "canary"},
            "output": [],
        },
    },
]
CHAT = [
    {"choices": [{"delta": {"content": "Part"}}]},
    {"error": {"code": "rate_limit", "message": "canary"}},
]
BROKEN = {
    "agent": ([PART, FAILED], "throttlingException"),
    "converse": ([DELTA, FAILED], "throttlingException"),
    "retrieval": ([{"output": {"text": "Part"}}, FAILED], "throttlingException"),
    "anthropic": (ANTHROPIC, "overloaded_error"),
    "responses": (RESPONSES, "server_error"),
    "chat": (CHAT, "rate_limit"),
}


@pytest.fixture
def sink():
    return MemorySink()


@pytest.fixture
def audit(sink):
    return AuditEmitter("VeraSlack", sinks=[sink])


def record_of(sink):
    """Return the only record, which is valid and says nothing it should not."""
    (record,) = sink.records
    assert_valid(record)
    assert b"canary" not in sink.entries[0].line
    return record


@pytest.mark.parametrize("way", ["consume", "model_response"])
@pytest.mark.parametrize(
    ("events", "error_type"), [pytest.param(*v, id=k) for k, v in BROKEN.items()]
)
def test_g5_an_answer_that_breaks_off_is_an_error(audit, sink, events, error_type, way):
    """What arrived is kept, and the service's own word names the error."""
    with audit.question(text="Hi") as q:
        if way == "consume":
            list(q.consume(iter(events)))
        else:
            q.model_response(events)

    record = record_of(sink)
    assert (record["outcome"], record["error_type"]) == ("error", error_type)
    assert record["response"] == "Part"


def break_off():
    """Raise as botocore does where the service sends an exception member."""
    yield DELTA
    answer = {"Error": {"Code": "modelStreamErrorException", "Message": "canary"}}
    raise EventStreamError(answer, "ConverseStream")


def test_g5_an_error_that_the_bot_caught_is_one(audit, sink):
    """The bot carries on, but nobody was answered."""
    with audit.question(text="Hi") as q, pytest.raises(EventStreamError):
        list(q.consume(break_off()))

    record = record_of(sink)
    assert record["outcome"] == "error"
    assert record["error_type"] == "modelStreamErrorException"
    assert record["response"] == "Part"


def test_a_stream_that_broke_and_was_asked_again_is_answered(audit, sink):
    """The last answer decides; the error is told all the same."""
    with audit.question(text="Hi") as q:
        with pytest.raises(EventStreamError):
            list(q.consume(break_off()))
        list(q.consume(iter(WHOLE)))

    record = record_of(sink)
    assert record["outcome"] == "answered"
    assert record["error_type"] == "modelStreamErrorException"
    assert record["llm_calls"] == 2


def test_a_stream_that_was_left_for_another_is_answered(audit, sink):
    """One that the bot still holds counts where it began, not where it is told."""
    with audit.question(text="Hi") as q:
        left = q.consume(iter(WHOLE))
        next(left)
        list(q.consume(iter(WHOLE)))

    record = record_of(sink)
    assert record["outcome"] == "answered"
    assert record["llm_calls"] == 2


def test_g3_control_returned_and_nothing_else_is_partial(audit, sink):
    """Nobody was answered yet."""
    with audit.question(text="Hi") as q:
        list(q.consume(iter([CONTROL])))

    record = record_of(sink)
    assert (record["outcome"], record["response"]) == ("partial", "")
    assert record["tools"] == [{"name": "find", "status": "returned"}]


def test_g3_control_returned_and_an_answer_is_answered(audit, sink):
    """The bot has run the tool and asked the agent again."""
    with audit.question(text="Hi") as q:
        list(q.consume(iter([CONTROL])))
        list(q.consume(iter([PART])))

    record = record_of(sink)
    assert (record["outcome"], record["response"]) == ("answered", "Part")
    assert record["tools"] == [{"name": "find", "status": "returned"}]


def test_g6_a_guardrail_that_intervened_needs_no_citations(audit, sink):
    """RetrieveAndGenerate leaves them out where it answers with the canned text."""
    answer = {
        "output": {"text": "Sorry"},
        "guardrailAction": "INTERVENED",
        "sessionId": "s",
    }

    with audit.question(text="Hi") as q:
        q.model_response(answer)

    record = record_of(sink)
    assert (record["outcome"], record["response"]) == ("blocked", "Sorry")
    assert record["guardrail_action"] == "blocked"


LAST = {
    "answer": (AnswerFacts(text="x"), True),
    "tool": (AnswerFacts(tools=({"name": "f", "status": "ok"},)), True),
    "stop": (AnswerFacts(stop_reason="end_turn"), True),
    "embedding": (AnswerFacts(input_tokens=3), False),
    "retrieval": (AnswerFacts(sources=({"uri": "u"},), llm_calls=0), False),
    "refused": (AnswerFacts(error_type="AccessDeniedException"), False),
}


@pytest.mark.parametrize(
    ("last", "is_complete"), [pytest.param(*v, id=k) for k, v in LAST.items()]
)
@pytest.mark.parametrize("error_type", [None, "throttlingException"])
def test_only_an_answer_makes_good_what_was_broken(last, is_complete, error_type):
    """A call that says nothing leaves the end as it was."""
    broken = AnswerFacts(text="a", is_complete=False, error_type=error_type)

    total = add_up([broken, last])

    assert total.is_complete is is_complete
    assert total.has_failed is (error_type is not None and not is_complete)


@pytest.mark.parametrize("name", ["CancelledError", "GeneratorExit"])
def test_a_stream_that_its_reader_left_has_not_failed(name):
    """It was cut short by the bot itself."""
    total = add_up([AnswerFacts(text="a", is_complete=False, error_type=name)])

    assert not total.has_failed
    assert not total.is_complete


@pytest.mark.parametrize(
    ("stop_reason", "outcome"),
    [
        ("LENGTH", "partial"),
        ("MAX_TOKENS", "partial"),
        ("max_tokens", "partial"),
        ("ERROR_LIMIT", "partial"),
        ("CONTENT_FILTERED", "blocked"),
        ("Content_Filter", "blocked"),
        ("ERROR_TOXIC", "blocked"),
        ("COMPLETE", "answered"),
        ("FINISH", "answered"),
        (None, "answered"),
    ],
)
def test_stop_reasons_count_in_any_case(stop_reason, outcome):
    """Titan and Cohere write theirs in capitals."""
    found = outcome_of(None, stop_reason, None, "x", is_complete=True)

    assert found == outcome


def test_a_failure_comes_before_a_block():
    """As with an exception that left the block."""
    found = outcome_of(None, None, "blocked", "", is_complete=False, has_failed=True)

    assert found == "error"


def test_calls_are_added_up():
    """An agent counts its models' calls; retrieving counts none."""
    answers = [AnswerFacts(llm_calls=3), AnswerFacts(llm_calls=0), AnswerFacts()]

    assert add_up(answers).fields["llm_calls"] == 4


CUT = AnswerFacts(text="a", stop_reason="max_tokens")


@pytest.mark.parametrize(
    ("last", "stop_reason"),
    [
        (AnswerFacts(text="b", stop_reason="end_turn"), "end_turn"),
        (AnswerFacts(text="b"), None),
        (AnswerFacts(text="a"), "max_tokens"),
        (AnswerFacts(input_tokens=3), "max_tokens"),
    ],
)
def test_the_stop_reason_is_that_of_the_last_text(last, stop_reason):
    """A text that was cut short may be told again without its stop reason."""
    total = add_up([CUT, last])

    assert total.stop_reason == stop_reason
    assert total.fields.get("stop_reason") == stop_reason
