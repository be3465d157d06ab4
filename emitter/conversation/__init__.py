"""What was said: conversations, platform text and models' answers as plain facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from audit_record.lazy import lazy_names

if TYPE_CHECKING:
    from emitter.conversation.answer.facts import AnswerFacts
    from emitter.conversation.answer.reading import read_answer
    from emitter.conversation.lines import escape, unescape
    from emitter.conversation.slack_text import readable_slack
    from emitter.conversation.stream.along import tee, tee_async
    from emitter.conversation.teams_text import readable_teams
    from emitter.conversation.transcript import flatten

__all__ = [
    "AnswerFacts",
    "escape",
    "flatten",
    "read_answer",
    "readable_slack",
    "readable_teams",
    "tee",
    "tee_async",
    "unescape",
]

# Loaded when first used: a bot imports this before its first question, and most
# of it is needed only after the reply.
_HOMES: Final = {
    "AnswerFacts": "emitter.conversation.answer.facts",
    "escape": "emitter.conversation.lines",
    "flatten": "emitter.conversation.transcript",
    "read_answer": "emitter.conversation.answer.reading",
    "readable_slack": "emitter.conversation.slack_text",
    "readable_teams": "emitter.conversation.teams_text",
    "tee": "emitter.conversation.stream.along",
    "tee_async": "emitter.conversation.stream.along",
    "unescape": "emitter.conversation.lines",
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
