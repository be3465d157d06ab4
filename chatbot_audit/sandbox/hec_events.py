"""Read the body of an HEC request: JSON objects back to back, each one checked.

Stricter than Splunk where Splunk is lenient: a time in milliseconds, a nested field
or an unknown key is refused, because each is a mistake of the sender.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

KEYS: Final = frozenset(
    ("time", "host", "source", "sourcetype", "index", "fields", "event")
)
# 5138-11-16 in seconds; anything later is a time in milliseconds.
_MAX_TIME_S: Final = 100_000_000_000
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_PLAIN_NUMBER: Final = re.compile(r"\d{1,12}(?:\.\d{1,9})?", re.ASCII)

NO_DATA: Final = 5
INVALID_DATA_FORMAT: Final = 6
EVENT_REQUIRED: Final = 12
EVENT_BLANK: Final = 13
BAD_FIELDS: Final = 15


class HecFormatError(ValueError):
    """One event of the body is refused.

    Attributes:
        code: HEC's code.
        event_number: Index of the event in the body, from 0.
    """

    def __init__(self, code: int, message: str, event_number: int) -> None:
        super().__init__(f"{message} (event {event_number})")
        self.code = code
        self.event_number = event_number


@dataclass(frozen=True, slots=True)
class HecEvent:
    """One event as Splunk would index it."""

    time_s: float
    host: str
    source: str
    sourcetype: str
    index: str
    fields: dict[str, Any]
    event: dict[str, Any]


def read_events(body: bytes) -> list[HecEvent]:
    """Return the events of *body*, in order.

    Raises:
        HecFormatError: No data, or the first event that is refused.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise HecFormatError(INVALID_DATA_FORMAT, "the body is no UTF-8", 0) from None
    events = [_event(value, n) for n, value in enumerate(_objects(text))]
    if not events:
        raise HecFormatError(NO_DATA, "there is no data", 0)
    return events


def _objects(text: str) -> Iterator[Any]:
    decoder = json.JSONDecoder(parse_constant=_refuse)
    position = _skip(text, 0)
    number = 0
    while position < len(text):
        try:
            value, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            raise HecFormatError(
                INVALID_DATA_FORMAT, "an event is no JSON", number
            ) from None
        yield value
        number += 1
        position = _skip(text, position)


def _refuse(_: str) -> None:
    raise ValueError


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _event(value: Any, number: int) -> HecEvent:
    if not isinstance(value, dict) or set(value) - KEYS:
        raise HecFormatError(INVALID_DATA_FORMAT, "an event has unknown keys", number)
    if "event" not in value:
        raise HecFormatError(EVENT_REQUIRED, "an event has no event", number)
    event = value["event"]
    if (
        event is None
        or event in ("", {})
        or (isinstance(event, str) and event.isspace())
    ):
        raise HecFormatError(EVENT_BLANK, "an event is blank", number)
    if not isinstance(event, dict):
        raise HecFormatError(INVALID_DATA_FORMAT, "an event is no object", number)
    names = {
        key: value.get(key, "") for key in ("host", "source", "sourcetype", "index")
    }
    if not all(isinstance(name, str) for name in names.values()):
        raise HecFormatError(INVALID_DATA_FORMAT, "a name is no text", number)
    fields = value.get("fields", {})
    if not _are_flat(fields):
        raise HecFormatError(BAD_FIELDS, "fields are not flat texts", number)
    return HecEvent(
        _time_s(value.get("time"), number), **names, fields=fields, event=event
    )


def _time_s(value: Any, number: int) -> float:
    text = value if isinstance(value, str) else json.dumps(value)
    if not _PLAIN_NUMBER.fullmatch(text):
        raise HecFormatError(
            INVALID_DATA_FORMAT, "time is no plain number of seconds", number
        )
    seconds = float(text)
    if not math.isfinite(seconds) or seconds >= _MAX_TIME_S:
        raise HecFormatError(INVALID_DATA_FORMAT, "time is not in seconds", number)
    return seconds


def _are_flat(fields: Any) -> bool:
    return isinstance(fields, dict) and all(
        isinstance(value, str)
        or (isinstance(value, list) and all(isinstance(item, str) for item in value))
        for value in fields.values()
    )
