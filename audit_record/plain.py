"""Turn any Python value into a JSON value, without ever raising.

Bots hand over whatever they have: SDK answers, dataclasses, bytes, things that
contain themselves. What JSON can say is kept; what it cannot say is named.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import hashlib
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from audit_record.record import JsonValue
from audit_record.text import clean_text

# What orjson writes as a number: signed and unsigned 64 bits.
_MIN_INTEGER: Final = -(2**63)
_MAX_INTEGER: Final = 2**64 - 1
# Deeper nesting is named, not followed: far below the codec's own limit (254).
_MAX_DEPTH: Final = 32
# Twelve hex digits name a blob well enough to be recognised again.
_DIGEST_DIGITS: Final = 12


def to_plain(value: Any) -> JsonValue:
    """Return *value* as something JSON can write.

    Bytes become ``<bytes 123 sha256:0f4636c78f65>``, datetimes RFC 3339 in UTC,
    Decimals numbers, sets sorted lists, dataclasses and mappings maps with
    string keys, exceptions their class name, integers beyond 64 bits strings.
    NaN and infinities become None: the caller leaves such a field out. Lone
    surrogates become U+FFFD. A value that contains itself, is nested deeper than
    32 levels or raises when looked at, and any other type, becomes ``<TypeName>``.
    """
    return _convert(value, ())


def _convert(value: Any, inside: tuple[int, ...]) -> JsonValue:
    if type(value) is str:
        return clean_text(value)
    if value is None or value is True or value is False:
        return None if value is None else bool(value)
    if len(inside) >= _MAX_DEPTH or id(value) in inside:
        return _named(value)
    try:
        return _convert_known(value, (*inside, id(value)))
    except Exception:  # noqa: BLE001 - a bot's object may raise anything when read
        return _named(value)


def _convert_known(value: Any, inside: tuple[int, ...]) -> JsonValue:
    for kind, convert in _CONVERTERS:
        if isinstance(value, kind):
            return convert(value, inside)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = (field.name for field in dataclasses.fields(value))
        return _from_pairs(((n, getattr(value, n)) for n in names), inside)
    return _named(value)


def _from_string(value: str, _: tuple[int, ...]) -> JsonValue:
    return clean_text(str.__str__(value))


def _from_integer(value: int, _: tuple[int, ...]) -> JsonValue:
    number = int(value)
    if _MIN_INTEGER <= number <= _MAX_INTEGER:
        return number
    # Past 4,300 digits Python refuses to write an integer in decimal.
    return str(number) if number.bit_length() < 14_000 else _named(value)  # noqa: PLR2004


def _from_float(value: float, _: tuple[int, ...]) -> JsonValue:
    number = float(value)
    return number if math.isfinite(number) else None


def _from_bytes(value: bytes | bytearray | memoryview, _: tuple[int, ...]) -> JsonValue:
    data = bytes(value)
    digest = hashlib.sha256(data).hexdigest()[:_DIGEST_DIGITS]
    return f"<bytes {len(data)} sha256:{digest}>"


def _from_datetime(value: dt.datetime, _: tuple[int, ...]) -> JsonValue:
    aware = value if value.tzinfo else value.replace(tzinfo=dt.UTC)
    return aware.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def _from_date(value: dt.date | dt.time, _: tuple[int, ...]) -> JsonValue:
    return value.isoformat()


def _from_decimal(value: decimal.Decimal, inside: tuple[int, ...]) -> JsonValue:
    if not value.is_finite():
        return None
    if value == value.to_integral_value() and value.adjusted() < 20:  # noqa: PLR2004
        return _from_integer(int(value), inside)
    return _from_float(float(value), inside)


def _from_exception(value: BaseException, _: tuple[int, ...]) -> JsonValue:
    return clean_text(type(value).__name__)


def _from_mapping(value: Mapping[Any, Any], inside: tuple[int, ...]) -> JsonValue:
    return _from_pairs(value.items(), inside)


def _from_pairs(pairs: Iterable[tuple[Any, Any]], inside: tuple[int, ...]) -> JsonValue:
    return {_key(key): _convert(item, inside) for key, item in pairs}


def _from_sequence(value: Iterable[Any], inside: tuple[int, ...]) -> JsonValue:
    return [_convert(item, inside) for item in value]


def _from_set(value: Iterable[Any], inside: tuple[int, ...]) -> JsonValue:
    items = [_convert(item, inside) for item in value]
    return sorted(items, key=lambda item: (type(item).__name__, str(item)))


def _key(key: Any) -> str:
    plain = _convert(key, ())
    if isinstance(plain, str):
        return plain
    if isinstance(plain, bool) or plain is None:
        return {True: "true", False: "false", None: "null"}[plain]
    return str(plain) if isinstance(plain, int | float) else _named(key)


def _named(value: Any) -> str:
    try:
        return f"<{clean_text(type(value).__name__)}>"
    except Exception:  # noqa: BLE001 - a class of classes may do anything
        return "<unknown>"


_Converter = Callable[[Any, tuple[int, ...]], JsonValue]
# Order matters: a datetime is a date, a bool is an int, an enum may be a str.
_CONVERTERS: Final[tuple[tuple[Any, _Converter], ...]] = (
    (str, _from_string),
    (int, _from_integer),
    (float, _from_float),
    (Mapping, _from_mapping),
    ((list, tuple), _from_sequence),
    ((bytes, bytearray, memoryview), _from_bytes),
    (dt.datetime, _from_datetime),
    ((dt.date, dt.time), _from_date),
    (decimal.Decimal, _from_decimal),
    ((set, frozenset), _from_set),
    (BaseException, _from_exception),
)
