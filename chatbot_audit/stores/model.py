"""What every store can be asked, and what it answers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Document = dict[str, Any]

HIDDEN_TYPES: Final = ("access", "canary", "invalid")
"""Types that searches about people leave out: no person asked them anything."""

DIMENSIONS: Final[Mapping[str, str]] = {
    "bot": "bot_name",
    "user": "user_id",
    "department": "department",
    "outcome": "outcome",
    "model": "model_used",
    "platform": "user_source",
    "account": "aws_account_id",
    "conversation": "conversation_id",
    "type": "record_type",
    "topic": "topics",
    "signal": "signals",
    "hour": "@timestamp",
    "day": "@timestamp",
    "week": "@timestamp",
    "month": "@timestamp",
}
"""What `Store.stats` can count by, and the field of a document it stands for."""

PERIOD_FORMATS: Final[Mapping[str, str]] = {
    "hour": "%Y-%m-%d %H:00%z",
    "day": "%Y-%m-%d",
    "week": "%G-W%V",
    "month": "%Y-%m",
}
"""How a period is named; hours carry their offset, as one hour a year comes twice."""


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for; everything given must hold, what is None is not asked.

    Names, labels and words are compared without regard to case.

    Attributes:
        user: A `user_id`, an e-mail or a `user_platform_id`, whole.
        since_ms: First instant, in ms since the epoch.
        until_ms: The instant after the last one: the interval is half-open.
        bot: A `bot_name`, whole.
        text: Words that must all occur in question, answer or conversation.
        phrase: Whether *text* must occur as it stands, its words side by side.
        topic: ``compensation`` (anywhere) or ``compensation@response``.
        signal: ``injection`` (any of them) or ``injection:ignore_instructions``.
        outcome: One of the record's outcomes.
        department: A department, whole.
        record_types: Types to find; none means all but `HIDDEN_TYPES`.
        limit: The most documents to return, the newest ones; None returns all.
        zone: Whose hours, days, weeks and months `Store.stats` counts by.
    """

    user: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    bot: str | None = None
    text: str | None = None
    phrase: bool = False
    topic: str | None = None
    signal: str | None = None
    outcome: str | None = None
    department: str | None = None
    record_types: tuple[str, ...] = ()
    limit: int | None = None
    zone: dt.tzinfo = dt.UTC


@dataclass(frozen=True, slots=True)
class StatsRow:
    """One group of records.

    Attributes:
        key: A value for each dimension asked for; "" where records have none.
        count: Records in the group, each counted once.
        user_count: Distinct known people among them.
        first_ms: Time of the oldest, in ms since the epoch.
        last_ms: Time of the newest.
    """

    key: tuple[str, ...]
    count: int
    user_count: int
    first_ms: int
    last_ms: int


class Store(Protocol):
    """A place that holds delivered records.

    Every method raises `chatbot_audit.errors.StoreError` when the store cannot
    be read. Documents are returned whole, as they were delivered.
    """

    def search(self, search: Search) -> Iterator[Document]:
        """Return the newest matches, in time order, the newest last."""
        ...

    def show(self, record_or_document_id: str) -> list[Document]:
        """Return the documents of any type with that id, or whose id begins so."""
        ...

    def conversation(self, conversation_id: str) -> list[Document]:
        """Return the turns of one conversation in time order."""
        ...

    def stats(self, by: Sequence[str], search: Search) -> list[StatsRow]:
        """Count the matches in groups; the limit of *search* is not regarded.

        Groups by time come in the order of their keys, others the biggest first. A
        record without topics is in no group by topic; the same holds for signals.
        """
        ...

    def close(self) -> None:
        """Let go of the store; it cannot be used afterwards."""
        ...
