"""Clocks: the real one, and one that tests drive."""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """Time as the sandbox's engine sees it."""

    def now_ms(self) -> int:
        """Return milliseconds since 1970."""

    def monotonic_s(self) -> float:
        """Return seconds that never go back."""

    def sleep(self, seconds: float) -> None:
        """Let *seconds* pass."""


class RealClock:
    """The machine's own time."""

    def now_ms(self) -> int:
        """Return milliseconds since 1970."""
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let *seconds* pass."""
        time.sleep(seconds)


class DrivenClock:
    """Time that passes only when somebody sleeps or drives it.

    Args:
        start_ms: The first moment.
    """

    def __init__(self, start_ms: int = 1_795_600_000_000) -> None:
        self._start_ms = start_ms
        self._passed_s = 0.0
        self._lock = threading.Lock()

    def now_ms(self) -> int:
        """Return milliseconds since 1970."""
        return self._start_ms + int(self._passed_s * 1_000)

    def monotonic_s(self) -> float:
        """Return seconds that never go back."""
        return self._passed_s

    def sleep(self, seconds: float) -> None:
        """Let *seconds* pass at once."""
        with self._lock:
            self._passed_s += max(seconds, 0)
