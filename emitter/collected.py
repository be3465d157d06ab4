"""What one question has collected when its block is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from emitter.gathered import Gathered
    from emitter.identity.source import SourceFacts
    from emitter.runtime import RuntimeFacts


class Collected(NamedTuple):
    """The raw material of one record.

    Attributes:
        record_id: Id of the record.
        asked_ms: When the question arrived, in ms since the epoch.
        duration_ms: Until the reply was handed over.
        facts: What the event said.
        runtime: Where the bot runs.
        given: Fields that the bot named.
        model: Model that the bot said it would ask.
        gathered: Conversation, answers, tools, sources, files and reply.
        error: What left the block, if anything.
        is_timeout: Whether Lambda is about to stop the bot.
        ref_record_id: Of the record that was written as the time was up.
    """

    record_id: str
    asked_ms: int
    duration_ms: int | None
    facts: SourceFacts
    runtime: RuntimeFacts
    given: dict[str, Any]
    model: Any
    gathered: Gathered
    error: BaseException | None = None
    is_timeout: bool = False
    ref_record_id: str | None = None

    @property
    def response(self) -> str | None:
        """What the person was shown; None if the bot did not say."""
        return self.gathered.response
