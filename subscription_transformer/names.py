"""Names of fields that say: what follows is a secret."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_STRONG: Final = frozenset(
    {
        *("passwords", "pwd", "passcode", "kennwort", "credential", "credentials"),
    }
)
# These mean something else too often in running text to be believed there alone.
_WEAK: Final = frozenset({"secret", "secrets", "token", "authorization"})
_SHORT: Final = frozenset({"pin", "pass", "pw"})
_PAIRS: Final = frozenset(
    (first, "key")
    for first in ("api", "access", "private", "secret", "signing", "encryption", "auth")
)
# Also at the end of names that are written in one case: ``DBPASSWORD``, ``authtoken``.
_ENDINGS: Final = (
    *("password", "passwd", "passphrase", "passwort", "apikey", "secretkey"),
    *("accesskey", "privatekey", "token", "secret"),
)
# Words after the telling one that do not change what the value is.
_TRAILING: Final = frozenset(
    {"value", "text", "string", "raw", "plain", "plaintext", "current", "old", "new"}
    | {"confirm", "confirmation", "confirmed", "repeat", "again"}
)
_SEGMENT: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@lru_cache(maxsize=4_096)
def names_a_secret(name: str, *, in_text: bool = False) -> bool:
    """Tell whether a field's name says that its value is a secret.

    Args:
        name: In any style: ``apiKey``, ``api-key``, ``x.api.key``, ``API_KEY``.
            The word has to end the name: ``token_count`` is no secret.
        in_text: Whether the name stands in running text, where a few short words
            mean something else.
    """
    words = _telling_words(name)
    if not words:
        return False
    last = words[-1]
    if tuple(words[-2:]) in _PAIRS or last in _STRONG or last in _WEAK:
        return True
    return last.endswith(_ENDINGS) or (not in_text and last in _SHORT)


def is_weak_name(name: str) -> bool:
    """Tell whether *name* is an ordinary English word, as ``secret`` is."""
    words = _telling_words(name)
    return len(words) == 1 and words[0] in _WEAK


def _telling_words(name: str) -> list[str]:
    words = [word.lower() for word in _SEGMENT.findall(name) if not word.isdigit()]
    while len(words) > 1 and words[-1] in _TRAILING:
        words.pop()
    return words
