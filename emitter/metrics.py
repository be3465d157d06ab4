"""The emitter's own numbers, as a line that CloudWatch turns into metrics.

At most one line a process and minute, whatever emitters there are: the one that
has waited longest has its turn. One line (EMF, shortened)::

    {"_aws":{"Timestamp":...,"CloudWatchMetrics":[...]},"BotName":"Vera","Written":3}
"""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from audit_record.codec import dumps
from emitter.forks import tell_after_fork
from emitter.stats import METRICS, NAMESPACE

if TYPE_CHECKING:
    from emitter.clock import Clock
    from emitter.stats import Stats

_PAUSE_S: Final = 60.0
_NOTHING: Final = (0, 0, 0, 0)


@dataclass
class _Told:
    bot_name: str
    counts: tuple[int, ...] = _NOTHING
    at_s: float = float("-inf")


class MetricsTeller:
    """Knows what was told of each emitter, and when the process may tell again."""

    def __init__(self) -> None:
        self.begin_anew()
        tell_after_fork(self)

    def begin_anew(self) -> None:
        """Replace the lock; the parent tells of what was before the fork."""
        self._lock = threading.Lock()
        self._told: weakref.WeakKeyDictionary[Stats, _Told] = (
            weakref.WeakKeyDictionary()
        )
        self._told_s = float("-inf")

    def line(self, stats: Stats, bot_name: str, clock: Clock) -> str | None:
        """Return a line if one is due, else None.

        Args:
            stats: Of the emitter that has just written.
            bot_name: The line's one dimension.
            clock: Dates the line.
        """
        now_s = clock.monotonic_s()
        with self._lock:
            self._told.setdefault(stats, _Told(bot_name))
            if now_s - self._told_s < _PAUSE_S:
                return None
            stats, told = min(self._told.items(), key=_waiting_longest)
            counts = stats.counts()
            if counts == told.counts:
                return None
            new = [now - then for now, then in zip(counts, told.counts, strict=True)]
            told.counts, told.at_s = counts, now_s
            self._told_s = now_s
        return _line(told.bot_name, clock.now_ms(), new)


def _waiting_longest(item: tuple[Stats, _Told]) -> tuple[bool, float]:
    stats, told = item
    return stats.counts() == told.counts, told.at_s


def _line(bot_name: str, now_ms: int, new: list[int]) -> str:
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [["BotName"]],
        "Metrics": [{"Name": name, "Unit": "Count"} for name in METRICS],
    }
    document = {
        "_aws": {"Timestamp": now_ms, "CloudWatchMetrics": [directive]},
        "BotName": bot_name,
    }
    return dumps(document | dict(zip(METRICS, new, strict=True))).decode()


tell: Final = MetricsTeller().line
