"""Sinks for tests: one keeps records, one refuses them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_record.codec import decode
from emitter.errors import SinkError

if TYPE_CHECKING:
    from audit_record import AuditRecord
    from emitter.sinks.entry import Entry


class MemorySink:
    """Keeps what is written. Thread-safe.

    Attributes:
        entries: As they came.
    """

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    @property
    def records(self) -> list[AuditRecord]:
        """The records, decoded from the very bytes written."""
        return [decode(entry.line) for entry in list(self.entries)]

    def write(self, entry: Entry) -> None:
        """Keep one line."""
        self.entries.append(entry)

    def clear(self) -> None:
        """Forget what was written."""
        self.entries.clear()


class FailingSink:
    """Refuses what is written.

    Args:
        reason: Why, as a service would say.
        count: So many writes fail, then it takes them; None means all.

    Attributes:
        attempts_count: Writes so far.
        entries: What it has taken.
    """

    def __init__(self, reason: str = "refused", count: int | None = None) -> None:
        self._reason = reason
        self._left_count = count
        self.attempts_count = 0
        self.entries: list[Entry] = []

    def write(self, entry: Entry) -> None:
        """Refuse one line.

        Raises:
            SinkError: With the reason given.
        """
        self.attempts_count += 1
        if self._left_count is None:
            raise SinkError(self._reason)
        if self._left_count > 0:
            self._left_count -= 1
            raise SinkError(self._reason)
        self.entries.append(entry)
