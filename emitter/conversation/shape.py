"""Look into values of any shape without ever raising.

Bots hand over dictionaries, SDK objects, dataclasses and sometimes traps. These
few readers give plain containers and strings, or nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, Final, ParamSpec, TypeVar

from audit_record.text import clean_text
from emitter.loading import load

# More items than any conversation or answer holds; bounds an endless generator.
MAX_ITEMS: Final = 100_000

# How SDK objects give themselves as a dictionary; the first is pydantic's.
_DUMPERS: Final = ("model_dump", "serialize", "to_dict", "as_dict")


# What has attributes and is no object with members all the same.
_NO_OBJECTS: Final = (str, bytes, int, float, list, tuple, type)

P = ParamSpec("P")
T = TypeVar("T")


def never_raises(
    fallback: Callable[[], T],
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Make a function total: where it would raise, it returns ``fallback()``.

    The readers below already take bad shapes; this is for values that raise when
    they are compared, hashed or copied.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @functools.wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return function(*args, **kwargs)
            except Exception:  # noqa: BLE001 - auditing must not harm the bot
                return fallback()

        return guarded

    return decorate


def attribute(value: Any, name: str) -> Any:
    """Return an attribute, or None if there is none or reading it raises."""
    try:
        return getattr(value, name, None)
    except Exception:  # noqa: BLE001 - a bot's object may raise anything when read
        return None


def as_dict(value: Any) -> dict[str, Any] | None:
    """Return *value* as a dictionary, or None if it is not a mapping or an object.

    Plain dictionaries come back as they are, never copied. Of other objects the
    first of these counts that gives a dictionary: being a Mapping, msrest's map,
    ``model_dump()``, ``serialize()``, ``to_dict()``, ``as_dict()``, the fields
    of a dataclass, the instance's own attributes.
    """
    if type(value) is dict:
        return value
    if value is None:
        return None
    try:
        return None if isinstance(value, _NO_OBJECTS) else _read_object(value)
    except Exception:  # noqa: BLE001 - a bot's object may raise anything when read
        return None


def _read_object(value: Any) -> dict[str, Any] | None:
    if isinstance(value, Mapping):
        return dict(value)
    if (found := _read_msrest(value)) is not None:
        return found
    for name in _DUMPERS:
        dumped = _call(attribute(value, name))
        if isinstance(dumped, dict):
            return dict(dumped)
    if hasattr(type(value), "__dataclass_fields__"):
        import dataclasses  # noqa: PLC0415 - was loaded where its class was made

        names = (field.name for field in dataclasses.fields(value))
        return {name: getattr(value, name, None) for name in names}
    attributes = getattr(value, "__dict__", None)
    return dict(attributes) if isinstance(attributes, dict) and attributes else None


def _read_msrest(value: Any) -> dict[str, Any] | None:
    """Read a Bot Framework model under its wire names.

    Its own ``serialize()`` drops members that the model does not know, such as the
    tenant id, which it looks for under another name; they are kept beside.
    """
    wire_names = attribute(value, "_attribute_map")
    if not isinstance(wire_names, dict):
        return None
    extra = attribute(value, "additional_properties")
    found = dict(extra) if isinstance(extra, dict) else {}
    for name, told in wire_names.items():
        held = attribute(value, name)
        if told.get("key") and held is not None:
            found[told["key"]] = held
    return found


def _call(method: Any) -> Any:
    if not callable(method):
        return None
    try:
        return method()
    except Exception:  # noqa: BLE001 - an SDK's dumper may fail; the next may not
        return None


def dict_at(value: Any, *path: str) -> dict[str, Any]:
    """Follow *path* through nested mappings; an empty dictionary where it ends."""
    found = as_dict(value) or {}
    for name in path:
        found = as_dict(found.get(name)) or {}
    return found


def as_list(value: Any) -> list[Any]:
    """Return a list or tuple as a list; anything else gives an empty one."""
    return list(value) if isinstance(value, (list, tuple)) else []


def dicts_in(value: Any) -> list[dict[str, Any]]:
    """Return those items of a list or tuple that can be read as dictionaries."""
    return [found for item in as_list(value) if (found := as_dict(item)) is not None]


def take(items: Iterable[Any], limit: int = MAX_ITEMS) -> list[Any]:
    """Copy *items* to a list: one pass, at most *limit*, keeping what came first.

    An iterator that raises half-way ends there; what it gave is kept.
    """
    taken: list[Any] = []
    try:
        taken.extend(item for item in islice(items, limit))
    except Exception:  # noqa: BLE001 - a bot's generator may raise anything
        return taken
    return taken


def as_text(value: Any) -> str:
    """Return a string as it is, a number or other JSON value as its JSON text.

    None gives an empty string. Lone surrogates become U+FFFD.
    """
    if isinstance(value, str):
        return clean_text(str.__str__(value))
    if value is None:
        return ""
    plain = as_plain(value)
    return plain if isinstance(plain, str) else as_json(plain)


def only_text(value: Any) -> str:
    """Return a string as it is and an empty one for anything else."""
    return clean_text(str.__str__(value)) if isinstance(value, str) else ""


def only_count(value: Any) -> int | None:
    """Return a whole number of at least 0, and None for anything else."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return int(value)
    return None


def first_text(values: Mapping[str, Any], *names: str) -> str:
    """Return the first non-empty string among the named values, or an empty one."""
    for name in names:
        if found := only_text(values.get(name)):
            return found
    return ""


def as_plain(value: Any) -> Any:
    """Return any value as what JSON can write; see `audit_record.plain`."""
    if value is None:
        return None
    load("audit_record.plain")
    from audit_record.plain import to_plain  # noqa: PLC0415 - few events need it

    return to_plain(value)


def as_json(value: Any) -> str:
    """Write any value as compact JSON text."""
    load("audit_record.codec")
    from audit_record.codec import dumps  # noqa: PLC0415 - as above

    return dumps(as_plain(value)).decode()


def parse_json(text: str | bytes) -> Any:
    """Read JSON; None if it is not JSON."""
    load("audit_record.codec")
    from audit_record.codec import loads  # noqa: PLC0415 - as above
    from audit_record.errors import DecodeError  # noqa: PLC0415 - as above

    try:
        return loads(text)
    except DecodeError:
        return None
