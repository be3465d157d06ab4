"""One invocation: every record gets a fate of its own, and one answer.

The only broad ``except`` of the room is here: whatever goes wrong with one record
is that record's fate and leaves its neighbours alone.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Final

from audit_record.checks import find_problems, is_timestamp
from audit_record.codec import loads
from audit_record.errors import DecodeError
from audit_record.times import parse_timestamp_ms
from subscription_transformer.budget import Budget
from subscription_transformer.destinations import elastic, opensearch, splunk
from subscription_transformer.document import Document
from subscription_transformer.envelope import (
    MAX_GENERATION,
    ControlMessage,
    FinishedBytes,
    FinishedDocument,
    LogEvent,
    Payload,
    PlainRecord,
    SubscriptionMessage,
    decode_base64,
    decode_data,
)
from subscription_transformer.errors import UndecodableError
from subscription_transformer.finish import Finisher, sources
from subscription_transformer.firehose import (
    FirehoseRecord,
    Invocation,
    Result,
    TransformedRecord,
)
from subscription_transformer.put_back import PutBack, wrap
from subscription_transformer.settings import FAIL, TransformerSettings
from subscription_transformer.split import split_envelope

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from subscription_transformer.metrics import Metrics
    from subscription_transformer.rules import Rules

_LOG: Final = logging.getLogger(__name__)
# Firehose writes its own errors to groups of this name; see the recursion guard.
_FIREHOSE_LOG_GROUPS: Final = "/aws/kinesisfirehose/"


class Transformer:
    """Transforms invocations.

    Args:
        settings: Destination and sizes.
        rules: Labels and kinds of secrets.
        own_log_group: The Lambda's own log group, whose lines are never delivered.
    """

    def __init__(
        self, settings: TransformerSettings, rules: Rules, own_log_group: str = ""
    ) -> None:
        self._settings = settings
        self._finisher = Finisher(settings, rules)
        self._own_log_group = own_log_group

    @classmethod
    def from_env(cls, rules: Rules, settings: TransformerSettings) -> Transformer:
        """Make a transformer that knows its own log group from the environment."""
        name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
        group = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME") or f"/aws/lambda/{name}"
        return cls(settings, rules, group)

    def transform(
        self,
        invocation: Invocation,
        metrics: Metrics,
        put_back: PutBack | None,
        remaining_s: Callable[[], float],
    ) -> list[TransformedRecord]:
        """Answer every record of *invocation*, in order.

        Args:
            invocation: What Firehose sent.
            metrics: Counts what happens.
            put_back: Puts records back; None where that is switched off.
            remaining_s: Seconds until the work has to be done.
        """
        run = _Run(self, invocation, metrics, put_back, remaining_s)
        answers = [run.answer(record) for record in invocation.records]
        return run.settle(answers)

    def documents(
        self, record: FirehoseRecord, payload: Payload, region: str, metrics: Metrics
    ) -> list[Document]:
        """Return the finished documents of one payload.

        Raises:
            UndecodableError: A put-back document is not what we put.
        """
        if isinstance(payload, FinishedDocument):
            return [self._finished(payload, metrics)]
        if isinstance(payload, PlainRecord):
            payload = SubscriptionMessage(
                "", "", "", (), (LogEvent("", None, payload.line),)
            )
        if not isinstance(payload, SubscriptionMessage):
            return []
        metrics.add("EventsIn", len(payload.log_events))
        if self._is_own(payload.log_group):
            metrics.add("RecursionDropped", len(payload.log_events))
            return []
        found = sources(payload, record.arrival_ms, region)
        metrics.add("BlankMessages", len(payload.log_events) - len(found))
        for source in found:
            metrics.see_event_time(source.event_ms)
        return [self._finisher.finish(source, metrics) for source in found]

    def encode(self, payload: Payload, documents: Sequence[Document]) -> bytes:
        """Return the bytes that the destination wants of *documents*."""
        if self._settings.destination == "opensearch":
            return b"".join(opensearch.encode(document) for document in documents)
        if self._settings.destination == "elastic" and isinstance(
            payload, SubscriptionMessage
        ):
            return elastic.encode(payload, documents)
        return b"".join(
            splunk.encode(document, self._settings) for document in documents
        )

    @property
    def settings(self) -> TransformerSettings:
        """The settings it was made with."""
        return self._settings

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
        metrics.add("EventsIn")
        return Document(
            self._finisher.check_again(values, metrics), parse_timestamp_ms(moment)
        )


class _Run:
    """One invocation while it is being answered."""

    def __init__(
        self,
        transformer: Transformer,
        invocation: Invocation,
        metrics: Metrics,
        put_back: PutBack | None,
        remaining_s: Callable[[], float],
    ) -> None:
        self._transformer = transformer
        self._settings = transformer.settings
        self._region = invocation.region
        self._metrics = metrics
        self._put_back = put_back
        self._remaining_s = remaining_s
        self._budget = Budget(self._settings.response_budget_bytes, invocation.records)
        self._is_full = False
        # What goes back into the stream, and the record that it stands for.
        self._outgoing: list[tuple[bytes, str]] = []

    def answer(self, record: FirehoseRecord) -> TransformedRecord:
        """Return the fate of one record; nothing leaves this method as an error."""
        try:
            return self._answer(record)
        except UndecodableError as error:
            return self._failed(record, error.reason)
        except Exception as error:  # noqa: BLE001 - one record's fate, never more
            return self._failed(record, f"unexpected:{type(error).__name__}")

    def settle(self, answers: list[TransformedRecord]) -> list[TransformedRecord]:
        """Put back what has to go back; what could not is reported as failed."""
        if not self._outgoing:
            return answers
        lost = self._put_outgoing()
        return [
            self._failed_by_id(answer.firehose_record_id, "put_back:failed")
            if answer.firehose_record_id in lost
            else answer
            for answer in answers
        ]

    def _answer(self, record: FirehoseRecord) -> TransformedRecord:
        self._metrics.add("RecordsIn")
        self._metrics.add("BytesIn", len(record.data or ""))
        if self._is_full or self._remaining_s() <= 0:
            return self._send_round(record)
        payloads = decode_data(record.data)
        made = [(p, self._documents(record, p)) for p in payloads]
        if self._settings.invalid_records == FAIL and _has_invalid(made):
            return self._failed(record, "invalid:record")
        if self._settings.destination == "opensearch" and _needs_explosion(made):
            return self._explode(record, made)
        return self._deliver(record, made)

    def _documents(self, record: FirehoseRecord, payload: Payload) -> list[Document]:
        return self._transformer.documents(record, payload, self._region, self._metrics)

    def _deliver(
        self, record: FirehoseRecord, made: list[tuple[Payload, list[Document]]]
    ) -> TransformedRecord:
        data = b"".join(
            payload.data
            if isinstance(payload, FinishedBytes)
            else self._transformer.encode(payload, documents)
            for payload, documents in made
            if documents or isinstance(payload, FinishedBytes)
        )
        _check_finished_bytes(made, self._settings.destination)
        if not data:
            return self._dropped(record, _why_nothing(made))
        answer = TransformedRecord(record.firehose_record_id, Result.OK, data)
        if self._budget.take(answer):
            count = sum(len(documents) for _, documents in made)
            self._metrics.add("EventsDelivered", count)
            self._metrics.add("BytesOut", len(data))
            return answer
        if self._budget.fits_alone(answer):
            # Whatever comes after would have to jump the queue.
            self._is_full = True
            return self._send_round(record)
        return self._split(record, made)

    def _send_round(self, record: FirehoseRecord) -> TransformedRecord:
        """Put a record back as it came."""
        if self._put_back is None:
            return self._failed(record, "budget:exhausted")
        data = decode_base64(record.data)
        self._metrics.add("RecordsPutBack")
        return self._queued(record, [data], "put_back:overflow")

    def _split(
        self, record: FirehoseRecord, made: list[tuple[Payload, list[Document]]]
    ) -> TransformedRecord:
        """Put a record that fits no response back in smaller envelopes."""
        parts: list[bytes] = []
        for payload, documents in made:
            if not isinstance(payload, SubscriptionMessage):
                return self._failed(record, "budget:too_large")
            if payload.generation >= MAX_GENERATION:
                return self._failed(record, "put_back:too_many_generations")
            sizes = [len(self._transformer.encode(payload, [d])) for d in documents]
            parts += split_envelope(
                payload, sizes, self._settings.response_budget_bytes
            )
        if self._put_back is None:
            return self._failed(record, "budget:exhausted")
        self._metrics.add("RecordsPutBack", len(parts))
        return self._queued(record, parts, "put_back:split")

    def _explode(
        self, record: FirehoseRecord, made: list[tuple[Payload, list[Document]]]
    ) -> TransformedRecord:
        """Put each document back as a record of its own."""
        if self._put_back is None:
            return self._failed(record, "explode:put_back_is_off")
        parts = [
            wrap("document", loads(opensearch.encode(document)), 1)
            for _, documents in made
            for document in documents
        ]
        self._metrics.add("DocumentsPutBack", len(parts))
        return self._queued(record, parts, "put_back:exploded")

    def _queued(
        self, record: FirehoseRecord, parts: list[bytes], reason: str
    ) -> TransformedRecord:
        name = record.firehose_record_id
        self._outgoing += [(part, name) for part in parts]
        return self._dropped(record, reason)

    def _put_outgoing(self) -> set[str]:
        put_back = self._put_back
        if put_back is None:
            return {name for _, name in self._outgoing}
        is_put = put_back.put([data for data, _ in self._outgoing], self._remaining_s)
        self._metrics.add("PutBackThrottled", put_back.throttled_count)
        self._metrics.add("PutBackFailed", is_put.count(False))
        return {
            name for (_, name), ok in zip(self._outgoing, is_put, strict=True) if not ok
        }

    def _dropped(self, record: FirehoseRecord, reason: str) -> TransformedRecord:
        self._metrics.add("RecordsDropped")
        self._metrics.add_reason(reason)
        return TransformedRecord(
            record.firehose_record_id, Result.DROPPED, None, reason
        )

    def _failed(self, record: FirehoseRecord, reason: str) -> TransformedRecord:
        return self._failed_by_id(record.firehose_record_id, reason)

    def _failed_by_id(self, firehose_record_id: str, reason: str) -> TransformedRecord:
        self._metrics.add("RecordsFailed")
        self._metrics.add_reason(reason)
        _LOG.warning("record failed: recordId=%s reason=%s", firehose_record_id, reason)
        return TransformedRecord(
            firehose_record_id, Result.PROCESSING_FAILED, None, reason
        )


def _has_invalid(made: list[tuple[Payload, list[Document]]]) -> bool:
    return any(document.is_invalid for _, documents in made for document in documents)


def _needs_explosion(made: list[tuple[Payload, list[Document]]]) -> bool:
    return sum(len(documents) for _, documents in made) > 1


def _why_nothing(made: list[tuple[Payload, list[Document]]]) -> str:
    is_control = any(isinstance(payload, ControlMessage) for payload, _ in made)
    return "control_message" if is_control else "nothing_to_deliver"


def _check_finished_bytes(
    made: list[tuple[Payload, list[Document]]], destination: str
) -> None:
    """Refuse replayed bytes that the destination would refuse with their batch.

    Raises:
        UndecodableError: Not lines of JSON objects; for OpenSearch, not one.
    """
    for payload, _ in made:
        if not isinstance(payload, FinishedBytes) or destination == "elastic":
            continue
        lines = payload.data.splitlines()
        if not lines or (destination == "opensearch" and len(lines) > 1):
            raise UndecodableError("put_back:broken")
        for line in lines:
            try:
                is_object = isinstance(loads(line), dict)
            except DecodeError:
                is_object = False
            if not is_object:
                raise UndecodableError("put_back:broken")
