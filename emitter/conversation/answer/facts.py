"""What can be read from an answer, whoever gave it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class AnswerFacts:
    """The facts of one answer; None and empty mean unknown.

    Attributes:
        text: What the model said, without reasoning.
        model: The model that really answered, if the answer tells.
        stop_reason: As the model gave it.
        input_tokens: All input tokens, those read from and written to the cache
            included, each counted once.
        output_tokens: Output tokens, reasoning included.
        cache_read_tokens: Input tokens that came from the cache.
        guardrail_action: none, detected, anonymized or blocked: the highest of
            all assessments; None if no guardrail has reported.
        guardrail_side: input, output or both, for anything above none.
        guardrail_policies: ``kind:name``, never the matched text.
        sources: ``{"uri", "title", "score"}`` of documents it drew on.
        tools: ``{"name", "status"}``, status ok, error or returned; ``ms`` where
            it was measured.
        request_id: Of the service; the same answer seen twice counts once.
        error_type: Error code or exception member of a failed answer.
        is_complete: The answer reached its end.
        llm_calls: How many calls of a model it took; 0 for a mere retrieval.
    """

    text: str = ""
    model: str | None = None
    stop_reason: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    guardrail_action: str | None = None
    guardrail_side: str | None = None
    guardrail_policies: tuple[str, ...] = ()
    sources: tuple[dict[str, Any], ...] = ()
    tools: tuple[dict[str, Any], ...] = ()
    request_id: str | None = None
    error_type: str | None = None
    is_complete: bool = True
    llm_calls: int = 1
