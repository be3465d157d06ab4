"""Read the body of an HEC request: JSON objects back to back, each one checked.

Stricter than Splunk where Splunk is lenient: a time in milliseconds, a nested field
or an unknown key is refused, because each is a mistake of the sender. ``{…}{…}``
and ``{…} {…}`` are both legal bodies, as is a line for each.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from audit_record.times import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

KEYS: Final = frozenset(
    ("time", "host", "source", "sourcetype", "index", "fields", "event")
)
# Splunk's default for one event of the collector (inputs.conf, maxEventSize).
MAX_EVENT_BYTES: Final = 5 * 1_024 * 1_024
# 5138-11-16 in seconds; anything later is a time in milliseconds.
_MAX_TIME_S: Final = 100_000_000_000
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_PLAIN_NUMBER: Final = re.compile(r"\d{1,12}(?:\.\d{1,9})?", re.ASCII)
_EXPONENT: Final = re.compile(r'"time"\s*:\s*-?[0-9.]+[eE]', re.ASCII)
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]", re.ASCII)

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
    event: dict[str, Any] | str


def read_events(body: bytes, *, now_s: float | None = None) -> list[HecEvent]:
    """Return the events of *body*, in order.

    Args:
        body: Objects with or without white space between.
        now_s: Time of an event that has none; None refuses such events.

    Raises:
        HecFormatError: No data, or the first event that is refused.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise HecFormatError(INVALID_DATA_FORMAT, "the body is no UTF-8", 0) from None
    events = [_event(value, n, now_s) for n, value in enumerate(_objects(text))]
    if not events:
        raise HecFormatError(NO_DATA, "there is no data", 0)
    return events


def documents_of(events: Iterable[HecEvent]) -> list[dict[str, Any]]:
    """Return HEC events as documents for a store, with their index time.

    The two events of one record, where its texts have an index of their own, become
    one document again. Text that is no record is kept as `raw_text`.
    """
    documents: dict[str, dict[str, Any]] = {}
    for number, event in enumerate(events):
        values = _values(event)
        name = values.get("document_id") or f"event {number}"
        documents.setdefault(str(name), {}).update(values)
    return list(documents.values())


def _values(event: HecEvent) -> dict[str, Any]:
    moment = format_timestamp(round(event.time_s * 1_000))
    if isinstance(event.event, dict):
        return {"@timestamp": moment} | event.event
    digest = hashlib.sha256(f"{moment}\0{event.source}\0{event.event}".encode())
    return {
        "@timestamp": moment,
        "document_id": digest.hexdigest()[:32],
        "record_type": "invalid",
        "raw_text": event.event,
    }


def _objects(text: str) -> Iterator[Any]:
    decoder = json.JSONDecoder(parse_constant=_refuse)
    position = _skip(text, 0)
    number = 0
    while position < len(text):
        try:
            value, end = decoder.raw_decode(text, position)
            _check_text(text[position:end])
        except (ValueError, RecursionError):
            raise HecFormatError(
                INVALID_DATA_FORMAT, "an event is no JSON that is taken", number
            ) from None
        yield value
        number += 1
        position = _skip(text, end)


def _check_text(text: str) -> None:
    """Raise ValueError for what a parsed value no longer shows."""
    if len(text.encode()) > MAX_EVENT_BYTES:
        raise ValueError("an event is too large")
    if _SURROGATE.search(text):
        # Half a character, escaped, has no bytes; a whole pair has.
        json.dumps(json.loads(text), ensure_ascii=False).encode()
    if _EXPONENT.search(text):
        top = json.loads(text, parse_float=str)
        if isinstance(top, dict) and "e" in str(top.get("time")).lower():
            raise ValueError("time is in scientific notation")


def _refuse(_: str) -> None:
    raise ValueError("NaN and infinities are no JSON")


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _event(value: Any, number: int, now_s: float | None) -> HecEvent:
    if not isinstance(value, dict) or set(value) - KEYS:
        raise HecFormatError(INVALID_DATA_FORMAT, "an event has unknown keys", number)
    event = _content(value, number)
    names = {k: value.get(k, "") for k in ("host", "source", "sourcetype", "index")}
    if not all(isinstance(name, str) for name in names.values()):
        raise HecFormatError(INVALID_DATA_FORMAT, "a name is no text", number)
    fields = value.get("fields", {})
    if not _are_flat(fields):
        raise HecFormatError(BAD_FIELDS, "fields are not flat texts", number)
    if "time" not in value and now_s is not None:
        time_s = now_s
    else:
        time_s = _time_s(value.get("time"), number)
    return HecEvent(time_s, **names, fields=fields, event=event)


def _content(value: dict[str, Any], number: int) -> dict[str, Any] | str:
    event = value.get("event")
    if event is None:
        raise HecFormatError(EVENT_REQUIRED, "an event has no event", number)
    if event == {} or (isinstance(event, str) and not event.strip()):
        raise HecFormatError(EVENT_BLANK, "an event is blank", number)
    if not isinstance(event, dict | str):
        raise HecFormatError(
            INVALID_DATA_FORMAT, "an event is neither object nor text", number
        )
    return event


def _time_s(value: Any, number: int) -> float:
    text = value if isinstance(value, str) else json.dumps(value)
    if not _PLAIN_NUMBER.fullmatch(text):
        raise HecFormatError(
            INVALID_DATA_FORMAT, "time is no plain number of seconds", number
        )
    seconds = float(text)
    if seconds >= _MAX_TIME_S:
        raise HecFormatError(INVALID_DATA_FORMAT, "time is not in seconds", number)
    return seconds


def _are_flat(fields: Any) -> bool:
    return isinstance(fields, dict) and all(
        isinstance(value, str)
        or (isinstance(value, list) and all(isinstance(item, str) for item in value))
        for value in fields.values()
    )
