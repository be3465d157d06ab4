"""What stands beside a Slack message's text, as mrkdwn: files, forwards, forms.

Pages: docs.slack.dev, "Secondary message attachments", "Interaction payloads" and
"Block elements".
"""

from __future__ import annotations

import time
from typing import Any, Final

from emitter.conversation.lines import one_line
from emitter.conversation.shape import as_dict, as_list, dict_at, dicts_in, first_text
from emitter.conversation.slack_blocks import quote, read_blocks, text_object

# Members of a picked date, time or other plain value of an input.
_PLAIN_CHOICES: Final = ("selected_date", "selected_time")
# Members that name people and places; one, or with an s several.
_ID_CHOICES: Final = (
    ("selected_user", "@"),
    ("selected_channel", "#"),
    ("selected_conversation", "#"),
)


def file_lines(event: dict[str, Any]) -> list[str]:
    """Return a line for each file of a message."""
    return [f"[file: {quote(_name(each))}]" for each in dicts_in(event.get("files"))]


def _name(file: dict[str, Any]) -> str:
    return one_line(first_text(file, "name", "title", "id")) or "unnamed"


def attachment_text(attachment: dict[str, Any]) -> str:
    """Return what a forwarded message, an unfurled link or an app's card shows."""
    shared = [
        read_blocks(dict_at(each, "message").get("blocks"))
        for each in dicts_in(attachment.get("message_blocks"))
    ]
    body = (
        first_text(attachment, "text")
        or "\n".join(filter(None, shared))
        or read_blocks(attachment.get("blocks"))
    )
    head = (first_text(attachment, "pretext"), first_text(attachment, "title"))
    fields = (_field(each) for each in dicts_in(attachment.get("fields")))
    lines = (*head, body, *fields, *file_lines(attachment))
    # Each once: a title is often the text again.
    shown = "\n".join(dict.fromkeys(filter(None, lines)))
    return shown or first_text(
        attachment, "fallback", "title_link", "from_url", "image_url"
    )


def _field(field: dict[str, Any]) -> str:
    both = (first_text(field, "title"), first_text(field, "value"))
    return ": ".join(filter(None, both))


def submitted(event: dict[str, Any]) -> str:
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
    """Return what was chosen or typed in one element."""
    options = (dict_at(action, "selected_option"), *_options(action))
    picked = [text_object(each.get("text")) for each in options]
    picked += [quote(first_text(action, name)) for name in _PLAIN_CHOICES]
    picked += _ids(action)
    if at := action.get("selected_date_time"):
        picked.append(f"<!date^{at}^{{date}}|{_utc(at)}>")
    picked.append(read_blocks([action.get("rich_text_value")]))
    picked += file_lines(action)
    label = ", ".join(filter(None, picked)) or text_object(action.get("text"))
    return label or first_text(action, "value")


def _options(action: dict[str, Any]) -> list[dict[str, Any]]:
    return dicts_in(action.get("selected_options"))


def _ids(action: dict[str, Any]) -> list[str]:
    found = []
    for name, sign in _ID_CHOICES:
        one, several = action.get(name), as_list(action.get(f"{name}s"))
        ids = [each for each in (one, *several) if isinstance(each, str) and each]
        found += [f"<{sign}{quote(each)}>" for each in ids]
    return found


def _utc(seconds: Any) -> str:
    """Write a moment that was picked; what is no number of seconds stays."""
    try:
        return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))
    except (TypeError, ValueError, OverflowError, OSError):
        return quote(str(seconds)[:64])
