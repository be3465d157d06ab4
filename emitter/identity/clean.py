r"""Clean a name and split it into login and domain.

``Bob.Smith@Example.com``, ``EXAMPLE\Bob`` and
``bob_partner.example#EXT#@example.onmicrosoft.com`` are the three ways in which
directories write a person.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any, Final

_DROPPED_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs"})
# Entra's mark in the UPN of a guest; what stands before it is the guest's e-mail
# with "_" for "@".
_GUEST_MARK: Final = re.compile("#ext#", re.IGNORECASE | re.ASCII)


def clean(value: Any) -> str:
    """Return *value* in NFKC without invisible characters and outer space.

    Control, format (zero-width, bidi) and surrogate characters are dropped.
    Anything but a string gives an empty string.
    """
    if not isinstance(value, str):
        return ""
    text = str.__str__(value)
    if text.isascii() and text.isprintable():
        return text.strip()
    composed = unicodedata.normalize("NFKC", text)
    kept = (
        char
        for char in composed
        if unicodedata.category(char) not in _DROPPED_CATEGORIES
    )
    # Dropping may bring a letter and its accent together: composed once more.
    return unicodedata.normalize("NFKC", "".join(kept)).strip()


def fold(text: str) -> str:
    """Return *text* in lower case and NFC; never casefolded (ß stays ß)."""
    return unicodedata.normalize("NFC", text.lower())


@dataclass(frozen=True, slots=True)
class Login:
    """A name taken apart; all parts in lower case.

    Attributes:
        local: Login without domain; empty if there is none.
        domain: Mail domain or NetBIOS name; empty if there is none.
        is_guest: The name carries Entra's guest mark.
        is_address: Login and domain make an e-mail address.
        whole: The cleaned name as it was, in lower case.
    """

    local: str
    domain: str = ""
    is_guest: bool = False
    is_address: bool = False
    whole: str = ""

    @property
    def email(self) -> str | None:
        """The e-mail address, or None if the name is not one."""
        return f"{self.local}@{self.domain}" if self.is_address else None


def split(value: Any) -> Login:
    """Clean *value* and take it apart; a `Login` without `local` is unusable."""
    text = fold(clean(value))
    guest = _GUEST_MARK.search(text)
    if guest:
        return _split_guest(text[: guest.start()], text)
    if "@" in text:
        local, _, domain = text.rpartition("@")
        return _login(local, domain, whole=text)
    domain, _, local = text.rpartition("\\")
    return Login(local.strip(), domain.strip(), whole=text)


def _split_guest(before: str, whole: str) -> Login:
    # Mail domains have no underscore, so the last one stands for the "@".
    mark = "@" if "@" in before else "_"
    local, found, domain = before.rpartition(mark)
    if not found:
        return Login(before.strip(), is_guest=True, whole=whole)
    return _login(local, domain, whole=whole, is_guest=True)


def _login(local: str, domain: str, *, whole: str, is_guest: bool = False) -> Login:
    local, domain = local.strip(), domain.strip().rstrip(".")
    return Login(local, domain, is_guest, bool(local and domain), whole)
