"""Binary data that stands as text in a tool's input or result: named, never copied.

::

    {"type":"image","data":"<240 base64 chars>"}
"""

from __future__ import annotations

import re
from typing import Any, Final

_ALPHABET: Final = r"[A-Za-z0-9+/_-]"
# As many characters as no word, id or digest has. Tokens may; a record is the better
# without them.
_MIN_RUN_CHARS: Final = 200
# Where the member's name or the place already says that data are expected.
_MIN_EXPECTED_CHARS: Final = 64
_RUN: Final = re.compile(
    rf"(?<!{_ALPHABET})(?:(?:{_ALPHABET}{{60,76}}\r?\n){{2,}}{_ALPHABET}*"
    rf"|{_ALPHABET}{{{_MIN_RUN_CHARS},}})={{0,2}}"
)
_DATA_URL: Final = re.compile(
    rf"data:([A-Za-z0-9.+/-]{{0,100}})(?:;[A-Za-z0-9=.-]{{1,50}}){{0,3}};base64,"
    rf"({_ALPHABET}+={{0,2}})",
    re.IGNORECASE,
)
_ENCODED: Final = re.compile(rf"(?:{_ALPHABET}|[\r\n])+={{0,2}}\s*")
_CLASSES: Final = tuple(map(re.compile, ("[A-Z]", "[a-z]", "[0-9]")))

# Members that hold base64 if they are long; beside a media type at any length.
_DATA_NAMES: Final = frozenset(
    {"b64", "b64_json", "base64", "blob", "bytes", "data", "file_data", "image_base64"}
)
# Members that may hold words as well.
_CONTENT_NAMES: Final = frozenset({"body", "content", "image", "audio"})
_MEDIA_TYPE_NAMES: Final = ("media_type", "mimeType", "mime_type", "contentType")
_TEXT_TYPES: Final = ("text/", "application/json", "application/xml")


def looks_encoded(text: str) -> bool:
    """Whether a text that should be an address is base64 instead."""
    is_long = len(text) >= (_MIN_EXPECTED_CHARS if _is_mixed(text) else _MIN_RUN_CHARS)
    return is_long and _ENCODED.fullmatch(text) is not None


def hide_in_text(text: str) -> str:
    """Replace base64 inside a text: data URLs, and runs too long for anything else."""
    named = _hide_urls(text)
    return _RUN.sub(_hide_run, named) if len(named) >= _MIN_RUN_CHARS else named


def _hide_urls(text: str) -> str:
    if "base64," not in text.lower():
        return text
    return _DATA_URL.sub(lambda url: f"data:{url[1]},{_name(url[2])}", text)


def _hide_run(run: re.Match[str]) -> str:
    """Name a run that is as mixed as base64 is; a ruler of equal signs stays."""
    return _name(run[0]) if _is_mixed(run[0]) else run[0]


def _is_mixed(text: str) -> bool:
    return all(each.search(text) for each in _CLASSES)


def _name(data: str) -> str:
    return f"<{len(data)} base64 chars>"


def hide_in_json(value: Any) -> Any:
    """Replace base64 inside a JSON value, wherever it stands."""
    if isinstance(value, str):
        return hide_in_text(value)
    if isinstance(value, list):
        return [hide_in_json(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.get("type") == "Buffer" and isinstance(value.get("data"), list):
        return f"<{len(value['data'])} bytes>"
    media = _says_media(value)
    return {name: _hide_member(name, each, media) for name, each in value.items()}


def _hide_member(name: str, value: Any, media: bool) -> Any:
    if not isinstance(value, str) or name not in _DATA_NAMES | _CONTENT_NAMES:
        return hide_in_json(value)
    is_long = len(value) >= _MIN_EXPECTED_CHARS
    is_expected = is_long if name in _CONTENT_NAMES else is_long or media
    is_data = is_expected and _ENCODED.fullmatch(value)
    return _name(value) if is_data else hide_in_text(value)


def _says_media(value: dict[str, Any]) -> bool:
    """Whether a map says that its data are those of a file."""
    for name in _MEDIA_TYPE_NAMES:
        told = value.get(name)
        if isinstance(told, str) and told:
            return not told.startswith(_TEXT_TYPES)
    return value.get("type") == "base64"
