"""Results of Strands agents.

Strands adds up tokens and tools over an agent's whole life, and the metrics of a
result are the agent's own. Of an agent that serves many questions only the latest
invocation belongs to this one. Page: Strands Agents, "Metrics".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from emitter.conversation.answer import guardrail, usage
from emitter.conversation.answer.replies import read_message, tool
from emitter.conversation.shape import (
    as_dict,
    as_list,
    attribute,
    dict_at,
    dicts_in,
    only_count,
    only_text,
)

if TYPE_CHECKING:
    from emitter.conversation.answer.facts import AnswerFacts

_MILLISECONDS: Final = 1_000


def is_agent_result(response: Any) -> bool:
    """Whether an object is an AgentResult (its metrics are no dictionary)."""
    if isinstance(response, Mapping):
        return False
    metrics = attribute(response, "metrics")
    return isinstance(attribute(metrics, "accumulated_usage"), dict)


def read_agent_result(result: Any) -> AnswerFacts:
    """Read an AgentResult: its last message, and the sums of its invocation.

    It is to be read before the agent runs again. Where Strands does not tell its
    invocations, as in older versions, the sums are those of the agent's life.
    """
    metrics = attribute(result, "metrics")
    facts = read_message(as_dict(attribute(result, "message")) or {})
    latest = attribute(metrics, "latest_agent_invocation")
    used = as_dict(attribute(latest, "usage"))
    if used is None:
        used = as_dict(attribute(metrics, "accumulated_usage"))
        tools = _tools_of_life(metrics)
        calls = only_count(attribute(metrics, "cycle_count"))
    else:
        calls = len(as_list(attribute(latest, "cycles")))
        tools = _tools_of_cycles(metrics, calls)
    # Each cycle asks the model once.
    facts = replace(facts, llm_calls=calls or 1)
    stop_reason = only_text(attribute(result, "stop_reason")) or None
    facts = replace(facts, stop_reason=stop_reason, tools=tools or facts.tools)
    return guardrail.add_findings(
        usage.of_converse(used).put(facts),
        (),
        reported=False,
        intervened=stop_reason == guardrail.STOP_REASON,
    )


def _tools_of_life(metrics: Any) -> tuple[dict[str, Any], ...]:
    measured = as_dict(attribute(metrics, "tool_metrics")) or {}
    return tuple(_measured_tool(name, each) for name, each in measured.items())


def _measured_tool(name: Any, measured: Any) -> dict[str, Any]:
    found = as_dict(measured) or {}
    failed = bool(only_count(found.get("error_count")))
    return _with_time(tool(name, failed=failed), found.get("total_time"))


def _tools_of_cycles(metrics: Any, count: int) -> tuple[dict[str, Any], ...]:
    """Read the tools of the last *count* cycles; each has a trace of its own."""
    cycles = as_list(attribute(metrics, "traces"))[-count:] if count else []
    return tuple(
        _traced_tool(trace)
        for cycle in dicts_in(cycles)
        for trace in dicts_in(cycle.get("children"))
        if dict_at(trace, "metadata").get("tool_name")
    )


def _traced_tool(trace: dict[str, Any]) -> dict[str, Any]:
    results = dicts_in(dict_at(trace, "message").get("content"))
    # One that was interrupted has no result.
    is_ok = any(dict_at(r, "toolResult").get("status") == "success" for r in results)
    name = dict_at(trace, "metadata").get("tool_name")
    return _with_time(tool(name, failed=not is_ok), trace.get("duration"))


def _with_time(entry: dict[str, Any], seconds: Any) -> dict[str, Any]:
    if isinstance(seconds, (int, float)) and 0 <= seconds < float("inf"):
        entry["ms"] = round(seconds * _MILLISECONDS)
    return entry
