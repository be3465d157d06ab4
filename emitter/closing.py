"""Turn what a question has collected into the fields of its record.

Runs after the reply. Only then is this module loaded: a bot starts faster without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from audit_record.times import format_timestamp
from emitter.answers import Answers, choose_model
from emitter.conversation import flatten
from emitter.conversation.asked import last_question, readable_twice
from emitter.outcome import outcome_of

if TYPE_CHECKING:
    from emitter.collected import Collected
    from emitter.identity import Identity
    from emitter.identity.source import SourceFacts
    from emitter.writer import Writer

# Memory of one conversation: sixteen times what the record keeps. Cutting is left to
# the record's own shortening, which says what it cut.
_MAX_CHARS: Final = 8_000_000


class QuestionRecipe:
    """How the record of a question that has ended comes about.

    Making this costs nothing; what it gives is worked out when it is asked for.

    Args:
        writer: Of the emitter.
        collected: What the bot told.
        user: The bot's own word for who asked.
    """

    def __init__(self, writer: Writer, collected: Collected, user: Any) -> None:
        self._writer = writer
        self._collected = collected
        self._user = user
        self.asked_ms = collected.asked_ms
        self._core: dict[str, Any] = {}

    @property
    def core(self) -> dict[str, Any]:
        """What was fixed when the question arrived; worked out once."""
        # Not functools.cached_property: up to Python 3.11 it holds a lock that a
        # fork may leave locked.
        self._core = self._core or self._fixed()
        return self._core

    def _fixed(self) -> dict[str, Any]:
        collected = self._collected
        return {
            "timestamp": format_timestamp(collected.asked_ms),
            "bot_name": self._writer.bot_name,
            "record_id": collected.record_id,
            "record_type": "interaction",
            "nonce": self._writer.new_nonce(),
            **collected.runtime.as_fields(collected.asked_ms),
        }

    def collect(self, identity: Identity) -> dict[str, Any]:
        """Return all fields."""
        style = self._writer.settings.style
        return self.core | fields_of(self._collected, identity, style)

    def identify(self) -> Identity:
        """Return who asked; may ask a directory."""
        return self._writer.resolve(self._collected.facts, self._user)

    def identify_now(self) -> Identity:
        """Return who asked as far as the event alone says it."""
        return self._writer.resolve_now(self._collected.facts, self._user)

    def size_hint_bytes(self) -> int:
        """Return about what the question takes in memory."""
        return self._collected.gathered.size_hint_bytes()


def fields_of(collected: Collected, identity: Identity, style: str) -> dict[str, Any]:
    """Return all fields that are known, the bot's own words last.

    Args:
        collected: What the bot told.
        identity: Who asked.
        style: How conversations are flattened.
    """
    facts, gathered, given = collected.facts, collected.gathered, collected.given
    answers = gathered.totals(with_open=collected.is_timeout)
    if gathered.response is not None:
        answers.text = gathered.response
    messages = readable_twice(gathered.messages)
    if messages is None:
        messages = _messages_of(facts)
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


def _messages_of(facts: SourceFacts) -> list[Any] | None:
    """Return the conversation that a request itself carries, its question last."""
    if not facts.history and "inputText" not in facts.event:
        return None
    asked = {"role": "user", "content": facts.user_query}
    return [*facts.history, *([asked] if facts.user_query else [])]


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
            has_failed=answers.has_failed,
        ),
    }
