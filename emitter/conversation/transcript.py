"""A conversation of any framework as one text that an analyst can read.

::

    [user] see
    [image png 4 bytes sha256:0f4636c78f65]
    [assistant] A chart of last week's tickets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from emitter.conversation.lines import cut_middle, escape, unify_breaks
from emitter.conversation.messages import read_messages
from emitter.conversation.shape import as_text, never_raises

if TYPE_CHECKING:
    from emitter.conversation.messages import Message
    from emitter.conversation.parts import Part

# What the record's full_conversation is cut to if nobody says otherwise.
DEFAULT_MAX_CHARS: Final = 131_072


@never_raises(str)
def flatten(
    conversation: Any,
    *,
    style: str = "tagged",
    max_chars: int = DEFAULT_MAX_CHARS,
    with_reasoning: bool = False,
) -> str:
    """Return a conversation as text. Pure; any input gives a string.

    Takes messages of Bedrock Converse, Anthropic, OpenAI (chat and responses),
    Strands and LangChain, as dictionaries or SDK objects; a request that holds
    them; strings; or a text, which comes back as it is. An iterator is read once.
    System prompts at the start are left out. Binaries are never copied.

    Args:
        conversation: What the model is about to see.
        style: ``tagged``: each message begins with ``[role] `` and content is
            escaped, so that no turn can be forged. ``plain``: texts and
            placeholders alone.
        max_chars: Longer texts keep a tenth at the head and the rest at the tail.
        with_reasoning: Copy the model's reasoning instead of counting it.
    """
    if conversation is None:
        return ""
    if isinstance(conversation, (str, int, float, bytes, bytearray)):
        return cut_middle(as_text(conversation), max_chars)
    messages = read_messages(conversation, with_reasoning=with_reasoning)
    show = show_plain if style == "plain" else _show_tagged
    shown = (show(each) for each in messages)
    return cut_middle("\n".join(filter(None, shown)), max_chars)


def _show_tagged(message: Message) -> str:
    shown = [_show_part(part) for part in message.parts] or ["[empty]"]
    return f"[{message.role}] " + "\n".join(shown)


def _show_part(part: Part) -> str:
    return _with_citations(part, escape(part.text) if part.is_text else part.text)


def _with_citations(part: Part, text: str) -> str:
    """Put the citations behind a text; what stands before it is not touched.

    Dropping spaces from an escaped text would let a bracket begin its line.
    """
    if not part.citations:
        return text
    return f"{text.rstrip()} {part.citations}" if text.strip() else part.citations


def show_plain(message: Message) -> str:
    """Return texts and placeholders, without tags and escapes."""
    shown = (_with_citations(part, part.text) for part in message.parts)
    return unify_breaks("\n".join(shown))
