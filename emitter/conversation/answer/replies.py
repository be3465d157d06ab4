"""Complete answers, one reader for each API.

Pages: Amazon Bedrock API reference (Converse, Retrieve, RetrieveAndGenerate,
ApplyGuardrail), Anthropic Messages API, OpenAI API reference.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from emitter.conversation import converse, typed
from emitter.conversation.answer import guardrail, sources, usage
from emitter.conversation.answer.facts import AnswerFacts
from emitter.conversation.shape import (
    as_dict,
    dict_at,
    dicts_in,
    first_text,
    only_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable


def is_converse(body: dict[str, Any]) -> bool:
    """Whether a body is Converse's, or Nova's own, which has the same shape."""
    if dict_at(body, "output", "message"):
        return True
    # A model's malformed output is left out.
    is_counted = any(name in body for name in ("usage", "metrics"))
    return is_counted and isinstance(body.get("stopReason"), str)


def read_converse(body: dict[str, Any]) -> AnswerFacts:
    """Read an answer of Converse."""
    facts = read_message(dict_at(body, "output", "message"))
    stop_reason = first_text(body, "stopReason") or None
    trace = dict_at(body, "trace")
    model = first_text(dict_at(trace, "promptRouter"), "invokedModelId")
    facts = usage.of_converse(body.get("usage")).put(facts)
    facts = replace(facts, stop_reason=stop_reason, model=model or None)
    return with_trace(facts, trace)


def with_trace(facts: AnswerFacts, trace: dict[str, Any]) -> AnswerFacts:
    """Add what the guardrail says, in stop reason and trace."""
    return guardrail.add_findings(
        facts,
        guardrail.read_trace(trace.get("guardrail")),
        reported="guardrail" in trace,
        intervened=facts.stop_reason == guardrail.STOP_REASON,
    )


def read_message(message: dict[str, Any]) -> AnswerFacts:
    """Read text, tools and citations of a Converse message."""
    blocks = dicts_in(message.get("content"))
    found = []
    for block in blocks:
        found += converse.citations_of(dict_at(block, "citationsContent"))
    return AnswerFacts(
        text=join_texts(map(_converse_text, blocks), is_cited=bool(found)),
        tools=_converse_tools(blocks),
        sources=sources.unique(sources.from_pairs(found)),
    )


def join_texts(texts: Iterable[str], *, is_cited: bool) -> str:
    """Join text blocks, a line for each.

    An answer with citations is cut into blocks inside its sentences: those are
    put together as they are.
    """
    return ("" if is_cited else "\n").join(filter(None, texts))


def _converse_text(block: dict[str, Any]) -> str:
    cited = dict_at(block, "citationsContent").get("content")
    texts = (first_text(each, "text") for each in dicts_in(cited))
    return only_text(block.get("text")) or "".join(texts)


def _converse_tools(blocks: list[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """Return the tools asked for; a server tool's result may stand beside it."""
    failed = {
        result.get("toolUseId")
        for block in blocks
        if (result := dict_at(block, "toolResult")).get("status") == "error"
    }
    return tuple(
        tool(call.get("name"), failed=call.get("toolUseId") in failed)
        for block in blocks
        if (call := dict_at(block, "toolUse"))
    )


def tool(name: Any, *, failed: bool = False) -> dict[str, Any]:
    """Return one entry of the record's tools."""
    return {
        "name": only_text(name) or "unnamed",
        "status": "error" if failed else "ok",
    }


def is_anthropic(body: dict[str, Any]) -> bool:
    """Whether a body is a message of Anthropic's Messages API."""
    return (
        body.get("type") == "message"
        and isinstance(body.get("content"), (list, tuple))
        and ("stop_reason" in body or "usage" in body or "model" in body)
    )


def read_anthropic(body: dict[str, Any]) -> AnswerFacts:
    """Read an answer of Anthropic's Messages API, at home or through Bedrock."""
    blocks = dicts_in(body.get("content"))
    texts = (only_text(b.get("text")) for b in blocks if b.get("type") == "text")
    cited = [pair for block in blocks for pair in typed.citations_of(block)]
    facts = AnswerFacts(
        text=join_texts(texts, is_cited=bool(cited)),
        model=first_text(body, "model") or None,
        stop_reason=first_text(body, "stop_reason") or None,
        sources=sources.unique(sources.from_pairs(cited)),
        tools=_anthropic_tools(blocks),
        request_id=first_text(body, "_request_id", "id") or None,
    )
    return usage.of_anthropic(body.get("usage")).put(facts)


def _anthropic_tools(blocks: list[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    failed = {each.get("tool_use_id") for each in blocks if is_failed_result(each)}
    return tuple(
        tool(each.get("name"), failed=each.get("id") in failed)
        for each in blocks
        if only_text(each.get("type")).endswith("tool_use")
    )


def is_failed_result(block: dict[str, Any]) -> bool:
    """Whether a block is the result of a server tool that failed."""
    if not only_text(block.get("type")).endswith("tool_result"):
        return False
    kind = first_text(as_dict(block.get("content")) or {}, "type")
    return block.get("is_error") is True or kind.endswith("_error")


_SPOKEN: Final = (None, "text", "output_text", "refusal")


def is_chat(body: dict[str, Any]) -> bool:
    """Whether a body is a chat completion of OpenAI's kind."""
    choices = dicts_in(body.get("choices"))
    return bool(choices) and "message" in choices[0]


def read_chat(body: dict[str, Any]) -> AnswerFacts:
    """Read a chat completion: OpenAI's, and that of models which copy its shape."""
    choice = dicts_in(body.get("choices"))[0]
    message = dict_at(choice, "message")
    calls = [called(each) for each in dicts_in(message.get("tool_calls"))]
    calls += filter(None, [dict_at(message, "function_call")])
    facts = AnswerFacts(
        text=_chat_text(message),
        model=first_text(body, "model") or None,
        stop_reason=first_text(choice, "finish_reason", "stop_reason") or None,
        sources=sources.unique(sources.from_pairs(typed.citations_of(message))),
        tools=tuple(tool(each.get("name")) for each in calls),
        request_id=first_text(body, "_request_id", "id") or None,
    )
    return usage.of_openai(body.get("usage")).put(facts)


def called(call: dict[str, Any]) -> dict[str, Any]:
    """Return what a chat's call names: a function, or a custom tool."""
    return dict_at(call, "function") or dict_at(call, "custom")


def _chat_text(message: dict[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, (list, tuple)):
        texts = (first_text(each, "text", "refusal") for each in spoken(content))
        return join_texts(texts, is_cited=False)
    return only_text(content) or first_text(message, "refusal")


def spoken(parts: Any) -> list[dict[str, Any]]:
    """Return the parts of OpenAI's content that are said; reasoning is not."""
    return [each for each in dicts_in(parts) if each.get("type") in _SPOKEN]


def is_responses(body: dict[str, Any]) -> bool:
    """Whether a body is an answer of OpenAI's responses API."""
    return body.get("object") == "response" or (
        isinstance(body.get("output"), (list, tuple)) and "status" in body
    )


def read_responses(body: dict[str, Any]) -> AnswerFacts:
    """Read an answer of OpenAI's responses API."""
    items = dicts_in(body.get("output"))
    messages = (item for item in items if item.get("type") in (None, "message"))
    content = [part for item in messages for part in spoken(item.get("content"))]
    texts = (first_text(each, "text", "refusal") for each in content)
    cited = [pair for each in content for pair in typed.citations_of(each)]
    status = first_text(body, "status")
    reason = first_text(dict_at(body, "incomplete_details"), "reason")
    facts = AnswerFacts(
        text=join_texts(texts, is_cited=False),
        model=first_text(body, "model") or None,
        stop_reason=reason or status or None,
        sources=sources.unique(sources.from_pairs(cited)),
        tools=tuple(_responses_tool(each) for each in items if _is_call(each)),
        request_id=first_text(body, "_request_id", "id") or None,
        error_type=_responses_error(body),
        is_complete=status in ("", "completed"),
    )
    return usage.of_openai(body.get("usage")).put(facts)


def _responses_error(body: dict[str, Any]) -> str | None:
    error = dict_at(body, "error")
    failed = "failed" if body.get("status") == "failed" or error else ""
    return first_text(error, "code", "type") or failed or None


def _is_call(item: dict[str, Any]) -> bool:
    return only_text(item.get("type")).endswith("_call")


def _responses_tool(item: dict[str, Any]) -> dict[str, Any]:
    hosted = only_text(item.get("type")).removesuffix("_call")
    name = first_text(item, "name") or hosted
    # A call of a server's tool has its error beside it.
    return tool(name, failed=item.get("status") == "failed" or bool(item.get("error")))


def is_retrieval(body: dict[str, Any]) -> bool:
    """Whether a body is an answer of Retrieve or RetrieveAndGenerate."""
    # An answer that a guardrail took the place of has no citations.
    is_session = any(n in body for n in ("citations", "guardrailAction", "sessionId"))
    is_generated = is_session and "text" in dict_at(body, "output")
    return is_generated or "retrievalResults" in body


def read_retrieval(body: dict[str, Any]) -> AnswerFacts:
    """Read an answer of Retrieve or RetrieveAndGenerate."""
    found = sources.retrieved(body.get("retrievalResults"))
    found += sources.cited(body.get("citations"))
    facts = AnswerFacts(
        text=first_text(dict_at(body, "output"), "text"),
        sources=sources.unique(found),
        llm_calls=0 if "retrievalResults" in body else 1,
    )
    action = body.get("guardrailAction")
    return guardrail.add_findings(
        facts, (), reported=action is not None, intervened=action == "INTERVENED"
    )


def read_apply_guardrail(body: dict[str, Any]) -> AnswerFacts:
    """Read an answer of ApplyGuardrail; it does not say which side it judged."""
    return guardrail.add_findings(
        AnswerFacts(llm_calls=0),
        guardrail.findings_in(body.get("assessments"), ""),
        intervened=body.get("action") == "GUARDRAIL_INTERVENED",
    )


def is_error(body: dict[str, Any]) -> bool:
    """Whether a body reports an error: Anthropic's, OpenAI's or botocore's."""
    return bool(dict_at(body, "error") or dict_at(body, "Error"))


def read_error(body: dict[str, Any]) -> AnswerFacts:
    """Read the kind of an error, never its message."""
    error = dict_at(body, "error") or dict_at(body, "Error")
    kind = first_text(error, "code", "type", "Code")
    return AnswerFacts(error_type=kind or "error", is_complete=False)
