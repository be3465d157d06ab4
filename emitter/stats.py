"""What became of the records of one emitter, counted."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from audit_record.codec import dumps

_LOG: Final = logging.getLogger("emitter")
NAMESPACE: Final = "ChatbotAudit/Emitter"
# Names that Terraform's alarms rely on; `docs/metrics.md` is tested against them.
METRICS: Final = ("Written", "Fallback", "Failed", "Shortened")
# At most one line of metrics a process and minute.
_METRICS_PAUSE_S: Final = 60.0


@dataclass
class Stats:
    """Counts since the emitter was made.

    Attributes:
        written: Records that the first sink took.
        fallback: Records that the fallback took.
        failed: Records that nothing took.
        shortened: Records that had to be shortened.
        reasons: Why the first sink or the fallback failed, counted.
    """

    written: int = 0
    fallback: int = 0
    failed: int = 0
    shortened: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._told = Stats.counts_of(self)
        self._told_s: float | None = None

    def count(self, name: str, reason: str = "") -> None:
        """Add one to a count; log each kind of failure in a fixed line."""
        with self._lock:
            setattr(self, name, getattr(self, name) + 1)
            if not reason:
                return
            self.reasons[reason] += 1
            count = self.reasons[reason]
        # The first of a kind, then ever more rarely: a log that is flooded hides.
        if count & (count - 1) == 0:
            _LOG.warning("audit delivery: reason=%s count=%d", reason, count)

    def counts_of(self) -> tuple[int, ...]:
        """Return the counts in the order of `METRICS`."""
        return self.written, self.fallback, self.failed, self.shortened

    def metrics_line(self, now_ms: int, now_s: float, bot_name: str) -> str | None:
        """Return a line of CloudWatch's embedded metrics, if one is due."""
        with self._lock:
            is_due = self._told_s is None or now_s - self._told_s >= _METRICS_PAUSE_S
            counts = self.counts_of()
            if not is_due or counts == self._told:
                return None
            new = [now - before for now, before in zip(counts, self._told, strict=True)]
            self._told, self._told_s = counts, now_s
        metrics = [{"Name": name, "Unit": "Count"} for name in METRICS]
        directive = {
            "Namespace": NAMESPACE,
            "Dimensions": [["BotName"]],
            "Metrics": metrics,
        }
        document = {
            "_aws": {"Timestamp": now_ms, "CloudWatchMetrics": [directive]},
            "BotName": bot_name,
        }
        return dumps(document | dict(zip(METRICS, new, strict=True))).decode()
