"""Get one record into a sink or a fallback, within a time that is kept.

Socket time-outs alone cannot keep a budget: an endpoint may drip bytes, a name
server may be silent. So the work is done on a helper thread and the bot waits for
it only to the deadline; then the fallback is written. A late success is a duplicate
with the same bytes, which the index collapses.
"""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Final

from emitter.crew import crew
from emitter.endings import Terminated, end_by_sigterm, sigterm_raised
from emitter.fallback import Fallback
from emitter.forks import tell_after_fork
from emitter.latch import Latch
from emitter.reentry import delivering
from emitter.sinks.batches import reason_of_sink, write_one

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from emitter.draft import Draft
    from emitter.sinks.entry import Entry, Sink
    from emitter.stats import Stats

TIMED_OUT: Final = "budget_exceeded"
NO_SINK: Final = "no_sink"
INTERRUPTED: Final = "interrupted"
# Attempts under way at once in one emitter; a service that hangs ties up no more
# threads, and what comes on top goes straight to the fallback.
MAX_ATTEMPTS: Final = 256
# Kept from the budget for writing the fallback, at most a tenth of it.
_RESERVE_S: Final = 0.2
_RESERVE_SHARE: Final = 0.1
# What the fallback may take where nobody said.
_FALLBACK_S: Final = 2.0


class Delivery:
    """Writes entries to the sinks of one emitter, in order until one takes it.

    Args:
        sinks: The first is tried in time; the others are fallbacks.
        stats: Counts what became of each.
    """

    def __init__(self, sinks: Sequence[Sink], stats: Stats) -> None:
        self.sinks = tuple(sinks)
        self._stats = stats
        self._fallback = Fallback(self.sinks[1:], stats)
        self.begin_anew()
        tell_after_fork(self)

    def begin_anew(self) -> None:
        """Forget attempts of the parent: their threads are not here."""
        self._under_way_count = 0
        self._lock = threading.Lock()

    @property
    def last_error(self) -> str:
        """Why the last record that missed the first sink did so."""
        return self._fallback.last_error

    def deliver(self, draft: Draft, timeout_s: float) -> None:
        """Make an entry and write it; return when it is safe or time is up.

        Args:
            draft: Of the record.
            timeout_s: The most this call takes.
        """
        if timeout_s <= 0 or not self.sinks:
            self.fall_back(draft, TIMED_OUT if self.sinks else NO_SINK, timeout_s)
            return
        ends_at_s = time.monotonic() + timeout_s
        attempt = _Attempt(draft, self.sinks[0], self._finish)
        wait_s = timeout_s - min(_RESERVE_S, timeout_s * _RESERVE_SHARE)
        try:
            with sigterm_raised():
                reason = self._begin(attempt) or attempt.wait(wait_s)
        except BaseException as error:
            # Ctrl-C, or a signal's handler that raises: the program is about to end.
            self._settle(draft, attempt.wait(0) and INTERRUPTED, _FALLBACK_S)
            if isinstance(error, Terminated):
                end_by_sigterm()
            raise
        self._settle(draft, reason, ends_at_s - time.monotonic())
        if not reason and draft.has_hook:
            # A Lambda is frozen when it has answered, and the hook with it.
            attempt.finished.wait(max(ends_at_s - time.monotonic(), 0))

    def _settle(self, draft: Draft, reason: str, timeout_s: float) -> None:
        if reason:
            self.fall_back(draft, reason, timeout_s)
        else:
            self._stats.count_written()

    def fall_back(
        self, draft: Draft, reason: str, timeout_s: float = _FALLBACK_S
    ) -> None:
        """Write to the fallbacks at once, for *reason*."""
        for error in self._fallback.write([draft], reason, timeout_s):
            if isinstance(error, Exception):  # whoever asked counts it
                raise error
            self._stats.count_failed(type(error).__name__)
        tell_overflow_beside(draft)

    def write_fallback(
        self, drafts: Sequence[Draft], reason: str, timeout_s: float = _FALLBACK_S
    ) -> None:
        """Write to the first fallback that takes them; count what became of each."""
        for error in self._fallback.write(drafts, reason, timeout_s):
            self._stats.count_failed(type(error).__name__)

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until no fallback is being written; tell whether that came to be."""
        return self._fallback.wait_idle(timeout_s)

    def _begin(self, attempt: _Attempt) -> str:
        with self._lock:
            if self._under_way_count >= MAX_ATTEMPTS:
                return "busy"
            self._under_way_count += 1
        try:
            crew.run(attempt.run)
        except RuntimeError:
            # No thread can be had: the interpreter ends, or the system is full.
            self._finish()
            return "no_thread"
        return ""

    def _finish(self) -> None:
        with self._lock:
            self._under_way_count -= 1


def tell_overflow_beside(draft: Draft) -> None:
    """Let the hook hear of a shortened record, where nobody waits for it."""
    if draft.has_overflow:
        # At the interpreter's end no thread can be had, and the hook goes without.
        with contextlib.suppress(RuntimeError):
            crew.run(draft.tell_overflow)


class _Attempt:
    """One try of the first sink on a thread of its own."""

    def __init__(self, draft: Draft, sink: Sink, on_finish: Callable[[], None]) -> None:
        self._draft = draft
        self._sink = sink
        self._on_finish = on_finish
        self._done = Latch()
        self._reason = "error"
        self.finished = Latch()

    def wait(self, timeout_s: float) -> str:
        """Return why the sink did not take it in time; "" if it did."""
        return self._reason if self._done.wait(timeout_s) else TIMED_OUT

    def run(self) -> None:
        """Make the entry, write it, and tell the hook if it was shortened."""
        try:
            self._reason = write_inside(self._sink, self._draft.entry())
        except BaseException as error:  # noqa: BLE001 - the caller falls back, says why
            self._reason = reason_of_sink(error)
        finally:
            self._done.open()
        try:
            self._draft.tell_overflow()
        finally:
            self.finished.open()
            self._on_finish()


def write_inside(sink: Sink, entry: Entry) -> str:
    """Write to *sink*, marked as a delivery; return why it was refused, or ""."""
    with delivering:
        return write_one(sink, entry)
