"""`AuditEmitter.watch` on real boto3 clients against a loopback Bedrock."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError

from emitter import AuditEmitter
from emitter.testing import MemorySink, assert_valid
from tests.integration.bedrock_stub import (
    BedrockStub,
    reply_error,
    reply_events,
    reply_json,
)

MODEL = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
ASK = {"modelId": MODEL, "messages": [{"role": "user", "content": [{"text": "Hi"}]}]}
AGENT = {"agentId": "AGENT1", "agentAliasId": "ALIAS1", "sessionId": "session-1"}
KNOWLEDGE = {"knowledgeBaseId": "KB12345678", "retrievalQuery": {"text": "leave?"}}
DOCUMENT = {
    "content": {"text": "25 days"},
    "location": {"type": "S3", "s3Location": {"uri": "s3://docs/leave.pdf"}},
    "score": 0.9,
}


def converse_answer(text="Hello", tokens=10):
    """Return what Converse answers."""
    return {
        "output": {"message": {"role": "assistant", "content": [{"text": text}]}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": tokens, "outputTokens": 2, "totalTokens": tokens + 2},
        "metrics": {"latencyMs": 5},
    }


def echo(request):
    """Answer Converse with the question's own words, and as many tokens."""
    text = request["messages"][0]["content"][0]["text"]
    return reply_json(converse_answer(text, tokens=len(text)))


STREAM = (
    ("messageStart", {"role": "assistant"}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hel"}}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "lo"}}),
    ("contentBlockStop", {"contentBlockIndex": 0}),
    ("messageStop", {"stopReason": "end_turn"}),
    ("metadata", {"usage": {"inputTokens": 10, "outputTokens": 2, "totalTokens": 12}}),
)
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5",
    "content": [{"type": "text", "text": "Hello"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 10, "output_tokens": 2},
}


@pytest.fixture
def stub():
    """Answer on the loopback interface."""
    server = BedrockStub()
    yield server
    server.close()


@pytest.fixture
def clients(stub):
    """Make clients that talk to the stub, and close them."""
    made = []

    def make(service="bedrock-runtime", **settings):
        session = boto3.session.Session(
            aws_access_key_id="AKIAEXAMPLE",
            aws_secret_access_key="invented",
            region_name="eu-west-1",
        )
        settings.setdefault("retries", {"total_max_attempts": 1})
        made.append(
            session.client(service, endpoint_url=stub.url, config=Config(**settings))
        )
        return made[-1]

    yield make
    for client in made:
        client.close()


class Bot:
    """An emitter that keeps its records."""

    def __init__(self):
        self.sink = MemorySink()
        self.audit = AuditEmitter("VeraSlack", sinks=[self.sink])

    @property
    def record(self):
        """Return the only record, which is valid."""
        (record,) = self.sink.records
        assert_valid(record)
        return record


@pytest.fixture
def bot():
    return Bot()


def shown(record, *names):
    """Return some fields of a record."""
    return {name: record.get(name) for name in names}


def test_a_converse_call_is_added_to_its_question(stub, clients, bot):
    """Calls, tokens, model, stop reason and text of Converse need no other line."""
    stub.on("/converse", reply_json(converse_answer()))
    client = bot.audit.watch(clients())

    with bot.audit.question(text="Hi"):
        client.converse(**ASK)
        client.converse(**ASK)

    assert shown(bot.record, "llm_calls", "input_tokens", "output_tokens") == {
        "llm_calls": 2,
        "input_tokens": 20,
        "output_tokens": 4,
    }
    assert bot.record["model_used"] == MODEL
    assert bot.record["stop_reason"] == "end_turn"
    assert bot.record["response"] == "Hello"
    assert bot.record["outcome"] == "answered"


def test_the_model_that_a_router_chose_is_named(stub, clients, bot):
    """A prompt router's answer tells the model that answered."""
    routed = "arn:aws:bedrock:eu-west-1::foundation-model/example.small-v1"
    answer = converse_answer() | {"trace": {"promptRouter": {"invokedModelId": routed}}}
    stub.on("/converse", reply_json(answer))
    client = bot.audit.watch(clients())

    with bot.audit.question(text="Hi"):
        client.converse(**ASK)

    assert bot.record["model_used"] == routed


def test_tools_and_guardrails_come_from_the_answer(stub, clients, bot):
    """A tool that the model asks for and a guardrail's block are in the record."""
    answer = converse_answer() | {
        "stopReason": "guardrail_intervened",
        "trace": {
            "guardrail": {
                "inputAssessment": {
                    "gr1": {
                        "topicPolicy": {
                            "topics": [
                                {"name": "Pay", "type": "DENY", "action": "BLOCKED"}
                            ]
                        }
                    }
                }
            }
        },
    }
    call = {"toolUse": {"toolUseId": "t1", "name": "look_up", "input": {}}}
    answer["output"]["message"]["content"].append(call)
    stub.on("/converse", reply_json(answer))
    client = bot.audit.watch(clients())

    with bot.audit.question(text="Hi"):
        client.converse(**ASK)

    assert bot.record["tools"] == [{"name": "look_up", "status": "ok"}]
    assert bot.record["guardrail_action"] == "blocked"
    assert bot.record["guardrail_policies"] == ["topic:Pay"]
    assert bot.record["outcome"] == "blocked"


def test_a_stream_read_to_its_end_is_complete(stub, clients, bot):
    """The bot gets every event of ConverseStream once, and the record all facts."""
    stub.on("/converse-stream", reply_events(*STREAM))
    client = bot.audit.watch(clients())

    with bot.audit.question(text="Hi"):
        events = list(client.converse_stream(**ASK)["stream"])

    assert [next(iter(event)) for event in events] == [name for name, _ in STREAM]
    assert shown(bot.record, "llm_calls", "input_tokens", "response", "outcome") == {
        "llm_calls": 1,
        "input_tokens": 10,
        "response": "Hello",
        "outcome": "answered",
    }
    assert bot.record["model_used"] == MODEL


def test_a_stream_left_in_the_middle_is_partial(stub, clients, bot):
    """Of an aborted stream the record has what the bot had read."""
    stub.on("/converse-stream", reply_events(*STREAM))
    client = bot.audit.watch(clients())

    with bot.audit.question(text="Hi"):
        stream = client.converse_stream(**ASK)["stream"]
        for event in stream:
            if "contentBlockDelta" in event:
                break
        stream.close()

    assert shown(bot.record, "response", "outcome", "llm_calls") == {
        "response": "Hel",
        "outcome": "partial",
        "llm_calls": 1,
    }


def test_a_streams_exception_reaches_bot_and_record(stub, clients, bot):
    """An exception member is raised to the bot as ever, and names the error."""
    failure = ("throttlingException", {"message": "canary"})
    stub.on("/converse-stream", reply_events(*STREAM[:2], failure))
    client = bot.audit.watch(clients())

    with bot.audit.question(text="Hi"):
        stream = client.converse_stream(**ASK)["stream"]
        with pytest.raises(ClientError):
            list(stream)
        stream.close()

    assert shown(bot.record, "response", "outcome", "error_type") == {
        "response": "Hel",
        "outcome": "error",
        "error_type": "throttlingException",
    }
    assert "canary" not in json.dumps(dict(bot.record))


READS = {
    "whole": lambda body: body.read(),
    "pieces": lambda body: b"".join(iter(lambda: body.read(7), b"")),
    "chunks": lambda body: b"".join(body.iter_chunks(5)),
    "with": lambda body: contextlib.ExitStack().enter_context(body).read(),
    "lines": lambda body: b"".join(body.iter_lines()),
    "raw lines": lambda body: b"".join(body.readlines()),
    "json": lambda body: json.dumps(json.load(body)).encode(),
}


@pytest.mark.parametrize("read", [pytest.param(v, id=k) for k, v in READS.items()])
def test_a_body_stays_the_bots_to_read(stub, clients, bot, read):
    """However the bot reads InvokeModel's body, it gets it, and so does the record."""
    stub.on("/invoke", reply_json(MESSAGE))
    client = bot.audit.watch(clients())

    with bot.audit.question(text="Hi"):
        body = client.invoke_model(modelId=MODEL, body=b"{}")["body"]
        got = read(body)
        body.close()

    assert json.loads(got) == MESSAGE
    assert shown(bot.record, "response", "input_tokens", "model_used", "outcome") == {
        "response": "Hello",
        "input_tokens": 10,
        "model_used": MODEL,
        "outcome": "answered",
    }


def test_a_body_that_nobody_reads_is_counted_by_its_headers(stub, clients, bot):
    """The audit never reads a body; the response's headers tell the tokens."""
    counted = {
        "X-Amzn-Bedrock-Input-Token-Count": "10",
        "X-Amzn-Bedrock-Output-Token-Count": "2",
    }
    stub.on("/invoke", reply_json(MESSAGE, **counted))
    client = bot.audit.watch(clients())

    with bot.audit.question(text="Hi") as q:
        body = client.invoke_model(modelId=MODEL, body=b"{}")["body"]
        q.reply("Bye")
    unread = body.read()

    assert json.loads(unread) == MESSAGE
    assert shown(bot.record, "llm_calls", "input_tokens", "output_tokens") == {
        "llm_calls": 1,
        "input_tokens": 10,
        "output_tokens": 2,
    }
    assert bot.record["outcome"] == "answered"


def test_an_embedding_is_a_call_without_words(stub, clients, bot):
    """The body of a model that writes no text does not become the response."""
    stub.on("/invoke", reply_json({"embedding": [0.1, 0.2]}))
    client = bot.audit.watch(clients())

    with bot.audit.question(text="Hi") as q:
        answer = client.invoke_model(modelId="amazon.titan-embed-v2:0", body=b"{}")
        q.model_response(json.loads(answer["body"].read()))

    assert bot.record["response"] == ""
    assert bot.record["llm_calls"] == 1


def test_a_models_own_stream_is_read_along(stub, clients, bot):
    """InvokeModelWithResponseStream: chunks with the model's own events."""
    events = [
        {"type": "message_start", "message": MESSAGE | {"content": []}},
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": "Hello"},
        },
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
        {"type": "message_stop"},
    ]
    stub.on(
        "/invoke-with-response-stream",
        reply_events(*(("chunk", {"bytes": _base64(event)}) for event in events)),
    )
    client = bot.audit.watch(clients())

    with bot.audit.question(text="Hi") as q:
        answer = client.invoke_model_with_response_stream(modelId=MODEL, body=b"{}")
        count = sum(1 for _ in q.consume(answer["body"]))

    assert count == len(events)
    assert shown(bot.record, "response", "input_tokens", "llm_calls", "model_used") == {
        "response": "Hello",
        "input_tokens": 10,
        "llm_calls": 1,
        "model_used": MODEL,
    }


def _base64(value):
    return base64.b64encode(json.dumps(value).encode()).decode()


def agent_events():
    """Return an agent's stream: two calls of a model, a tool, text and a citation."""

    def trace(step):
        return "trace", {"trace": {"orchestrationTrace": step}}

    used = {"usage": {"inputTokens": 100, "outputTokens": 10}}
    return reply_events(
        trace({"modelInvocationInput": {"foundationModel": "example.model-v1"}}),
        trace({"modelInvocationOutput": {"metadata": used}}),
        trace(
            {
                "invocationInput": {
                    "actionGroupInvocationInput": {"function": "get_leave"}
                }
            }
        ),
        trace({"modelInvocationOutput": {"metadata": used}}),
        (
            "chunk",
            {
                "bytes": base64.b64encode(b"25 days").decode(),
                "attribution": {"citations": [{"retrievedReferences": [DOCUMENT]}]},
            },
        ),
    )


@pytest.mark.parametrize("operation", ["invoke_agent", "invoke_inline_agent"])
def test_an_agent_counts_the_calls_its_traces_tell(stub, clients, bot, operation):
    """Model calls, tokens, tools and sources of an agent come from its events."""
    stub.on("/text", agent_events())
    stub.on("/agents/session-1", agent_events())
    client = bot.audit.watch(clients("bedrock-agent-runtime"))
    asked = {
        "invoke_agent": AGENT | {"inputText": "leave?"},
        "invoke_inline_agent": {
            "sessionId": "session-1",
            "inputText": "leave?",
            "foundationModel": "example.other-v1",
            "instruction": "Answer questions about leave, politely and briefly.",
        },
    }

    with bot.audit.question(text="Hi"):
        answer = getattr(client, operation)(**asked[operation])
        assert len(list(answer["completion"])) == 5

    assert shown(bot.record, "llm_calls", "input_tokens", "response", "model_used") == {
        "llm_calls": 2,
        "input_tokens": 200,
        "response": "25 days",
        "model_used": "example.model-v1",
    }
    assert bot.record["tools"] == [{"name": "get_leave", "status": "ok"}]
    assert bot.record["sources"][0]["uri"] == "s3://docs/leave.pdf"


def test_a_flow_tells_its_output(stub, clients, bot):
    """InvokeFlow: the documents of its output nodes, and how it ended."""
    stub.on(
        "/flows/FLOW1/aliases/ALIAS1",
        reply_events(
            ("flowOutputEvent", {"nodeName": "Out", "content": {"document": "25"}}),
            ("flowCompletionEvent", {"completionReason": "SUCCESS"}),
        ),
    )
    client = bot.audit.watch(clients("bedrock-agent-runtime"))
    given = [
        {"nodeName": "In", "nodeOutputName": "document", "content": {"document": "?"}}
    ]

    with bot.audit.question(text="Hi"):
        answer = client.invoke_flow(
            flowIdentifier="FLOW1", flowAliasIdentifier="ALIAS1", inputs=given
        )
        list(answer["responseStream"])

    assert shown(bot.record, "response", "outcome", "llm_calls") == {
        "response": "25",
        "outcome": "answered",
        "llm_calls": 0,
    }


def test_retrieving_is_no_call_of_a_model(stub, clients, bot):
    """Retrieve brings sources; only RetrieveAndGenerate is a call of a model."""
    stub.on("/retrieve", reply_json({"retrievalResults": [DOCUMENT]}))
    stub.on(
        "/retrieveAndGenerate",
        reply_json(
            {
                "output": {"text": "25 days"},
                "citations": [{"retrievedReferences": [DOCUMENT]}],
                "guardrailAction": "NONE",
                "sessionId": "s",
            }
        ),
    )
    client = bot.audit.watch(clients("bedrock-agent-runtime"))
    configured = {
        "type": "KNOWLEDGE_BASE",
        "knowledgeBaseConfiguration": {
            "knowledgeBaseId": "KB12345678",
            "modelArn": "arn:aws:bedrock:eu-west-1::foundation-model/example.m-v1",
        },
    }

    with bot.audit.question(text="Hi"):
        client.retrieve(**KNOWLEDGE)
        client.retrieve_and_generate(
            input={"text": "leave?"}, retrieveAndGenerateConfiguration=configured
        )

    assert bot.record["llm_calls"] == 1
    assert bot.record["response"] == "25 days"
    assert bot.record["model_used"].endswith("example.m-v1")
    assert {each["uri"] for each in bot.record["sources"]} == {"s3://docs/leave.pdf"}


def test_retries_of_botocore_count_once(stub, clients, bot):
    """A call that was throttled and then answered is one call without an error."""
    stub.on(
        "/converse",
        reply_error("ThrottlingException", 429),
        reply_json(converse_answer()),
    )
    client = bot.audit.watch(
        clients(retries={"mode": "standard", "total_max_attempts": 3})
    )

    with bot.audit.question(text="Hi"):
        client.converse(**ASK)

    assert len(stub.requests) == 2
    assert shown(bot.record, "llm_calls", "input_tokens", "error_type") == {
        "llm_calls": 1,
        "input_tokens": 10,
        "error_type": None,
    }


def test_a_refusal_is_named_by_its_code(stub, clients, bot):
    """What the service refuses has its code, whether or not the bot carries on."""
    stub.on("/converse", reply_error("AccessDeniedException", 403))
    client = bot.audit.watch(clients())

    with bot.audit.question(text="Hi") as q:
        with pytest.raises(client.exceptions.AccessDeniedException) as caught:
            client.converse(**ASK)
        q.model_response(caught.value)
        q.reply("Sorry")

    assert shown(bot.record, "error_type", "model_used", "llm_calls", "outcome") == {
        "error_type": "AccessDeniedException",
        "model_used": MODEL,
        "llm_calls": 1,
        "outcome": "answered",
    }
    assert "canary" not in json.dumps(dict(bot.record))


def test_an_unreachable_service_is_named_by_its_exception(stub, clients, bot):
    """A call that got no answer at all has the class of what was raised."""
    client = bot.audit.watch(clients(read_timeout=0.2))
    is_over = threading.Event()

    def hang(_):
        is_over.wait(5)
        return reply_json({})

    stub.on("/converse", hang)
    with bot.audit.question(text="Hi"), contextlib.suppress(Exception):
        client.converse(**ASK)
    is_over.set()

    assert bot.record["error_type"] == "ReadTimeoutError"
    assert bot.record["llm_calls"] == 1


def test_a_call_that_was_never_made_is_not_counted(clients, bot):
    """Parameters that botocore refuses are raised to the bot and are no call."""
    client = bot.audit.watch(clients())

    with bot.audit.question(text="Hi"), pytest.raises(ParamValidationError):
        client.converse(modelId=MODEL, messages="no list")

    assert bot.record.get("llm_calls") is None


def test_a_call_outside_a_question_belongs_to_none(stub, clients, bot):
    """Neither the question before nor the one after gets a call made in between."""
    stub.on("/converse", echo)
    client = bot.audit.watch(clients())

    with bot.audit.question(text="one"):
        pass
    answer = client.converse(**ASK)
    with bot.audit.question(text="two"):
        thread = threading.Thread(target=client.converse, kwargs=ASK)
        thread.start()
        thread.join(5)

    assert answer["output"]["message"]["content"] == [{"text": "Hi"}]
    assert [r.get("llm_calls") for r in bot.sink.records] == [None, None]


def test_an_answer_also_handed_over_counts_once(stub, clients, bot):
    """`model_response` and `consume` add nothing to what was seen at the client."""
    stub.on("/converse", reply_json(converse_answer()))
    stub.on("/converse-stream", reply_events(*STREAM))
    stub.on("/invoke", reply_json(MESSAGE))
    client = bot.audit.watch(clients())

    with bot.audit.question(text="Hi") as q:
        q.model_response(client.converse(**ASK))
        list(q.consume(client.converse_stream(**ASK)["stream"]))
        q.model_response(list(client.converse_stream(**ASK)["stream"]))
        answer = q.model_response(client.invoke_model(modelId=MODEL, body=b"{}"))
        q.model_response(answer["body"].read())

    assert shown(bot.record, "llm_calls", "input_tokens", "output_tokens") == {
        "llm_calls": 4,
        "input_tokens": 40,
        "output_tokens": 8,
    }


def test_watching_twice_counts_once(stub, clients, bot):
    """However many emitters watch a client, a call is added once."""
    stub.on("/converse", reply_json(converse_answer()))
    client = clients()
    bot.audit.watch(bot.audit.watch(client))
    Bot().audit.watch(client)

    with bot.audit.question(text="Hi"):
        client.converse(**ASK)

    assert bot.record["llm_calls"] == 1


def ask_often(client, question, name, times):
    """Ask as one person, tell who asked."""
    with question as q:
        for number in range(times):
            text = f"{name}-{number}"
            client.converse(
                modelId=f"model-{name}",
                messages=[{"role": "user", "content": [{"text": text}]}],
            )
        q.set(attributes={"name": name, "times": str(times)})


def assert_uncrossed(records):
    """Every record has its own calls only."""
    assert len(records) == 8
    for record in records:
        name = record["attributes"]["name"]
        times = int(record["attributes"]["times"])
        assert record["llm_calls"] == times
        assert record["model_used"] == f"model-{name}"
        assert record["response"] == f"{name}-{times - 1}"
        tokens = sum(len(f"{name}-{n}") for n in range(times))
        assert record["input_tokens"] == tokens


def test_questions_in_threads_do_not_cross(stub, clients, bot):
    """One client, many questions at once in threads: each has its own calls."""
    stub.on("/converse", echo)
    client = bot.audit.watch(clients(max_pool_connections=8))

    with ThreadPoolExecutor(8) as pool:
        for number in range(8):
            question = bot.audit.question(text="Hi")
            pool.submit(ask_often, client, question, "abcdefgh"[number], 2 + number)

    assert_uncrossed(bot.sink.records)


def test_questions_in_tasks_do_not_cross(stub, clients, bot):
    """The same in asyncio tasks, whose calls run on other threads."""
    stub.on("/converse", echo)
    client = bot.audit.watch(clients(max_pool_connections=8))

    async def ask(number):
        name, times = "abcdefgh"[number], 2 + number
        async with bot.audit.question(text="Hi") as q:
            q.set(attributes={"name": name, "times": str(times)})
            for turn in range(times):
                content = [{"text": f"{name}-{turn}"}]
                await asyncio.to_thread(
                    client.converse,
                    modelId=f"model-{name}",
                    messages=[{"role": "user", "content": content}],
                )

    async def ask_all():
        await asyncio.gather(*map(ask, range(8)))

    asyncio.run(ask_all())

    assert_uncrossed(bot.sink.records)


def test_bind_carries_the_question_into_an_executor(stub, clients, bot):
    """Threads that know no context get the question by `bind`, others none."""
    stub.on("/converse", echo)
    client = bot.audit.watch(clients())

    with ThreadPoolExecutor(4) as pool, bot.audit.question(text="Hi") as q:
        bound = [pool.submit(q.bind(client.converse), **ASK) for _ in range(3)]
        loose = pool.submit(client.converse, **ASK)
        for each in (*bound, loose):
            each.result(10)

    assert bot.record["llm_calls"] == 3
