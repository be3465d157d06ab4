"""Bodies of Bedrock's InvokeModel, in each model family's own shape.

Anthropic, Nova and the OpenAI shape have readers of their own in `replies`; here
are the rest, and what Bedrock adds to every body. Page: Amazon Bedrock user guide,
"Inference request parameters and response fields".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from emitter.conversation.answer import guardrail, usage
from emitter.conversation.answer.facts import AnswerFacts
from emitter.conversation.answer.usage import Usage
from emitter.conversation.shape import dict_at, dicts_in, first_text, only_count

if TYPE_CHECKING:
    from collections.abc import Callable

_ACTION_KEY: Final = "amazon-bedrock-guardrailAction"
_TRACE_KEY: Final = "amazon-bedrock-trace"
_METRICS_KEY: Final = "amazon-bedrock-invocationMetrics"
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


def read_model_body(
    body: dict[str, Any], text_of: Callable[..., str] = first_text
) -> AnswerFacts:
    """Read the body of a Titan, Llama, Mistral, Cohere, Jamba or other model.

    Args:
        body: What the model sent; in a stream, one piece of it.
        text_of: How a member of text is read.
    """
    text, stop_reason = _text_in_list(body, text_of) or (
        text_of(body, *_TEXTS),
        first_text(body, *_STOPS),
    )
    facts = AnswerFacts(text=text, stop_reason=stop_reason or None)
    return _count(body).put(facts)


def _text_in_list(
    body: dict[str, Any], text_of: Callable[..., str]
) -> tuple[str, str] | None:
    for name, text, stop_reason in _LISTS:
        items = dicts_in(body.get(name))
        if items:
            shown = "\n".join(filter(None, (text_of(each, text) for each in items)))
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
    if facts.guardrail_action is None:
        is_told = is_told or _is_stopped(facts)
    return _with_guardrail(facts, body) if is_told else facts


def _is_stopped(facts: AnswerFacts) -> bool:
    return (facts.stop_reason or "").lower() == guardrail.STOP_REASON


def add_extras(facts: AnswerFacts, extras: dict[str, Any]) -> AnswerFacts:
    """Add what Bedrock wrote into the events of a stream: guardrail and counts."""
    if facts.input_tokens is None and facts.output_tokens is None:
        metrics = dict_at(extras, _METRICS_KEY)
        facts = usage.of_metrics(metrics).put(facts) if metrics else facts
    return add_guardrail(facts, extras)


def _with_guardrail(facts: AnswerFacts, body: dict[str, Any]) -> AnswerFacts:
    """Add what Bedrock wrote about its guardrail into a model's body."""
    trace = dict_at(body, _TRACE_KEY).get("guardrail")
    action = body.get(_ACTION_KEY)
    return guardrail.add_findings(
        facts,
        guardrail.read_trace(trace),
        reported=trace is not None or action is not None,
        intervened=action == "INTERVENED" or _is_stopped(facts),
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
