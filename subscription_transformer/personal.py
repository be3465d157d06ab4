"""Numbers that name a person's account: checked by their own rules, not by looks."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from subscription_transformer.scan import Span

SSN: Final = r"\b\d{3}-\d{2}-\d{4}\b"
SAID_SSN: Final = (
    r"(?i)\b(?:ssn|social security(?: number| no\.?| #)?)[^0-9a-z\n]{0,6}"
    r"(?:is|was|number|no|:)?[^0-9a-z\n]{0,6}(\d{3}[ \-]?\d{2}[ \-]?\d{4})\b"
)
# Runs of groups, as long as they are: which groups belong together is decided below.
CARD: Final = r"\b\d{4}(?:[ \-]?\d{3,9}){2,}\b"
IBAN: Final = r"\b[A-Z]{2}\d{2}(?:[ \-]?[A-Z0-9]){11,}\b"

# Issuer prefixes and lengths of the large card networks (ISO/IEC 7812).
_CARD: Final = re.compile(
    rb"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|3[47]\d{13}|6(?:011|5\d\d)\d{12}"
    rb"|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3(?:0[0-5]|[68]\d)\d{11}"
    rb"|35(?:2[89]|[3-8]\d)\d{12}"
)
_MIN_CARD_DIGITS: Final = 13
_MAX_CARD_DIGITS: Final = 19
# People write a card in at most five groups: 4-4-4-4-3.
_MAX_CARD_GROUPS: Final = 5
_GROUP: Final = re.compile(rb"\d+")
_DOUBLED: Final = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))
_ZERO: Final = ord("0")

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


_COUNTRY: Final = re.compile(rb"(?<![A-Z0-9])[A-Z]{2}(?=\d\d)")


def check_ssn(data: bytes, start: int, end: int) -> Span | None:
    """Return the span of a number that can have been issued, if it stands alone."""
    return check_said_ssn(data, start, end) if _stands_alone(data, start, end) else None


def check_said_ssn(data: bytes, start: int, end: int) -> Span | None:
    """Return the span of a number that can have been issued."""
    digits = re.sub(rb"[ \-]", b"", data[start:end])
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    # Never issued: Social Security Administration, POMS RM 10201.035.
    is_never = area in (b"000", b"666") or area >= b"900"
    if is_never or group == b"00" or serial == b"0000":
        return None
    return start, end


def check_card(data: bytes, start: int, end: int) -> Span | None:
    """Return the first payment card among the groups of digits of a candidate."""
    digits = data[start:end].translate(None, b" -")
    starts, ends, places = [], [], [0]
    for group in _GROUP.finditer(data, start, end):
        starts.append(group.start())
        ends.append(group.end())
        places.append(places[-1] + group.end() - group.start())
    for first, group_start in enumerate(starts):
        if digits[places[first]] not in b"23456":
            continue
        for last in range(first, min(first + _MAX_CARD_GROUPS, len(ends))):
            number = digits[places[first] : places[last + 1]]
            if _is_card(number) and _stands_alone(data, group_start, ends[last]):
                return group_start, ends[last]
    return None


def check_iban(data: bytes, start: int, end: int) -> Span | None:
    """Return the first account number whose length and sum are right."""
    for country in _COUNTRY.finditer(data, start, end):
        size = _IBAN_LENGTHS.get(country[0])
        found = size and _iban_pattern(size).match(data, country.start(), end)
        if found and _has_iban_sum(found[0].translate(None, b" -")):
            return found.span()
    return None


@cache
def _iban_pattern(size: int) -> re.Pattern[bytes]:
    rest = b"%d" % (size - 2)
    return re.compile(rb"[A-Z]{2}(?:[ \-]?[A-Z0-9]){" + rest + rb"}(?![A-Za-z0-9])")


def _is_card(digits: bytes) -> bool:
    return (
        _MIN_CARD_DIGITS <= len(digits) <= _MAX_CARD_DIGITS
        and _CARD.fullmatch(digits) is not None
        and _has_luhn_sum(digits)
    )


def _has_luhn_sum(digits: bytes) -> bool:
    odd, even = digits[-1::-2], digits[-2::-2].translate(_DOUBLED)
    return (sum(odd) - _ZERO * len(odd) + sum(even)) % 10 == 0


def _has_iban_sum(iban: bytes) -> bool:
    turned = (iban[4:] + iban[:4]).decode()
    return int("".join(str(int(char, 36)) for char in turned)) % 97 == 1


def _stands_alone(data: bytes, start: int, end: int) -> bool:
    """Tell whether no longer number, path or id goes on around the span."""
    before = data[max(start - 2, 0) : start]
    if before[-1:] in (b"-", b".", b"/", b"_", b"+") or re.search(rb"\d:$", before):
        return False
    return re.match(rb"[-./_]\w", data[end : end + 2]) is None
