"""Compile a `Search` to SQL; what a person typed only ever becomes a parameter."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from chatbot_audit.stores.fold import fold_name, fold_text, has_words, is_indexable
from chatbot_audit.stores.model import HIDDEN_TYPES, PERIOD_FORMATS, Search

if TYPE_CHECKING:
    from collections.abc import Sequence

_COLUMNS: Final = {
    "bot": "r.bot",
    "user": "r.user_id",
    "department": "r.department",
    "outcome": "r.outcome",
    "model": "r.model",
    "platform": "r.platform",
    "account": "r.account",
    "conversation": "r.conversation_id",
    "type": "r.record_type",
    "topic": "topic.stem",
    "signal": "signal.value",
}
_JOINS: Final = {
    "topic": " JOIN labels topic ON topic.record = r.id AND topic.kind = 'topic'",
    "signal": " JOIN labels signal ON signal.record = r.id AND signal.kind = 'signal'",
}
_HOLDS: Final = "holds(?, r.user_query, r.response, r.full_conversation, r.other_text)"


@dataclass(slots=True)
class Where:
    """Conditions that must all hold, and the values they are about."""

    conditions: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def add(self, condition: str, *values: Any) -> None:
        """Demand one more condition, with a value for each ``?`` in it."""
        self.conditions.append(condition)
        self.values.extend(values)

    def add_if(self, value: Any, condition: str) -> None:
        """Demand *condition* about *value*, unless that is None."""
        if value is not None:
            self.add(condition, value)

    @property
    def sql(self) -> str:
        """Return the conditions as one expression."""
        return " AND ".join(self.conditions)


def compile_search(search: Search) -> Where:
    """Return the conditions of *search* about table ``records r``."""
    where = Where()
    _add_types(where, search.record_types)
    where.add_if(search.since_ms, "r.ts >= ?")
    where.add_if(search.until_ms, "r.ts < ?")
    where.add_if(search.bot, "r.bot = ?")
    where.add_if(search.outcome, "r.outcome = ?")
    if search.user is not None:
        _add_user(where, search.user)
    if search.department is not None:
        where.add("fold_name(r.department) = ?", fold_name(search.department))
    _add_label(where, "topic", search.topic)
    _add_label(where, "signal", search.signal)
    if search.text is not None:
        _add_text(where, fold_text(search.text), is_phrase=search.phrase)
    return where


def select_ids(search: Search) -> tuple[str, list[Any]]:
    """Return the query for the row ids of the newest matches, newest first."""
    where = compile_search(search)
    limit = -1 if search.limit is None else search.limit
    sql = (
        f"SELECT r.id FROM records r WHERE {where.sql}"  # noqa: S608 - our own columns
        " ORDER BY r.ts DESC, r.id DESC LIMIT ?"
    )
    return sql, [*where.values, limit]


def select_stats(by: Sequence[str], search: Search) -> tuple[str, list[Any]]:
    """Return the query for one row a group: keys, counts, first and last time.

    Raises:
        KeyError: *by* names something that is not in `model.DIMENSIONS`.
    """
    where = compile_search(search)
    keys = [_expression(name) for name in by]
    joins = "".join(_JOINS[name] for name in dict.fromkeys(by) if name in _JOINS)
    columns = ", ".join([*keys, "count(DISTINCT r.id)"])
    groups = " GROUP BY " + ", ".join(keys) if keys else ""
    sql = (
        f"SELECT {columns}, count(DISTINCT nullif(r.user_id, 'unknown_user_id')),"  # noqa: S608
        f" min(r.ts), max(r.ts) FROM records r{joins} WHERE {where.sql}{groups}"
    )
    return sql, where.values


def period_name(epoch_ms: int, period: str, zone: dt.tzinfo) -> str:
    """Name the hour, day, week or month of an instant, as *zone* reckons."""
    moment = dt.datetime.fromtimestamp(epoch_ms / 1_000, dt.UTC).astimezone(zone)
    return moment.strftime(PERIOD_FORMATS[period])


def _expression(name: str) -> str:
    if name in PERIOD_FORMATS:
        return f"period_name(r.ts, '{name}')"
    return _COLUMNS[name]


def _add_user(where: Where, user: str) -> None:
    name = fold_name(user)
    where.add(
        "(r.user_id = ? OR r.user_email = ? OR r.user_platform_id = ?)",
        *(name, name, name),
    )


def _add_label(where: Where, kind: str, label: str | None) -> None:
    if label is None:
        return
    name = fold_name(label)
    where.add(
        "r.id IN (SELECT record FROM labels WHERE kind = ? AND value = ?"
        " UNION ALL SELECT record FROM labels WHERE kind = ? AND stem = ?)",
        *(kind, name, kind, name),
    )


def _add_types(where: Where, record_types: tuple[str, ...]) -> None:
    wanted = record_types or HIDDEN_TYPES
    marks = ", ".join("?" * len(wanted))
    where.add(f"r.record_type {'IN' if record_types else 'NOT IN'} ({marks})", *wanted)


def _add_text(where: Where, text: str, *, is_phrase: bool) -> None:
    needles = [text.strip()] if is_phrase else text.split()
    spoken = [needle for needle in needles if has_words(needle)]
    indexed = [needle for needle in spoken if is_indexable(needle)]
    # Signs between words are no words; alone they are what is looked for.
    scanned = [needle for needle in spoken or needles if needle not in indexed]
    if indexed:
        query = " ".join(_quoted(needle) for needle in indexed)
        where.add("r.id IN (SELECT rowid FROM texts WHERE texts MATCH ?)", query)
    if scanned:
        where.add(" AND ".join([_HOLDS] * len(scanned)), *scanned)


def _quoted(needle: str) -> str:
    # Inside double quotes the index reads words only; a quote is written twice.
    return '"' + needle.replace('"', '""') + '"'
