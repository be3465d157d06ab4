"""What Bedrock Guardrails has found, over all policies and both directions.

Reads every shape in which assessments come: Converse and ConverseStream traces,
InvokeModel's trace, Bedrock Agents' guardrailTrace and ApplyGuardrail. The matched
text is never copied. Page: Amazon Bedrock API reference, GuardrailAssessment.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from emitter.conversation.lines import one_line
from emitter.conversation.shape import (
    as_dict,
    as_list,
    dict_at,
    dicts_in,
    first_text,
    only_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from emitter.conversation.answer.facts import AnswerFacts

# The stop reason of an answer that a guardrail took the place of.
STOP_REASON: Final = "guardrail_intervened"
# The order of severity, as the record's enum writes it.
ACTIONS: Final = ("none", "detected", "anonymized", "blocked")
_MAX_POLICIES: Final = 20
_MAX_DEPTH: Final = 6

# policy member → its lists: (member, kind, property that names the policy,
# name if it has none). Words and regular expressions may be secrets themselves.
_POLICIES: Final = {
    "topicPolicy": (("topics", "topic", "name", "unnamed"),),
    "contentPolicy": (("filters", "content", "type", "unnamed"),),
    "wordPolicy": (
        ("customWords", "word", "", "custom"),
        ("managedWordLists", "word", "type", "managed"),
    ),
    "sensitiveInformationPolicy": (
        ("piiEntities", "pii", "type", "unnamed"),
        ("regexes", "regex", "name", "unnamed"),
    ),
    "contextualGroundingPolicy": (("filters", "grounding", "type", "unnamed"),),
}
_REASONING_POLICY: Final = "automatedReasoningPolicy"
# Findings of automated reasoning that say nothing against the text.
_HARMLESS_FINDINGS: Final = frozenset({"valid", "noTranslations"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One policy that has spoken.

    Attributes:
        policy: ``kind:name``.
        action: One of `ACTIONS`.
        side: input, output, or empty where the assessment does not say.
    """

    policy: str
    action: str
    side: str


def read_trace(trace: Any) -> list[Finding]:
    """Return the findings of a guardrail trace, input first."""
    found = as_dict(trace) or {}
    findings: list[Finding] = []
    for name, side in _SIDES:
        if name in found:
            findings += findings_in(found[name], side)
    return findings


_SIDES: Final = (
    ("inputAssessment", "input"),
    ("inputAssessments", "input"),
    ("input", "input"),
    ("outputAssessment", "output"),
    ("outputAssessments", "output"),
    ("outputs", "output"),
    ("assessments", ""),
)


def findings_in(assessments: Any, side: str) -> list[Finding]:
    """Return the findings of assessments, however they are nested.

    Args:
        assessments: One, a list, a map by guardrail id, or maps of lists.
        side: input, output or empty.
    """
    return [
        finding
        for assessment in _assessments(assessments, 0)
        for finding in _read_assessment(assessment, side)
    ]


def _assessments(value: Any, depth: int) -> Iterator[dict[str, Any]]:
    if depth > _MAX_DEPTH:
        return
    found = as_dict(value)
    if found is not None and (_POLICIES.keys() | {_REASONING_POLICY}) & found.keys():
        yield found
        return
    for each in as_list(value) if found is None else found.values():
        yield from _assessments(each, depth + 1)


def _read_assessment(assessment: dict[str, Any], side: str) -> Iterator[Finding]:
    for policy, lists in _POLICIES.items():
        for member, kind, naming, unnamed in lists:
            for item in dicts_in(dict_at(assessment, policy).get(member)):
                name = one_line(first_text(item, naming), 100) or unnamed
                yield Finding(f"{kind}:{name}", _action(item), side)
    reasoning = dict_at(assessment, _REASONING_POLICY)
    for item in dicts_in(reasoning.get("findings")):
        yield from _read_reasoning(item, side)


def _read_reasoning(finding: dict[str, Any], side: str) -> Iterator[Finding]:
    """Automated reasoning only reports; the member's name is the verdict."""
    for verdict, value in finding.items():
        if value is not None:
            action = "none" if verdict in _HARMLESS_FINDINGS else "detected"
            yield Finding(f"reasoning:{one_line(str(verdict), 100)}", action, side)


def _action(item: dict[str, Any]) -> str:
    """Return what was done about one match.

    Answers before 2025 have no ``detected``; there, what is listed without an
    action was found, but grounding lists its scores even where they pass.
    """
    action = first_text(item, "action").lower()
    if action in ("blocked", "anonymized"):
        return action
    detected = item.get("detected")
    if detected is None and not action:
        detected = _is_below_threshold(item)
    return "detected" if detected is True else "none"


def _is_below_threshold(item: dict[str, Any]) -> bool:
    score, threshold = item.get("score"), item.get("threshold")
    if isinstance(score, (int, float)) and isinstance(threshold, (int, float)):
        return score < threshold
    return True


def add_findings(
    facts: AnswerFacts,
    findings: Iterable[Finding],
    *,
    reported: bool = True,
    intervened: bool = False,
) -> AnswerFacts:
    """Return *facts* with the highest action, its sides and its policies.

    Args:
        facts: What is known without the guardrail.
        findings: Of all assessments.
        reported: A guardrail has reported at all: ``none`` instead of unknown.
        intervened: The service says that it intervened; without a finding that
            explains it, that is a block.
    """
    told = [each for each in findings if each.action != "none"]
    actions = [each.action for each in told]
    if intervened and not {"blocked", "anonymized"} & {*actions}:
        actions.append("blocked")
    if not actions and not reported:
        return facts
    policies = tuple(dict.fromkeys(each.policy for each in told))
    return replace(
        facts,
        guardrail_action=highest(actions),
        guardrail_side=_side({each.side for each in told}),
        guardrail_policies=policies[:_MAX_POLICIES],
    )


def highest(actions: Iterable[str]) -> str:
    """Return the most severe of some actions; ``none`` of no action."""
    return max(actions, key=ACTIONS.index, default="none")


def _side(sides: set[str]) -> str | None:
    known = sides - {""}
    return "both" if len(known) > 1 else next(iter(known), None)


def is_apply_guardrail(body: dict[str, Any]) -> bool:
    """Whether a body is an answer of ApplyGuardrail."""
    return "assessments" in body and only_text(body.get("action")) in (
        "NONE",
        "GUARDRAIL_INTERVENED",
    )
