"""What counts as a secret or as personal data: one finder a kind.

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

from subscription_transformer.scan import Span

# Looks at one candidate and returns the span that really is a secret, or None.
Check = Callable[[bytes, int, int], Span | None]

REDACTED: Final = b"[redacted:"


def _always(_: bytes, start: int, end: int) -> Span | None:
    return start, end


@dataclass(frozen=True, slots=True)
class Finder:
    """How one kind is found.

    Attributes:
        kind: Name in ``[redacted:kind]`` and in `redactions`.
        pattern: Finds candidates; see `scan`.
        check: Decides on each candidate.
        is_on: Whether the kind is redacted unless rules say otherwise.
        is_token: Whether a value is distinctive by its format alone, so that its
            other occurrences are redacted too.
    """

    kind: str
    pattern: str
    check: Check = _always
    is_on: bool = True
    is_token: bool = True


def _bearer(data: bytes, start: int, end: int) -> Span | None:
    # "bearer responsibilities" is English; a token has digits.
    return (start, end) if re.search(rb"\d", data[start:end]) else None


def _basic(data: bytes, start: int, end: int) -> Span | None:
    try:
        decoded = base64.b64decode(data[start:end], validate=True)
    except binascii.Error:
        return None
    is_pair = b":" in decoded and decoded.isascii() and decoded.decode().isprintable()
    return (start, end) if is_pair else None


def _ssn(data: bytes, start: int, end: int) -> Span | None:
    area, group, serial = data[start:end].split(b"-")
    # Never issued: Social Security Administration, POMS RM 10201.035.
    if area in (b"000", b"666") or area >= b"900" or group == b"00":
        return None
    if serial == b"0000" or _is_inside_number(data, start, end):
        return None
    return start, end


def _is_inside_number(data: bytes, start: int, end: int) -> bool:
    before, after = data[max(start - 1, 0) : start], data[end : end + 2]
    is_joined = before in (b"-", b".", b"/", b"_", b":", b"#", b"+")
    return is_joined or bool(re.match(rb"[-./_]\w", after))


# Issuer prefixes and lengths of the large card networks (ISO/IEC 7812).
_CARD: Final = re.compile(
    rb"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|3[47]\d{13}|6(?:011|5\d\d)\d{12}"
    rb"|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3(?:0[0-5]|[68]\d)\d{11}"
    rb"|35(?:2[89]|[3-8]\d)\d{12}"
)


def _card(data: bytes, start: int, end: int) -> Span | None:
    digits = re.sub(rb"[ -]", b"", data[start:end])
    if _CARD.fullmatch(digits) is None or _is_inside_number(data, start, end):
        return None
    return (start, end) if _has_luhn_sum(digits) else None


def _has_luhn_sum(digits: bytes) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = digit - 48
        doubled = value * 2 if place % 2 else value
        total += doubled - 9 if doubled > 9 else doubled  # noqa: PLR2004
    return total % 10 == 0


# Lengths by country, from the SWIFT IBAN registry.
_IBAN_LENGTHS: Final[dict[bytes, int]] = {
    country.encode(): int(length)
    for length, countries in {
        "15": "NO",
        "16": "BE",
        "18": "DK FO FI GL NL",
        "19": "MK SI",
        "20": "AT BA EE KZ LT LU XK",
        "21": "CH HR LI LV",
        "22": "BG BH CR DE GB GE IE ME RS VA",
        "23": "AE GI IL IQ TL",
        "24": "AD CZ ES MD PK RO SA SE SK TN VG",
        "25": "PT ST",
        "26": "IS TR",
        "27": "FR GR IT MC MR SM",
        "28": "AL AZ BY CY DO GT HU LB PL SV",
        "29": "BR EG PS QA UA",
        "30": "JO KW MU",
        "31": "MT SC",
        "32": "LC",
    }.items()
    for country in countries.split()
}


def _iban(data: bytes, start: int, end: int) -> Span | None:
    length = _IBAN_LENGTHS.get(data[start : start + 2])
    if length is None:
        return None
    compact = b""
    for position in range(start, end):
        if data[position] != 32:  # noqa: PLR2004 - a space
            compact += data[position : position + 1]
        if len(compact) == length:
            is_whole = not re.match(rb"[A-Za-z0-9]", data[position + 1 : position + 2])
            is_right = is_whole and _has_iban_sum(compact)
            return (start, position + 1) if is_right else None
    return None


def _has_iban_sum(iban: bytes) -> bool:
    turned = (iban[4:] + iban[:4]).decode()
    return int("".join(str(int(char, 36)) for char in turned)) % 97 == 1


_LAST_WORDS: Final = frozenset(
    {
        *("password", "passwd", "pwd", "passphrase", "passcode", "pass", "pin"),
        *("secret", "token", "apikey", "secretkey", "accesskey", "privatekey"),
        *("authtoken", "accesstoken", "clientsecret", "authorization"),
        *("credential", "credentials"),
    }
)
_LAST_PAIRS: Final = frozenset(
    (first, "key")
    for first in ("api", "access", "private", "secret", "signing", "encryption", "auth")
)
# Short words that mean something else too often in running text.
_NOT_IN_TEXT: Final = frozenset(["pin", "pass"])
_SEGMENT: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def names_a_secret(name: str, *, in_text: bool = False) -> bool:
    """Tell whether a field's name says that its value is a secret.

    Args:
        name: In any style: ``apiKey``, ``api-key``, ``x.api.key``, ``API_KEY``.
            The word has to end the name: ``token_count`` is no secret.
        in_text: Whether the name stands in running text, where a few short words
            mean something else.
    """
    words = [word.lower() for word in _SEGMENT.findall(name) if not word.isdigit()]
    if not words:
        return False
    if tuple(words[-2:]) in _LAST_PAIRS:
        return True
    return words[-1] in _LAST_WORDS and not (in_text and words[-1] in _NOT_IN_TEXT)


_NAME: Final = (
    r"(?i:[a-z0-9_.\-]{0,48}(?:password|passwd|pwd|passphrase|passcode|secret|token"
    r"|api[_.\- ]?key|access[_.\- ]?key|private[_.\- ]?key|secret[_.\- ]?key"
    r"|signing[_.\- ]?key|encryption[_.\- ]?key|auth[_.\- ]?key|authorization"
    r"|credentials?)[0-9]{0,3})"
)
_ASSIGNED: Final = r"\\*[\"'`]?[ \t]{0,8}(?:=>|:=|==?|:)[ \t]{0,8}"
_VALUE: Final = (
    r"(?:(?:Bearer|Basic|Token)[ \t]{1,4}[^\s\"'\\,;]+"
    r"|\\+\"(?:[^\"\\]|\\+[^\"\\])*"
    r"|\"(?:[^\"\\]|\\.)*"
    r"|'(?:[^'\\]|\\.)*"
    r"|`[^`]*"
    r"|[^\s\"'`,;&<>(){}\[\]\\]+)"
)
_ASSIGNMENT: Final = re.compile(rf"({_NAME}){_ASSIGNED}({_VALUE})".encode(), re.DOTALL)
_OPENING: Final = re.compile(rb"\\*[\"'`]")


def _assignment(data: bytes, start: int, end: int) -> Span | None:
    match = _ASSIGNMENT.match(data, start, end)
    if match is None or not names_a_secret(match[1].decode(), in_text=True):
        return None
    value_start, value_end = match.span(2)
    quote = _OPENING.match(data, value_start, value_end)
    value_start = quote.end() if quote else value_start
    value = data[value_start:value_end]
    if not value or value.startswith((REDACTED, b"$", b"%", b"{{", b"***")):
        # Already redacted, or a variable that stands for a secret.
        return None
    return value_start, value_end


def _said(data: bytes, start: int, end: int) -> Span | None:
    # "the password is required" is English; hunter2 has a digit.
    value = data[start:end].rstrip(b".,;:!?)\"'")
    return (start, start + len(value)) if re.search(rb"\d", value) else None


def _in_url(data: bytes, start: int, end: int) -> Span | None:
    return None if data[start:end].startswith(REDACTED) else (start, end)


FINDERS: Final[tuple[Finder, ...]] = (
    Finder(
        "private_key",
        r"(?s)-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?"
        r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\z)",
        is_token=False,
    ),
    Finder("aws_access_key", r"\b(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}\b"),
    Finder(
        "aws_secret_key",
        r"(?i:secret[_.\- ]?(?:access[_.\- ]?)?key)[^A-Za-z0-9/+]{1,8}"
        r"([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|\z)",
    ),
    Finder(
        "aws_secret_key",
        r"\b(?:AKIA|ASIA)[0-9A-Z]{16}[^A-Za-z0-9/+]{1,24}"
        r"([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|\z)",
    ),
    Finder("bearer_token", r"(?i)\bbearer[ \t]{1,4}([a-z0-9\-._~+/]{16,}=*)", _bearer),
    Finder("basic_auth", r"(?i)\bbasic[ \t]{1,4}([a-z0-9+/]{8,}={0,2})", _basic),
    Finder(
        "password",
        r"(?i)\b[a-z][a-z0-9+.\-]{1,20}://[^\s/:@\"']{1,128}:([^\s/@\"']{1,128})@",
        _in_url,
        is_token=False,
    ),
    Finder(
        "jwt",
        r"\beyJ[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-]{10,}",
    ),
    Finder(
        "github_token",
        r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})\b",
    ),
    Finder("gitlab_token", r"\bgl(?:pat|dt|rt|ptt|soat|ft|imt|agent|cbt)-[\w\-]{20,}"),
    Finder(
        "slack_token",
        r"\bxox[abeoprs]-[A-Za-z0-9\-]{10,}|\bxapp-\d-[A-Za-z0-9\-]{10,}"
        r"|https://hooks\.slack\.com/services/[A-Za-z0-9/]{20,}",
    ),
    Finder(
        "google_key",
        r"\bAIza[A-Za-z0-9_\-]{35}|\bya29\.[A-Za-z0-9_\-]{20,}|\bGOCSPX-[\w\-]{20,}",
    ),
    Finder(
        "stripe_key", r"\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|\bwhsec_[\w+/=]{24,}"
    ),
    Finder("password", _NAME + _ASSIGNED + _VALUE, _assignment, is_token=False),
    Finder(
        "password",
        r"(?i)\b(?:password|passwd|passphrase|passcode)(?:[ \t]+\w+)?[ \t]+"
        r"(?:is|was|to)[ \t]+[\"'`]?([^\s\"'`]{4,128})",
        _said,
        is_token=False,
    ),
    Finder("us_ssn", r"\b\d{3}-\d{2}-\d{4}\b", _ssn),
    Finder("payment_card", r"\b\d(?:[ \-]?\d){12,18}\b", _card),
    Finder("iban", r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b", _iban),
    Finder(
        "email",
        r"(?i)\b[a-z0-9._%+\-]{1,64}@[a-z0-9\-]{1,63}(?:\.[a-z0-9\-]{1,63}){1,8}\b",
        is_on=False,
    ),
    Finder(
        "phone",
        r"(?:\+|\b00)[1-9]\d{0,2}(?:[ \-./]?\(?\d{1,4}\)?){2,6}\b",
        is_on=False,
        is_token=False,
    ),
    Finder(
        "ip_address",
        r"\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b",
        is_on=False,
        is_token=False,
    ),
)
USUAL_FINDERS: Final = tuple(finder for finder in FINDERS if finder.is_on)
KINDS: Final = tuple(dict.fromkeys(finder.kind for finder in FINDERS))
