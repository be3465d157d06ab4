"""The embedded store: one SQLite file with a word index.

Serves the local run, tests, files and case work; its reach is one machine.
"""

from __future__ import annotations

import itertools
import sqlite3
import threading
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from audit_record.codec import loads
from audit_record.errors import DecodeError
from chatbot_audit.errors import StoreUnreadableError, StoreWriteError
from chatbot_audit.stores.fold import fold_name, holds, mend
from chatbot_audit.stores.model import PERIOD_FORMATS, Document, Search, StatsRow
from chatbot_audit.stores.sqlite_query import period_name, select_ids, select_stats
from chatbot_audit.stores.sqlite_row import Row, make_labels, make_row
from chatbot_audit.stores.sqlite_schema import open_to_read, open_to_write

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from types import TracebackType

# Documents in one transaction: bounds what is held in memory and what a crash undoes.
_BATCH_COUNT: Final = 500
_COLUMNS: Final = tuple(make_row({}))
_UPSERT: Final = (
    f"INSERT INTO records ({', '.join(_COLUMNS)})"  # noqa: S608 - our own columns
    f" VALUES ({', '.join(':' + name for name in _COLUMNS)})"
    " ON CONFLICT (document_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS)
)
# Shorter beginnings of an id would find strangers.
_MIN_PREFIX_CHARS: Final = 8
_LAST_CHARACTER: Final = "\U0010ffff"


class SqliteStore:
    """A `Store` in one file; documents are overwritten by their `document_id`.

    May be used by several threads, one of them at a time; several processes may
    read while one writes. Holds no more than one batch of documents in memory.

    Args:
        path: The file. Made, with its folders, unless *is_read_only*.
        is_read_only: Whether to open for searching only; `write` then raises.

    Raises:
        StoreMissingError: Read-only, and there is no file.
        StoreUnreadableError: The file is no store of this release.
        StoreWriteError: The file cannot be made.
    """

    def __init__(self, path: Path | str, *, is_read_only: bool = False) -> None:
        self._path = Path(path)
        self._lock = threading.RLock()
        opened = open_to_read if is_read_only else open_to_write
        self._connection = opened(self._path)
        self._connection.create_function("holds", -1, holds, deterministic=True)
        self._connection.create_function("fold_name", 1, _fold_maybe)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; closing twice is fine."""
        with self._lock:
            self._connection.close()

    def write(self, documents: Iterable[Mapping[str, Any]]) -> int:
        """Write *documents*; return how many, those that overwrote included.

        Each batch is one transaction: after an error the earlier batches stay,
        and writing all of them again doubles nothing.

        Raises:
            StoreWriteError: The disk is full, the store read-only or busy.
        """
        remaining = iter(documents)
        count = 0
        while batch := list(itertools.islice(remaining, _BATCH_COUNT)):
            rows = [(make_row(d), list(make_labels(d))) for d in batch]
            with self._lock, self._writing():
                for row, labels in rows:
                    self._put(row, labels)
            count += len(batch)
        return count

    def search(self, search: Search) -> Iterator[Document]:
        """Return the newest matches, in time order, the newest last."""
        ids = [row[0] for row in self._query(*select_ids(search))]
        return self._documents(reversed(ids))

    def show(self, record_or_document_id: str) -> list[Document]:
        """Return the documents of any type with that id, or whose id begins so.

        Case and the dashes of a UUID make no difference; a beginning needs at
        least eight characters. An exact match hides those that only begin so.
        """
        wanted = fold_name(record_or_document_id)
        for text in dict.fromkeys((wanted, wanted.replace("-", ""))):
            found = self._by_id(text, text)
            if not found and len(text) >= _MIN_PREFIX_CHARS:
                found = self._by_id(text, text + _LAST_CHARACTER)
            if found:
                return found
        return []

    def conversation(self, conversation_id: str) -> list[Document]:
        """Return the turns of one conversation in time order.

        Access, canary and quarantined records are no turns and are left out.
        """
        rows = self._query(
            "SELECT id FROM records WHERE conversation_id = ?"
            " AND record_type NOT IN ('access', 'canary', 'invalid')"
            " ORDER BY ts, record_id, id",
            [conversation_id],
        )
        return list(self._documents(row[0] for row in rows))

    def stats(self, by: Sequence[str], search: Search) -> list[StatsRow]:
        """Count the matches in groups; see `Store.stats`.

        Raises:
            KeyError: *by* names what is not in `model.DIMENSIONS`.
        """
        sql, values = select_stats(by, search)
        with self._lock:
            self._reckon_in(search.zone)
            rows = self._query(sql, values)
        groups = [_stats_row(row) for row in rows if row[-4]]
        if any(name in PERIOD_FORMATS for name in by):
            return sorted(groups, key=lambda group: group.key)
        return sorted(groups, key=lambda group: (-group.count, group.key))

    def _put(self, row: Row, labels: list[tuple[str, str, str]]) -> None:
        execute = self._connection.execute
        execute(_UPSERT, row)
        found = execute(
            "SELECT id FROM records WHERE document_id = ?", [row["document_id"]]
        )
        (number,) = found.fetchone()
        execute("DELETE FROM labels WHERE record = ?", [number])
        self._connection.executemany(
            "INSERT INTO labels (record, kind, value, stem) VALUES (?, ?, ?, ?)",
            [(number, *label) for label in labels],
        )

    def _by_id(self, first: str, last: str) -> list[Document]:
        rows = self._query(
            "SELECT id, ts FROM records WHERE record_id BETWEEN ? AND ?"
            " UNION SELECT id, ts FROM records WHERE document_id BETWEEN ? AND ?"
            " ORDER BY ts, id",
            [first, last, first, last],
        )
        return list(self._documents(row[0] for row in rows))

    def _reckon_in(self, zone: dt.tzinfo) -> None:
        self._connection.create_function(
            "period_name", 2, partial(period_name, zone=zone)
        )

    def _documents(self, numbers: Iterable[int]) -> Iterator[Document]:
        for number in numbers:
            rows = self._query("SELECT document FROM records WHERE id = ?", [number])
            for (whole,) in rows:
                yield self._read(whole)

    def _read(self, whole: Any) -> Document:
        try:
            document: Document = loads(whole)
        except DecodeError as error:
            raise StoreUnreadableError(f"the store {self._path} is damaged") from error
        return document

    def _query(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        sayable = [mend(v) if isinstance(v, str) else v for v in values]
        try:
            with self._lock:
                return self._connection.execute(sql, sayable).fetchall()
        except (sqlite3.Error, OverflowError) as error:
            raise StoreUnreadableError(
                f"the store {self._path} cannot be read ({_code(error)})"
            ) from error

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                # A full disk may have ended the transaction already.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise StoreWriteError(
                f"the store {self._path} cannot be written to ({_code(error)})"
            ) from error


def _fold_maybe(name: str | None) -> str | None:
    return None if name is None else fold_name(name)


def _stats_row(row: tuple[Any, ...]) -> StatsRow:
    *key, count, user_count, first_ms, last_ms = row
    names = tuple("" if name is None else str(name) for name in key)
    return StatsRow(names, count, user_count, first_ms, last_ms)


def _code(error: Exception) -> str:
    # The text of an error may repeat the query; its name does not.
    return getattr(error, "sqlite_errorname", None) or type(error).__name__
