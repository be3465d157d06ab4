"""How a store's file is made, opened and recognised."""

from __future__ import annotations

import sqlite3
import stat
import threading

import pytest

from chatbot_audit.errors import (
    StoreMissingError,
    StoreUnreadableError,
    StoreWriteError,
)
from chatbot_audit.stores import sqlite_schema
from chatbot_audit.stores.model import Search
from chatbot_audit.stores.sqlite import SqliteStore
from chatbot_audit.stores.sqlite_schema import APPLICATION_ID


def test_a_missing_store_is_told_with_what_to_do(tmp_path):
    """Searching makes no file: it says how one is filled."""
    path = tmp_path / "audit.db"

    with pytest.raises(StoreMissingError, match="make demo"):
        SqliteStore(path, is_read_only=True)

    assert not path.exists()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"not a database, but long enough to be read " * 40, id="text"),
        pytest.param(b"SQLite format 3\0" + bytes(200), id="broken-header"),
    ],
)
def test_a_file_that_is_no_store_is_not_searched(tmp_path, content):
    """Whatever the file holds: one error, and the file stays as it is."""
    path = tmp_path / "audit.db"
    path.write_bytes(content)

    with pytest.raises(StoreUnreadableError, match="store"):
        SqliteStore(path, is_read_only=True)

    assert path.read_bytes() == content


@pytest.mark.parametrize("is_read_only", [True, False])
def test_a_database_of_another_program_is_refused(tmp_path, is_read_only):
    """A foreign database is neither searched nor written to."""
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (a)")
    connection.commit()
    connection.close()

    with pytest.raises(StoreUnreadableError, match="not a store"):
        SqliteStore(path, is_read_only=is_read_only)


@pytest.mark.parametrize("is_read_only", [True, False])
def test_a_store_of_a_newer_release_is_refused(tmp_path, is_read_only):
    """An unknown schema is told, not guessed at."""
    path = tmp_path / "new.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE records (a)")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("PRAGMA user_version = 99")
    connection.commit()
    connection.close()

    with pytest.raises(StoreUnreadableError, match="schema 99"):
        SqliteStore(path, is_read_only=is_read_only)


def test_writing_does_not_turn_a_text_file_into_a_store(tmp_path):
    """A wrong path must not cost a file."""
    path = tmp_path / "notes.txt"
    path.write_bytes(b"important " * 100)

    with pytest.raises(StoreUnreadableError):
        SqliteStore(path)

    assert path.read_bytes() == b"important " * 100


def test_a_folder_is_no_store(tmp_path):
    """A folder is told apart from a missing file."""
    with pytest.raises(StoreUnreadableError, match="not a file"):
        SqliteStore(tmp_path, is_read_only=True)


@pytest.mark.parametrize(
    "name", [pytest.param("a\0b", id="nul"), pytest.param("x" * 5_000, id="too-long")]
)
def test_an_impossible_path_is_a_clear_error(tmp_path, name):
    """The system's own errors do not come through."""
    with pytest.raises((StoreUnreadableError, StoreMissingError)):
        SqliteStore(tmp_path / name, is_read_only=True)
    with pytest.raises(StoreWriteError):
        SqliteStore(tmp_path / name)


def test_a_path_below_a_file_cannot_be_made(tmp_path):
    """The folder of a new store must be makeable."""
    (tmp_path / "file").write_text("x")

    with pytest.raises(StoreWriteError, match="cannot be made"):
        SqliteStore(tmp_path / "file" / "audit.db")


def test_only_the_owner_may_read_a_new_store(tmp_path):
    """Evidence is not for every account of the machine."""
    path = tmp_path / "deep" / "audit.db"

    SqliteStore(path).close()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["a?mode=rwc#x%41 b.db", "ümlaut.db"])
def test_signs_in_a_path_are_no_options(tmp_path, name):
    """A path is a path, whatever signs it has."""
    path = tmp_path / name

    with SqliteStore(path) as store:
        store.write([{"user_query": "hello"}])

    assert path.is_file()
    with SqliteStore(path, is_read_only=True) as store:
        assert len(list(store.search(Search()))) == 1


def test_several_openers_at_once_make_one_store(tmp_path):
    """Of processes that start together one makes the tables, all can write."""
    path = tmp_path / "audit.db"
    errors = []

    def open_and_write(number):
        try:
            with SqliteStore(path) as store:
                store.write([{"document_id": f"{number:032x}"}])
        except Exception as error:  # noqa: BLE001 - whatever it is fails the test
            errors.append(error)

    threads = [threading.Thread(target=open_and_write, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert errors == []
    with SqliteStore(path, is_read_only=True) as store:
        assert len(list(store.search(Search()))) == 6


@pytest.fixture
def read_only_medium(monkeypatch):
    """SQLite refuses as it does where it may make no files beside the store."""
    opened = sqlite_schema._open_checked

    def refuse(path, mode):
        if mode == "mode=ro":
            raise sqlite3.OperationalError("attempt to write a readonly database")
        return opened(path, mode)

    monkeypatch.setattr(sqlite_schema, "_open_checked", refuse)


@pytest.mark.parametrize("log", [None, b""], ids=["no-log", "empty-log"])
def test_a_store_on_a_read_only_medium_is_searched(tmp_path, read_only_medium, log):
    """Evidence is searched in place, where SQLite can make no file beside it."""
    path = tmp_path / "audit.db"
    with SqliteStore(path) as store:
        store.write([{"user_query": "hello"}])
    if log is not None:
        (tmp_path / "audit.db-wal").write_bytes(log)

    with SqliteStore(path, is_read_only=True) as store:
        found = list(store.search(Search(text="hello")))

    assert len(found) == 1


def test_a_store_with_an_unread_log_is_not_searched_without_it(
    tmp_path, read_only_medium
):
    """Records may stand in the log alone: leaving it out would hide them."""
    path = tmp_path / "audit.db"
    SqliteStore(path).close()
    (tmp_path / "audit.db-wal").write_bytes(b"x")

    with pytest.raises(StoreUnreadableError, match="cannot be opened"):
        SqliteStore(path, is_read_only=True)


def test_a_broken_store_on_a_read_only_medium_is_a_clear_error(
    tmp_path, read_only_medium
):
    """The second way to open ends in the same error."""
    path = tmp_path / "audit.db"
    path.write_bytes(b"no database " * 100)

    with pytest.raises(StoreUnreadableError, match="cannot be opened"):
        SqliteStore(path, is_read_only=True)
