"""What the tests of the commands share: a filled store and a way to run them."""

from __future__ import annotations

import datetime as dt

import pytest
from click.testing import CliRunner

from chatbot_audit.cli.group import cli
from chatbot_audit.cli.session import Surroundings
from chatbot_audit.stores.sqlite import SqliteStore
from tests.factories import make_values

NOW = dt.datetime(2026, 11, 25, 8, 30, tzinfo=dt.UTC)


def delivered(number, time, **changes):
    """Return a delivered document."""
    values = {"record_id": f"{number:032x}", "timestamp": time} | changes
    return make_values(**values) | {
        "document_id": f"{number:032x}",
        "@timestamp": time,
    }


DOCUMENTS = (
    delivered(1, "2026-11-23T22:59:59.999Z", user_query="monday question"),
    delivered(
        2,
        "2026-11-23T23:00:00.000Z",
        user_query="first of tuesday",
        department="Finance",
        topics=["salary@query"],
        outcome="answered",
    ),
    delivered(
        3,
        "2026-11-24T22:59:59.999Z",
        user_query="last of tuesday",
        bot_name="VeraTeams",
        signals=["injection:role_play"],
        outcome="blocked",
    ),
    delivered(4, "2026-11-24T23:00:00.000Z", user_query="wednesday question"),
    delivered(
        5,
        "2026-11-24T12:00:00.000Z",
        user_id="ada.moss",
        user_query="other person",
        conversation_id="c2",
    ),
    delivered(
        6, "2026-11-24T12:00:01.000Z", record_type="invalid", raw_text="broken line"
    ),
)


@pytest.fixture
def store_path(tmp_path):
    path = tmp_path / "audit.db"
    with SqliteStore(path) as store:
        store.write(DOCUMENTS)
    return path


@pytest.fixture
def run(tmp_path, store_path):
    """Run a command as an analyst in Berlin; the output goes to a program."""

    def invoke(*arguments, is_terminal=False, **environ):
        world = Surroundings(
            environ={
                "HOME": str(tmp_path),
                "TZ": "Europe/Berlin",
                "CHATBOT_AUDIT_STORE": str(store_path),
            }
            | environ,
            now=lambda: NOW,
            is_terminal=lambda: is_terminal,
        )
        return CliRunner().invoke(cli, list(arguments), obj=world)

    return invoke
