"""Every event is accounted for, by id, both ways, or the run has failed.

Events in = delivered + quarantined + in error objects + dropped on purpose. An event
is known by CloudWatch's id, which the transformer copies into each document; what
has no readable event at all is known by a digest of its bytes.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from chatbot_audit.sandbox.hec_events import HecFormatError, read_events

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from chatbot_audit.sandbox.destinations import Sink

_GZIP_MAGIC: Final = b"\x1f\x8b"
_PUT_BACK: Final = "chatbot_audit_put_back"
_SHOWN: Final = 5


@dataclass
class Report:
    """The sum of one run.

    Attributes:
        events_in: Ids that went in.
        delivered: Ids of delivered records.
        quarantined: Ids of delivered quarantined records.
        failed: Ids found in error objects.
        dropped: Ids dropped on purpose: control and blank messages.
    """

    events_in: set[str] = field(default_factory=set)
    delivered: set[str] = field(default_factory=set)
    quarantined: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    dropped: set[str] = field(default_factory=set)

    @property
    def missing(self) -> set[str]:
        """Ids that went in and are nowhere."""
        return self.events_in - self._found()

    @property
    def made_up(self) -> set[str]:
        """Ids that are somewhere and never went in."""
        return self._found() - self.events_in

    @property
    def holds(self) -> bool:
        """Tell whether everything is accounted for, both ways."""
        return not self.missing and not self.made_up

    def sentence(self) -> str:
        """Return the sum as a person reads it."""
        text = (
            f"in {len(self.events_in)} = delivered {len(self.delivered)}"
            f" + quarantined {len(self.quarantined)}"
            f" + in error objects {len(self.failed - self._stored())}"
            f" + dropped on purpose {len(self.dropped)}"
        )
        for name, ids in (("missing", self.missing), ("never sent", self.made_up)):
            if ids:
                shown = ", ".join(sorted(ids)[:_SHOWN])
                text += f"; {len(ids)} {name}: {shown}"
        return text

    def _stored(self) -> set[str]:
        return self.delivered | self.quarantined

    def _found(self) -> set[str]:
        return self._stored() | self.failed | self.dropped


class Ledger:
    """Writes down what goes in and what comes out.

    Stands in front of the store, so that what was really written counts.

    Args:
        sink: The store.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._report = Report()

    def write(self, documents: Iterable[Mapping[str, Any]]) -> int:
        """Write documents to the store, then count them."""
        written = list(documents)
        count = self._sink.write(written)
        for document in written:
            is_invalid = document.get("record_type") == "invalid"
            ids = self._report.quarantined if is_invalid else self._report.delivered
            ids.add(_document_key(document))
        return count

    def see_put(self, data: bytes) -> None:
        """Count what goes into the stream, put-backs left out."""
        for key, is_dropped in _keys(data):
            self._report.events_in.add(key)
            if is_dropped:
                self._report.dropped.add(key)

    def report(self, error_lines: Iterable[tuple[str, Mapping[str, Any]]]) -> Report:
        """Return the sum, with the ids found in error objects."""
        failed: set[str] = set()
        for error_type, line in error_lines:
            data = base64.b64decode(line["rawData"])
            if error_type == "processing-failed":
                failed |= {key for key, is_dropped in _keys(data) if not is_dropped}
            else:
                failed |= set(_document_keys(data))
        report = self._report
        return Report(
            set(report.events_in),
            set(report.delivered),
            set(report.quarantined),
            failed,
            set(report.dropped),
        )


def _keys(data: bytes) -> Iterator[tuple[str, bool]]:
    """Yield the keys of the events in one record, and whether each is dropped."""
    value = _decoded(data)
    if not isinstance(value, dict):
        yield _digest(data), False
        return
    if _PUT_BACK in value:
        yield from _wrapped_keys(value)
        return
    if value.get("messageType") == "CONTROL_MESSAGE":
        yield _digest(data), True
        return
    events = value.get("logEvents")
    if not isinstance(events, list) or not all(isinstance(e, dict) for e in events):
        yield _digest(data), False
        return
    for event in events:
        is_blank = not str(event.get("message", "")).strip()
        yield str(event.get("id")), is_blank


def _wrapped_keys(wrapper: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    data = wrapper.get("data")
    if wrapper.get("kind") == "document" and isinstance(data, dict):
        yield _document_key(data), False
    elif wrapper.get("kind") == "envelope" and isinstance(data, dict):
        for event in data.get("logEvents", ()):
            yield str(event.get("id")), False


def _document_keys(data: bytes) -> Iterator[str]:
    try:
        events = read_events(data)
    except HecFormatError:
        yield _digest(data)
        return
    for event in events:
        yield _document_key(event.event)


def _document_key(document: Mapping[str, Any]) -> str:
    return str(document.get("event_id") or document.get("document_id"))


def _decoded(data: bytes) -> Any:
    try:
        plain = gzip.decompress(data) if data.startswith(_GZIP_MAGIC) else data
        return json.loads(plain)
    except (OSError, EOFError, zlib.error, ValueError, RecursionError):
        return None


def _digest(data: bytes) -> str:
    return "bytes:" + hashlib.sha256(data).hexdigest()[:32]
