"""Sign-in activities of Bot Framework: they carry secrets, which no record may hold.

Pages: Microsoft Learn, "Add authentication to a Teams bot" and "Single sign-on for
bots" (`signin/tokenExchange`, `signin/verifyState`, `tokens/response`), and "Universal
Actions for Adaptive Cards" (`authentication`, `state`).
"""

from __future__ import annotations

from typing import Any, Final

from emitter.conversation.shape import (
    as_dict,
    as_plain,
    first_text,
    only_text,
    parse_json,
)

_NAMES: Final = ("signin/", "tokens/")
_SECRETS: Final = frozenset(
    {"authentication", "authorization", "code", "magiccode", "password", "state"}
)
_SECRET_ENDINGS: Final = ("token", "secret")
# Names the bot's OAuth connection; it stands beside a token, and in no form.
_CONNECTION: Final = "connectionname"


def is_sign_in(activity: Any) -> bool:
    """Whether an activity (dictionary or SDK object) signs somebody in.

    That is told by its name, or by what its value holds. A message is one only if
    its value names an OAuth connection: a form's ``state`` or ``code`` may be any.
    """
    found = as_dict(activity) or {}
    if first_text(found, "name").lower().startswith(_NAMES):
        return True
    members = as_dict(read_value(found.get("value"))) or {}
    if any(_plain_name(name) == _CONNECTION for name in members):
        return True
    is_message = only_text(found.get("type")).lower().startswith("message")
    return not is_message and any(_is_secret(name) for name in members)


def read_value(value: Any) -> Any:
    """Return an activity's value as JSON; of an SDK object its members."""
    if isinstance(value, str):
        parsed = parse_json(value) if value.lstrip()[:1] in ("{", "[") else None
        return value if parsed is None else as_plain(parsed)
    return as_plain(as_dict(value) or value)


def without_secrets(value: Any) -> Any:
    """Return a JSON value without the members that hold secrets, at any depth.

    JSON that stands as text in a member is read as well.
    """
    if isinstance(value, str):
        found = read_value(value)
        return value if found == value else without_secrets(found)
    if isinstance(value, dict):
        return {
            name: without_secrets(member)
            for name, member in value.items()
            if not _is_secret(name)
        }
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    return value


def _is_secret(name: Any) -> bool:
    plain = _plain_name(name)
    return plain in _SECRETS or plain.endswith(_SECRET_ENDINGS)


def _plain_name(name: Any) -> str:
    return only_text(name).replace("_", "").replace("-", "").lower()
