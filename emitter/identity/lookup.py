"""Look people up on a thread of its own: 2 s, one attempt, remembered.

One attempt, no retry: no wait is worth it after the reply, and Graph may answer 429
without Retry-After.
"""

from __future__ import annotations

import inspect
import os
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from emitter.identity.answers import answer_in, body_of
from emitter.identity.model import LookupFailure
from emitter.identity.remembered import Answer, Remembered, lifetime_s

if TYPE_CHECKING:
    from collections.abc import Callable

# Whole look-up: token, name resolution, connection and answer.
TIMEOUT_S: Final = 2.0
# Look-ups under way at once; a directory that hangs ties up no more threads.
MAX_CALLS: Final = 8
MAX_PEOPLE: Final = 10_000


class LookUps:
    """Looks people up within a time limit and remembers them by platform id.

    Thread-safe, and safe to use after a fork. Two threads that ask for the same
    person share one call. A call that outlasts the time limit goes on in its own
    thread, and its late answer is remembered.

    Args:
        timeout_s: Limit of a look-up in all.
        max_people: Answers remembered; the least recently used goes first.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        *,
        timeout_s: float = TIMEOUT_S,
        max_people: int = MAX_PEOPLE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._timeout_s = timeout_s
        self._clock = clock
        self._remembered = Remembered(max_people=max_people, clock=clock)
        self._start()

    def _start(self) -> None:
        """Make what must not be shared over a fork: locks and calls."""
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._slots = threading.Semaphore(MAX_CALLS)
        self._calls: dict[str, _Call] = {}

    def __call__(self, platform_id: str) -> Answer:
        """Look up one person; the same as `look_up`."""
        return self.look_up(platform_id)

    def look_up(self, platform_id: str) -> Answer:
        """Return the directory's answer, or a `LookupFailure`. Never raises.

        Blocks for the time limit at most.

        Args:
            platform_id: ``team/user`` or ``tenant/object id``; also the user's
                or object id alone.
        """
        given: Any = platform_id
        if not isinstance(given, str):
            return LookupFailure("not_found")
        if self._pid != os.getpid():
            self._start()
        with self._lock:
            known = self._remembered.get(platform_id)
            if known is not None:
                return known
            call = self._calls.get(platform_id) or self._begin(platform_id)
        if not call.done.wait(self._timeout_s):
            self._give_up(platform_id, call)
        return call.answer

    def _give_up(self, platform_id: str, call: _Call) -> None:
        """Remember the time-out, so that the next question need not wait as well."""
        with self._lock:
            if self._calls.get(platform_id) is call:
                failure = LookupFailure("timeout")
                self._remembered.put(platform_id, failure, lifetime_s(failure))

    def _begin(self, platform_id: str) -> _Call:
        call = self._calls[platform_id] = _Call()
        try:
            threading.Thread(
                target=self._run,
                args=(platform_id, call),
                name="chatbot-audit-directory",
                daemon=True,
            ).start()
        except Exception:  # noqa: BLE001 - no thread to be had, or the process ends
            del self._calls[platform_id]
            call.answer = LookupFailure()
            call.done.set()
        return call

    def _run(self, platform_id: str, call: _Call) -> None:
        answer: Answer = LookupFailure()
        try:
            answer = self._ask(platform_id)
        finally:
            stays_s = lifetime_s(answer)
            with self._lock:
                self._remembered.put(platform_id, answer, stays_s)
                self._calls.pop(platform_id, None)
                call.answer = answer
            call.done.set()

    def _ask(self, platform_id: str) -> Answer:
        if not self._slots.acquire(timeout=self._timeout_s):
            return LookupFailure("timeout")
        try:
            return self._fetch(platform_id)
        except BaseException as error:  # noqa: BLE001 - a bot's own callable may raise anything, and ends but its own thread
            return answer_in(error)
        finally:
            self._slots.release()

    def _fetch(self, platform_id: str) -> Answer:
        raise NotImplementedError


class AskedCallable(LookUps):
    """Asks a bot's own callable.

    Args:
        directory: Takes the platform's user id (``U…`` or the Entra object id) and
            returns the answer of `users.info` or Graph. May raise or hang: that is
            a failed look-up.
        timeout_s: Limit of a look-up in all.
        max_people: Answers remembered; the least recently used goes first.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        directory: Callable[[str], Any],
        *,
        timeout_s: float = TIMEOUT_S,
        max_people: int = MAX_PEOPLE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(timeout_s=timeout_s, max_people=max_people, clock=clock)
        self._directory = directory

    def _fetch(self, platform_id: str) -> Answer:
        answer = self._directory(platform_id.rpartition("/")[2])
        if isinstance(answer, LookupFailure):
            return answer
        if inspect.isawaitable(answer):
            return _refuse(answer)
        body = body_of(answer)
        return LookupFailure() if body is None else body


def _refuse(answer: Any) -> LookupFailure:
    """Close a coroutine: there is no loop here that could await it."""
    if inspect.iscoroutine(answer):
        answer.close()
    return LookupFailure()


def as_look_ups(directory: Any) -> LookUps | LookupFailure | None:
    """Return whom to ask: a directory as it is, a callable with limit and memory.

    A `LookupFailure` stands for a directory that nobody has the time to ask.
    """
    if directory is None or isinstance(directory, (LookUps, LookupFailure)):
        return directory
    return AskedCallable(directory)


class _Call:
    """A look-up under way; until it is done its answer is a time-out."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.answer: Answer = LookupFailure("timeout")
