"""Add up what several model answers of one question say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from audit_record.fields import GUARDRAIL_ACTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from emitter.conversation import AnswerFacts


@dataclass
class Answers:
    """The sum of all answers of one question.

    Attributes:
        text: Of the last answer that had any.
        stop_reason: Of the last answer.
        is_complete: Whether every answer reached its end.
        error_type: Of the last answer that failed.
        fields: The record's fields.
    """

    text: str = ""
    stop_reason: str | None = None
    is_complete: bool = True
    error_type: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    sources: list[dict[str, Any]] = field(default_factory=list)
    tools: list[dict[str, Any]] = field(default_factory=list)


def add_up(answers: Iterable[AnswerFacts]) -> Answers:
    """Return the sum of *answers*; one seen twice (by request id) counts once."""
    total = Answers()
    seen: set[str] = set()
    sides: set[str] = set()
    policies: dict[str, None] = {}
    for answer in answers:
        if answer.request_id is not None and answer.request_id in seen:
            continue
        if answer.request_id is not None:
            seen.add(answer.request_id)
        _add(total, answer)
        sides |= {answer.guardrail_side} if answer.guardrail_side else set()
        policies |= dict.fromkeys(answer.guardrail_policies)
    if sides:
        total.fields["guardrail_side"] = sides.pop() if len(sides) == 1 else "both"
    if policies:
        total.fields["guardrail_policies"] = list(policies)
    if total.stop_reason:
        total.fields["stop_reason"] = total.stop_reason
    return total


def _add(total: Answers, answer: AnswerFacts) -> None:
    total.text = answer.text or total.text
    total.stop_reason = answer.stop_reason or total.stop_reason
    total.is_complete = total.is_complete and answer.is_complete
    total.error_type = answer.error_type or total.error_type
    total.sources += answer.sources
    total.tools += answer.tools
    fields = total.fields
    fields["llm_calls"] = fields.get("llm_calls", 0) + 1
    if answer.model:
        fields["model_used"] = answer.model
    for name in ("input_tokens", "output_tokens", "cache_read_tokens"):
        count = getattr(answer, name)
        if count is not None:
            fields[name] = fields.get(name, 0) + count
    action = answer.guardrail_action
    if action in GUARDRAIL_ACTIONS:
        before = fields.get("guardrail_action", "none")
        fields["guardrail_action"] = max(action, before, key=GUARDRAIL_ACTIONS.index)
