"""Slack's message format as readable text.

Mentions, links and channels stand in angle brackets, and only ``&``, ``<`` and
``>`` are escaped. Page: docs.slack.dev, "Formatting message text".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from emitter.conversation.lines import unify_breaks
from emitter.conversation.shape import (
    as_dict,
    as_text,
    dict_at,
    dicts_in,
    first_text,
    never_raises,
    only_text,
)
from emitter.conversation.slack_blocks import read_blocks

Names = Mapping[str, str] | Callable[[str], str | None]

_BRACKETS: Final = re.compile("<([^<>]+)>")
_ENTITY: Final = re.compile("&(amp|lt|gt);")
_ENTITIES: Final = {"amp": "&", "lt": "<", "gt": ">"}
_LEADING_MENTION: Final = re.compile(r"\s*<@([A-Z0-9]+)(?:\|[^<>]*)?>[\s:,]*")
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_BARE_SCHEMES: Final = ("mailto:", "tel:")


@never_raises(str)
def readable_slack(
    event_or_text: Any, *, bot_user_id: str | None = None, names: Names | None = None
) -> str:
    """Return a Slack message as a person reads it. Pure; any input gives a string.

    A mention that addresses the bot is dropped from the start. Without text the
    blocks are read; files and forwarded messages follow on lines of their own.

    Args:
        event_or_text: Message event, slash command, interaction, or mrkdwn text.
        bot_user_id: The bot's own ``U…``. Without it the first mention of an
            ``app_mention`` event is taken for the bot.
        names: Names of users and channels by id, as a mapping or a callable;
            ids stand where it has none.
    """
    event = as_dict(event_or_text)
    if event is None:
        return _tidy(_read(as_text(event_or_text), bot_user_id, names))
    if command := first_text(event, "command"):
        return _tidy(f"{command} {_read(first_text(event, 'text'), None, names)}")
    is_addressed = bot_user_id is None and event.get("type") == "app_mention"
    bot = "" if is_addressed else bot_user_id
    parts = [_read(_text_of(event), bot, names)]
    parts += [f"[file: {_file_name(each)}]" for each in dicts_in(event.get("files"))]
    for each in dicts_in(event.get("attachments")):
        if forwarded := _read(_attachment_text(each), None, names):
            parts.append(f"[attachment: {forwarded}]")
    return _tidy("\n".join(filter(None, parts)))


def _text_of(event: dict[str, Any]) -> str:
    """Return an event's mrkdwn: its text, its blocks, or what was pressed."""
    return (
        only_text(event.get("text"))
        or read_blocks(event.get("blocks"))
        or _submitted(event)
        or only_text(dict_at(event, "message").get("text"))
    )


def _submitted(event: dict[str, Any]) -> str:
    """Return the choices of an interaction: button labels, options, inputs."""
    states = dict_at(event, "view", "state", "values") or dict_at(
        event, "state", "values"
    )
    inputs = [
        as_dict(field) or {}
        for block in states.values()
        for field in (as_dict(block) or {}).values()
    ]
    chosen = (_choice(each) for each in (*dicts_in(event.get("actions")), *inputs))
    return "\n".join(filter(None, chosen))


def _choice(action: dict[str, Any]) -> str:
    option = dict_at(action, "selected_option", "text")
    label = first_text(option, "text") or first_text(dict_at(action, "text"), "text")
    return label or first_text(action, "value")


def _file_name(file: dict[str, Any]) -> str:
    return first_text(file, "name", "title", "id") or "unnamed"


def _attachment_text(attachment: dict[str, Any]) -> str:
    shared = dicts_in(attachment.get("message_blocks"))
    blocks = dict_at(shared[0], "message").get("blocks") if shared else None
    return (
        first_text(attachment, "text")
        or read_blocks(blocks)
        or read_blocks(attachment.get("blocks"))
        or first_text(attachment, "fallback", "title", "title_link")
    )


def _read(mrkdwn: str, bot_user_id: str | None, names: Names | None) -> str:
    """Read mrkdwn. An empty *bot_user_id* means: whoever is mentioned first."""
    text = _drop_address(mrkdwn, bot_user_id)
    pieces: list[str] = []
    at = 0
    for found in _BRACKETS.finditer(text):
        pieces.append(_decode(text[at : found.start()]))
        pieces.append(_read_bracket(found[1], names))
        at = found.end()
    pieces.append(_decode(text[at:]))
    return "".join(pieces)


def _drop_address(text: str, bot_user_id: str | None) -> str:
    found = _LEADING_MENTION.match(text)
    if found and bot_user_id is not None and bot_user_id in ("", found[1]):
        return text[found.end() :]
    return text


def _decode(text: str) -> str:
    """Decode once: ``&amp;lt;`` is the text ``&lt;``."""
    return _ENTITY.sub(lambda found: _ENTITIES[found[1]], text)


def _read_bracket(inner: str, names: Names | None) -> str:
    target, _, label = inner.partition("|")
    target, label = _decode(target), _decode(label)
    sign = target[0]
    if sign in "@#":
        return f"{sign}{_name(target[1:], names) or label.lstrip(sign) or target[1:]}"
    if sign == "!":
        return _read_special(target[1:], label)
    if target.startswith(_BARE_SCHEMES):
        return label or target.partition(":")[2]
    return f"{label} ({target})" if label and label != target else target


def _read_special(target: str, label: str) -> str:
    """Read ``!here``, ``!subteam^S1`` and ``!date^…``."""
    kind, _, rest = target.partition("^")
    if kind == "date":
        return label or rest
    if label:
        return f"@{label.lstrip('@')}"
    return f"@{rest or kind}"


def _name(user_or_channel: str, names: Names | None) -> str:
    if names is None:
        return ""
    try:
        found = (
            names.get(user_or_channel)
            if isinstance(names, Mapping)
            else names(user_or_channel)
        )
    except Exception:  # noqa: BLE001 - a bot's own resolver may raise anything
        return ""
    return only_text(found).lstrip("@#")


def _tidy(text: str) -> str:
    """Unify line breaks and drop control characters; tabs stay."""
    return _CONTROL.sub("", unify_breaks(text)).strip()
