"""How many records are on their way, for who waits until all are written."""

from __future__ import annotations

import threading

from emitter.forks import tell_after_fork


class Pending:
    """Counts records that are expected. Thread-safe."""

    def __init__(self) -> None:
        self.begin_anew()
        tell_after_fork(self)

    def begin_anew(self) -> None:
        """Expect nothing: what was on its way at the fork is the parent's."""
        self._changed = threading.Condition()
        self._count = 0

    def expect(self) -> None:
        """Note that a record is to come."""
        with self._changed:
            self._count += 1

    def settle(self) -> None:
        """Note that a record which was expected is written, or waits in the queue."""
        with self._changed:
            # What a forked child's parent expected is not the child's to settle.
            self._count = max(self._count - 1, 0)
            self._changed.notify_all()

    def wait(self, timeout_s: float) -> bool:
        """Wait until none is expected; tell whether that came to be."""
        with self._changed:
            return self._changed.wait_for(lambda: self._count == 0, max(timeout_s, 0))
