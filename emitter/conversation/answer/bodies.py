"""Bodies of Bedrock's InvokeModel, in each model family's own shape.

Anthropic, Nova and the OpenAI shape have readers of their own in `replies`; here
are the rest, and what Bedrock adds to every body. Page: Amazon Bedrock user guide,
"Inference request parameters and response fields".
"""

from __future__ import annotations

from typing import Any, Final

from emitter.conversation.answer import guardrail
from emitter.conversation.answer.facts import AnswerFacts
from emitter.conversation.answer.usage import Usage
from emitter.conversation.shape import dict_at, dicts_in, first_text, only_count

_ACTION_KEY: Final = "amazon-bedrock-guardrailAction"
_TRACE_KEY: Final = "amazon-bedrock-trace"
_HEADER: Final = "x-amzn-bedrock-"

# Where a family keeps its text and stop reason: list member, text, stop reason.
_LISTS: Final = (
    ("results", "outputText", "completionReason"),
    ("outputs", "text", "stop_reason"),
    ("generations", "text", "finish_reason"),
    ("choices", "text", "finish_reason"),
    ("completions", "text", "finish_reason"),
)
_TEXTS: Final = ("completion", "generation", "outputText", "text", "generated_text")
_STOPS: Final = ("stop_reason", "finish_reason", "completionReason", "stopReason")


def is_model_body(body: dict[str, Any]) -> bool:
    """Whether a body is a model's, of a family that is read here."""
    has_text = any(isinstance(body.get(name), str) for name in _TEXTS)
    lists = any(dicts_in(body.get(name)) for name, _, _ in _LISTS)
    return has_text or lists or _ACTION_KEY in body or _TRACE_KEY in body


def read_model_body(body: dict[str, Any]) -> AnswerFacts:
    """Read the body of a Titan, Llama, Mistral, Cohere, Jamba or other model."""
    text, stop_reason = _text_in_list(body) or (
        first_text(body, *_TEXTS),
        first_text(body, *_STOPS),
    )
    facts = AnswerFacts(text=text, stop_reason=stop_reason or None)
    return _count(body).put(facts)


def _text_in_list(body: dict[str, Any]) -> tuple[str, str] | None:
    for name, text, stop_reason in _LISTS:
        items = dicts_in(body.get(name))
        if items:
            shown = "\n".join(filter(None, (first_text(each, text) for each in items)))
            stop = first_text(items[-1], stop_reason, *_STOPS)
            return shown, stop
    return None


def _count(body: dict[str, Any]) -> Usage:
    results = dicts_in(body.get("results"))
    written = results[0].get("tokenCount") if results else None
    return Usage(
        only_count(body.get("prompt_token_count", body.get("inputTextTokenCount"))),
        only_count(body.get("generation_token_count", written)),
    )


def add_guardrail(facts: AnswerFacts, body: dict[str, Any]) -> AnswerFacts:
    """Add what Bedrock wrote into a body, if it wrote anything."""
    is_told = _ACTION_KEY in body or _TRACE_KEY in body
    return _with_guardrail(facts, body) if is_told else facts


def _with_guardrail(facts: AnswerFacts, body: dict[str, Any]) -> AnswerFacts:
    """Add what Bedrock wrote about its guardrail into a model's body."""
    trace = dict_at(body, _TRACE_KEY).get("guardrail")
    action = body.get(_ACTION_KEY)
    return guardrail.add_findings(
        facts,
        guardrail.read_trace(trace),
        reported=trace is not None or action is not None,
        intervened=action == "INTERVENED",
    )


def count_by_headers(facts: AnswerFacts, headers: dict[str, Any]) -> AnswerFacts:
    """Add the token counts that InvokeModel sends as headers."""

    def count(name: str) -> int | None:
        value = first_text(headers, f"{_HEADER}{name}")
        return int(value) if value.isascii() and value.isdigit() else None

    fresh, output = count("input-token-count"), count("output-token-count")
    read = count("cache-read-input-token-count")
    written = count("cache-write-input-token-count")
    if fresh is None and output is None:
        return facts
    total = (fresh or 0) + (read or 0) + (written or 0)
    return Usage(None if fresh is None else total, output, read).put(facts)
