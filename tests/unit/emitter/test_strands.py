"""The Strands hook with real agents whose model is invented."""

from __future__ import annotations

import asyncio
import threading

import pytest
from strands import Agent, tool
from strands.models import Model

from emitter import AuditEmitter
from emitter.beside import THREAD_NAME
from emitter.question import current_question
from emitter.strands import AuditHook
from emitter.testing import MemorySink, assert_valid

SLACK_EVENT = {
    "type": "event_callback",
    "team_id": "T1",
    "event": {
        "type": "app_mention",
        "user": "U1",
        "channel": "C1",
        "ts": "1.2",
        "text": "<@UBOT> why?",
    },
}


class WrittenSink(MemorySink):
    """Shows its records when all that is being written has come."""

    @property
    def records(self):
        for thread in threading.enumerate():
            if thread.name == THREAD_NAME:
                thread.join(5)
        return super().records


class InventedModel(Model):
    """Answers what it was given: a text, a tool to use, or an error to raise."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.seen = []

    def update_config(self, **_):
        return

    def get_config(self):
        return {"model_id": "eu.example-model-v1:0"}

    def structured_output(self, *args, **kwargs):
        raise NotImplementedError

    async def stream(self, messages, *args, **kwargs):
        self.seen.append(current_question())
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        yield {"messageStart": {"role": "assistant"}}
        start = {"toolUse": answer} if isinstance(answer, dict) else {}
        yield {"contentBlockStart": {"start": start}}
        delta = {"text": answer} if not start else {"toolUse": {"input": "{}"}}
        yield {"contentBlockDelta": {"delta": delta}}
        yield {"contentBlockStop": {}}
        yield {"messageStop": {"stopReason": "tool_use" if start else "end_turn"}}
        usage = {"inputTokens": 10, "outputTokens": 2, "totalTokens": 12}
        yield {"metadata": {"usage": usage, "metrics": {"latencyMs": 1}}}


def use(name):
    return {"toolUseId": "t1", "name": name}


@tool
def look_up() -> str:
    """Look something up."""
    return "42"


@tool
def break_down() -> str:
    """Fail."""
    raise LookupError


@pytest.fixture
def sink():
    return WrittenSink()


@pytest.fixture
def audit(sink):
    return AuditEmitter(bot_name="Vera", sinks=[sink])


@pytest.fixture
def hook(audit):
    return AuditHook(audit)


def make_agent(hook, *answers, **changes):
    return Agent(
        model=InventedModel(*answers), hooks=[hook], callback_handler=None, **changes
    )


def test_a_run_inside_a_question_belongs_to_it(audit, hook, sink):
    """Calls, tokens, model and conversation join the record of the handler."""
    agent = make_agent(hook, "Because.", system_prompt="Be brief.")

    with audit.question(SLACK_EVENT) as q:
        agent("why?")
        q.reply("_Because._")

    (record,) = sink.records
    assert_valid(record)
    assert record["record_id"] == q.record_id
    assert record["response"] == "_Because._"
    assert record["llm_calls"] == 1
    assert (record["input_tokens"], record["output_tokens"]) == (10, 2)
    assert record["stop_reason"] == "end_turn"
    assert record["model_used"] == "eu.example-model-v1:0"
    assert record["full_conversation"] == "[user] why?"


def test_without_a_reply_the_models_text_is_the_response(audit, hook, sink):
    """The answer reaches the record also where the bot says nothing."""
    agent = make_agent(hook, "Because.")

    with audit.question(SLACK_EVENT):
        agent("why?")

    assert sink.records[0]["response"] == "Because."


def test_tools_have_status_and_time(audit, hook, sink):
    """Each tool counts once: that it ran, how it ended, how long it took."""
    agent = make_agent(
        hook, use("look_up"), use("break_down"), "42.", tools=[look_up, break_down]
    )

    with audit.question(SLACK_EVENT):
        agent("why?")

    (record,) = sink.records
    tools = record["tools"]
    assert [(each["name"], each["status"]) for each in tools] == [
        ("look_up", "ok"),
        ("break_down", "error"),
    ]
    assert all(each["ms"] >= 0 for each in tools)
    assert record["llm_calls"] == 3
    assert record["input_tokens"] == 30
    assert "[tool_result id=t1 success: 42]" in record["full_conversation"]


def test_a_second_run_counts_its_own_tokens_only(audit, hook, sink):
    """Strands adds up an agent's tokens over its life; a record does not."""
    agent = make_agent(hook, "One.", "Two.")

    for query in ("first", "second"):
        with audit.question(text=query):
            agent(query)

    assert [record["input_tokens"] for record in sink.records] == [10, 10]


def test_a_run_of_its_own_is_a_question(hook, sink):
    """Outside of any question: the prompt, the result, one record."""
    agent = make_agent(hook, use("look_up"), "42.", tools=[look_up])

    result = agent("why?")

    (record,) = sink.records
    assert_valid(record)
    assert str(result) == "42.\n"
    assert record["user_query"] == "why?"
    assert record["response"] == "42."
    assert record["llm_calls"] == 2
    assert record["outcome"] == "answered"
    assert all(seen is not None for seen in agent.model.seen)
    assert current_question() is None


def test_the_invocation_state_tells_who_asked(hook, sink):
    """The event that made the bot run names person and question."""
    agent = make_agent(hook, "Because.")

    agent("a prompt made by the bot", invocation_state={"audit_source": SLACK_EVENT})

    assert sink.records[0]["user_query"] == "why?"
    assert sink.records[0]["message_id"] == "slack:T1/C1/1.2"


def test_an_agent_that_is_a_tool_writes_no_record_of_its_own(hook, sink):
    """One question, however many agents work on it."""
    inner = make_agent(hook, "42.")

    @tool
    def ask_expert() -> str:
        """Ask another agent."""
        return str(inner("what?"))

    make_agent(hook, use("ask_expert"), "It is 42.", tools=[ask_expert])("why?")

    (record,) = sink.records
    assert record["user_query"] == "why?"
    assert record["response"] == "It is 42."
    assert record["llm_calls"] == 3


def test_an_error_of_the_model_goes_on_and_is_recorded(hook, sink):
    """The bot gets its error; the record says its kind."""
    agent = make_agent(hook, KeyError("x"))

    with pytest.raises(KeyError):
        agent("why?")

    assert sink.records[0]["outcome"] == "error"
    assert sink.records[0]["error_type"] == "KeyError"


def test_an_error_that_the_bot_handles_is_not_the_runs(hook, sink):
    """An agent that is asked inside an except block answers all the same."""
    agent = make_agent(hook, "Because.")

    async def run():
        try:
            raise KeyError  # noqa: TRY301 - what the bot is handling
        except KeyError:
            await agent.invoke_async("why?")

    asyncio.run(run())

    assert sink.records[0]["outcome"] == "answered"


def test_a_stream_read_to_its_end_is_recorded(hook, sink):
    """The asynchronous way of running an agent."""
    agent = make_agent(hook, "Because.")

    async def run():
        seen = [current_question() async for _ in agent.stream_async("why?")]
        return seen, current_question()

    seen, after = asyncio.run(run())

    assert sink.records[0]["response"] == "Because."
    assert any(seen)
    assert after is None


def test_a_stream_left_unread_is_recorded_as_cancelled(hook, sink):
    """The next run of the same task is a question again."""
    agent = make_agent(hook, "Because.", "Yes.")

    async def run():
        events = agent.stream_async("why?")
        async for event in events:
            if "data" in event:
                break
        await asyncio.create_task(events.aclose())
        await agent.invoke_async("really?")

    asyncio.run(run())

    # Each is written on a thread of its own: which comes first is chance.
    outcomes = {record["user_query"]: record["outcome"] for record in sink.records}
    assert outcomes == {"why?": "cancelled", "really?": "answered"}
    assert len(sink.records) == 2


def test_two_people_at_once_do_not_mix(audit, sink):
    """One hook, many agents, one record each with its own question."""
    hook = AuditHook(audit)

    async def ask(number):
        agent = make_agent(hook, f"Answer {number}.")
        await agent.invoke_async(f"Question {number}?")

    async def run():
        await asyncio.gather(*(ask(number) for number in range(20)))

    asyncio.run(run())

    said = {record["user_query"]: record["response"] for record in sink.records}
    assert said == {f"Question {n}?": f"Answer {n}." for n in range(20)}


def test_the_agent_runs_where_the_audit_is_broken(hook, sink, monkeypatch):
    """A question that cannot be made ends in a log line."""

    def explode(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr(hook._audit, "question", explode)
    agent = make_agent(hook, use("look_up"), "42.", tools=[look_up])

    assert str(agent("why?")) == "42.\n"
    assert sink.records == []
