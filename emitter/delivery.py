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
from emitter.forks import tell_after_fork
from emitter.sinks.batches import write_many, write_one
from emitter.sinks.entry import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from emitter.draft import Draft
    from emitter.sinks.entry import Entry, Sink
    from emitter.stats import Stats

TIMED_OUT: Final = "budget_exceeded"
NO_SINK: Final = "no_sink"
# Attempts under way at once in one emitter; a service that hangs ties up no more
# threads, and what comes on top goes straight to the fallback.
MAX_ATTEMPTS: Final = 256
# Kept from the budget for writing the fallback, at most a tenth of it.
_RESERVE_S: Final = 0.2
_RESERVE_SHARE: Final = 0.1


class _Inside(threading.local):
    """Whether this thread is delivering a record just now."""

    is_delivering = False


_inside: Final = _Inside()


def is_delivering() -> bool:
    """Tell whether this code runs inside a delivery, as a logging handler may."""
    return _inside.is_delivering


class Delivery:
    """Writes entries to the sinks of one emitter, in order until one takes it.

    Args:
        sinks: The first is tried in time; the others are fallbacks, and quick.
        stats: Counts what became of each.
    """

    def __init__(self, sinks: Sequence[Sink], stats: Stats) -> None:
        self.sinks = tuple(sinks)
        self._stats = stats
        self.last_error = ""
        self.begin_anew()
        tell_after_fork(self)

    def begin_anew(self) -> None:
        """Forget attempts of the parent: their threads are not here."""
        self._under_way_count = 0
        self._lock = threading.Lock()

    def deliver(self, draft: Draft, timeout_s: float) -> None:
        """Make an entry and write it; return when it is safe or time is up.

        Args:
            draft: Of the record.
            timeout_s: The most this call takes.
        """
        if timeout_s <= 0 or not self.sinks:
            self.fall_back(draft, TIMED_OUT if self.sinks else NO_SINK)
            return
        ends_at_s = time.monotonic() + timeout_s
        attempt = _Attempt(draft, self.sinks[0], self._finish)
        wait_s = timeout_s - min(_RESERVE_S, timeout_s * _RESERVE_SHARE)
        reason = self._begin(attempt) or attempt.wait(wait_s)
        if reason:
            self.fall_back(draft, reason)
        else:
            self._stats.count_written()
            attempt.finished.wait(max(ends_at_s - time.monotonic(), 0))

    def fall_back(self, draft: Draft, reason: str) -> None:
        """Write to the fallbacks at once, for *reason*."""
        self.write_fallback([draft.entry_now()], reason)
        tell_overflow_beside(draft)

    def write_fallback(self, entries: Sequence[Entry], reason: str) -> None:
        """Write to the first fallback that takes them; count what became of each."""
        self.last_error = reason
        left: list[Refused] = [Refused(entry, reason) for entry in entries]
        for sink in self.sinks[1:]:
            refused = write_many_inside(sink, [item.entry for item in left])
            for _ in range(len(left) - len(refused)):
                self._stats.count_fallback(reason)
            left = refused
            if not left:
                return
            self.last_error = left[0].reason
        for item in left:
            self._stats.count_failed(item.reason)

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
        self._done = threading.Event()
        self._reason = "error"
        self.finished = threading.Event()

    def wait(self, timeout_s: float) -> str:
        """Return why the sink did not take it in time; "" if it did."""
        return self._reason if self._done.wait(timeout_s) else TIMED_OUT

    def run(self) -> None:
        """Make the entry, write it, and tell the hook if it was shortened."""
        try:
            self._reason = write_inside(self._sink, self._draft.entry())
        except Exception as error:  # noqa: BLE001 - the caller falls back and tells why
            self._reason = type(error).__name__
        finally:
            self._done.set()
        try:
            self._draft.tell_overflow()
        finally:
            self.finished.set()
            self._on_finish()


def write_inside(sink: Sink, entry: Entry) -> str:
    """Write to *sink*, marked as a delivery; return why it was refused, or ""."""
    _inside.is_delivering = True
    try:
        return write_one(sink, entry)
    finally:
        _inside.is_delivering = False


def write_many_inside(sink: Sink, entries: Sequence[Entry]) -> list[Refused]:
    """Write several, marked as a delivery; return those refused."""
    _inside.is_delivering = True
    try:
        return write_many(sink, entries)
    finally:
        _inside.is_delivering = False
