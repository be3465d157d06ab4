"""Begin anew in a forked child.

A lock that another thread held at the fork stays locked in the child for ever, and
threads, connections and queues belong to the parent. Whatever holds such things
asks here to be told.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Forkable(Protocol):
    """Has something that a forked child must not use."""

    def begin_anew(self) -> None:
        """Replace locks, threads and what they guard; runs in the child."""


_told: weakref.WeakSet[Forkable] = weakref.WeakSet()


def tell_after_fork(holder: Forkable) -> None:
    """Have *holder* told in every child forked while it lives."""
    _told.add(holder)


def _begin_anew() -> None:
    for holder in list(_told):
        holder.begin_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
