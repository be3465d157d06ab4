"""One invocation: every record gets a fate of its own, and one answer.

The only broad ``except`` around a record is here: whatever goes wrong with one is
that record's fate and leaves its neighbours alone.
"""

from __future__ import annotations

import logging
import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from subscription_transformer.budget import Budget
from subscription_transformer.destinations import opensearch
from subscription_transformer.documents import DocumentMaker
from subscription_transformer.envelope import (
    MAX_GENERATION,
    ControlMessage,
    Payload,
    SubscriptionMessage,
    decode_base64,
    decode_data,
)
from subscription_transformer.errors import UndecodableError
from subscription_transformer.firehose import (
    FirehoseRecord,
    Invocation,
    Result,
    TransformedRecord,
)
from subscription_transformer.metrics import Metrics
from subscription_transformer.put_back import PutBack, wrap
from subscription_transformer.settings import FAIL, TransformerSettings
from subscription_transformer.split import split_envelope

if TYPE_CHECKING:
    from collections.abc import Callable

    from subscription_transformer.document import Document
    from subscription_transformer.rules import Rules

_LOG: Final = logging.getLogger(__name__)
# Left for putting back what there was no time for: some attempts with pauses.
_PUT_BACK_TIME_S: Final = 10.0
_MAX_LOGGED_ID_CHARS: Final = 128


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
        self.settings = settings
        self.maker = DocumentMaker(settings, rules, own_log_group)

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


@dataclass(frozen=True, slots=True)
class _Made:
    """What was made of one payload."""

    payload: Payload
    documents: list[Document]
    data: bytes


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
        self._settings = transformer.settings
        self._maker = transformer.maker
        self._region = invocation.region
        self._metrics = metrics
        self._put_back = put_back
        self._remaining_s = remaining_s
        self._budget = Budget(self._settings.response_budget_bytes, invocation.records)
        self._is_full = False
        self._handled_count = 0
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
            self._failed_by_id(answer.firehose_record_id, "put_back:failed", 0)
            if answer.firehose_record_id in lost
            else answer
            for answer in answers
        ]

    def _answer(self, record: FirehoseRecord) -> TransformedRecord:
        self._metrics.add("RecordsIn")
        self._metrics.add("BytesIn", _size_bytes(record.data))
        if self._is_full or self._is_late():
            return self._send_round(record)
        counted = Metrics()
        # Half of the time left: whatever is in a record, its neighbours have theirs.
        # Where there was none to begin with, the first record is tried all the same.
        left_s = self._remaining_s()
        share_s = left_s / 2 if left_s > 0 else -math.inf
        made = [
            self._make(record, payload, counted, lambda: self._remaining_s() >= share_s)
            for payload in decode_data(record.data)
        ]
        self._handled_count += 1
        if self._settings.invalid_records == FAIL and _has_invalid(made):
            return self._failed(record, "invalid:record")
        if self._settings.destination == "opensearch" and _document_count(made) > 1:
            return self._explode(record, made, counted)
        return self._deliver(record, made, counted)

    def _make(
        self,
        record: FirehoseRecord,
        payload: Payload,
        counted: Metrics,
        has_time: Callable[[], bool],
    ) -> _Made:
        documents = self._maker.documents(
            record, payload, self._region, counted, has_time
        )
        return _Made(payload, documents, self._maker.encode(payload, documents))

    def _is_late(self) -> bool:
        """Tell whether the time left is for putting back; the first is always tried."""
        return self._handled_count > 0 and self._remaining_s() <= _PUT_BACK_TIME_S

    def _deliver(
        self, record: FirehoseRecord, made: list[_Made], counted: Metrics
    ) -> TransformedRecord:
        data = made[0].data if len(made) == 1 else b"".join(m.data for m in made)
        if not data:
            self._metrics.merge(counted)
            return self._dropped(record, _why_nothing(made))
        answer = TransformedRecord(record.firehose_record_id, Result.OK, data)
        if self._budget.take(answer):
            counted.add("EventsDelivered", _document_count(made))
            counted.add("BytesOut", len(data))
            self._metrics.merge(counted)
            return answer
        if self._budget.could_fit(answer):
            # Whatever comes after would have to jump the queue.
            self._is_full = True
            return self._send_round(record)
        return self._split(record, made)

    def _send_round(self, record: FirehoseRecord) -> TransformedRecord:
        """Put a record back as it came."""
        data = decode_base64(record.data)
        if self._put_back is None:
            return self._failed(record, "budget:put_back_is_off")
        self._metrics.add("RecordsPutBack")
        return self._queued(record, [data], "put_back:overflow")

    def _split(self, record: FirehoseRecord, made: list[_Made]) -> TransformedRecord:
        """Put a record that fits no response back in smaller envelopes."""
        parts: list[bytes] = []
        for item in made:
            payload = item.payload
            if not isinstance(payload, SubscriptionMessage):
                return self._failed(record, "budget:too_large")
            if payload.generation >= MAX_GENERATION:
                return self._failed(record, "put_back:too_many_generations")
            sizes = [len(self._maker.encode(payload, [d])) for d in item.documents]
            budget_bytes = self._settings.response_budget_bytes
            parts += split_envelope(payload, sizes, budget_bytes)
        if len(parts) <= 1:
            # The same again would come back the same again.
            return self._failed(record, "budget:too_large")
        if self._put_back is None:
            return self._failed(record, "budget:put_back_is_off")
        self._metrics.add("RecordsPutBack", len(parts))
        return self._queued(record, parts, "put_back:split")

    def _explode(
        self, record: FirehoseRecord, made: list[_Made], counted: Metrics
    ) -> TransformedRecord:
        """Put each document back as a record of its own."""
        if self._put_back is None:
            return self._failed(record, "explode:put_back_is_off")
        parts = [
            wrap("document", opensearch.encode(document), 1)
            for item in made
            for document in item.documents
        ]
        counted.add("DocumentsPutBack", len(parts))
        self._metrics.merge(counted)
        return self._queued(record, parts, "put_back:exploded")

    def _queued(
        self, record: FirehoseRecord, parts: list[bytes], reason: str
    ) -> TransformedRecord:
        name = record.firehose_record_id
        self._outgoing += [(part, name) for part in parts]
        return self._dropped(record, reason)

    def _put_outgoing(self) -> set[str]:
        """Put what has to go back; return the ids of records that did not go whole."""
        put_back = self._put_back
        if put_back is None:
            return {name for _, name in self._outgoing}
        is_put = put_back.put([data for data, _ in self._outgoing], self._remaining_s)
        self._metrics.add("PutBackThrottled", put_back.throttled_count)
        self._metrics.add("PutBackFailed", is_put.count(False))
        pairs = zip(self._outgoing, is_put, strict=True)
        return {name for (_, name), is_taken in pairs if not is_taken}

    def _dropped(self, record: FirehoseRecord, reason: str) -> TransformedRecord:
        self._metrics.add("RecordsDropped")
        self._metrics.add_reason(reason)
        name = record.firehose_record_id
        return TransformedRecord(name, Result.DROPPED, None, reason)

    def _failed(self, record: FirehoseRecord, reason: str) -> TransformedRecord:
        size_bytes = _size_bytes(record.data)
        return self._failed_by_id(record.firehose_record_id, reason, size_bytes)

    def _failed_by_id(
        self, firehose_record_id: str, reason: str, size_bytes: int
    ) -> TransformedRecord:
        self._metrics.add("RecordsFailed")
        self._metrics.add_reason(reason)
        _LOG.warning(
            "record failed: recordId=%s reason=%s bytes=%d",
            firehose_record_id[:_MAX_LOGGED_ID_CHARS],
            reason,
            size_bytes,
        )
        failed = Result.PROCESSING_FAILED
        return TransformedRecord(firehose_record_id, failed, None, reason)


def _size_bytes(data: Any) -> int:
    return len(data) if isinstance(data, str) else 0


def _document_count(made: list[_Made]) -> int:
    return sum(len(item.documents) for item in made)


def _has_invalid(made: list[_Made]) -> bool:
    return any(document.is_invalid for item in made for document in item.documents)


def _why_nothing(made: list[_Made]) -> str:
    is_control = any(isinstance(item.payload, ControlMessage) for item in made)
    return "control_message" if is_control else "nothing_to_deliver"
