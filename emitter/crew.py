"""Helper threads that are kept for the next task: starting one costs more than it.

A task that hangs keeps its thread; the next gets another. All are daemons.
"""

from __future__ import annotations

import logging
import queue
import threading
from typing import TYPE_CHECKING, Final

from emitter.forks import tell_after_fork

if TYPE_CHECKING:
    from collections.abc import Callable

_LOG: Final = logging.getLogger("emitter")
# Threads that wait for work; more end when their task does.
MAX_IDLE: Final = 4


class Crew:
    """Runs tasks on daemon threads, each at once. Thread-safe."""

    def __init__(self) -> None:
        self.begin_anew()
        tell_after_fork(self)

    def begin_anew(self) -> None:
        """Forget the parent's threads: they are not here."""
        self._lock = threading.Lock()
        self._idle_count = 0
        self._tasks: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()

    def run(self, task: Callable[[], object]) -> None:
        """Begin *task* now, on another thread; what it raises is logged by name.

        Raises:
            RuntimeError: No thread can be had: the interpreter ends, or the system
                is full.
        """
        with self._lock:
            has_idle = self._idle_count > 0
            self._idle_count -= has_idle
        if has_idle:
            self._tasks.put(task)
        else:
            threading.Thread(
                target=self._work, args=(task,), name="audit", daemon=True
            ).start()

    def _work(self, task: Callable[[], object]) -> None:
        tasks = self._tasks
        while True:
            try:
                task()
            except BaseException as error:  # noqa: BLE001 - its text may hold content
                _LOG.warning("audit: a task failed: %s", type(error).__name__)
            # What the task holds, a question with its texts, must not stay.
            del task
            with self._lock:
                if self._idle_count >= MAX_IDLE:
                    return
                self._idle_count += 1
            task = tasks.get()


crew: Final = Crew()
