"""Payloads to finished documents, and documents to the destination's bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from audit_record.checks import find_problems, is_timestamp
from audit_record.codec import loads
from audit_record.errors import DecodeError
from audit_record.times import parse_timestamp_ms
from subscription_transformer.destinations import elastic, opensearch, splunk
from subscription_transformer.document import Document
from subscription_transformer.envelope import (
    FinishedBytes,
    FinishedDocument,
    LogEvent,
    Payload,
    PlainRecord,
    SubscriptionMessage,
)
from subscription_transformer.errors import UndecodableError
from subscription_transformer.finish import Finisher, sources

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from subscription_transformer.firehose import FirehoseRecord
    from subscription_transformer.metrics import Metrics
    from subscription_transformer.rules import Rules
    from subscription_transformer.settings import TransformerSettings

# Firehose writes its own errors to groups of this name; see the recursion guard.
_FIREHOSE_LOG_GROUPS: Final = "/aws/kinesisfirehose/"
_NO_ENVELOPE: Final = SubscriptionMessage("", "", "", (), ())


class DocumentMaker:
    """Makes documents of payloads and bytes of documents.

    Args:
        settings: Destination and sizes.
        rules: Labels and kinds of secrets.
        own_log_group: The Lambda's own log group, whose lines are never delivered.
    """

    def __init__(
        self, settings: TransformerSettings, rules: Rules, own_log_group: str
    ) -> None:
        self._settings = settings
        self._finisher = Finisher(settings, rules)
        self._own_log_group = own_log_group

    def documents(
        self,
        record: FirehoseRecord,
        payload: Payload,
        region: str,
        metrics: Metrics,
        has_time: Callable[[], bool],
    ) -> list[Document]:
        """Return the finished documents of one payload, in its order.

        Args:
            record: Where the payload came from.
            payload: What it held.
            region: Region of the stream.
            metrics: Counts what happens.
            has_time: Tells whether to go on; asked before each event.

        Raises:
            UndecodableError: A put-back document is not what we put, or time is up.
        """
        if isinstance(payload, FinishedDocument):
            return [self._finished(payload, metrics)]
        if isinstance(payload, PlainRecord):
            event = LogEvent("", None, payload.line)
            payload = SubscriptionMessage("", "", "", (), (event,), payload.problems)
        if not isinstance(payload, SubscriptionMessage):
            return []
        metrics.add("EventsIn", len(payload.log_events))
        if self._is_own(payload.log_group):
            metrics.add("RecursionDropped", len(payload.log_events))
            return []
        found = sources(payload, record.arrival_ms, region)
        metrics.add("BlankMessages", len(payload.log_events) - len(found))
        documents: list[Document] = []
        for source in found:
            if not has_time():
                raise UndecodableError("time:exhausted")
            metrics.see_event_time(source.event_ms)
            documents.append(self._finisher.finish(source, metrics))
        return documents

    def encode(self, payload: Payload, documents: Sequence[Document]) -> bytes:
        """Return the bytes that the destination wants of *documents*; maybe none.

        Raises:
            UndecodableError: Replayed bytes are not what the destination takes.
        """
        if isinstance(payload, FinishedBytes):
            _check_finished(payload.data, self._settings.destination)
            return payload.data
        if not documents:
            return b""
        if self._settings.destination == "opensearch":
            return b"".join(opensearch.encode(document) for document in documents)
        if self._settings.destination == "elastic":
            if isinstance(payload, SubscriptionMessage):
                return elastic.encode(payload, documents)
            return elastic.encode(_NO_ENVELOPE, documents)
        parts: list[bytes] = []
        for document in documents:
            parts += splunk.encode(document, self._settings)
        return b"".join(parts)

    def _is_own(self, log_group: str) -> bool:
        return log_group != "" and (
            log_group == self._own_log_group
            or log_group.startswith(_FIREHOSE_LOG_GROUPS)
        )

    def _finished(self, payload: FinishedDocument, metrics: Metrics) -> Document:
        values = dict(payload.values)
        moment = values.pop("@timestamp", None)
        if not isinstance(moment, str) or not is_timestamp(moment):
            raise UndecodableError("put_back:broken")
        if "document_id" not in values or find_problems(values):
            raise UndecodableError("put_back:broken")
        metrics.see_event_time(parse_timestamp_ms(moment))
        checked = self._finisher.check_again(values, metrics)
        return Document(checked, parse_timestamp_ms(moment))


def _check_finished(data: bytes, destination: str) -> None:
    """Refuse replayed bytes that the destination would refuse with their batch."""
    if destination == "elastic":
        return
    lines = data.splitlines()
    is_one = destination != "opensearch" or len(lines) == 1
    if not lines or not is_one or not all(map(_is_object, lines)):
        raise UndecodableError("put_back:broken")


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(loads(line), dict)
    except DecodeError:
        return False
