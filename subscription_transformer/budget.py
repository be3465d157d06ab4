"""Keep a response under its size, whatever the input: counted while it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from subscription_transformer.firehose import FirehoseRecord, Result, TransformedRecord
from subscription_transformer.response import ENVELOPE_BYTES, answered_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence


class Budget:
    """Counts down the bytes of one response.

    Room for the shortest answer to every record is set aside first, so that each id
    can always be answered.

    Args:
        budget_bytes: The most the whole response may take.
        records: All records that have to be answered.
    """

    def __init__(self, budget_bytes: int, records: Sequence[FirehoseRecord]) -> None:
        reserved = sum(_shortest_bytes(record.firehose_record_id) for record in records)
        self._full_bytes = budget_bytes - ENVELOPE_BYTES - reserved
        self._left_bytes = self._full_bytes

    def take(self, record: TransformedRecord) -> bool:
        """Make room for *record*; tell whether it fits."""
        cost_bytes = self._cost_bytes(record)
        if cost_bytes > self._left_bytes:
            return False
        self._left_bytes -= cost_bytes
        return True

    def could_fit(self, record: TransformedRecord) -> bool:
        """Tell whether *record* would fit if it were the first with data."""
        return self._cost_bytes(record) <= self._full_bytes

    def _cost_bytes(self, record: TransformedRecord) -> int:
        return answered_bytes(record) - _shortest_bytes(record.firehose_record_id)


def _shortest_bytes(firehose_record_id: str) -> int:
    # The longest of the answers without data, so that any of them fits.
    return answered_bytes(
        TransformedRecord(firehose_record_id, Result.PROCESSING_FAILED)
    )
