"""Where Firehose delivers to: the protocol, and the embedded store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from chatbot_audit.sandbox.backup_objects import SPLUNK_FAILED
from chatbot_audit.sandbox.hec.events import HecFormatError, documents_of, read_events

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

BAD_SPLUNK_DATA = "Splunk.InvalidDataFormat"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One transformed record on its way.

    Attributes:
        firehose_record_id: Firehose's id.
        data: Transformed bytes; never empty.
        arrival_ms: When the record reached the stream.
    """

    firehose_record_id: str
    data: bytes
    arrival_ms: int


@dataclass(frozen=True, slots=True)
class Failure:
    """One record that the destination did not take."""

    outgoing: Outgoing
    error_code: str
    error_message: str
    attempts_count: int = 1


class Destination(Protocol):
    """What the engine delivers to.

    Attributes:
        error_type: Prefix of the error objects.
        bad_data_code: Error code of data that is none for this destination.
    """

    error_type: str
    bad_data_code: str

    def deliver(self, records: Sequence[Outgoing]) -> list[Failure]:
        """Deliver *records*; return those that were not taken.

        Called from several threads. Tries again as long as its settings allow; each
        record that is not returned was delivered.
        """


class Sink(Protocol):
    """A store that takes documents."""

    def write(self, documents: Iterable[Mapping[str, Any]]) -> int:
        """Write documents by id; return how many."""


class StoreDestination:
    """Writes HEC events to an embedded store, without a network between.

    As in Splunk, one bad event fails all that was sent with it.

    Args:
        sink: The store.
    """

    error_type = SPLUNK_FAILED
    bad_data_code = BAD_SPLUNK_DATA

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def deliver(self, records: Sequence[Outgoing]) -> list[Failure]:
        """Write every event of *records*, or none."""
        body = b"".join(record.data for record in records)
        try:
            documents = documents_of(read_events(body))
        except HecFormatError as error:
            return [Failure(record, BAD_SPLUNK_DATA, str(error)) for record in records]
        try:
            self._sink.write(documents)
        except Exception as error:  # noqa: BLE001 - what no store takes is kept in S3
            text = f"The store failed with {type(error).__name__}."
            return [Failure(record, "Splunk.ServerError", text) for record in records]
        return []
