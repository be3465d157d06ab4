"""What Bedrock's invocation logs are told, so that they can be joined to a record."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from emitter.conversation.shape import never_raises, only_text
from emitter.identity.model import UNKNOWN_USER_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

    from emitter.identity import SourceFacts
    from emitter.writer import Writer

# Bedrock allows these characters in a value of requestMetadata, and 256 of them.
# AWS docs, Converse.
_NOT_ALLOWED: Final = r"(?a:[^a-zA-Z0-9\s:_@$#=/+,.\-])"
_MAX_CHARS: Final = 256


def _nothing() -> dict[str, Any]:
    return {}


@never_raises(_nothing)
def invocation_metadata(
    writer: Writer, facts: SourceFacts, user: Any, given: Mapping[str, Any]
) -> dict[str, Any]:
    """Return who asked which bot where, as the record will say it.

    Who asked is named where that is known before the reply: by the bot, or by
    claims. Nobody is looked up.

    Args:
        writer: Of the emitter.
        facts: What the event said.
        user: The bot's own word for who asked.
        given: Fields that the bot has stated; they win.
    """
    parts: dict[str, Any] = {
        "bot_name": writer.bot_name,
        "user_id": None,
        "conversation_id": facts.conversation_id,
        "user_platform_id": facts.user_platform_id,
    }
    if user is not None or facts.claims:
        parts |= _identity(writer, facts, user)
    parts |= {name: given[name] for name in parts if only_text(given.get(name))}
    texts = {name: only_text(value) for name, value in parts.items()}
    return {name: clean(text) for name, text in texts.items() if text}


def clean(text: str) -> str:
    """Return *text* as a value of requestMetadata may be."""
    return re.sub(_NOT_ALLOWED, "_", text)[:_MAX_CHARS]


@never_raises(_nothing)
def _identity(writer: Writer, facts: SourceFacts, user: Any) -> dict[str, Any]:
    identity = writer.resolve_now(facts, user)
    known = {
        "user_id": identity.user_id,
        "user_platform_id": identity.user_platform_id,
    }
    return {n: v for n, v in known.items() if v and v != UNKNOWN_USER_ID}
