"""Acknowledgements of the collector: ids per channel, each ``true`` told once."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from chatbot_audit.sandbox.faults import HecFaults

# Acknowledgements that a channel may leave unasked for. Splunk docs, limits.conf.
MAX_PENDING: Final = 1_000_000


@dataclass
class _Pending:
    """One acknowledgement: questions left until it is true, and who knows of it."""

    polls_left: int
    is_lost: bool
    indexer: str


class AckBook:
    """What was indexed and not yet told.

    Args:
        faults: Which acknowledgements come late or never.
    """

    def __init__(self, faults: HecFaults) -> None:
        self._faults = faults
        self._lock = threading.Lock()
        self._next_id: defaultdict[str, int] = defaultdict(int)
        self._pending: defaultdict[str, dict[int, _Pending]] = defaultdict(dict)

    def has_room(self, channel: str) -> bool:
        """Tell whether *channel* may leave one more unasked for."""
        with self._lock:
            return len(self._pending[channel]) < MAX_PENDING

    def add(self, channel: str, indexer: str) -> int:
        """Return a new id of *channel*.

        Args:
            channel: The sender's.
            indexer: The one that took the events; no other can acknowledge them.
        """
        with self._lock:
            ack_id = self._next_id[channel]
            self._next_id[channel] += 1
            self._pending[channel][ack_id] = _Pending(
                self._faults.slow_ack_polls, self._faults.lost_acks.take(), indexer
            )
            return ack_id

    def ask(self, channel: str, ack_id: int, indexer: str) -> bool:
        """Tell whether *ack_id* is there; a yes is told once and forgotten."""
        with self._lock:
            pending = self._pending[channel].get(ack_id)
            if pending is None or pending.is_lost:
                return False
            if self._faults.is_sticky and pending.indexer != indexer:
                return False
            if pending.polls_left > 0:
                pending.polls_left -= 1
                return False
            del self._pending[channel][ack_id]
            return True
