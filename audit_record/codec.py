"""A record as bytes and back: one JSON object on one line of UTF-8.

The only module of the project that knows which JSON library is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from audit_record.errors import DecodeError
from audit_record.plain import to_plain
from audit_record.record import AuditRecord

if TYPE_CHECKING:
    from collections.abc import Callable

_BOM: Final = b"\xef\xbb\xbf"


def encode(record: AuditRecord) -> bytes:
    """Write *record* as one line of JSON, without a newline at its end.

    Never raises: what JSON cannot say is written as `audit_record.plain` names
    it. Keys stand in the order of the field table.
    """
    return dumps(record.as_dict())


def decode(line: bytes | str) -> AuditRecord:
    """Read one line into a record; nothing is checked but that it is an object.

    Args:
        line: UTF-8 bytes or text; white space and a byte order mark around the
            object are ignored. Of a key that stands twice the last one counts.

    Raises:
        DecodeError: Not UTF-8, not JSON, or not an object.
    """
    value = loads(line)
    if not isinstance(value, dict):
        raise DecodeError("not an object", len(line))
    return AuditRecord(value)


def dumps(value: Any) -> bytes:
    """Write any value as compact JSON; never raises (see `audit_record.plain`).

    An `ExactNumber` is written with the very digits it was read with.
    """
    try:
        return orjson.dumps(value, default=_exact_digits)
    except (TypeError, RecursionError):
        # orjson.JSONEncodeError is a TypeError.
        return orjson.dumps(to_plain(value))


def loads(text: bytes | str) -> Any:
    """Read one JSON value.

    Escaped lone surrogates, which JSON allows and UTF-8 does not, become U+FFFD.

    Raises:
        DecodeError: Not UTF-8 or not JSON; the message holds no content.
    """
    return loads_repairing(text)[0]


def loads_repairing(text: bytes | str) -> tuple[Any, bool]:
    """Read one JSON value; tell whether lone surrogates had to be replaced.

    Raises:
        DecodeError: As `loads`.
    """
    stripped = _strip_bom(text)
    try:
        return orjson.loads(stripped), False
    except orjson.JSONDecodeError:
        return _loads_with_surrogates(stripped), True


def loads_exact(text: bytes | str) -> Any:
    """Read one JSON value, keeping numbers with a fraction and huge ones exact.

    Slower than `loads`; those numbers are read as `ExactNumber`.

    Raises:
        DecodeError: As `loads`.
    """
    return _loads_slowly(_strip_bom(text), ExactNumber, _exact_integer)


class ExactNumber(float):
    """A number that remembers how it was written.

    Attributes:
        digits: The number's own text, as it stood in the JSON.
    """

    __slots__ = ("digits",)

    def __new__(cls, digits: str) -> ExactNumber:
        """Read *digits*, a JSON number."""
        number = super().__new__(cls, digits)
        number.digits = digits
        return number

    digits: str


def _exact_integer(digits: str) -> int | ExactNumber:
    # Eighteen digits always fit 64 bits.
    return int(digits) if len(digits) <= 18 else ExactNumber(digits)  # noqa: PLR2004


def _exact_digits(value: Any) -> orjson.Fragment:
    if isinstance(value, ExactNumber):
        return orjson.Fragment(value.digits)
    raise TypeError


def _strip_bom(text: bytes | str) -> bytes | str:
    if isinstance(text, str):
        return text.removeprefix("\ufeff")
    return bytes(text).removeprefix(_BOM)


def _loads_with_surrogates(text: bytes | str) -> Any:
    return to_plain(_loads_slowly(text, float, int))


def _loads_slowly(
    text: bytes | str, read_float: Callable[[str], Any], read_int: Callable[[str], Any]
) -> Any:
    import json  # noqa: PLC0415 - only for input that the fast library refuses

    try:
        return json.loads(
            text,
            parse_float=read_float,
            parse_int=read_int,
            parse_constant=_refuse_constant,
        )
    except (ValueError, RecursionError):
        raise DecodeError("not JSON", len(text)) from None


def _refuse_constant(name: str) -> None:
    raise ValueError(name)
