"""Slack's message format as readable text.

Mentions, links and channels stand in angle brackets, and only ``&``, ``<`` and
``>`` are escaped. Page: docs.slack.dev, "Formatting message text".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from emitter.conversation.lines import one_line, unify_breaks
from emitter.conversation.shape import (
    as_dict,
    as_text,
    dict_at,
    dicts_in,
    first_text,
    never_raises,
    only_text,
)
from emitter.conversation.slack_beside import attachment_text, file_lines, submitted
from emitter.conversation.slack_blocks import read_blocks

Names = Mapping[str, str] | Callable[[str], str | None]

# A mention, a special mention, or an address with or without a label. Other text
# between angle brackets is no markup.
_MARKUP: Final = re.compile(
    r"<(?:(?P<sign>[@#])(?P<id>[A-Za-z0-9_.-]+)"
    r"|!(?P<special>[a-z]+(?:\^[^<>|]*)?)"
    r"|(?P<url>(?:[A-Za-z][A-Za-z0-9+.-]*://|(?:mailto|tel|sips?|sms|skype|callto"
    r"|facetime|xmpp|webcal|urn|magnet|data):)[^\s<>|]*))"
    r"(?:\|(?P<label>[^<>]*))?>"
)
_ENTITY: Final = re.compile("&(amp|lt|gt);")
_ENTITIES: Final = {"amp": "&", "lt": "<", "gt": ">"}
_LEADING_MENTION: Final = re.compile(r"\s*<@([A-Z0-9]+)(?:\|[^<>]*)?>[\s:,]*")
# Subtypes of an event about another message, which it holds.
_CHANGES: Final = frozenset({"message_changed", "message_replied"})
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_BARE_SCHEMES: Final = ("mailto:", "tel:")
_NOT_DIALLED: Final = re.compile(r"[^0-9A-Za-z@.+]")


@never_raises(str)
def readable_slack(
    event_or_text: Any, *, bot_user_id: str | None = None, names: Names | None = None
) -> str:
    """Return a Slack message as a person reads it. Pure; any input gives a string.

    A mention that addresses the bot is dropped from the start. Without text the
    blocks are read; files and forwarded messages follow on lines of their own.

    Args:
        event_or_text: Message event, alone or in its envelope, slash command,
            interaction, or mrkdwn text.
        bot_user_id: The bot's own ``U…``. Without it the first mention of an
            ``app_mention`` event is taken for the bot.
        names: Names of users and channels by id, as a mapping or a callable;
            ids stand where it has none.
    """
    if isinstance(event_or_text, (bytes, bytearray)):
        event_or_text = bytes(event_or_text).decode("utf-8", "replace")
    event = as_dict(event_or_text)
    if event is None:
        return _tidy(_read(as_text(event_or_text), bot_user_id, names))
    event = dict_at(event, "event") or event
    if event.get("subtype") in _CHANGES:
        event = dict_at(event, "message") or event
    if command := first_text(event, "command"):
        return _tidy(f"{command} {_read(first_text(event, 'text'), None, names)}")
    is_addressed = bot_user_id is None and event.get("type") == "app_mention"
    bot = "" if is_addressed else bot_user_id
    shown = _shown(event, bot, names)
    # A shortcut or a pressed button says which message it belongs to.
    return _tidy(shown or _shown(dict_at(event, "message"), bot, names))


def _shown(event: dict[str, Any], bot: str | None, names: Names | None) -> str:
    """Return a message's text, else blocks, else what was pressed; files; forwards."""
    text = (
        only_text(event.get("text"))
        or read_blocks(event.get("blocks"))
        or submitted(event)
    )
    parts = [_read(text, bot, names)]
    parts += [_read(each, None, names) for each in file_lines(event)]
    for each in dicts_in(event.get("attachments")):
        if forwarded := _read(attachment_text(each), None, names):
            parts.append(f"[attachment: {forwarded}]")
    return "\n".join(filter(None, parts))


def _read(mrkdwn: str, bot_user_id: str | None, names: Names | None) -> str:
    """Read mrkdwn. An empty *bot_user_id* means: whoever is mentioned first."""
    text = _drop_address(mrkdwn, bot_user_id)
    pieces: list[str] = []
    at = 0
    for found in _MARKUP.finditer(text):
        pieces.append(_decode(text[at : found.start()]))
        pieces.append(_read_markup(found, names))
        at = found.end()
    pieces.append(_decode(text[at:]))
    return "".join(pieces)


def _drop_address(text: str, bot_user_id: str | None) -> str:
    """Drop the bot's mentions from the start; some clients write it twice."""
    found = _LEADING_MENTION.match(text)
    while found and bot_user_id is not None and bot_user_id in ("", found[1]):
        bot_user_id = found[1]
        text = text[found.end() :]
        found = _LEADING_MENTION.match(text)
    return text


def _decode(text: str) -> str:
    """Decode once: ``&amp;lt;`` is the text ``&lt;``."""
    return _ENTITY.sub(lambda found: _ENTITIES[found[1]], text)


def _read_markup(found: re.Match[str], names: Names | None) -> str:
    label = _decode(found["label"] or "")
    if sign := found["sign"]:
        return f"{sign}{_name(found['id'], names) or label.lstrip(sign) or found['id']}"
    if special := found["special"]:
        return _read_special(_decode(special), label)
    target = _decode(found["url"])
    if target.startswith(_BARE_SCHEMES):
        target = target.partition(":")[2]
        if _NOT_DIALLED.sub("", label) == _NOT_DIALLED.sub("", target):
            return label
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
    return one_line(only_text(found)).lstrip("@#")


def _tidy(text: str) -> str:
    """Unify line breaks and drop control characters; tabs stay."""
    return _CONTROL.sub("", unify_breaks(text)).strip()
