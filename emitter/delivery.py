"""Get one record into the sink or the fallback, within a time that is kept.

Socket time-outs alone cannot keep a budget: an endpoint may drip bytes, a name
server may be silent. So the work is done on a helper thread and the bot waits for
it only to the deadline; then the fallback is written. A late success is a duplicate
with the same bytes, which the index collapses.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from emitter.errors import SinkError

if TYPE_CHECKING:
    from collections.abc import Callable

    from emitter.sinks.entry import Entry, Sink
    from emitter.stats import Stats

TIMED_OUT: Final = "budget_exceeded"


class Delivery:
    """Writes entries to the sinks of one emitter.

    Args:
        sink: Tried first.
        fallback: Takes what the first did not; None where it is switched off.
        stats: Counts what became of each.
    """

    def __init__(self, sink: Sink, fallback: Sink | None, stats: Stats) -> None:
        self._sink = sink
        self._fallback = fallback
        self._stats = stats
        self.last_error = ""

    def deliver(
        self, make: Callable[[], Entry], make_now: Callable[[], Entry], timeout_s: float
    ) -> None:
        """Make an entry and write it; return when it is safe or time is up.

        Args:
            make: Makes the entry; may take time, for it looks people up.
            make_now: Makes it without waiting for anything; gives the same entry if
                `make` has made it already.
            timeout_s: The most this call takes, but for the fallback itself.
        """
        if timeout_s <= 0:
            self._fall_back(make_now(), TIMED_OUT)
            return
        attempt = _Attempt(make, self._sink)
        attempt.start()
        if not attempt.done.wait(timeout_s):
            self._fall_back(make_now(), TIMED_OUT)
        elif attempt.reason:
            self._fall_back(make_now(), attempt.reason)
        else:
            self._stats.count("written")

    def _fall_back(self, entry: Entry, reason: str) -> None:
        self.last_error = reason
        if self._fallback is None:
            self._stats.count("failed", reason)
            return
        try:
            self._fallback.write(entry)
        except SinkError as error:
            self.last_error = error.reason
            self._stats.count("failed", error.reason)
        else:
            self._stats.count("fallback", reason)


class _Attempt:
    """One try of the first sink on a thread of its own."""

    def __init__(self, make: Callable[[], Entry], sink: Sink) -> None:
        self._make = make
        self._sink = sink
        self.done = threading.Event()
        self.reason = ""

    def start(self) -> None:
        try:
            threading.Thread(target=self._run, name="audit", daemon=True).start()
        except RuntimeError:
            # No thread can be had: the interpreter ends, or the system is full.
            self.reason = "no_thread"
            self.done.set()

    def _run(self) -> None:
        try:
            self._sink.write(self._make())
        except SinkError as error:
            self.reason = error.reason
        except Exception as error:  # noqa: BLE001 - a sink of the bot's own
            self.reason = type(error).__name__
        finally:
            self.done.set()
