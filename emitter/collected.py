"""What one question has collected when its block is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emitter.identity.source import SourceFacts
    from emitter.runtime import RuntimeFacts


@dataclass(frozen=True)
class Collected:
    """The raw material of one record.

    Attributes:
        record_id: Id of the record.
        nonce: Random, for digests.
        asked_ms: When the question arrived, in ms since the epoch.
        duration_ms: Until the reply was handed over.
        facts: What the event said.
        runtime: Where the bot runs.
        given: Fields that the bot named.
        messages: What the model saw, as the bot handed it over.
        answers: What models answered, as it came.
        tools: Tools the bot named.
        sources: Documents the bot named.
        attachments: Files the person gave.
        response: What the person was shown; None if the bot did not say.
    """

    record_id: str
    nonce: str
    asked_ms: int
    duration_ms: int | None
    facts: SourceFacts
    runtime: RuntimeFacts
    given: dict[str, Any]
    messages: Any
    answers: list[Any]
    tools: list[dict[str, Any]]
    sources: list[dict[str, Any]]
    attachments: list[dict[str, Any]]
    response: str | None
