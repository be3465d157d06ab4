"""Teams messages, plain or HTML, as readable text.

Mentions stand in ``<at>`` tags in every format. Page: Microsoft Learn, "Format
your bot messages" and "Mentions".
"""

from __future__ import annotations

import re
from typing import Any, Final

from emitter.conversation.lines import unify_breaks
from emitter.conversation.shape import (
    as_dict,
    as_json,
    as_text,
    dict_at,
    dicts_in,
    first_text,
    never_raises,
    only_text,
    parse_json,
)
from emitter.conversation.teams_cards import card_text
from emitter.conversation.teams_markup import read_markup, strip_tags
from emitter.conversation.teams_sign_in import is_sign_in, read_value, without_secrets
from emitter.loading import load

_FILE_TYPE: Final = "application/vnd.microsoft.teams.file.download.info"
_CARD_TYPES: Final = (
    "application/vnd.microsoft.card.",
    "application/vnd.microsoft.teams.card.",
    "application/vnd.microsoft.teams.messagereference",
    "messagereference",
    "forwardedmessagereference",
)
_HTML_FORMATS: Final = frozenset({"xhtml", "html", "xml", "text/html"})

_MENTION: Final = re.compile(r"<at\b[^<>]*>([^<]*)</at\s*>", re.IGNORECASE)
# Where the format is not told, markup shows itself by a closing tag or a break.
_MARKUP: Final = re.compile(
    r"</(?:p|div|span|b|strong|i|em|u|s|a|ul|ol|li|h[1-6]|pre|code|table|t[dhr]|blockquote)\s*>"
    r"|<br\s*/?>",
    re.IGNORECASE,
)
_ENTITY: Final = re.compile(
    r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z0-9]{2,31});"
)
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# A submitted card's data, as much as a question needs.
_MAX_SUBMITTED_CHARS: Final = 1_000


@never_raises(str)
def readable_teams(activity_or_text: Any, *, text_format: str | None = None) -> str:
    """Return a Teams message as a person reads it. Pure; any input gives a string.

    The mention that addresses the bot is dropped from the start; other people are
    kept as ``@Name``. Tags go first, entities are decoded after. Without text the
    HTML attachment is read; file cards and cards follow on lines of their own. Of a
    submitted card's data, members that hold secrets are left out; a sign-in gives "".

    Args:
        activity_or_text: Activity (dictionary, JSON or SDK object) or its text.
        text_format: ``plain``, ``markdown`` or ``xhtml``; taken from the activity
            if it says so. Unknown: HTML if the text has closing tags.
    """
    activity = _activity(activity_or_text)
    if activity is None:
        return _tidy(_read(_text(activity_or_text), text_format, None))
    if is_sign_in(activity):
        return ""
    told = text_format or first_text(activity, "textFormat", "text_format")
    attachments = dicts_in(activity.get("attachments"))
    text = only_text(activity.get("text"))
    if text.strip():
        parts = [_read(text, told, activity)]
    else:
        parts = [_read(_html_of(attachments), "html", activity)]
    parts += [_attachment(each) for each in attachments]
    if not any(parts):
        parts = [_submitted(activity)]
    return _tidy("\n".join(filter(None, parts)))


def _activity(value: Any) -> dict[str, Any] | None:
    """Return an activity; JSON text counts only if it looks like one."""
    if isinstance(value, (str, bytes, bytearray)):
        text = _text(value).lstrip()
        found = as_dict(parse_json(text)) if text[:1] == "{" else None
        return found if found and "type" in found else None
    return as_dict(value)


def _text(value: Any) -> str:
    is_bytes = isinstance(value, (bytes, bytearray))
    return as_text(bytes(value).decode("utf-8", "replace") if is_bytes else value)


def _content_type(attachment: dict[str, Any]) -> str:
    return first_text(attachment, "contentType", "content_type").lower()


def is_file(attachment: dict[str, Any]) -> bool:
    """Whether an attachment is a file or picture rather than markup or a card."""
    kind = _content_type(attachment)
    if kind == _FILE_TYPE:
        return True
    return kind != "text/html" and not kind.startswith(_CARD_TYPES) and bool(kind)


def _html_of(attachments: list[dict[str, Any]]) -> str:
    bodies = (
        as_text(each.get("content"))
        for each in attachments
        if _content_type(each) == "text/html"
    )
    return next(filter(None, bodies), "")


def _attachment(attachment: dict[str, Any]) -> str:
    if is_file(attachment):
        name = first_text(attachment, "name", "contentType", "content_type")
        return f"[file: {name}]"
    if _content_type(attachment).startswith(_CARD_TYPES):
        shown = card_text(attachment.get("content")) or first_text(attachment, "name")
        return f"[attachment: {_tidy(shown)}]" if shown else ""
    return ""


def _submitted(activity: dict[str, Any]) -> str:
    """Return the data of a submitted card; its text is empty."""
    value = without_secrets(read_value(activity.get("value")))
    if not value:
        return ""
    data = value if isinstance(value, str) else as_json(value)
    return f"[submitted: {data[:_MAX_SUBMITTED_CHARS]}]"


def _read(text: str, text_format: str | None, activity: dict[str, Any] | None) -> str:
    text = _read_mentions(_drop_address(text, activity))
    told = (text_format or "").lower()
    if told in _HTML_FORMATS or (not told and _MARKUP.search(text)):
        text = read_markup(text)
    return _ENTITY.sub(_decode, text)


def _decode(entity: re.Match[str]) -> str:
    load("html")
    import html  # noqa: PLC0415 - its table is large, and most texts have none

    return html.unescape(entity[0])


def _drop_address(text: str, activity: dict[str, Any] | None) -> str:
    """Drop the bot's own mention from the start, behind opening tags at most."""
    found = _MENTION.search(text)
    if found is None or strip_tags(text[: found.start()]).strip():
        return text
    if not _is_bot(found, activity or {}):
        return text
    return text[: found.start()] + text[found.end() :]


def _is_bot(mention: re.Match[str], activity: dict[str, Any]) -> bool:
    """Whether a mention names the bot; a first mention does, unless told otherwise."""
    recipient = first_text(dict_at(activity, "recipient"), "id")
    for entity in dicts_in(activity.get("entities")):
        mentioned = first_text(dict_at(entity, "mentioned"), "id")
        if recipient and mentioned and _mention_name(entity) == mention[1].strip():
            return mentioned == recipient
    return True


def _mention_name(entity: dict[str, Any]) -> str:
    found = _MENTION.search(first_text(entity, "text"))
    return found[1].strip() if found else ""


def _read_mentions(text: str) -> str:
    return _MENTION.sub(lambda found: f"@{found[1].strip()}", text)


def _tidy(text: str) -> str:
    """Unify line breaks and spaces, drop control characters."""
    spaced = unify_breaks(text).replace("\N{NO-BREAK SPACE}", " ")
    return _CONTROL.sub("", spaced).strip()
