"""One line on its way, and what a sink has to be able to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Entry:
    """One encoded record.

    Attributes:
        log_group: Group it is meant for.
        log_stream: Stream it is meant for.
        timestamp_ms: The event's time: when the question was asked.
        line: The record's bytes, final.
    """

    log_group: str
    log_stream: str
    timestamp_ms: int
    line: bytes


class Sink(Protocol):
    """Takes lines."""

    def write(self, entry: Entry) -> None:
        """Take one line.

        Raises:
            SinkError: It was not taken, and why.
        """
