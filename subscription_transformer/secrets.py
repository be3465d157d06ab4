"""What counts as a secret or as personal data: one finder a way of writing it.

A finder is a pattern that finds candidates in linear time and a check that looks
at the candidate alone: a checksum, a context, a name. Formats are the issuers' own
public ones.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from subscription_transformer import assignments, personal
from subscription_transformer.assignments import REDACTED
from subscription_transformer.scan import Span

# Looks at one candidate and returns the span that really is a secret, or None.
Check = Callable[[bytes, int, int], Span | None]


def _always(_: bytes, start: int, end: int) -> Span | None:
    return start, end


@dataclass(frozen=True, slots=True)
class Finder:
    """How one kind is found.

    Attributes:
        kind: Name in ``[redacted:kind]`` and in `redactions`.
        pattern: Finds candidates; see `scan`.
        hint: Hits every text, as JSON writes it, that `pattern` hits, escapes of
            letters apart (see `views.ESCAPES`): what it misses need not be looked
            at. "" if there is none, as for patterns of users.
        check: Decides on each candidate.
        is_on: Whether the kind is redacted unless rules say otherwise.
        is_token: Whether a value is distinctive by its format alone, so that its
            other occurrences are redacted too.
        is_personal: Whether the kind is personal data, not a credential.
    """

    kind: str
    pattern: str
    check: Check = _always
    hint: str = ""
    is_on: bool = True
    is_token: bool = True
    is_personal: bool = False


def _with_digit(data: bytes, start: int, end: int) -> Span | None:
    # "bearer responsibilities" and "sk-learn" are words; tokens have digits.
    return (start, end) if re.search(rb"\d", data[start:end]) else None


def _basic(data: bytes, start: int, end: int) -> Span | None:
    # "basic understanding" is English; base64 has more than small letters.
    if data[start : start + 64].islower() and data[start : start + 64].isalpha():
        return None
    try:
        decoded = base64.b64decode(data[start:end], validate=True)
    except binascii.Error:
        return None
    is_pair = b":" in decoded and decoded.isascii() and decoded.decode().isprintable()
    return (start, end) if is_pair else None


def _said(data: bytes, start: int, end: int) -> Span | None:
    # "the password is required" is English; hunter2 has a digit.
    value = data[start:end].rstrip(b".,;:!?)\"'")
    return (start, start + len(value)) if re.search(rb"\d", value) else None


def _not_variable(data: bytes, start: int, end: int) -> Span | None:
    is_known = data.startswith((REDACTED, b"$", b"{", b"%", b"<", b"*"), start, end)
    return None if is_known else (start, end)


_LETTER_ESCAPE: Final = r"\\u[0-9a-fA-F]{4}"
_AWS_KEY_HINT: Final = "(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}"

FINDERS: Final[tuple[Finder, ...]] = (
    Finder(
        "private_key",
        r"(?s)-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?"
        r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\z)",
        hint="-----BEGIN ",
        is_token=False,
    ),
    Finder(
        "aws_access_key",
        r"\b(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}\b",
        hint=_AWS_KEY_HINT,
    ),
    Finder(
        "aws_secret_key",
        r"(?i:secret[_.\- ]?(?:access[_.\- ]?)?key|aws[_.\- ]?secret)"
        r"[^A-Za-z0-9/+]{1,12}(?:is[^A-Za-z0-9/+]{1,4})?"
        r"([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|\z)",
        hint=r"(?i)secret[_.\- ]?(?:access[_.\- ]?)?key|aws[_.\- ]?secret",
    ),
    Finder(
        "aws_secret_key",
        r"\b(?:AKIA|ASIA)[0-9A-Z]{16}[^A-Za-z0-9/+]{1,24}"
        r"([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|\z)",
        hint=_AWS_KEY_HINT,
    ),
    Finder(
        "bearer_token",
        r"(?i)\bbearer[ \t]{1,4}([a-z0-9\-._~+/]{16,}=*)",
        _with_digit,
        r"(?i)bearer(?:[ \t]|\\t){1,4}[a-z0-9\-._~+/]{16}",
    ),
    Finder(
        "basic_auth",
        r"(?i)\bbasic[ \t]{1,4}([a-z0-9+/]{8,}={0,2})",
        _basic,
        r"(?i:basic)(?:[ \t]|\\t){1,4}[a-z]{0,63}[A-Z0-9+/=]",
    ),
    Finder(
        "password",
        r"(?i)\b[a-z][a-z0-9+.\-]{1,20}://[^\s/:@\"']{0,128}:([^\s/@\"']{1,128})@",
        _not_variable,
        r"://[^/@\s\"]+@",
        is_token=False,
    ),
    Finder(
        "jwt",
        r"\beyJ[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-]*",
        hint=r"eyJ[A-Za-z0-9_\-]{10}",
    ),
    Finder(
        "github_token",
        r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})\b",
        hint=r"gh[pousr]_[A-Za-z0-9]{36}|github_pat_",
    ),
    Finder(
        "gitlab_token",
        r"\bgl(?:pat|dt|rt|ptt|soat|ft|imt|agent|cbt)-[\w\-]{20,}",
        hint=r"gl(?:pat|dt|rt|ptt|soat|ft|imt|agent|cbt)-[\w\-]{20}",
    ),
    Finder(
        "slack_token",
        r"\bxox[abeoprs]-[A-Za-z0-9\-]{10,}|\bxapp-\d-[A-Za-z0-9\-]{10,}"
        r"|https://hooks\.slack\.com/services/[A-Za-z0-9/]{20,}",
        hint=r"xox[abeoprs]-|xapp-\d|hooks\.slack\.com",
    ),
    Finder(
        "google_key",
        r"\bAIza[A-Za-z0-9_\-]{35}|\bya29\.[A-Za-z0-9_\-]{20,}|\bGOCSPX-[\w\-]{20,}",
        hint=r"AIza|ya29\.|GOCSPX-",
    ),
    Finder(
        "stripe_key",
        r"\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|\bwhsec_[\w+/=]{24,}",
        hint=r"[sr]k_(?:live|test)_|whsec_",
    ),
    Finder(
        "model_api_key",
        r"\bsk-(?:ant-|proj-|svcacct-|or-)?[A-Za-z0-9_\-]{24,}",
        _with_digit,
        r"sk-[A-Za-z0-9_\-]{24}",
    ),
    Finder(
        "password",
        assignments.ASSIGNMENT,
        assignments.find_value,
        assignments.ASSIGNMENT_HINT,
        is_token=False,
    ),
    Finder(
        "password",
        assignments.XML_ELEMENT,
        _not_variable,
        assignments.XML_ELEMENT_HINT,
        is_token=False,
    ),
    Finder(
        "password",
        assignments.COMMAND_OPTION,
        _not_variable,
        assignments.COMMAND_OPTION_HINT,
        is_token=False,
    ),
    Finder(
        "password",
        assignments.CURL_USER,
        _not_variable,
        r"(?i)curl(?:[^a-z0-9_]|\z)",
        is_token=False,
    ),
    Finder(
        "password",
        r"(?i)\b(?:password|passwort|passwd|passphrase|passcode)(?:[ \t]+\w+)?[ \t]+"
        r"(?:is|was|to|ist|lautet)[ \t]+[\"'`]?([^\s\"'`]{4,128})",
        _said,
        r"(?i)(?:password|passwort|passwd|passphrase|passcode)(?:[ \t]|\\t)+"
        r"(?:\w+(?:[ \t]|\\t)+)?(?:is|was|to|ist|lautet)",
        is_token=False,
    ),
    Finder(
        "us_ssn",
        personal.SSN,
        personal.check_ssn,
        r"\d{3}-\d{2}-\d{4}",
        is_personal=True,
    ),
    Finder(
        "us_ssn",
        personal.SAID_SSN,
        personal.check_said_ssn,
        rf"(?i)(?:\A|[^a-z]|\\[nrtfb]|{_LETTER_ESCAPE})ssn|social security",
        is_personal=True,
    ),
    Finder(
        "payment_card",
        personal.CARD,
        personal.check_card,
        rf"(?:\A|[^0-9]|{_LETTER_ESCAPE})(?:[2-6]\d{{12}}|[2-6]\d{{6,}}[ \-]\d{{3}}"
        r"|[2-6]\d{2,}[ \-](?:\d{3,9}[ \-]\d{3}|\d{7}))",
        is_personal=True,
    ),
    Finder(
        "iban",
        personal.IBAN,
        personal.check_iban,
        r"[A-Z]{2}\d{2}(?:[ \-]?[A-Z0-9]){11}",
        is_personal=True,
    ),
    Finder(
        "email",
        r"(?i)\b[a-z0-9._%+\-]{1,64}@[a-z0-9\-]{1,63}(?:\.[a-z0-9\-]{1,63}){1,8}\b",
        hint=r"(?i)[a-z0-9._%+\-]@[a-z0-9\-]",
        is_on=False,
        is_personal=True,
    ),
    Finder(
        "phone",
        r"(?:\+|\b00)[1-9]\d{0,2}(?:[ \-./]?\(?\d{1,4}\)?){2,6}\b",
        hint=r"(?:\+|00)[1-9]",
        is_on=False,
        is_token=False,
        is_personal=True,
    ),
    Finder(
        "ip_address",
        r"\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b",
        hint=r"\d\.\d{1,3}\.\d{1,3}\.\d",
        is_on=False,
        is_token=False,
        is_personal=True,
    ),
)
USUAL_FINDERS: Final = tuple(finder for finder in FINDERS if finder.is_on)
KINDS: Final = tuple(dict.fromkeys(finder.kind for finder in FINDERS))
PERSONAL_KINDS: Final = frozenset(f.kind for f in FINDERS if f.is_personal)
