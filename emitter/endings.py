"""How a process ends: at exit and on SIGTERM, what still waits is written.

A signal's handler may interrupt code that holds any lock, so it takes none: it
hands the work to a thread, lets the program go on, and the thread ends the process
with the same signal when it is done.
"""

from __future__ import annotations

import _thread
import atexit
import contextlib
import os
import signal
import sys
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

# As long as `AuditEmitter.close` waits for what can still be sent.
CLOSE_S: Final = 5.0


class Closable(Protocol):
    """Has something to write before the process ends."""

    def close(self, timeout_s: float) -> None:
        """Write it within *timeout_s*; can be called twice."""


_open: Final[weakref.WeakSet[Closable]] = weakref.WeakSet()


def close_at_exit(closable: Closable) -> None:
    """Have *closable* closed when the interpreter ends."""
    _open.add(closable)


class _Child:
    """The child process that has been seen to."""

    pid = 0


def close_at_childs_end() -> None:
    """Have everything closed when a child that `multiprocessing` made has ended.

    Such a child leaves without what `atexit` holds, and forgets at its begin what the
    parent told `multiprocessing`; so this has to be called in the child.
    """
    # Whoever is such a child has loaded both.
    process = sys.modules.get("multiprocessing.process")
    util = sys.modules.get("multiprocessing.util")
    if process is None or util is None or _Child.pid == os.getpid():
        return
    _Child.pid = os.getpid()
    if process.parent_process() is not None:
        util.Finalize(None, close_all, exitpriority=0)


def close_on_sigterm() -> bool:
    """Have everything closed on SIGTERM as well, if nobody else minds that signal.

    Servers that do end the process properly, and `close_at_exit` serves.

    Returns:
        Whether the signal is seen to, by us or by somebody else: off the main thread
        Python allows no new handlers.
    """
    with contextlib.suppress(ValueError, OSError):
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, _on_sigterm)
    return signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL


def _on_sigterm(number: int, frame: Any) -> None:
    del frame
    # A second signal ends the process at once. Off the main thread, where somebody
    # else's handler may call this one, that cannot be had.
    with contextlib.suppress(ValueError):
        signal.signal(number, signal.SIG_DFL)
    _thread.start_new_thread(_end, (number,))


def _end(number: int) -> None:
    try:
        close_all()
    finally:
        os.kill(os.getpid(), number)


class Terminated(BaseException):
    """SIGTERM came while the main thread waited for a record."""


@contextlib.contextmanager
def sigterm_raised() -> Iterator[None]:
    """Raise `Terminated` on SIGTERM inside, if nobody else minds that signal.

    Whoever catches it does what is urgent and calls `end_by_sigterm`. Off the main
    thread nothing is changed.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _raise_terminated)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _raise_terminated(number: int, frame: Any) -> None:
    del frame
    # A second signal ends the process at once.
    signal.signal(number, signal.SIG_DFL)
    raise Terminated


def end_by_sigterm() -> None:
    """End the process as the signal would have."""
    os.kill(os.getpid(), signal.SIGTERM)


def close_all(timeout_s: float = CLOSE_S) -> None:
    """Close everything that is open, within *timeout_s* in all."""
    ends_at_s = time.monotonic() + timeout_s
    for closable in list(_open):
        # One that cannot be closed must not keep the others from it.
        with contextlib.suppress(Exception):
            closable.close(max(ends_at_s - time.monotonic(), 0))


atexit.register(close_all)
