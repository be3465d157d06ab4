"""Read JSON so that what is delivered has the numbers' own digits.

The fast reader turns fractions and integers beyond 64 bits into floats. A record is
evidence: ``0.10`` stays ``0.10``. So where a float was read, it is read again.
"""

from __future__ import annotations

from typing import Any

from audit_record.codec import ExactNumber, loads_exact, loads_repairing
from audit_record.plain import to_plain


def read_exact(text: str) -> tuple[Any, bool]:
    """Read one JSON value; tell whether lone surrogates had to be replaced.

    Raises:
        DecodeError: Not JSON.
    """
    value, had_surrogates = loads_repairing(text)
    if holds_inexact(value):
        value = _to_plain(loads_exact(text))
    return value, had_surrogates


def holds_inexact(value: Any) -> bool:
    """Tell whether a number was read that may have lost digits.

    Integers beyond 64 bits are read as floats, so floats are all to find.
    """
    stack: list[Any] = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, float):
            return True
        if isinstance(item, dict):
            stack.extend(v for v in item.values() if type(v) is not str)
        elif isinstance(item, list):
            stack.extend(v for v in item if type(v) is not str)
    return False


def _to_plain(value: Any) -> Any:
    """Like `to_plain`, but numbers keep the digits they were written with."""
    if isinstance(value, ExactNumber):
        return value
    if isinstance(value, dict):
        return {to_plain(key): _to_plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_to_plain(item) for item in value]
    return to_plain(value)
