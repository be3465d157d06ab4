"""One line on its way, and what a sink has to be able to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence


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


@dataclass(frozen=True, slots=True)
class Refused:
    """One line of a batch that the sink did not take, and why."""

    entry: Entry
    reason: str


class Sink(Protocol):
    """Takes lines."""

    def write(self, entry: Entry) -> None:
        """Take one line.

        Raises:
            SinkError: It was not taken, and why.
        """


@runtime_checkable
class BatchSink(Protocol):
    """Takes many lines of one stream at once."""

    def write_batch(self, entries: Sequence[Entry]) -> list[Refused]:
        """Take lines of one stream, in order of time; return those refused.

        Raises:
            SinkError: None of them was taken, and why.
        """
