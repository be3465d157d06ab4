"""What is read from the results of real Strands agents whose model is invented."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from strands import Agent, tool
from strands.models import Model

from emitter.conversation import read_answer, tee_async


class InventedModel(Model):
    """Says each of its answers once: a text, or the name of a tool to use."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def update_config(self, **_):
        return

    def get_config(self):
        return {}

    def structured_output(self, *args, **kwargs):
        raise NotImplementedError

    async def stream(self, *args, **kwargs):
        text, used = self.answers.pop(0)
        start = {"toolUse": {"toolUseId": text, "name": used}} if used else {}
        delta = {"toolUse": {"input": "{}"}} if used else {"text": text}
        yield {"messageStart": {"role": "assistant"}}
        yield {"contentBlockStart": {"start": start}}
        yield {"contentBlockDelta": {"delta": delta}}
        yield {"contentBlockStop": {}}
        yield {"messageStop": {"stopReason": "tool_use" if used else "end_turn"}}
        usage = {
            "inputTokens": 10,
            "outputTokens": 2,
            "totalTokens": 15,
            "cacheReadInputTokens": 3,
        }
        yield {"metadata": {"usage": usage, "metrics": {"latencyMs": 1}}}


@tool
def look_up() -> str:
    """Look something up."""
    return "42"


@tool
def break_down() -> str:
    """Fail."""
    raise LookupError


def make_agent(*answers):
    model = InventedModel(*answers)
    tools = [look_up, break_down]
    return Agent(model=model, tools=tools, callback_handler=None)


def test_a_first_run_counts_all_its_calls():
    """Two calls of the model and a tool between them."""
    agent = make_agent(("t1", "look_up"), ("Because.", None))

    facts = read_answer(agent("why?"))

    assert facts.text == "Because."
    assert facts.stop_reason == "end_turn"
    assert (facts.input_tokens, facts.output_tokens) == (26, 4)
    assert facts.cache_read_tokens == 6
    assert [(each["name"], each["status"]) for each in facts.tools] == [
        ("look_up", "ok")
    ]
    assert facts.tools[0]["ms"] >= 0


def test_a_reused_agent_counts_each_question_by_itself():
    """Neither tokens nor tools of an earlier question are counted again."""
    agent = make_agent(
        ("t1", "look_up"), ("First.", None), ("t2", "break_down"), ("Second.", None)
    )
    agent("one?")

    facts = read_answer(agent("two?"))

    assert (facts.input_tokens, facts.output_tokens) == (26, 4)
    assert facts.cache_read_tokens == 6
    assert [(each["name"], each["status"]) for each in facts.tools] == [
        ("break_down", "error")
    ]


def test_a_question_without_tools_has_none_of_an_earlier_one():
    """The agent used a tool for another question only."""
    agent = make_agent(("t1", "look_up"), ("First.", None), ("Second.", None))
    agent("one?")

    facts = read_answer(agent("two?"))

    assert facts.tools == ()
    assert (facts.input_tokens, facts.output_tokens) == (13, 2)


def test_a_tool_used_twice_is_told_twice():
    """As with the hook, each use is an entry of its own."""
    agent = make_agent(
        ("t1", "look_up"), ("t2", "break_down"), ("t3", "look_up"), ("Done.", None)
    )

    facts = read_answer(agent("why?"))

    assert [(each["name"], each["status"]) for each in facts.tools] == [
        ("look_up", "ok"),
        ("break_down", "error"),
        ("look_up", "ok"),
    ]


@pytest.mark.parametrize("invocation", [None, SimpleNamespace(usage=None)])
def test_an_older_strands_gives_its_sums(invocation):
    """Where no invocation is told, the agent's whole life is all there is."""
    measured = SimpleNamespace(error_count=0, total_time=0.25)
    metrics = SimpleNamespace(
        accumulated_usage={"inputTokens": 10, "outputTokens": 5},
        tool_metrics={"jira": measured},
        latest_agent_invocation=invocation,
    )
    message = {"role": "assistant", "content": [{"text": "Use ACM."}]}
    result = SimpleNamespace(stop_reason="end_turn", message=message, metrics=metrics)

    facts = read_answer(result)

    assert (facts.input_tokens, facts.output_tokens) == (10, 5)
    assert facts.tools == ({"name": "jira", "status": "ok", "ms": 250},)


def test_a_result_counts_the_calls_of_its_invocation():
    """Each cycle asks the model once; those of an earlier question are not counted."""
    agent = make_agent(("t1", "look_up"), ("First.", None), ("Second.", None))

    assert read_answer(agent("one?")).llm_calls == 2
    assert read_answer(agent("two?")).llm_calls == 1


def test_a_stream_counts_the_calls_of_its_invocation():
    """Whether its result was reached or not."""
    told = []

    async def read(until):
        agent = make_agent(("t1", "look_up"), ("First.", None))
        along = tee_async(agent.stream_async("one?"), told.append)
        async for event in along:
            if until in event:
                break
        await along.aclose()

    asyncio.run(read("result"))
    asyncio.run(read("never"))
    asyncio.run(read("tool_stream_event"))

    assert [each.llm_calls for each in told] == [2, 2, 2]
    assert {each.text for each in told} == {"First."}
