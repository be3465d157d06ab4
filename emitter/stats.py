"""What became of the records of one emitter, counted."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from emitter.forks import tell_after_fork

_LOG: Final = logging.getLogger("emitter")
NAMESPACE: Final = "ChatbotAudit/Emitter"
# Names that Terraform's alarms rely on; `docs/metrics.md` is tested against them.
METRICS: Final = ("Written", "Fallback", "Failed", "Shortened")


class Stats(Mapping[str, Any]):
    """Counts of one emitter in this process, as attributes and as a mapping.

    Attributes:
        written: Records that the first sink took.
        fallback: Records that another sink took.
        failed: Records that nothing took.
        shortened: Records that had to be shortened.
        by_reason: Why the first sink or the fallback failed, counted.
        on_recovery: Called when the first sink takes a record again.
    """

    def __init__(self) -> None:
        self.on_recovery: Callable[[], None] = _do_nothing
        self.begin_anew()
        tell_after_fork(self)

    def begin_anew(self) -> None:
        """Count from nothing: what was before the fork is the parent's to tell."""
        self._lock = threading.Lock()
        self.written = 0
        self.fallback = 0
        self.failed = 0
        self.shortened = 0
        self.by_reason: Counter[str] = Counter()
        self._away_count = 0

    # Two emitters with equal counts are two.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __getitem__(self, name: str) -> Any:
        if name not in _NAMES:
            raise KeyError(name)
        return getattr(self, name)

    def __iter__(self) -> Iterator[str]:
        return iter(_NAMES)

    def __len__(self) -> int:
        return len(_NAMES)

    def __repr__(self) -> str:
        return f"Stats({', '.join(f'{name}={self[name]!r}' for name in self)})"

    def count_written(self, count: int = 1) -> None:
        """Count records that the first sink took; say so after an outage."""
        with self._lock:
            self.written += count
            away, self._away_count = self._away_count, 0
        if away:
            # A gap in the stream is thus visible in the bot's own log.
            _LOG.warning("audit delivery: recovered after count=%d", away)
            self.on_recovery()

    def count_fallback(self, reason: str) -> None:
        """Count a record that another sink took."""
        with self._lock:
            self.fallback += 1
            self._away_count += 1
        self._count_reason(reason)

    def count_failed(self, reason: str) -> None:
        """Count a record that nothing took."""
        with self._lock:
            self.failed += 1
            self._away_count += 1
        self._count_reason(reason)

    def count_shortened(self) -> None:
        """Count a record that had to be shortened."""
        with self._lock:
            self.shortened += 1

    def counts(self) -> tuple[int, int, int, int]:
        """Return written, fallback, failed and shortened, taken together."""
        with self._lock:
            return self.written, self.fallback, self.failed, self.shortened

    def _count_reason(self, reason: str) -> None:
        """Log each kind of failure in a fixed line, the more rarely the more often."""
        with self._lock:
            self.by_reason[reason] += 1
            count = self.by_reason[reason]
        # The first, second, fourth, eighth, ...: a log that is flooded hides.
        if count & (count - 1) == 0:
            _LOG.warning("audit delivery: reason=%s count=%d", reason, count)


def _do_nothing() -> None:
    """Stand for a hook that nobody has set."""


_NAMES: Final = ("written", "fallback", "failed", "shortened", "by_reason")
