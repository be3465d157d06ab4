"""Mode ``thread``: questions wait in a bounded queue and are sent in batches.

For long-lived servers. What the queue cannot take goes by the overflow policy; what
is left when the process ends goes to the fallback. A forked child has a queue of
its own: what waited at the fork is the parent's to send.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from emitter.crew import crew
from emitter.delivery import INTERRUPTED, TIMED_OUT, tell_overflow_beside
from emitter.endings import close_at_childs_end
from emitter.errors import QueueFullError
from emitter.forks import tell_after_fork
from emitter.reentry import delivering
from emitter.sinks.aws_errors import PASSING
from emitter.sinks.batches import (
    is_too_large,
    pack_batches,
    reason_of_sink,
    write_many,
)
from emitter.sinks.entry import Entry, Refused
from emitter.sinks.makers import make_entries

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from emitter.delivery import Delivery
    from emitter.draft import Draft
    from emitter.stats import Stats

QUEUE_FULL: Final = "queue_full"
CLOSING: Final = "closing"
UNMADE: Final = "unmade"
# Questions made and sent in one go: a few calls' worth.
_MAX_TAKEN_COUNT: Final = 500
_MAX_TAKEN_BYTES: Final = 4 * 1_048_576
# How long the first question waits for others to be sent with it: a call each would
# cost the server more, and the service allows only so many. As short as one call.
_LINGER_S: Final = 0.05
# Attempts of one batch, on top of those of the AWS library, and the pause before
# the second; each further pause is twice as long, give or take a half.
_ATTEMPTS_COUNT: Final = 3
_PAUSE_S: Final = 0.5
# Share of the time to close that goes into sending; the rest is the fallback's.
_SENDING_SHARE: Final = 0.6


@dataclass(frozen=True, slots=True)
class QueueRules:
    """What may wait, and what happens to what may not.

    Attributes:
        max_count: Questions, those being sent included.
        max_bytes: Their size, estimated.
        overflow: ``block``, ``spool`` or ``raise``.
        patience_s: What one call, one look-up or a block may take.
        makers_count: Threads that make records.
    """

    max_count: int
    max_bytes: int
    overflow: str
    patience_s: float
    makers_count: int = 1


class Worker:
    """One queue and one thread that empties it. Thread-safe.

    Args:
        delivery: Its first sink is written to; its others are the fallback.
        stats: Counts what became of each.
        rules: Of the queue.
        sleep_s: Waits between attempts.
    """

    def __init__(
        self,
        delivery: Delivery,
        stats: Stats,
        rules: QueueRules,
        sleep_s: Callable[[float], object] = time.sleep,
    ) -> None:
        self._delivery = delivery
        self._stats = stats
        self._rules = rules
        self._sleep_s = sleep_s
        self.begin_anew()
        tell_after_fork(self)

    def begin_anew(self) -> None:
        """Leave the parent's queue, lock and thread to it."""
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._queue: deque[Draft] = deque()
        # In the hands of the thread: neither written nor in the fallback yet.
        self._unsettled: dict[int, Draft] = {}
        # On their way to the fallback.
        self._falling_count = 0
        self._waiting_bytes = 0
        self._is_idle = False
        self._flushes_count = 0
        self._is_closed = False
        self._thread: threading.Thread | None = None

    def enqueue(self, draft: Draft) -> bool:
        """Take a question, or do with it what the overflow policy says.

        Blocks only with policy ``block``, and for the patience at most.

        Returns:
            False if the queue is closed, and nothing was done with it.

        Raises:
            QueueFullError: With policy ``raise``; the question is not recorded.
        """
        if self.offer(draft):
            return True
        if self._rules.overflow == "block":
            if self._offer_later(draft):
                return True
        elif self._rules.overflow == "raise" and not self._is_closed:
            self._stats.count_failed(QUEUE_FULL)
            raise QueueFullError("the audit queue is full")
        if self._is_closed:
            return False
        self._delivery.fall_back(draft, QUEUE_FULL)
        return True

    def offer(self, draft: Draft) -> bool:
        """Take a question if there is room; tell whether it was taken."""
        # Worked out before the lock is taken, which others wait for.
        _ = draft.size_bytes
        with self._lock:
            return self._take_in(draft)

    def _take_in(self, draft: Draft) -> bool:
        if self._is_closed or not self._has_room(draft):
            return False
        self._queue.append(draft)
        self._waiting_bytes += draft.size_bytes
        if self._is_idle:
            self._changed.notify_all()
            self._is_idle = False
        elif self._thread is None:
            self._start()
        return self._thread is not None or self._take_back()

    def _take_back(self) -> bool:
        """Undo `_take_in` where no thread can be had; always False."""
        draft = self._queue.pop()
        self._waiting_bytes -= draft.size_bytes
        return False

    def _has_room(self, draft: Draft) -> bool:
        count = len(self._queue) + len(self._unsettled)
        size_bytes = self._waiting_bytes + draft.size_bytes
        return count < self._rules.max_count and (
            size_bytes <= self._rules.max_bytes or count == 0
        )

    def _offer_later(self, draft: Draft) -> bool:
        try:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._is_closed or self._has_room(draft),
                    self._rules.patience_s,
                )
                return self._take_in(draft)
        except BaseException:  # Ctrl-C while it waits: the program is about to end
            self._delivery.fall_back(draft, INTERRUPTED)
            raise

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name="audit-worker", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no thread can be had: the interpreter ends
            return
        self._thread = thread
        close_at_childs_end()

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything is settled; tell whether that came to be."""
        with self._changed:
            self._flushes_count += 1
            self._changed.notify_all()
            try:
                return self._changed.wait_for(self._is_empty, max(timeout_s, 0))
            finally:
                self._flushes_count -= 1

    def _is_empty(self) -> bool:
        return not (self._queue or self._unsettled or self._falling_count)

    def close(self, timeout_s: float) -> None:
        """Send what can be sent in time and put the rest into the fallback.

        Takes nothing more afterwards. Can be called twice.
        """
        ends_at_s = time.monotonic() + timeout_s
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self.flush(timeout_s * _SENDING_SHARE)
        with self._changed:
            left = [*self._unsettled.values(), *self._queue]
            self._unsettled.clear()
            self._queue.clear()
            self._waiting_bytes = 0
            self._changed.notify_all()
        if left:
            left_s = ends_at_s - time.monotonic()
            self._delivery.write_fallback(left, CLOSING, left_s)

    def _run(self) -> None:
        while drafts := self._next():
            try:
                self._send_all(drafts)
            except BaseException as error:  # noqa: BLE001 - the thread has to go on
                self._fall_back(drafts, type(error).__name__)

    def _send_all(self, drafts: Sequence[Draft]) -> None:
        entries = make_entries(
            drafts,
            makers_count=self._rules.makers_count,
            patience_s=self._rules.patience_s,
        )
        pairs = list(zip(entries, drafts, strict=True))
        # Asked again there, each is counted by the name of what it fails of.
        self._fall_back([draft for entry, draft in pairs if entry is None], UNMADE)
        made = [entry for entry in entries if entry is not None]
        by_entry = {id(entry): draft for entry, draft in pairs}
        large = [entry for entry in made if is_too_large(entry)]
        small = [entry for entry in made if not is_too_large(entry)]
        for batch in (*((entry,) for entry in large), *pack_batches(small)):
            self._send(batch, by_entry)

    def _next(self) -> list[Draft]:
        """Wait for questions and take some; none means that all is over."""
        with self._changed:
            while not self._queue:
                if self._is_closed:
                    return []
                self._is_idle = True
                self._changed.wait()
            self._is_idle = False
            self._changed.wait_for(self._is_hurried, _LINGER_S)
            taken: list[Draft] = []
            size_bytes = 0
            while (
                self._queue
                and len(taken) < _MAX_TAKEN_COUNT
                and size_bytes < _MAX_TAKEN_BYTES
            ):
                draft = self._queue.popleft()
                size_bytes += draft.size_bytes
                self._unsettled[id(draft)] = draft
                taken.append(draft)
            return taken

    def _is_hurried(self) -> bool:
        is_full = len(self._queue) >= _MAX_TAKEN_COUNT
        return self._is_closed or self._flushes_count > 0 or is_full

    def _send(self, batch: Sequence[Entry], by_entry: dict[int, Draft]) -> None:
        refused = self._refused(batch)
        refused_ids = {id(item.entry) for item in refused}
        drafts = [by_entry[id(e)] for e in batch if id(e) not in refused_ids]
        written_count = sum(self._settle(draft) for draft in drafts)
        if written_count:
            self._stats.count_written(written_count)
        reasons: dict[str, list[Draft]] = {}
        for item in refused:
            draft = by_entry[id(item.entry)]
            drafts.append(draft)
            reasons.setdefault(item.reason, []).append(draft)
        for reason, of_reason in reasons.items():
            self._fall_back(of_reason, reason)
        for draft in drafts:
            tell_overflow_beside(draft)

    def _fall_back(self, drafts: Sequence[Draft], reason: str) -> None:
        """Write what nobody else has seen to; not settled before it is written."""
        with self._changed:
            ours = [draft for draft in drafts if id(draft) in self._unsettled]
            for draft in ours:
                del self._unsettled[id(draft)]
                self._waiting_bytes -= draft.size_bytes
            self._falling_count += len(ours)
        try:
            if ours:
                self._delivery.write_fallback(ours, reason)
        finally:
            with self._changed:
                self._falling_count -= len(ours)
                self._changed.notify_all()

    def _settle(self, draft: Draft) -> bool:
        """Let go of a question; False if somebody else has seen to it already."""
        with self._changed:
            was_ours = self._unsettled.pop(id(draft), None) is not None
            if was_ours:
                self._waiting_bytes -= draft.size_bytes
            self._changed.notify_all()
            return was_ours

    def _refused(self, batch: Sequence[Entry]) -> list[Refused]:
        """Send a batch, again if what stopped it may pass; return what is left."""
        left = self._attempt(batch)
        pause_s = _PAUSE_S
        for _ in range(_ATTEMPTS_COUNT - 1):
            if not left or self._is_closed or left[0].reason not in PASSING:
                break
            self._sleep_s(pause_s * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
            pause_s *= 2
            left = self._attempt([item.entry for item in left])
        if len(batch) > 1 and left and left[0].reason == "invalid_parameter":
            # One bad line must not take the others with it.
            return [item for entry in batch for item in self._attempt([entry])]
        return left

    def _attempt(self, batch: Sequence[Entry]) -> list[Refused]:
        """Write on a thread of its own: a call that hangs is left behind."""
        refused = [Refused(entry, TIMED_OUT) for entry in batch]
        done = threading.Event()

        def write() -> None:
            nonlocal refused
            try:
                with delivering:
                    refused = write_many(self._delivery.sinks[0], batch)
            except BaseException as error:  # noqa: BLE001 - a sink of the bot's own
                reason = reason_of_sink(error)
                refused = [Refused(entry, reason) for entry in batch]
            finally:
                done.set()

        try:
            crew.run(write)
        except RuntimeError:
            write()
        timed_out = [Refused(entry, TIMED_OUT) for entry in batch]
        return refused if done.wait(self._rules.patience_s) else timed_out
