"""This turn's question, found in a conversation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from emitter.conversation.lines import unescape
from emitter.conversation.messages import Message, read_messages
from emitter.conversation.shape import as_text, never_raises, take
from emitter.conversation.transcript import show_plain

_TURN: Final = re.compile(r"^\[(user|assistant|system|tool)\] ", re.MULTILINE)


@never_raises(str)
def last_question(conversation: Any) -> str:
    """Return the text of the last message of a user; "" if there is none.

    Reads every shape that `flatten` reads. Results of tools come under the same
    role: they are left out, and a message that holds nothing else is passed over.
    Files and images show their placeholder. Without any user the last text whose
    speaker is not known counts.
    """
    if isinstance(conversation, (str, bytes, bytearray)):
        return _last_turn(as_text(conversation))
    messages = [
        kept
        for each in read_messages(conversation)
        if (kept := _without_results(each)) is not None
    ]
    asked = _last_asked(messages) or next(filter(_is_unknown, reversed(messages)), None)
    return show_plain(asked) if asked else ""


def _last_asked(messages: list[Message]) -> Message | None:
    """Return the last message of a user, empty if the whole last turn is."""
    turn = None
    for message in reversed(messages):
        if message.role == "user":
            turn = message
        if turn is not None and (turn.parts or message.role != "user"):
            return turn
    return turn


def _last_turn(text: str) -> str:
    """Return a text, or the last user's turn of one that `flatten` has made."""
    if not _TURN.match(text):
        return text
    pieces = _TURN.split(text)
    turns = zip(pieces[1::2], pieces[2::2], strict=True)
    said = [spoken for role, spoken in turns if role == "user"]
    return unescape(said[-1].removesuffix("\n")) if said else ""


def _without_results(message: Message) -> Message | None:
    """Return a message without results of tools; None if it holds only those."""
    kept = [part for part in message.parts if not part.is_result]
    return None if message.parts and not kept else replace(message, parts=kept)


def _is_unknown(message: Message) -> bool:
    is_text = any(part.is_text for part in message.parts)
    return message.role == "unknown" and is_text


def readable_twice(conversation: Any) -> Any:
    """Return a conversation that can be read more than once.

    Iterators, of messages and of the blocks of one, become lists; the caller's own
    messages are not altered.
    """
    if isinstance(conversation, Iterator):
        conversation = take(conversation)
    if not isinstance(conversation, (list, tuple)):
        return _settled(conversation)
    return [_settled(message) for message in conversation]


def _settled(value: Any) -> Any:
    """Return a message or request whose iterators are lists."""
    if type(value) is not dict:
        return value
    if not any(isinstance(member, Iterator) for member in value.values()):
        return value
    return {
        name: take(member) if isinstance(member, Iterator) else member
        for name, member in value.items()
    }
