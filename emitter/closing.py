"""Turn what a question has collected into the fields of its record.

Runs after the reply. Only then is this module loaded: a bot starts faster without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from audit_record.times import format_timestamp
from emitter.answers import Answers, add_up
from emitter.conversation import AnswerFacts, flatten, read_answer
from emitter.outcome import outcome_of

if TYPE_CHECKING:
    from emitter.collected import Collected
    from emitter.identity import Identity

# Memory of one conversation: sixteen times what the record keeps. Cutting is left to
# the record's own shortening, which says what it cut.
_MAX_CHARS: Final = 8_000_000


def fields_of(
    collected: Collected,
    identity: Identity,
    error: BaseException | None,
    style: str,
) -> dict[str, Any]:
    """Return all fields that are known, the bot's own words last.

    Args:
        collected: What the bot told.
        identity: Who asked.
        error: What left the block, if anything.
        style: How conversations are flattened.
    """
    answers = add_up(map(_read, collected.answers))
    said = collected.response
    response = answers.text if said is None else said
    facts = collected.facts
    fields: dict[str, Any] = {
        "timestamp": format_timestamp(collected.asked_ms),
        "record_id": collected.record_id,
        "record_type": "interaction",
        "nonce": collected.nonce,
        "duration_ms": collected.duration_ms,
        "user_query": facts.user_query,
        "response": response,
        "full_conversation": _flattened(collected, style),
        "conversation_id": facts.conversation_id,
        "message_id": facts.message_id,
        "channel_id": facts.channel_id,
        "channel_type": facts.channel_type,
    }
    fields |= collected.runtime.as_fields(collected.asked_ms) | identity.as_fields()
    fields |= _lists(collected, answers) | answers.fields
    fields["error_type"] = type(error).__name__ if error else answers.error_type
    fields["outcome"] = outcome_of(
        error,
        answers.stop_reason,
        answers.fields.get("guardrail_action"),
        response,
        is_complete=answers.is_complete,
    )
    # The routed model, if the answer tells, is the one that answered.
    routed = {"model_used"} & set(answers.fields)
    given = {k: v for k, v in collected.given.items() if k not in routed}
    return fields | given


def _read(answer: Any) -> AnswerFacts:
    return answer if isinstance(answer, AnswerFacts) else read_answer(answer)


def _flattened(collected: Collected, style: str) -> str:
    messages = collected.messages
    if messages is None:
        messages = list(collected.facts.history) or None
    return flatten(messages, style=style, max_chars=_MAX_CHARS)


def _lists(collected: Collected, answers: Answers) -> dict[str, Any]:
    lists = {
        "tools": collected.tools + answers.tools,
        "sources": collected.sources + answers.sources,
        "attachments": collected.attachments,
    }
    return {
        name: [{k: v for k, v in item.items() if v is not None} for item in items]
        for name, items in lists.items()
    }
