"""By which ids the events of a record are known, whatever shape the record has.

Written apart from the transformer on purpose: were it to misread a record, reading
the record the same way here would hide that. An event is known by CloudWatch's id;
one without an id by the `document_id` that its bytes and place give it; a record in
which no event can be seen by a digest of its bytes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from audit_record.codec import dumps
from audit_record.ids import document_id
from chatbot_audit.sandbox.function.process import FUNCTION_LOG_GROUP
from chatbot_audit.sandbox.hec.events import HecFormatError, documents_of, read_events
from chatbot_audit.sandbox.inflate import GZIP_MAGIC, gunzip

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PUT_BACK: Final = "chatbot_audit_put_back"
_MAX_PLAIN_BYTES: Final = 64 * 1_024 * 1_024
_MAX_DIGITS: Final = 40
_BETWEEN: Final = re.compile(r"[\s\ufeff]*")
# Either of them names a document.
_DOCUMENT_IDS: Final = frozenset(("document_id", "event_id"))
# Whose lines the transformer drops, lest they go round for ever.
_FIREHOSE_LOG_GROUPS: Final = "/aws/kinesisfirehose/"


@dataclass(frozen=True, slots=True)
class EventKey:
    """One event, or one record in which none can be seen.

    Attributes:
        name: What it is known by.
        aliases: Document ids that mean the same event.
        is_dropped: Whether it is to be dropped: a control message, a blank line,
            a line of the transformer's own log.
    """

    name: str
    aliases: frozenset[str] = frozenset()
    is_dropped: bool = False


def keys_of_record(data: bytes) -> list[EventKey]:
    """Return the keys of one Firehose record's events."""
    try:
        values = _values(data)
        return [key for value, text in values for key in _keys_of_value(value, text)]
    except (ValueError, TypeError):
        # As a whole or not at all: a record with a broken part is kept as it is.
        return [EventKey(_digest(data))]


def keys_of_delivery(data: bytes) -> list[EventKey]:
    """Return the keys of transformed bytes: HEC events, or documents line by line."""
    try:
        return [key_of_document(d) for d in documents_of(read_events(data))]
    except HecFormatError:
        return _keys_of_lines(data)


def key_of_document(document: Mapping[str, Any]) -> EventKey:
    """Return the key of a delivered document."""
    name = document.get("document_id")
    event_id = document.get("event_id")
    if isinstance(event_id, str) and event_id:
        return EventKey(event_id, frozenset([name]) if name else frozenset())
    return EventKey(str(name))


def _keys_of_lines(data: bytes) -> list[EventKey]:
    try:
        # More than one line is none of OpenSearch's records, and still accounted for.
        documents = [json.loads(line) for line in data.decode().splitlines()]
    except (ValueError, RecursionError):
        return [EventKey(_digest(data))]
    if not documents or not all(map(_is_document, documents)):
        return [EventKey(_digest(data))]
    return [key_of_document(document) for document in documents]


def _is_document(value: Any) -> bool:
    return isinstance(value, dict) and not _DOCUMENT_IDS.isdisjoint(value)


def _keys_of_value(value: Any, text: str) -> Iterator[EventKey]:
    if not isinstance(value, dict):
        raise ValueError("no object")  # noqa: TRY004 - one kind of unreadable
    if _PUT_BACK in value:
        yield from _keys_of_wrapper(value)
    elif value.get("messageType") == "CONTROL_MESSAGE":
        yield EventKey(_digest(dumps(value)), is_dropped=True)
    elif "messageType" not in value and "logEvents" not in value:
        yield _plain_key(text)
    else:
        yield from _keys_of_envelope(value)


def _keys_of_envelope(envelope: dict[str, Any]) -> Iterator[EventKey]:
    events = envelope.get("logEvents")
    is_data = envelope.get("messageType", "DATA_MESSAGE") == "DATA_MESSAGE"
    if not isinstance(events, list) or not is_data:
        raise ValueError("no envelope")
    group = str(envelope.get("logGroup"))
    is_own = group == FUNCTION_LOG_GROUP or group.startswith(_FIREHOSE_LOG_GROUPS)
    for event in events:
        yield _event_key(envelope, event, is_own=is_own)


def _event_key(envelope: dict[str, Any], event: Any, *, is_own: bool) -> EventKey:
    values = event if isinstance(event, dict) else {"message": event}
    message = values.get("message")
    line = message if isinstance(message, str) else dumps(message).decode()
    is_dropped = is_own or not line.strip()
    names = _document_ids(envelope, line, values.get("timestamp"))
    event_id = values.get("id")
    if event_id:
        return EventKey(str(event_id), names, is_dropped)
    return EventKey(min(names), names, is_dropped)


def _document_ids(envelope: dict[str, Any], line: str, time: Any) -> frozenset[str]:
    """Return the ids that a line can get: with its time, and without."""
    owner, group, stream = (
        name if isinstance(name, str) else ""
        for name in map(envelope.get, ("owner", "logGroup", "logStream"))
    )
    message = line.encode(errors="replace")
    times = {None, time if isinstance(time, int) else None}
    return frozenset(document_id(owner, group, stream, message, t) for t in times)


def _plain_key(text: str) -> EventKey:
    """Return the key of an audit record without an envelope, as it is written."""
    return EventKey(document_id("", "", "", text.encode(errors="replace")))


def _keys_of_wrapper(wrapper: dict[str, Any]) -> Iterator[EventKey]:
    data, kind = wrapper.get("data"), wrapper.get("kind")
    if kind == "document" and isinstance(data, dict):
        yield key_of_document(data)
    elif kind == "envelope" and isinstance(data, dict):
        yield from _keys_of_envelope(data)
    elif kind == "bytes" and isinstance(data, str):
        try:
            plain = base64.b64decode(data, validate=True)
        except binascii.Error:
            raise ValueError("no base64") from None
        yield from keys_of_delivery(plain)
    else:
        raise ValueError("no wrapper")


def _values(data: bytes) -> list[tuple[Any, str]]:
    """Return the JSON values that stand in *data*, compressed or not, and their text.

    Raises:
        ValueError: Not all of it can be read.
    """
    # A stream that was fed from another holds gzip inside gzip.
    for _ in range(2):
        if data.startswith(GZIP_MAGIC):
            data = gunzip(data, _MAX_PLAIN_BYTES)
    text = data.decode(errors="replace")
    decoder = json.JSONDecoder(parse_int=_int)
    values: list[tuple[Any, str]] = []
    position = _skip(text, 0)
    while position < len(text):
        try:
            value, end = decoder.raw_decode(text, position)
        except RecursionError:
            raise ValueError("nested too deep") from None
        values.append((value, text[position:end]))
        position = _skip(text, end)
    if not values:
        raise ValueError("nothing in it")
    return values


def _int(digits: str) -> int | str:
    # Python refuses to read thousands of digits; nothing here counts with them.
    return int(digits) if len(digits) <= _MAX_DIGITS else digits


def _skip(text: str, position: int) -> int:
    match = _BETWEEN.match(text, position)
    return match.end() if match else position


def _digest(data: bytes) -> str:
    return "bytes:" + hashlib.sha256(data).hexdigest()[:32]
