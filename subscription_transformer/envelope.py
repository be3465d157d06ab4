"""Decode one Firehose record into what CloudWatch, a replay or a put-back sent.

The payload of a subscription is a gzip of one JSON object (AWS docs, "Real-time
processing of log data with subscriptions"). Glued objects, plain JSON, a byte order
mark and a gzip inside a gzip are read too: they occur where a stream is fed twice
or Firehose decompresses by itself.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from audit_record.codec import dumps, loads_repairing
from audit_record.errors import DecodeError
from audit_record.fields import CORE_FIELDS
from audit_record.times import MAX_TIMESTAMP_MS
from subscription_transformer.errors import UndecodableError
from subscription_transformer.exact import read_exact
from subscription_transformer.inflate import inflate
from subscription_transformer.typed import read_envelope

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from subscription_transformer.typed import TypedEnvelope

_b64decode: Callable[..., bytes]
try:
    import pybase64

    _b64decode = pybase64.b64decode
except ImportError:  # the standard library does the same, more slowly
    _b64decode = base64.b64decode

DATA_MESSAGE: Final = "DATA_MESSAGE"
CONTROL_MESSAGE: Final = "CONTROL_MESSAGE"
PUT_BACK_KEY: Final = "chatbot_audit_put_back"
PUT_BACK_KINDS: Final = ("document", "envelope", "bytes")
# Beyond this a record was split or put back so often that something is wrong.
MAX_GENERATION: Final = 8
# A record of 1 MB has no room for so many envelopes or records; `{}{}{}` has.
MAX_GLUED_COUNT: Final = 10_000

PUT_BACK_VERSION: Final = 1

_NAMES: Final = ("messageType", "owner", "logGroup", "logStream")
_BOM: Final = "\ufeff"
_BETWEEN: Final = re.compile(r"[\s\ufeff]*")


class Event(Protocol):
    """One log event, however it was read; see `LogEvent`."""

    @property
    def event_id(self) -> str:
        """CloudWatch's id."""

    @property
    def timestamp_ms(self) -> int | None:
        """The event's time."""

    @property
    def message(self) -> str:
        """The line as the bot wrote it."""

    @property
    def raw(self) -> Mapping[str, Any]:
        """The event as it stood in the envelope."""


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One log event of an envelope.

    Attributes:
        event_id: CloudWatch's id; "" if it had none.
        timestamp_ms: The event's time; None if it had none.
        message: The line as the bot wrote it.
        raw: The event as it stood in the envelope, for splitting.
    """

    event_id: str
    timestamp_ms: int | None
    message: str
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SubscriptionMessage:
    """One envelope: some events of one log stream.

    Attributes:
        owner: Account of the log group; "" if missing, like the next two.
        log_group: Name of the log group.
        log_stream: Name of the log stream.
        subscription_filters: Names of the filters that matched.
        log_events: In the order they came.
        problems: What was missing or repaired, for each document made of it.
        generation: How often it was split and put back.
    """

    owner: str
    log_group: str
    log_stream: str
    subscription_filters: tuple[str, ...]
    log_events: Sequence[Event]
    problems: tuple[str, ...] = ()
    generation: int = 0


@dataclass(frozen=True, slots=True)
class ControlMessage:
    """CloudWatch asking whether the stream is there: no audit data."""


@dataclass(frozen=True, slots=True)
class FinishedDocument:
    """A document that this transformer made and put back."""

    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class FinishedBytes:
    """Destination bytes that a replay sends through the stream."""

    data: bytes


@dataclass(frozen=True, slots=True)
class PlainRecord:
    """An audit record without an envelope, as Firehose's own extraction sends."""

    line: str
    problems: tuple[str, ...] = ()


Payload = (
    SubscriptionMessage
    | ControlMessage
    | FinishedDocument
    | FinishedBytes
    | PlainRecord
)


def decode_data(data: Any) -> list[Payload]:
    """Decode the base64 *data* of one Firehose record.

    Returns:
        At least one payload, in the order they stood.

    Raises:
        UndecodableError: With the reason; nothing of it can be delivered.
    """
    inflated = inflate(decode_base64(data))
    typed = read_envelope(inflated)
    if typed is not None:
        return [_ordinary(typed)]
    text, was_replaced = _text(inflated)
    objects, had_surrogates = _objects(text)
    if not objects:
        raise UndecodableError("json:empty")
    is_alone = len(objects) == 1
    problems = ("utf8:replaced",) if was_replaced or had_surrogates else ()
    return [_payload(value, line, problems, is_alone) for value, line in objects]


def _ordinary(typed: TypedEnvelope) -> SubscriptionMessage:
    return SubscriptionMessage(
        typed.owner,
        typed.log_group,
        typed.log_stream,
        tuple(typed.subscription_filters),
        typed.log_events,
    )


def decode_base64(data: Any) -> bytes:
    """Decode strict base64.

    Raises:
        UndecodableError: Not a string, or not base64.
    """
    if not isinstance(data, str):
        raise UndecodableError("base64:missing")
    try:
        return _b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise UndecodableError("base64:invalid") from None


def _text(data: bytes) -> tuple[str, bool]:
    try:
        return data.decode().removeprefix(_BOM), False
    except UnicodeDecodeError:
        return data.decode(errors="replace").removeprefix(_BOM), True


def _objects(text: str) -> tuple[list[tuple[Any, str]], bool]:
    """Return each JSON value with its own text, and whether one was repaired."""
    try:
        value, had_surrogates = loads_repairing(text)
    except DecodeError:
        return _glued_objects(text)
    return [(value, text)], had_surrogates


def _glued_objects(text: str) -> tuple[list[tuple[Any, str]], bool]:
    decoder = json.JSONDecoder()
    found: list[tuple[Any, str]] = []
    had_surrogates = False
    position = _skip(text, 0)
    while position < len(text):
        try:
            _, end = decoder.raw_decode(text, position)
            # Read again by our codec, which repairs lone surrogates.
            value, is_repaired = loads_repairing(text[position:end])
        except (ValueError, RecursionError):
            raise UndecodableError("json:broken") from None
        found.append((value, text[position:end]))
        if len(found) > MAX_GLUED_COUNT:
            raise UndecodableError("json:too_many_objects")
        had_surrogates = had_surrogates or is_repaired
        position = _skip(text, end)
    return found, had_surrogates


def _skip(text: str, position: int) -> int:
    match = _BETWEEN.match(text, position)
    return match.end() if match else position


def _payload(
    value: Any,
    text: str,
    problems: tuple[str, ...],
    is_alone: bool,
) -> Payload:
    if not isinstance(value, dict):
        raise UndecodableError("json:not_an_object")
    if PUT_BACK_KEY in value:
        if not is_alone:
            raise UndecodableError("put_back:not_alone")
        return _put_back(value, text)
    if "messageType" not in value and "logEvents" not in value:
        if any(name in value for name in (*CORE_FIELDS, "record_id")):
            return PlainRecord(text.strip(), problems)
        raise UndecodableError("envelope:unknown_shape")
    return _subscription(value, problems)


def _subscription(value: dict[str, Any], problems: tuple[str, ...]) -> Payload:
    message_type = value.get("messageType", DATA_MESSAGE)
    if message_type == CONTROL_MESSAGE:
        return ControlMessage()
    if message_type != DATA_MESSAGE:
        raise UndecodableError("envelope:unknown_message_type")
    events = value.get("logEvents")
    if not isinstance(events, list):
        raise UndecodableError("envelope:no_log_events")
    names = {key: _name(value, key) for key in _NAMES}
    missing = tuple(f"missing:{key}" for key, name in names.items() if not name)
    filters = value.get("subscriptionFilters")
    return SubscriptionMessage(
        names["owner"],
        names["logGroup"],
        names["logStream"],
        tuple(str(name) for name in filters) if isinstance(filters, list) else (),
        tuple(_log_event(event) for event in events),
        problems + missing,
    )


def _name(value: dict[str, Any], key: str) -> str:
    name = value.get(key)
    return name if isinstance(name, str) else ""


def _log_event(event: Any) -> LogEvent:
    if not isinstance(event, dict):
        return LogEvent("", None, dumps(event).decode(), {"message": event})
    message = event.get("message")
    timestamp = event.get("timestamp")
    is_time = isinstance(timestamp, int) and not isinstance(timestamp, bool)
    return LogEvent(
        str(name) if isinstance(name := event.get("id"), str | int) else "",
        timestamp if is_time and 0 <= timestamp <= MAX_TIMESTAMP_MS else None,  # type: ignore[operator]
        message if isinstance(message, str) else dumps(message).decode(),
        event,
    )


def _put_back(value: dict[str, Any], text: str) -> Payload:
    kind, data, generation = (value.get(k) for k in ("kind", "data", "generation"))
    is_known = value[PUT_BACK_KEY] == PUT_BACK_VERSION and kind in PUT_BACK_KINDS
    if not is_known or type(generation) is not int or generation < 1:
        raise UndecodableError("put_back:broken")
    if generation > MAX_GENERATION:
        raise UndecodableError("put_back:too_many_generations")
    if kind == "bytes":
        return FinishedBytes(decode_base64(data))
    if not isinstance(data, dict):
        raise UndecodableError("put_back:broken")
    if kind == "document":
        return FinishedDocument(read_exact(text)[0]["data"])
    message = _subscription(data, ())
    if not isinstance(message, SubscriptionMessage):
        raise UndecodableError("put_back:broken")
    return replace(message, generation=generation)
