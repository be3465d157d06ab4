"""``chatbot-audit spool``: what waited on disk reaches the index after all."""

from __future__ import annotations

import fcntl
import json
import os
import time

import pytest
from click.testing import CliRunner

from chatbot_audit.cli import spool
from chatbot_audit.cli.group import cli
from chatbot_audit.sandbox import Sandbox, SandboxSettings
from chatbot_audit.stores.model import Search
from chatbot_audit.stores.sqlite import SqliteStore
from emitter.errors import SinkError
from emitter.sinks.entry import Entry
from emitter.sinks.spool import SpoolSink
from tests.factories import LOG_GROUP, LOG_STREAM, make_line

DAY_MS = 86_400_000


@pytest.fixture
def folder(tmp_path):
    """A spool with one record of today and one of three weeks ago."""
    now_ms = time.time_ns() // 1_000_000
    sink = SpoolSink(tmp_path / "spool")
    for number, age_ms in enumerate((1_000, 21 * DAY_MS)):
        line = make_line(user_query=f"q{number}").encode()
        sink.write(Entry(LOG_GROUP, LOG_STREAM, now_ms - age_ms, line))
    return tmp_path / "spool"


@pytest.fixture
def sandbox(tmp_path, monkeypatch):
    """The pipeline, with this process's AWS calls led to it."""
    with (
        SqliteStore(tmp_path / "audit.db") as store,
        Sandbox(SandboxSettings(), store) as running,
    ):
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        for name, value in running.environ.items():
            monkeypatch.setenv(name, value)
        running.store_for_test = store
        yield running


def run(*arguments):
    return CliRunner().invoke(cli, ["spool", *map(str, arguments)])


def test_counts_what_waits_without_showing_it(folder):
    """Streams, counts and times; nothing that anybody said."""
    result = run("list", folder, "--json")

    row = json.loads(result.stdout)
    assert result.exit_code == 0
    assert (row["log_stream"], row["count"]) == (LOG_STREAM, 2)
    assert "q0" not in result.output


def test_sends_to_the_streams_and_keeps_what_is_too_old(folder, sandbox):
    """CloudWatch takes what is young; the rest stays, and the way on is said."""
    result = run("send", folder)

    assert result.exit_code == 1
    assert "sent 1, still in the spool 1" in result.stdout
    assert "--to STREAM" in result.stdout
    sandbox.drain()
    found = list(sandbox.store_for_test.search(Search()))
    assert [document["user_query"] for document in found] == ["q0"]


def test_sends_the_old_ones_through_the_delivery_stream(folder, sandbox):
    """What CloudWatch refuses arrives by the stream, under the same ids."""
    arguments = ["--to", "chatbot-audit", "--owner", "123456789012"]

    result = run("send", folder, *arguments)

    assert result.exit_code == 0, result.output
    sandbox.drain()
    found = list(sandbox.store_for_test.search(Search()))
    assert {document["user_query"] for document in found} == {"q0", "q1"}
    assert run("list", folder).exit_code == 1


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["send", "nowhere"], id="no folder"),
        pytest.param(["list", "nowhere"], id="no folder to list"),
        pytest.param(["send", ".", "--to", "a b"], id="no stream's name"),
        pytest.param(["send", ".", "--to", "stream"], id="no owner"),
        pytest.param(["send", ".", "--to", "s", "--owner", "12"], id="no account"),
    ],
)
def test_bad_input_is_one_sentence(arguments):
    """Exit code 2 and no traceback."""
    result = run(*arguments)

    assert result.exit_code == 2
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_service_that_cannot_be_reached_loses_nothing(folder, monkeypatch):
    """Everything stays in the spool, and the exit code says so."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")

    result = run("send", folder, "--json")

    counts = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (counts["sent"], counts["kept"]) == (0, 2)
    assert counts["reason"]


class Service:
    """Stands for CloudWatch: takes all but one stream's records."""

    def __init__(self, reason):
        self.reason = reason

    def write_batch(self, entries):
        if entries[0].log_stream == LOG_STREAM:
            raise SinkError(self.reason)
        return []


def test_a_stream_that_is_refused_is_told_and_holds_up_nothing(folder, monkeypatch):
    """The others are sent; the exit code and a line say what was not, and why."""
    now_ms = time.time_ns() // 1_000_000
    for number in range(3):
        line = make_line(user_query=f"q{number}").encode()
        SpoolSink(folder).write(Entry(LOG_GROUP, f"Vera/{number}", now_ms, line))
    monkeypatch.setattr(spool, "_cloudwatch", lambda _: Service("denied").write_batch)

    result = run("send", folder)

    assert result.exit_code == 1
    assert "sent 3, still in the spool 2" in result.stdout
    assert "1 were not taken: denied" in result.stdout
    assert "stopped early" not in result.stdout


def test_what_another_process_has_is_told(folder):
    """Nothing sent and nothing kept is not an empty spool."""
    (path,) = folder.glob("*.jsonl")
    claimed = path.rename(path.with_name(f"{path.stem}.1-1.sending"))
    with claimed.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)

        result = run("send", folder)
        counts = json.loads(run("send", folder, "--json").stdout)

    assert result.exit_code == 1
    assert "2 are in the hands of another process" in result.stdout
    assert (counts["sent"], counts["kept"], counts["held"]) == (0, 0, 2)
