"""Characters that a stream has cut in two.

A piece may end between the two surrogates of one character. Cleaned by itself each
half would be lost: pieces are kept as they came and cleaned when they are joined.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit_record.text import clean_text
from emitter.conversation.shape import parse_json
from emitter.loading import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def as_came(value: Any) -> str:
    """Return a string as it is, halves included; an empty one for anything else."""
    return str.__str__(value) if isinstance(value, str) else ""


def first_as_came(values: Mapping[str, Any], *names: str) -> str:
    """Return the first non-empty string among the named values, as it is."""
    return next((text for name in names if (text := as_came(values.get(name)))), "")


def join_pieces(pieces: Iterable[str]) -> str:
    """Return the text of all pieces; a half without its other becomes U+FFFD."""
    return clean_text("".join(pieces))


def parse_event(text: str | bytes) -> Any:
    r"""Read the JSON of one event; a half written as ``\ud83d`` stays what it is."""
    parsed = parse_json(text)
    has_half = b"\\ud" if isinstance(text, bytes) else "\\ud"
    if parsed is None or has_half not in text.lower():  # type: ignore[operator]
        return parsed
    load("json")
    import json  # noqa: PLC0415 - few events need it

    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return parsed
