"""Turn what moto's subscription forwards into what AWS's would.

moto forwards one envelope a put, numbers events 0, 1, 2 … and sometimes forwards an
envelope without any event. AWS packs several events of one stream together, gives
each an id of 56 digits, and asks first whether the destination is there.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from audit_record.limits import MAX_FIREHOSE_RECORD_BYTES
from chatbot_audit.sandbox.errors import ServerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_FLUSH_SHARE: Final = 1 / 3
_MAX_EVENTS: Final = 8
# Several events together stay below this in UTF-8, so that their gzip is below
# Firehose's 1,000 KiB whatever they say; one event alone always is.
_MAX_TOGETHER_BYTES: Final = 900_000
# An id: 13 digits of time, 22 of the stream, 21 of the event's number in it.
_STREAM_DIGITS: Final = 22
_NUMBER_DIGITS: Final = 21
# What CloudWatch sends when a filter is made; captured from AWS.
_CONTROL_TEXT: Final = "CWL CONTROL MESSAGE: Checking health of destination Firehose."


@dataclass
class Envelope:
    """One subscription message as AWS would send it.

    Attributes:
        head: Everything but the events.
        events: The events, in the order of their stream.
        size_bytes: Of the events' messages, UTF-8.
    """

    head: Mapping[str, Any]
    events: list[dict[str, Any]] = field(default_factory=list)
    size_bytes: int = 0

    def data(self) -> bytes:
        """Return the gzip that the stream is given.

        Raises:
            ServerError: It is over Firehose's 1,000 KiB, which no event can cause.
        """
        value = {**self.head, "logEvents": self.events}
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        data = gzip.compress(text.encode(errors="surrogatepass"), 6, mtime=0)
        if len(data) > MAX_FIREHOSE_RECORD_BYTES:
            raise ServerError("an envelope is over 1,000 KiB; nothing of it was sent")
        return data


def control_message(now_ms: int) -> Envelope:
    """Return the message with which CloudWatch asks whether the stream is there."""
    head = {
        "messageType": "CONTROL_MESSAGE",
        "owner": "CloudwatchLogs",
        "logGroup": "",
        "logStream": "",
        "subscriptionFilters": [],
    }
    return Envelope(head, [{"id": "", "timestamp": now_ms, "message": _CONTROL_TEXT}])


class Rebatcher:
    """Packs forwarded events together by a seeded rule and gives them AWS's ids.

    Keeps the order within a stream; loses and doubles nothing.

    Args:
        seed: Makes the same envelopes of the same events again.
    """

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)  # noqa: S311 - the shape of batches
        self._numbers: dict[str, int] = {}

    def pack(self, messages: Iterable[Mapping[str, Any]]) -> Iterator[Envelope]:
        """Yield envelopes of the events of *messages*; none is empty."""
        waiting: dict[str, Envelope] = {}
        for message in messages:
            head = {key: value for key, value in message.items() if key != "logEvents"}
            name = json.dumps(head, sort_keys=True)
            for event in message["logEvents"]:
                size = len(event["message"].encode(errors="surrogatepass"))
                if name in waiting and _is_full(waiting[name], size):
                    yield waiting.pop(name)
                envelope = waiting.setdefault(name, Envelope(head))
                envelope.events.append(event | {"id": self._event_id(head, event)})
                envelope.size_bytes += size
                if self._rng.random() < _FLUSH_SHARE:
                    yield waiting.pop(name)
        yield from waiting.values()

    def _event_id(self, head: Mapping[str, Any], event: Mapping[str, Any]) -> str:
        """Return 56 digits: unique here, and the same again for the same run."""
        place = "\0".join(head[key] for key in ("owner", "logGroup", "logStream"))
        number = self._numbers.get(place, 0) + 1
        self._numbers[place] = number
        digest = hashlib.sha256(place.encode(errors="surrogatepass")).digest()
        stream = int.from_bytes(digest) % 10**_STREAM_DIGITS
        return (
            f"{event['timestamp']:013d}{stream:0{_STREAM_DIGITS}d}"
            f"{number:0{_NUMBER_DIGITS}d}"
        )


def _is_full(envelope: Envelope, size_bytes: int) -> bool:
    return (
        len(envelope.events) >= _MAX_EVENTS
        or envelope.size_bytes + size_bytes > _MAX_TOGETHER_BYTES
    )
