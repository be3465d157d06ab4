"""The deadline guard: a question that Lambda is about to cut off is written anyway.

One daemon thread for the process, begun with the first question that has a
deadline. It sleeps until the earliest is due and asks the time left again before
it acts: Lambda freezes processes, and a frozen clock may be late.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import threading
import time
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from emitter.forks import tell_after_fork

if TYPE_CHECKING:
    from collections.abc import Callable

# Before Lambda stops the bot: time for one line on stdout, not for a cold client.
GUARD_MS: Final = 1_000
# A watch that is early by less than this is not worth another sleep.
_EARLY_MS: Final = 10


class Guarded(Protocol):
    """Can be told that its time is up."""

    def time_is_up(self) -> None:
        """Write what is known, at once; never raises."""


@dataclass(order=True)
class Watch:
    """One deadline; `cancel` it when the question has ended."""

    due_s: float
    serial: int
    question: weakref.ref[Guarded] = field(compare=False)
    remaining_ms: Callable[[], int | None] = field(compare=False)
    is_cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """Let the guard pass it over."""
        self.is_cancelled = True


class DeadlineGuard:
    """Watches deadlines. Thread-safe; never blocks who sets one.

    Args:
        now_s: Monotonic seconds, of the same clock that waits use.
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self.begin_anew()
        tell_after_fork(self)

    def begin_anew(self) -> None:
        """Forget the parent's questions: it watches them itself."""
        self._changed = threading.Condition()
        self._watches: list[Watch] = []
        self._serials = itertools.count()
        self._thread: threading.Thread | None = None

    def watch(
        self, question: Guarded, remaining_ms: Callable[[], int | None]
    ) -> Watch | None:
        """Tell *question* a second before its time is up, unless cancelled.

        Args:
            question: Held weakly.
            remaining_ms: Gives the time left; None means that nobody knows.
        """
        left_ms = remaining_ms()
        if left_ms is None:
            return None
        due_s = self._now_s() + (left_ms - GUARD_MS) / 1_000
        with self._changed:
            watch = Watch(
                due_s, next(self._serials), weakref.ref(question), remaining_ms
            )
            self._add(watch)
            return watch

    def _add(self, watch: Watch) -> None:
        self._drop_cancelled()
        heapq.heappush(self._watches, watch)
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(
                target=self._run, name="audit-guard", daemon=True
            )
            # At the interpreter's end none can be had; then no deadline matters.
            with contextlib.suppress(RuntimeError):
                self._thread.start()
        elif self._watches[0] is watch:
            self._changed.notify()

    def _drop_cancelled(self) -> None:
        while self._watches and self._watches[0].is_cancelled:
            heapq.heappop(self._watches)

    def _run(self) -> None:
        while True:
            watch = self._next_due()
            question = watch.question()
            if watch.is_cancelled or question is None:
                continue
            left_ms = watch.remaining_ms()
            if left_ms is not None and left_ms > GUARD_MS + _EARLY_MS:
                watch.due_s = self._now_s() + (left_ms - GUARD_MS) / 1_000
                with self._changed:
                    heapq.heappush(self._watches, watch)
                continue
            question.time_is_up()

    def _next_due(self) -> Watch:
        with self._changed:
            while True:
                self._drop_cancelled()
                if not self._watches:
                    self._changed.wait()
                    continue
                wait_s = self._watches[0].due_s - self._now_s()
                if wait_s <= 0:
                    return heapq.heappop(self._watches)
                self._changed.wait(min(wait_s, threading.TIMEOUT_MAX))


guard: Final = DeadlineGuard()
