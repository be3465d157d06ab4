"""Turn what a question has collected into the fields of its record.

Runs after the reply. Only then is this module loaded: a bot starts faster without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from audit_record.times import format_timestamp
from emitter.answers import Answers, choose_model
from emitter.conversation import flatten
from emitter.draft import Recipe
from emitter.gathered import last_question
from emitter.outcome import outcome_of

if TYPE_CHECKING:
    from emitter.collected import Collected
    from emitter.identity import Identity
    from emitter.writer import Writer

# Memory of one conversation: sixteen times what the record keeps. Cutting is left to
# the record's own shortening, which says what it cut.
_MAX_CHARS: Final = 8_000_000


def recipe_of(writer: Writer, collected: Collected, user: Any) -> Recipe:
    """Return how to make the record of a question that has ended.

    Args:
        writer: Of the emitter.
        collected: What the bot told.
        user: The bot's own word for who asked.
    """
    core = {
        "timestamp": format_timestamp(collected.asked_ms),
        "bot_name": writer.bot_name,
        "record_id": collected.record_id,
        "record_type": "interaction",
        "nonce": collected.nonce,
        **collected.runtime.as_fields(collected.asked_ms),
    }
    facts = collected.facts
    style = writer.settings.style
    return Recipe(
        asked_ms=collected.asked_ms,
        core=core,
        collect=lambda identity: core | fields_of(collected, identity, style),
        identify=lambda: writer.resolve(facts, user),
        identify_now=lambda: writer.resolve_now(facts, user),
        size_hint_bytes=collected.gathered.size_hint_bytes() + len(facts.user_query),
    )


def fields_of(collected: Collected, identity: Identity, style: str) -> dict[str, Any]:
    """Return all fields that are known, the bot's own words last.

    Args:
        collected: What the bot told.
        identity: Who asked.
        style: How conversations are flattened.
    """
    facts, gathered, given = collected.facts, collected.gathered, collected.given
    answers = gathered.totals()
    if gathered.response is not None:
        answers.text = gathered.response
    messages = gathered.messages
    if messages is None:
        messages = list(facts.history) or None
    fields: dict[str, Any] = {
        "duration_ms": collected.duration_ms,
        "user_query": facts.user_query or last_question(messages),
        "response": answers.text,
        "full_conversation": flatten(messages, style=style, max_chars=_MAX_CHARS),
        "conversation_id": facts.conversation_id,
        "message_id": facts.message_id,
        "channel_id": facts.channel_id,
        "channel_type": facts.channel_type,
    }
    fields |= identity.as_fields() | gathered.lists(answers) | answers.fields
    fields |= _end_of(collected, answers) | given
    if given.get("model_used") == collected.model:
        fields["model_used"] = choose_model(
            collected.model, answers.fields.get("model_used")
        )
    if collected.is_timeout:
        fields["outcome"] = "timeout"
    return fields


def _end_of(collected: Collected, answers: Answers) -> dict[str, Any]:
    error = collected.error
    return {
        "error_type": type(error).__name__ if error else answers.error_type,
        "ref_record_id": collected.ref_record_id,
        "outcome": outcome_of(
            error,
            answers.stop_reason,
            answers.fields.get("guardrail_action"),
            answers.text,
            is_complete=answers.is_complete,
        ),
    }
