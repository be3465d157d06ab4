"""Every event is accounted for, by id, both ways, or the run has failed.

Events in = delivered + quarantined + in error objects + dropped on purpose. What
went in is read from the log group and from the records put, what came out from what
the store took and from the objects in S3; neither asks the transformer.
"""

from __future__ import annotations

import base64
import threading
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from chatbot_audit.sandbox.backup_objects import PROCESSING_FAILED
from chatbot_audit.sandbox.event_keys import (
    EventKey,
    key_of_document,
    keys_of_delivery,
    keys_of_record,
)
from chatbot_audit.sandbox.hec.events import documents_of, read_events

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chatbot_audit.sandbox.destinations import Sink

_SHOWN: Final = 5


@dataclass(frozen=True)
class Report:
    """The sum of one run.

    Attributes:
        events_in: Ids that went in.
        delivered: Ids of delivered records.
        quarantined: Ids of delivered quarantined records.
        failed: Ids found in error objects.
        dropped: Ids dropped on purpose: control messages and blank lines.
        unforwarded: Events that CloudWatch took and never forwarded.
    """

    events_in: frozenset[str] = frozenset()
    delivered: frozenset[str] = frozenset()
    quarantined: frozenset[str] = frozenset()
    failed: frozenset[str] = frozenset()
    dropped: frozenset[str] = frozenset()
    unforwarded: frozenset[str] = frozenset()

    @property
    def missing(self) -> frozenset[str]:
        """Ids that went in and are nowhere."""
        return self.events_in - self._found()

    @property
    def made_up(self) -> frozenset[str]:
        """Ids that are somewhere and never went in."""
        return self._found() - self.events_in

    @property
    def holds(self) -> bool:
        """Tell whether everything is accounted for, both ways."""
        return not (self.missing or self.made_up or self.unforwarded)

    def sentence(self) -> str:
        """Return the sum as a person reads it, and what differs."""
        stored = self.delivered | self.quarantined
        text = (
            f"in {len(self.events_in)} = delivered {len(self.delivered)}"
            f" + quarantined {len(self.quarantined - self.delivered)}"
            f" + in error objects {len(self.failed - stored)}"
            f" + dropped on purpose {len(self.dropped - stored - self.failed)}"
        )
        differences = (
            ("missing", self.missing),
            ("never sent", self.made_up),
            ("never forwarded", self.unforwarded),
        )
        for name, ids in differences:
            if ids:
                shown = ", ".join(sorted(ids)[:_SHOWN])
                text += f"; {len(ids)} {name}: {shown}"
        return text

    def _found(self) -> frozenset[str]:
        return self.delivered | self.quarantined | self.failed | self.dropped


class Ledger:
    """Writes down what goes in and what comes out.

    Stands in front of the store, so that what was really written counts; safe to
    use from many threads, which the store need not be.

    Args:
        sink: The store.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._lock = threading.Lock()
        self._put: dict[str, EventKey] = {}
        self._delivered: set[EventKey] = set()
        self._quarantined: set[EventKey] = set()

    def write(self, documents: Iterable[Mapping[str, Any]]) -> int:
        """Write documents to the store, then count them."""
        written = list(documents)
        with self._lock:
            count = self._sink.write(written)
            self._see(written)
        return count

    def see_delivery(self, body: bytes) -> None:
        """Count HEC events that a collector of somebody else acknowledged."""
        documents = documents_of(read_events(body))
        with self._lock:
            self._see(documents)

    def see_put(self, data: bytes) -> None:
        """Count what goes into the stream."""
        keys = keys_of_record(data)
        with self._lock:
            self._put |= {key.name: key for key in keys}

    def report(
        self,
        error_lines: Iterable[tuple[str, Mapping[str, Any]]],
        unforwarded: Iterable[str] = (),
    ) -> Report:
        """Return the sum.

        Args:
            error_lines: Error type and line of every error object.
            unforwarded: Events that CloudWatch never forwarded.
        """
        failed = {
            key for kind, line in error_lines for key in _keys_of_line(kind, line)
        }
        with self._lock:
            put = set(self._put.values())
            delivered, quarantined = set(self._delivered), set(self._quarantined)
        names = _Names(put)
        dropped = {key for key in put if key.is_dropped}
        return Report(
            frozenset(key.name for key in put),
            names.of(delivered),
            names.of(quarantined),
            names.of({key for key in failed if not key.is_dropped}),
            frozenset(key.name for key in dropped),
            frozenset(unforwarded),
        )

    def _see(self, documents: Iterable[Mapping[str, Any]]) -> None:
        for document in documents:
            is_invalid = document.get("record_type") == "invalid"
            keys = self._quarantined if is_invalid else self._delivered
            keys.add(key_of_document(document))


class _Names:
    """Finds the events that were put by what came out.

    Equal lines of one stream have one document, whatever their number: where it is,
    all of them are.
    """

    def __init__(self, put: Iterable[EventKey]) -> None:
        self._names: defaultdict[str, set[str]] = defaultdict(set)
        for key in put:
            for name in (key.name, *key.aliases):
                self._names[name].add(key.name)

    def of(self, keys: Iterable[EventKey]) -> frozenset[str]:
        found: set[str] = set()
        for key in keys:
            if key.name not in self._names:
                # Never put: it stays visible under its own name.
                found.add(key.name)
                continue
            for name in (key.name, *key.aliases):
                found |= self._names.get(name, set())
        return frozenset(found)


def _keys_of_line(error_type: str, line: Mapping[str, Any]) -> list[EventKey]:
    data = base64.b64decode(line["rawData"])
    if error_type == PROCESSING_FAILED:
        return keys_of_record(data)
    return keys_of_delivery(data)
