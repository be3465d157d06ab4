"""A record as bytes and back: one JSON object on one line of UTF-8.

The only module of the project that knows which JSON library is used.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from audit_record.errors import DecodeError
from audit_record.plain import to_plain
from audit_record.record import AuditRecord

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
    """Write any value as compact JSON; never raises (see `audit_record.plain`)."""
    try:
        return orjson.dumps(value)
    except (TypeError, RecursionError):
        # orjson.JSONEncodeError is a TypeError.
        return orjson.dumps(to_plain(value))


def loads(text: bytes | str) -> Any:
    """Read one JSON value.

    Escaped lone surrogates, which JSON allows and UTF-8 does not, become U+FFFD.

    Raises:
        DecodeError: Not UTF-8 or not JSON; the message holds no content.
    """
    stripped = _strip_bom(text)
    try:
        return orjson.loads(stripped)
    except orjson.JSONDecodeError:
        return _loads_with_surrogates(stripped)


def _strip_bom(text: bytes | str) -> bytes | str:
    if isinstance(text, str):
        return text.removeprefix("\ufeff")
    return bytes(text).removeprefix(_BOM)


def _loads_with_surrogates(text: bytes | str) -> Any:
    import json  # noqa: PLC0415 - only for input that the fast library refuses

    try:
        return to_plain(json.loads(text, parse_constant=_refuse_constant))
    except (ValueError, RecursionError):
        raise DecodeError("not JSON", len(text)) from None


def _refuse_constant(name: str) -> None:
    raise ValueError(name)
