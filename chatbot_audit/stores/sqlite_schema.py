"""The tables of the embedded store, and how its file is opened and recognised.

A store is a SQLite database with the application id below. `records` has a row a
document: what is searched by in columns of its own, and the whole document, as it
was delivered, as JSON. `texts` is a word index over the text columns and keeps no
copy of them. `labels` has a row for each topic and signal of a record.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final

from chatbot_audit.errors import (
    StoreMissingError,
    StoreUnreadableError,
    StoreWriteError,
)

if TYPE_CHECKING:
    from pathlib import Path

APPLICATION_ID: Final = 0x43424175
"""Marks the file as ours; "CBAu" in ASCII, chosen by us."""

SCHEMA_VERSION: Final = 1

# How long one connection waits for another one's transaction.
_BUSY_TIMEOUT_S: Final = 10.0
_OWNER_ONLY: Final = 0o600

_TEXTS: Final = "user_query, response, full_conversation, other_text"
_OLD_TEXTS: Final = "old." + _TEXTS.replace(", ", ", old.")
_NEW_TEXTS: Final = "new." + _TEXTS.replace(", ", ", new.")
# How a row of an index without content is taken out again: with its old words.
_FORGET: Final = (
    f"INSERT INTO texts (texts, rowid, {_TEXTS})"  # noqa: S608 - our own columns
    f" VALUES ('delete', old.id, {_OLD_TEXTS});"
)
_LEARN: Final = (
    f"INSERT INTO texts (rowid, {_TEXTS})"  # noqa: S608 - our own columns
    f" VALUES (new.id, {_NEW_TEXTS});"
)
_UNLABEL: Final = "DELETE FROM labels WHERE record = old.id;"
_REMOVE: Final = " ".join((_FORGET, _UNLABEL))
_REPLACE: Final = f"{_FORGET} {_LEARN}"
_SCHEMA: Final = (
    """
    CREATE TABLE records (
      id INTEGER PRIMARY KEY,
      document_id TEXT NOT NULL UNIQUE,
      record_id TEXT,
      record_type TEXT NOT NULL,
      ts INTEGER NOT NULL,
      bot TEXT COLLATE NOCASE,
      user_id TEXT,
      user_email TEXT,
      user_platform_id TEXT,
      department TEXT,
      conversation_id TEXT,
      outcome TEXT,
      model TEXT,
      platform TEXT,
      account TEXT,
      user_query TEXT,
      response TEXT,
      full_conversation TEXT,
      other_text TEXT,
      document BLOB NOT NULL
    )
    """,
    "CREATE INDEX records_by_time ON records (ts)",
    "CREATE INDEX records_by_record ON records (record_id)",
    "CREATE INDEX records_by_conversation ON records (conversation_id, ts)",
    "CREATE INDEX records_by_user ON records (user_id, ts)",
    "CREATE INDEX records_by_email ON records (user_email, ts)",
    "CREATE INDEX records_by_platform_id ON records (user_platform_id, ts)",
    "CREATE INDEX records_by_bot ON records (bot, ts)",
    """
    CREATE TABLE labels (
      record INTEGER NOT NULL REFERENCES records (id),
      kind TEXT NOT NULL,
      value TEXT NOT NULL,
      stem TEXT NOT NULL,
      PRIMARY KEY (record, kind, value)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX labels_by_value ON labels (kind, value)",
    "CREATE INDEX labels_by_stem ON labels (kind, stem)",
    f"""
    CREATE VIRTUAL TABLE texts USING fts5(
      {_TEXTS}, content = 'records', content_rowid = 'id',
      tokenize = 'unicode61 remove_diacritics 2'
    )
    """,
    f"CREATE TRIGGER records_insert AFTER INSERT ON records BEGIN {_LEARN} END",
    f"CREATE TRIGGER records_delete AFTER DELETE ON records BEGIN {_REMOVE} END",
    f"CREATE TRIGGER records_update AFTER UPDATE ON records BEGIN {_REPLACE} END",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open a store that exists; nothing of it can be changed.

    Raises:
        StoreMissingError: There is nothing at *path*.
        StoreUnreadableError: What is there is no store of this release.
    """
    _require_file(path)
    try:
        return _open_checked(path, "mode=ro")
    except sqlite3.OperationalError as error:
        if not _may_be_unchanging(path):
            raise StoreUnreadableError(f"the store {path} cannot be opened") from error
        return _open_unchanging(path)
    except sqlite3.Error as error:
        raise StoreUnreadableError(f"{path} is not a store of audit records") from error


def open_to_write(path: Path) -> sqlite3.Connection:
    """Open a store, or make one that only its owner can read.

    Raises:
        StoreUnreadableError: There is something at *path* that is no store.
        StoreWriteError: The file cannot be made or opened.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(_OWNER_ONLY)
        connection = _connect(path, "mode=rw")
    except (OSError, ValueError, sqlite3.Error) as error:
        raise StoreWriteError(f"the store {path} cannot be made or opened") from error
    try:
        _prepare(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise StoreUnreadableError(f"{path} is not a store of audit records") from error
    except StoreUnreadableError:
        connection.close()
        raise
    return connection


def _require_file(path: Path) -> None:
    try:
        is_there, is_file = path.exists(), path.is_file()
    except (OSError, ValueError) as error:
        raise StoreUnreadableError(f"the store {path} cannot be reached") from error
    if not is_there:
        raise StoreMissingError(
            f"there is no store at {path}; fill one with `make demo` or"
            " `chatbot-audit sandbox`, or name another with --store"
        )
    if not is_file:
        raise StoreUnreadableError(f"{path} is not a file, so it is no store")


def _open_checked(path: Path, mode: str) -> sqlite3.Connection:
    connection = _connect(path, mode)
    try:
        _require_ours(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _may_be_unchanging(path: Path) -> bool:
    # A folder that may not be written to has no room for the index of the log, which
    # SQLite makes even to read. A store without a log can be read all the same.
    try:
        return path.with_name(path.name + "-wal").stat().st_size == 0
    except FileNotFoundError:
        return True


def _open_unchanging(path: Path) -> sqlite3.Connection:
    try:
        return _open_checked(path, "mode=ro&immutable=1")
    except sqlite3.Error as error:
        raise StoreUnreadableError(f"the store {path} cannot be opened") from error


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}",
        uri=True,
        timeout=_BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
    )


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    # Under the lock, so that of two processes only one makes the tables.
    connection.execute("BEGIN IMMEDIATE")
    (table_count,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if table_count == 0:
        for statement in _SCHEMA:
            connection.execute(statement)
    connection.execute("COMMIT")
    _require_ours(connection, path)


def _require_ours(connection: sqlite3.Connection, path: Path) -> None:
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application_id != APPLICATION_ID:
        raise StoreUnreadableError(f"{path} is not a store of audit records")
    if version != SCHEMA_VERSION:
        raise StoreUnreadableError(
            f"the store {path} has schema {version}; this release reads"
            f" schema {SCHEMA_VERSION}"
        )
