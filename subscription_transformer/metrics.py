"""Counts of one invocation, as one line of CloudWatch's embedded metric format.

Sizes, reasons and kinds only. `METRICS` is what alarms may rely on; a test compares
it with ``docs/metrics.md``.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from audit_record.codec import dumps

NAMESPACE: Final = "ChatbotAudit/Transformer"
METRICS: Final[dict[str, str]] = {
    "RecordsIn": "Count",
    "EventsIn": "Count",
    "EventsDelivered": "Count",
    "EventsQuarantined": "Count",
    "RecordsDropped": "Count",
    "RecordsFailed": "Count",
    "BlankMessages": "Count",
    "RecursionDropped": "Count",
    "Redactions": "Count",
    "RedactionFailures": "Count",
    "Shortened": "Count",
    "DocumentsPutBack": "Count",
    "RecordsPutBack": "Count",
    "PutBackFailed": "Count",
    "PutBackThrottled": "Count",
    "CanarySeen": "Count",
    "BytesIn": "Bytes",
    "BytesOut": "Bytes",
    "OldestEventAge": "Milliseconds",
    "Duration": "Milliseconds",
}


class Metrics:
    """What happened in one invocation."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._kinds: Counter[str] = Counter()
        self._oldest_ms: int | None = None

    def add(self, name: str, count: int = 1) -> None:
        """Add to one of `METRICS`."""
        if name not in METRICS:
            raise KeyError(name)
        self._counts[name] += count

    def add_reason(self, reason: str) -> None:
        """Count why a record was dropped or failed; *reason* is a fixed phrase."""
        self._reasons[reason] += 1

    def add_redactions(self, kinds: Counter[str]) -> None:
        """Count what was redacted, by kind."""
        self._kinds += kinds
        self.add("Redactions", kinds.total())

    def see_event_time(self, event_ms: int | None) -> None:
        """Remember the oldest event."""
        if event_ms is not None and event_ms < (self._oldest_ms or event_ms + 1):
            self._oldest_ms = event_ms

    def merge(self, other: Metrics) -> None:
        """Add what *other* has counted."""
        self._counts += other._counts
        self._reasons += other._reasons
        self._kinds += other._kinds
        self.see_event_time(other._oldest_ms)

    def line(self, now_ms: int, destination: str) -> bytes:
        """Return the EMF line; the destination is its one dimension."""
        counts = {name: self._counts[name] for name in METRICS}
        if self._oldest_ms is not None:
            counts["OldestEventAge"] = max(now_ms - self._oldest_ms, 0)
        else:
            del counts["OldestEventAge"]
        document: dict[str, Any] = {
            "_aws": {
                "Timestamp": now_ms,
                "CloudWatchMetrics": [
                    {
                        "Namespace": NAMESPACE,
                        "Dimensions": [["Destination"]],
                        "Metrics": [
                            {"Name": name, "Unit": METRICS[name]} for name in counts
                        ],
                    }
                ],
            },
            "Destination": destination,
            "Reasons": dict(self._reasons),
            "RedactionKinds": dict(self._kinds),
        }
        return dumps(document | counts)
