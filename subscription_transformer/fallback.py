"""Unwrap the line that a bot's library writes to stdout when CloudWatch fails it.

The line reaches the stream by a second subscription, on the bot's own log group.
AWS names the filter in the envelope, and Terraform puts the bot's name into the
filter's: so a bot cannot speak for another one.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

from audit_record.codec import loads
from audit_record.errors import DecodeError

if TYPE_CHECKING:
    from subscription_transformer.envelope import Event, SubscriptionMessage

MARKER: Final = "BOT_AUDIT_FALLBACK "
_MARKED: Final = re.compile(r"\s*BOT_AUDIT_FALLBACK ")
FILTER_PREFIX: Final = "chatbot-audit-fallback-"


def unwrap(
    event: Event, message: SubscriptionMessage
) -> tuple[str, str, str, tuple[str, ...]] | None:
    """Return log group, log stream, line and problems of a fallback line.

    Returns:
        None for any other message. Where the filter does not vouch for the bot,
        the envelope's own group and stream, and ``mismatch:fallback``.
    """
    if not _MARKED.match(event.message):
        return None
    text = event.message.strip()
    try:
        value = loads(text[len(MARKER) :])
        parts = [value[key] for key in ("log_group", "log_stream", "line")]
    except (DecodeError, KeyError, TypeError):
        return message.log_group, message.log_stream, text, ("fallback:broken",)
    if not all(isinstance(part, str) for part in parts):
        return message.log_group, message.log_stream, text, ("fallback:broken",)
    group, stream, line = parts
    problems = () if _is_whole(line, value.get("line_sha256")) else ("fallback:cut",)
    bot_name = stream.partition("/")[0]
    if _vouches(message.subscription_filters, FILTER_PREFIX + bot_name):
        return group, stream, line, problems
    return (
        message.log_group,
        message.log_stream,
        line,
        (*problems, "mismatch:fallback"),
    )


def _is_whole(line: str, claimed: object) -> bool:
    return hashlib.sha256(line.encode(errors="replace")).hexdigest() == claimed


def _vouches(filters: tuple[str, ...], wanted: str) -> bool:
    # With two destinations each has a filter, told apart behind a slash, which no
    # bot's name can hold.
    return any(f"{name}/".startswith(f"{wanted}/") for name in filters)
