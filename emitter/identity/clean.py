r"""Clean a name and split it into login and domain.

``Bob.Smith@Example.com``, ``EXAMPLE\Bob`` and
``bob_partner.example#EXT#@example.onmicrosoft.com`` are the three ways in which
directories write a person.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_DROPPED_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs"})
# Entra's mark in the UPN of a guest; what stands before it is the guest's e-mail
# with "_" for "@".
_GUEST_MARK: Final = re.compile("#ext#", re.IGNORECASE | re.ASCII)
# What separates labels of a domain beside the full stop. RFC 3490, section 3.1; the
# other two of its list become one of these by NFKC.
_OTHER_DOTS: Final = "\u3002\uff61"


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


def first_usable(values: Mapping[str, Any], *names: str) -> str:
    """Return the first of the named strings of which cleaning leaves something.

    As it came: only cleaning drops what must not stay.
    """
    for name in names:
        value = values.get(name)
        if clean(value):
            return str.__str__(value)
    return ""


def clean_domain(text: str) -> str:
    """Return a domain in lower case with plain dots, none of them at its end."""
    folded = fold(clean(text))
    for dot in _OTHER_DOTS:
        folded = folded.replace(dot, ".")
    return folded.rstrip(".").strip()


@dataclass(frozen=True, slots=True)
class Login:
    """A name taken apart; all parts in lower case.

    Attributes:
        local: Login without domain; empty if there is none.
        domain: Mail domain or NetBIOS name; empty if there is none.
        is_guest: The name carries Entra's guest mark.
        is_address: Login and domain make an e-mail address. Else the domain is a
            NetBIOS name.
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
    return Login(local.strip(), clean_domain(domain), whole=text)


def _split_guest(before: str, whole: str) -> Login:
    # Mail domains have no underscore, so the last one stands for the "@".
    mark = "@" if "@" in before else "_"
    local, found, domain = before.rpartition(mark)
    if not found:
        return Login(before.strip(), is_guest=True, whole=whole)
    return _login(local, domain, whole=whole, is_guest=True)


def _login(local: str, domain: str, *, whole: str, is_guest: bool = False) -> Login:
    local, domain = local.strip(), clean_domain(domain)
    return Login(local, domain, is_guest, bool(local and domain), whole)
