"""Rules of `emitter.bedrock`: what hooks note, on botocore's own event system."""

from __future__ import annotations

import io
import json
import logging
from types import SimpleNamespace

import pytest
from botocore.exceptions import (
    EndpointConnectionError,
    EventStreamError,
    ReadTimeoutError,
)
from botocore.hooks import HierarchicalEmitter
from botocore.response import StreamingBody
from urllib3.exceptions import ReadTimeoutError as ConnectionTimeoutError

from emitter.answers import WatchedCall, add_up
from emitter.bedrock import watch
from emitter.bedrock_calls import Call, Operation
from emitter.conversation import AnswerFacts, read_answer
from emitter.question import current_question

EMITTER = SimpleNamespace(bot_name="VeraSlack")
MODEL = "example.model-v1"
METADATA = {"RequestId": "r1", "HTTPHeaders": {}}
ANSWER = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Hello"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 10, "outputTokens": 2},
    "ResponseMetadata": METADATA,
}


class Trap(dict):
    """A dictionary that raises where anything is read from it."""

    def get(self, *args):
        raise RuntimeError("canary")

    __getitem__ = get


def make_client(service="bedrock-runtime", events=None):
    """Return what `watch` needs of a client."""
    named = SimpleNamespace(hyphenize=lambda: service)
    model = SimpleNamespace(service_id=named)
    events = events or HierarchicalEmitter()
    return SimpleNamespace(meta=SimpleNamespace(events=events, service_model=model))


class Calls:
    """Emits what botocore emits in a call, in its order."""

    def __init__(self, service="bedrock-runtime"):
        self.client = make_client(service)
        self.events = self.client.meta.events
        self.is_watched = watch(EMITTER, self.client)
        self._service = service

    def begin(self, operation, params):
        context = {}
        end = f"{self._service}.{operation}"
        model = SimpleNamespace(name=operation)
        self.events.emit(
            f"before-parameter-build.{end}",
            params=params,
            model=model,
            context=context,
        )
        self.events.emit_until_response(
            f"before-call.{end}",
            model=model,
            params={},
            request_signer=None,
            context=context,
        )
        return end, model, context

    def make(self, operation, params, parsed, status=200):
        end, model, context = self.begin(operation, params)
        self.events.emit(
            f"after-call.{end}",
            http_response=SimpleNamespace(status_code=status),
            parsed=parsed,
            model=model,
            context=context,
        )
        return parsed

    def fail(self, operation, params, error):
        end, _, context = self.begin(operation, params)
        self.events.emit(f"after-call-error.{end}", exception=error, context=context)


class FakeQuestion:
    """Takes answers as a question does."""

    def __init__(self):
        self.answers = []

    def model_response(self, answer):
        self.answers.append(answer)

    @property
    def facts(self):
        """Return what the only call says."""
        (call,) = self.answers
        return call.settle()

    @property
    def total(self):
        """Return the sum of what was seen and what was handed over."""
        return add_up(
            each if isinstance(each, AnswerFacts) else read_answer(each)
            for each in self.answers
        )


@pytest.fixture
def question(monkeypatch):
    """Be inside a question."""
    asked = FakeQuestion()
    monkeypatch.setattr("emitter.bedrock.current_question", lambda: asked)
    return asked


def streaming_body(data):
    return StreamingBody(io.BytesIO(data), len(data))


def test_outside_of_a_question_nothing_is_kept():
    """A call outside of a question leaves no trace in botocore's context."""
    assert current_question() is None

    _, _, context = Calls().begin("Converse", {"modelId": MODEL})

    assert context == {}


@pytest.mark.parametrize(
    "client",
    [
        pytest.param(None, id="none"),
        pytest.param(SimpleNamespace(meta=None), id="no-meta"),
        pytest.param(make_client("s3"), id="other-service"),
        pytest.param(make_client(events=object()), id="no-events"),
    ],
)
def test_what_cannot_be_watched_is_told_and_not_raised(client, caplog):
    """Anything but a client of Bedrock's runtimes gives a log line."""
    with caplog.at_level(logging.WARNING, "emitter"):
        is_watched = watch(EMITTER, client)

    assert not is_watched
    assert [r.message.split(":")[1] for r in caplog.records] == [
        " VeraSlack cannot watch a client"
    ]


def test_other_operations_are_not_noted(question):
    """An operation that asks no model, retriever or guardrail is no call."""
    Calls().make("CountTokens", {"modelId": MODEL}, {"inputTokens": 3})

    assert question.answers == []


def test_a_call_under_way_has_its_model(question):
    """Before the answer comes, model and call count are known: a question may end."""
    Calls().begin("Converse", {"modelId": MODEL})

    assert question.facts.model == MODEL
    assert question.facts.llm_calls == 1
    assert question.facts.is_complete


def test_facts_can_be_asked_again(question):
    """A stream that goes on after it was asked is told in full later."""
    calls = Calls()
    events = [
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Hi"}}},
        {"messageStop": {"stopReason": "end_turn"}},
    ]
    parsed = calls.make("ConverseStream", {"modelId": MODEL}, {"stream": iter(events)})
    next(iter(parsed["stream"]))

    before = question.facts
    list(parsed["stream"])

    assert not before.is_complete
    assert question.facts.is_complete
    assert question.facts.text == "Hi"


def test_the_answer_is_taken_as_it_came(question):
    """What the bot does to the response afterwards changes nothing."""
    answer = Calls().make("Converse", {"modelId": MODEL}, dict(ANSWER))

    answer.clear()

    assert question.facts.text == "Hello"
    assert question.facts.request_id == "r1"


def test_parameters_count_as_they_were_sent(question):
    """A hook of the bot that changes the model is heard, whenever registered."""
    calls = Calls()

    def change(params, **_):
        params["modelId"] = "changed"

    calls.events.register_last("before-parameter-build.bedrock-runtime", change)
    calls.events.register("before-parameter-build.bedrock-runtime", change)
    calls.make("Converse", {"modelId": MODEL}, dict(ANSWER))

    assert question.facts.model == "changed"


def test_a_call_that_a_hook_answers_is_noted(question):
    """A bot's stub that answers in `before-call` does not hide the call."""
    calls = Calls()
    calls.events.register("before-call", lambda **_: (None, {}))

    calls.make("Converse", {"modelId": MODEL}, dict(ANSWER))

    assert question.facts.text == "Hello"


@pytest.mark.parametrize("service", ["bedrock-runtime", "bedrock-agent-runtime"])
def test_hooks_never_raise(question, service, caplog):
    """Whatever botocore hands over, the bot's call goes on, and no content is told."""
    calls = Calls(service)

    for name in ("Converse", "ConverseStream", "InvokeModel", "InvokeFlow"):
        for bad in (None, Trap(), [], "text", {"stream": Trap(), "body": Trap()}):
            calls.make(name, {"modelId": MODEL}, bad)
            calls.make(name, bad, bad, status=500)
            calls.fail(name, bad, RuntimeError("canary"))

    assert all(isinstance(each, WatchedCall) for each in question.answers)
    assert all(each.settle().text == "" for each in question.answers)
    assert "canary" not in caplog.text


@pytest.mark.parametrize(
    ("operation", "params", "model"),
    [
        pytest.param("InvokeModel", {"modelId": "m"}, "m", id="model"),
        pytest.param("InvokeInlineAgent", {"foundationModel": "m"}, "m", id="inline"),
        pytest.param("InvokeAgent", {"agentId": "A"}, None, id="agent"),
        pytest.param(
            "RetrieveAndGenerate",
            {
                "retrieveAndGenerateConfiguration": {
                    "externalSourcesConfiguration": {"modelArn": "m"}
                }
            },
            "m",
            id="external-sources",
        ),
        pytest.param("Retrieve", {"knowledgeBaseId": "K"}, None, id="retrieve"),
    ],
)
def test_the_requested_model_is_named(question, operation, params, model):
    """Each operation names its model in its own place, or not at all."""
    Calls("bedrock-agent-runtime").begin(operation, params)

    assert question.facts.model == model


def test_a_refusal_without_a_code_is_still_one(question):
    """A refusal whose body says nothing is told as an error."""
    Calls().make("Converse", {"modelId": MODEL}, {}, status=500)

    assert question.facts.error_type == "error"


def test_a_failure_is_named_by_its_class(question):
    """What kept a call from an answer has the name of its class."""
    error = EndpointConnectionError(endpoint_url="http://example.com")

    Calls().fail("Converse", {"modelId": MODEL}, error)

    assert question.facts.error_type == "EndpointConnectionError"


def test_a_guardrail_judges_the_side_it_was_asked_for(question):
    """ApplyGuardrail's answer does not name its side; the request does."""
    parsed = {
        "action": "GUARDRAIL_INTERVENED",
        "assessments": [
            {"topicPolicy": {"topics": [{"name": "Pay", "action": "BLOCKED"}]}}
        ],
    }

    Calls().make("ApplyGuardrail", {"source": "OUTPUT"}, parsed)

    assert question.facts.guardrail_side == "output"
    assert question.facts.guardrail_action == "blocked"
    assert question.facts.llm_calls == 0


def test_a_stand_in_for_a_stream_stays_a_list(question):
    """Events that a bot's stub gives as a list are read and left as they are."""
    events = [
        {"output": {"text": "25 "}},
        {"output": {"text": "days"}},
        {"guardrail": {"action": "NONE"}},
    ]

    parsed = Calls("bedrock-agent-runtime").make(
        "RetrieveAndGenerateStream", {}, {"stream": events}
    )

    assert parsed["stream"] is events
    assert question.facts.text == "25 days"
    assert question.facts.llm_calls == 1


def test_the_rest_of_a_stream_is_the_originals(question):
    """Closing and everything else reaches botocore's own stream."""

    class Stream:
        closed_count = 0

        def __iter__(self):
            return iter([{"chunk": {"bytes": b"Hi"}}])

        def close(self):
            self.closed_count += 1

    stream = Stream()
    parsed = Calls("bedrock-agent-runtime").make(
        "InvokeAgent", {}, {"completion": stream}
    )
    watched = parsed["completion"]

    assert list(watched) == [{"chunk": {"bytes": b"Hi"}}]
    watched.close()
    assert stream.closed_count == 1
    assert question.facts.text == "Hi"


def test_a_long_stream_is_understood_as_it_goes(question):
    """Of 2,500 events none is lost, and what the bot takes out of one is kept."""
    events = [
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": f"{n} "}}}
        for n in range(2_500)
    ]
    parsed = Calls().make(
        "ConverseStream", {"modelId": MODEL}, {"stream": iter(events)}
    )

    for event in parsed["stream"]:
        event.pop("contentBlockDelta")

    assert question.facts.text.split() == [str(n) for n in range(2_500)]


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(None, id="none"),
        pytest.param((1, 2, 3), id="tuple"),
        pytest.param(Trap(), id="trap"),
        pytest.param({"contentBlockDelta": None}, id="no-delta"),
        pytest.param({"contentBlockDelta": {"delta": "x"}}, id="delta-is-text"),
    ],
)
def test_an_event_that_cannot_be_read_reaches_the_bot(question, event):
    """An odd event is given through, and those around it still count."""
    text = {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Hi"}}}
    parsed = Calls().make(
        "ConverseStream", {"modelId": MODEL}, {"stream": iter([event, text])}
    )

    assert list(parsed["stream"]) == [event, text]
    assert question.facts.text == "Hi"


def test_a_tool_in_a_stream_is_kept(question):
    """Pieces of a stream that are no text are kept as they are."""
    call = {"toolUse": {"toolUseId": "t1", "name": "look_up"}}
    events = [
        {"contentBlockStart": {"contentBlockIndex": 0, "start": call}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"toolUse": {}}}},
        {"messageStop": {"stopReason": "tool_use"}},
    ]
    parsed = Calls().make(
        "ConverseStream", {"modelId": MODEL}, {"stream": iter(events)}
    )

    list(parsed["stream"])

    assert question.facts.tools == ({"name": "look_up", "status": "ok"},)
    assert question.facts.stop_reason == "tool_use"


def test_a_reader_that_fails_harms_nobody():
    """Events still reach the bot, and the call itself is still known."""

    class Failing:
        def feed(self, event):
            raise RuntimeError("canary")

        def facts(self, **_):
            raise RuntimeError("canary")

    call = Call(Operation(stream="stream", events=Failing), {"modelId": MODEL})
    parsed = {"stream": iter([{"a": 1}])}

    call.answered(parsed)

    assert list(parsed["stream"]) == [{"a": 1}]
    assert call.facts().model == MODEL


def test_a_stream_that_breaks_off_is_told(question):
    """What a stream raises reaches the bot, and the record names it."""

    def break_off():
        yield {"chunk": {"bytes": b"Hi"}}
        raise ReadTimeoutError(endpoint_url="http://example.com")

    parsed = Calls("bedrock-agent-runtime").make(
        "InvokeAgent", {}, {"completion": break_off()}
    )

    with pytest.raises(ReadTimeoutError):
        list(parsed["completion"])

    assert question.facts.text == "Hi"
    assert question.facts.error_type == "ReadTimeoutError"


def test_a_flow_counts_what_its_agents_asked(question):
    """Agents inside a flow bring their model calls, tokens and tools."""
    used = {"usage": {"inputTokens": 100, "outputTokens": 10}}
    step = {"modelInvocationOutput": {"metadata": used}}
    part = {"trace": {"orchestrationTrace": step}}
    trace = {"nodeDependencyTrace": {"traceElements": {"agentTraces": [part, part]}}}
    events = [
        {"flowTraceEvent": {"trace": trace}},
        {"flowOutputEvent": {"content": {"document": "25 days"}}},
        {"flowOutputEvent": {"content": {"document": {"a": 1}}}},
        {"flowCompletionEvent": {"completionReason": "SUCCESS"}},
    ]
    parsed = Calls("bedrock-agent-runtime").make(
        "InvokeFlow", {}, {"responseStream": iter(events)}
    )

    list(parsed["responseStream"])

    assert question.facts.text == "25 days"
    assert question.facts.llm_calls == 2
    assert question.facts.input_tokens == 200
    assert question.facts.is_complete


def test_a_flow_that_fails_names_the_exception(question):
    """An exception member of a flow's stream is its error."""
    events = [{"accessDeniedException": {"message": "canary"}}]
    parsed = Calls("bedrock-agent-runtime").make(
        "InvokeFlow", {}, {"responseStream": iter(events)}
    )

    list(parsed["responseStream"])

    assert question.facts.error_type == "accessDeniedException"
    assert not question.facts.is_complete


BODY = json.dumps({"results": [{"outputText": "Hello", "tokenCount": 2}]}).encode()


def read_into(body):
    buffer = bytearray(4_096)
    return bytes(buffer[: body.readinto(buffer)])


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(lambda body: body.read(), id="read"),
        pytest.param(read_into, id="readinto"),
        pytest.param(lambda body: b"".join(body.readlines()), id="readlines"),
        pytest.param(b"".join, id="chunks"),
        pytest.param(lambda body: b"".join(body.__enter__()), id="raw-lines"),
        pytest.param(lambda body: body.__enter__().read(4_096), id="raw-read"),
    ],
)
def test_a_body_is_read_along(question, read):
    """However a body is read, the bot gets its bytes and the audit its words."""
    body = streaming_body(BODY)
    parsed = Calls().make("InvokeModel", {"modelId": MODEL}, {"body": body})

    got = read(parsed["body"])

    assert parsed["body"] is body
    assert got == BODY
    assert question.facts.text == "Hello"
    assert question.facts.output_tokens == 2


def test_a_connections_own_stream_is_read_along(question):
    """urllib3's `stream`, reached under the body, is noted as well."""

    class Raw(io.BytesIO):
        def stream(self, size):
            return iter(lambda: self.read(size), b"")

    body = StreamingBody(Raw(BODY), len(BODY))
    Calls().make("InvokeModel", {"modelId": MODEL}, {"body": body})

    with body as raw:
        assert b"".join(raw.stream(7)) == BODY

    assert question.facts.text == "Hello"


def test_an_empty_body_says_nothing(question):
    """A body without a byte is whole, and so is its answer."""
    body = streaming_body(b"")
    Calls().make("InvokeModel", {"modelId": MODEL}, {"body": body})

    assert read_into(body) == b""
    assert question.facts.text == ""
    assert question.facts.is_complete


def test_half_a_body_is_no_answer(question):
    """A body that was read in part gives no text and is incomplete."""
    body = streaming_body(BODY)
    Calls().make("InvokeModel", {"modelId": MODEL}, {"body": body})

    body.read(5)

    assert question.facts.text == ""
    assert not question.facts.is_complete


def test_a_body_that_breaks_off_is_told(question):
    """What the connection raises reaches the bot, and the record names it."""

    class Broken(io.BytesIO):
        def read(self, size=-1):
            raise ConnectionTimeoutError(None, "http://example.com", "canary")

    body = StreamingBody(Broken(), 10)
    Calls().make("InvokeModel", {"modelId": MODEL}, {"body": body})

    with pytest.raises(ReadTimeoutError):
        body.read()

    assert question.facts.error_type == "ReadTimeoutError"
    assert not question.facts.is_complete


def test_a_huge_body_is_not_kept(question):
    """A body over 2 MiB, a picture perhaps, reaches the bot and is let go."""
    data = b'{"completion": "' + b"x" * 3_000_000 + b'"}'
    body = streaming_body(data)
    Calls().make("InvokeModel", {"modelId": MODEL}, {"body": body})

    assert b"".join(body.iter_chunks(65_536)) == data
    assert question.facts.text == ""
    assert question.facts.is_complete


def test_a_body_that_is_no_streaming_body_is_left_alone(question):
    """A stub's plain file is the bot's; it could be read only once."""
    body = io.BytesIO(BODY)

    parsed = Calls().make("InvokeModel", {"modelId": MODEL}, {"body": body})

    assert parsed["body"] is body
    assert body.read() == BODY
    assert question.facts.llm_calls == 1


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(ANSWER, id="response"),
        pytest.param({**ANSWER, "ResponseMetadata": {}}, id="without-request-id"),
        pytest.param("Hello", id="text"),
        pytest.param({}, id="nothing"),
    ],
)
@pytest.mark.parametrize("is_told_first", [True, False])
def test_an_answer_told_as_well_counts_once(question, told, is_told_first):
    """However the bot hands over an answer that was seen, before or after."""
    if is_told_first:
        question.model_response(told)
    Calls().make("Converse", {"modelId": MODEL}, dict(ANSWER))
    question.model_response(told)

    fields = question.total.fields
    assert fields["llm_calls"] == 1
    assert fields["input_tokens"] == 10


def test_an_answer_of_another_client_counts_by_itself(question):
    """The same words under another request id are another call."""
    Calls().make("Converse", {"modelId": MODEL}, dict(ANSWER))
    question.model_response({**ANSWER, "ResponseMetadata": {"RequestId": "r2"}})

    assert question.total.fields["llm_calls"] == 2


def test_calls_that_were_seen_are_never_taken_for_one(question):
    """Two calls count twice, even where a stub gives both the same id."""
    calls = Calls()
    calls.make("Converse", {"modelId": MODEL}, dict(ANSWER))
    calls.make("Converse", {"modelId": MODEL}, dict(ANSWER))

    assert question.total.fields["llm_calls"] == 2


def test_the_model_that_wrote_the_text_is_named(question):
    """A call without words, such as an embedding, does not take the model's place."""
    calls = Calls()
    body = {"body": streaming_body(b'{"embedding": [0.1]}')}
    calls.make("InvokeModel", {"modelId": "embed"}, dict(body))
    calls.make("Converse", {"modelId": MODEL}, dict(ANSWER))
    calls.make("InvokeModel", {"modelId": "embed"}, dict(body))

    assert question.total.fields["model_used"] == MODEL


def test_an_error_made_good_is_no_partial_answer(question):
    """After a refusal another model answered: complete, and the error is told."""
    calls = Calls()
    refusal = {"Error": {"Code": "ThrottlingException", "Message": "canary"}}
    calls.make("Converse", {"modelId": "first"}, refusal, status=429)
    calls.make("Converse", {"modelId": MODEL}, dict(ANSWER))

    total = question.total
    assert total.error_type == "ThrottlingException"
    assert total.is_complete
    assert total.fields["model_used"] == MODEL


BROKEN = {
    "ConverseStream": (
        "stream",
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Hi"}}},
    ),
    "InvokeAgent": ("completion", {"chunk": {"bytes": b"Hi"}}),
    "InvokeInlineAgent": ("completion", {"chunk": {"bytes": b"Hi"}}),
    "InvokeModelWithResponseStream": (
        "body",
        {"chunk": {"bytes": b'{"generation": "Hi", "stop_reason": null}'}},
    ),
    "RetrieveAndGenerateStream": ("stream", {"output": {"text": "Hi"}}),
    "InvokeFlow": (
        "responseStream",
        {"flowOutputEvent": {"content": {"document": "Hi"}}},
    ),
}


@pytest.mark.parametrize(
    ("operation", "member", "event"),
    [pytest.param(name, *each, id=name) for name, each in BROKEN.items()],
)
@pytest.mark.parametrize("is_raised", [True, False])
def test_g5_an_exception_member_is_a_failure(
    question, operation, member, event, is_raised
):
    """Raised by botocore or given as an event; handed over as well it counts once."""

    def break_off():
        yield event
        if is_raised:
            answer = {"Error": {"Code": "throttlingException", "Message": "canary"}}
            raise EventStreamError(answer, operation)
        yield {"throttlingException": {"message": "canary"}}

    parsed = Calls().make(operation, {}, {member: break_off()})
    try:
        list(parsed[member])
    except EventStreamError as error:
        question.model_response(error)

    total = question.total
    assert (total.text, total.error_type) == ("Hi", "throttlingException")
    assert total.has_failed
    assert total.fields["llm_calls"] == (operation != "InvokeFlow")
