"""Make many records at once: looking people up takes time, and hooks may hang."""

from __future__ import annotations

import contextlib
import queue
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from emitter.draft import Draft
    from emitter.sinks.entry import Entry


def make_entries(
    drafts: Sequence[Draft], *, makers_count: int, patience_s: float
) -> list[Entry | None]:
    """Return the entries of *drafts*, in their order; None for one that cannot be made.

    Args:
        drafts: Of the records.
        makers_count: Threads that make them; one is enough where nothing waits.
        patience_s: What is not made in that time, is made without looking up; the
            thread that hangs is left behind and replaced.
    """
    waiting: queue.SimpleQueue[Draft] = queue.SimpleQueue()
    for draft in drafts:
        waiting.put(draft)
    for _ in range(min(makers_count, len(drafts))):
        _begin(waiting)
    entries: list[Entry | None] = []
    for draft in drafts:
        if not draft.is_sealed_within(patience_s):
            _begin(waiting)
        entries.append(_made_now(draft))
    return entries


def _made_now(draft: Draft) -> Entry | None:
    try:
        return draft.entry_now()
    except BaseException:  # noqa: BLE001 - it must not take the others with it
        return None


def _begin(waiting: queue.SimpleQueue[Draft]) -> None:
    # Without a thread the records are made all the same, only without looking up.
    with contextlib.suppress(RuntimeError):
        threading.Thread(
            target=_run, args=(waiting,), name="audit-maker", daemon=True
        ).start()


def _run(waiting: queue.SimpleQueue[Draft]) -> None:
    while True:
        try:
            draft = waiting.get_nowait()
        except queue.Empty:
            return
        # What fails here is made without looking up, by who waits for it.
        with contextlib.suppress(BaseException):
            draft.entry()
