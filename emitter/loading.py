"""Load modules late, but never while the process forks.

What is needed only after the reply is loaded there. A thread that is in the middle
of loading when another forks would leave the module locked in the child for ever;
so a fork waits until the loading is done.
"""

from __future__ import annotations

import importlib

# Its own wait before a fork has to be registered before ours: whoever loads a module
# may need its lock.
import logging  # noqa: F401
import os
import threading
from typing import Final

# Loading takes a fraction of this; a fork never waits longer.
_FORK_WAIT_S: Final = 5.0
# What a record is made and written with.
AFTER_REPLY: Final = (
    "emitter.answers",
    "emitter.assemble",
    "emitter.closing",
    "emitter.collected",
    "emitter.conversation.answer.reading",
    "emitter.conversation.transcript",
    "emitter.crew",
    "emitter.delivery",
    "emitter.draft",
    "emitter.endings",
    "emitter.given",
    "emitter.identity.resolution",
    "emitter.metrics",
    "emitter.resend",
    "emitter.settings",
    "emitter.sinks.choice",
)

# What the standard library itself loads at a first connection: its host name's
# encoding, and the time in an answer that is tried again.
AT_CONNECTION: Final = ("_strptime", "encodings.idna", "stringprep")


class _Loader:
    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._is_held = False

    def before_fork(self) -> None:
        self._is_held = self.lock.acquire(timeout=_FORK_WAIT_S)

    def after_fork_in_parent(self) -> None:
        if self._is_held:
            self.lock.release()

    def after_fork_in_child(self) -> None:
        self.lock = threading.RLock()


_loader: Final = _Loader()
# What has been loaded to the end, as it was asked for.
_complete: Final[set[tuple[str, ...]]] = set()


def load(*names: str) -> None:
    """Load modules, unless that was done; a fork waits meanwhile."""
    if names in _complete:
        return
    with _loader.lock:
        for name in names:
            importlib.import_module(name)
        _complete.add(names)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_loader.before_fork,
        after_in_parent=_loader.after_fork_in_parent,
        after_in_child=_loader.after_fork_in_child,
    )
