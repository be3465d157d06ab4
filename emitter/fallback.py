"""The fallbacks: the sinks after the first, written in a time that is kept as well.

A pipe that nobody reads, a folder that another process has locked or a sink of the
bot's own may hang like any service. So they too are written on a helper thread. What
has not ended in time is counted as failed, and again as what became of it if it ends
after all: a record is rather counted twice than never.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from emitter.crew import crew
from emitter.forks import tell_after_fork
from emitter.reentry import delivering
from emitter.sinks.batches import reason_of_sink, write_many
from emitter.sinks.entry import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from emitter.draft import Draft
    from emitter.sinks.entry import Entry, Sink
    from emitter.stats import Stats

FALLBACK_TIMED_OUT: Final = "fallback_timeout"
FALLBACK_BUSY: Final = "fallback_busy"
# What hangs ties up no more threads than that.
MAX_UNDER_WAY: Final = 256
# The least a fallback gets, however late it is: one line and a disk that is busy. As
# long it is waited for beyond its time while it makes headway.
_LEAST_S: Final = 0.3
# Records written in one go; after each there is headway.
_CHUNK_COUNT: Final = 100
# What is waited for texts that a hook is still working on, for each record: in time,
# and late, until so many have shown that the hook hangs.
_GRACE_S: Final = 0.2
_LATE_GRACE_S: Final = 0.02
_MAX_HUNG_COUNT: Final = 8
# Kept from the time for writing what the hooks had theirs for.
_RESERVE_S: Final = 0.1


class Fallback:
    """Writes records to the first of its sinks that takes them. Thread-safe.

    Args:
        sinks: In the order in which they are tried.
        stats: Counts what became of each record.

    Attributes:
        last_error: Why the last record that came here did so.
    """

    def __init__(self, sinks: Sequence[Sink], stats: Stats) -> None:
        self._sinks = tuple(sinks)
        self._stats = stats
        self.last_error = ""
        self.begin_anew()
        tell_after_fork(self)

    def begin_anew(self) -> None:
        """Forget what the parent is writing: its threads are not here."""
        self._changed = threading.Condition()
        self._under_way_count = 0

    def write(
        self, drafts: Sequence[Draft], reason: str, timeout_s: float
    ) -> Sequence[BaseException]:
        """Write *drafts*, which the first sink did not take for *reason*.

        Returns when all are written or *timeout_s* is over, but never before a
        fraction of a second, nor while one after the other gets written.

        Returns:
            Why lines could not be made; these records are not counted yet.
        """
        self.last_error = reason
        task = _Task(self, drafts, reason, time.monotonic() + max(timeout_s, _LEAST_S))
        with self._changed:
            is_busy = self._under_way_count >= MAX_UNDER_WAY
            self._under_way_count += not is_busy
        if is_busy:
            self._count_failed(len(drafts), FALLBACK_BUSY)
            return ()
        try:
            crew.run(task.run)
        except RuntimeError:  # no thread can be had: the interpreter ends
            task.run()
        if not task.wait():
            self._count_failed(task.left_count, FALLBACK_TIMED_OUT)
            return ()
        return task.unmade

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until nothing is being written; tell whether that came to be."""
        with self._changed:
            return self._changed.wait_for(
                lambda: self._under_way_count == 0, max(timeout_s, 0)
            )

    def finish(self) -> None:
        """Note that a task has ended."""
        with self._changed:
            self._under_way_count -= 1
            self._changed.notify_all()

    def write_entries(self, entries: Sequence[Entry], reason: str) -> None:
        """Write to the first sink that takes them; count what became of each."""
        left = [Refused(entry, reason) for entry in entries]
        for sink in self._sinks:
            refused = _refused_by(sink, [item.entry for item in left])
            for _ in range(len(left) - len(refused)):
                self._stats.count_fallback(reason)
            left = refused
            if not left:
                return
            self.last_error = left[0].reason
        for item in left:
            self._count_failed(1, item.reason)

    def _count_failed(self, count: int, reason: str) -> None:
        for _ in range(count):
            self._stats.count_failed(reason)


class _Patience:
    """How long each record may wait for its texts, all of them within one time.

    Args:
        ends_at_s: Of the monotonic clock.
    """

    def __init__(self, ends_at_s: float) -> None:
        self._ends_at_s = ends_at_s
        self._began_s = 0.0
        self._hung_count = 0
        self.grace_s = 0.0

    def __enter__(self) -> None:
        self._began_s = time.monotonic()
        left_s = self._ends_at_s - self._began_s
        is_hopeless = self._hung_count >= _MAX_HUNG_COUNT
        late_s = 0 if is_hopeless else _LATE_GRACE_S
        self.grace_s = min(left_s, _GRACE_S) if left_s > late_s else late_s

    def __exit__(self, *_: object) -> None:
        self._hung_count += time.monotonic() - self._began_s >= self.grace_s


class _Task:
    """Some records on their way to the fallbacks."""

    def __init__(
        self,
        fallback: Fallback,
        drafts: Sequence[Draft],
        reason: str,
        ends_at_s: float,
    ) -> None:
        self._fallback = fallback
        self._drafts = drafts
        self._reason = reason
        self._ends_at_s = ends_at_s
        self._done = threading.Event()
        self.unmade: list[BaseException] = []
        self.left_count = len(drafts)
        self._headway = 0

    def run(self) -> None:
        """Write all; never raises."""
        patience = _Patience(self._ends_at_s - _RESERVE_S)
        try:
            for first in range(0, len(self._drafts), _CHUNK_COUNT):
                drafts = self._drafts[first : first + _CHUNK_COUNT]
                entries = self._make(drafts, patience)
                self._fallback.write_entries(entries, self._reason)
                self.left_count -= len(drafts)
                self._headway += 1
        finally:
            self._done.set()
            self._fallback.finish()

    def _make(self, drafts: Sequence[Draft], patience: _Patience) -> list[Entry]:
        entries: list[Entry] = []
        for draft in drafts:
            try:
                with patience:
                    entries.append(draft.entry_now(patience.grace_s))
            except BaseException as error:  # noqa: BLE001 - a bot's own object
                self.unmade.append(error)
            self._headway += 1
        return entries

    def wait(self) -> bool:
        """Wait until all is written; tell whether it is."""
        while True:
            headway = self._headway
            wait_s = max(self._ends_at_s - time.monotonic(), _LEAST_S)
            if self._done.wait(wait_s):
                return True
            if self._headway == headway:
                return False


def _refused_by(sink: Sink, entries: Sequence[Entry]) -> list[Refused]:
    try:
        with delivering:
            return write_many(sink, entries)
    except BaseException as error:  # noqa: BLE001 - a sink of the bot's own
        return [Refused(entry, reason_of_sink(error)) for entry in entries]
