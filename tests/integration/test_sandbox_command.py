"""``chatbot-audit sandbox`` as a person runs it in a terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

from chatbot_audit.stores.model import Search
from chatbot_audit.stores.sqlite import SqliteStore
from tests.factories import LOG_GROUP, make_line

ZIP = Path("build/transformer.zip").absolute()
COUNT = 40
COMMAND = "import sys; from chatbot_audit.cli.main import main; sys.exit(main())"


@pytest.fixture
def terminal(tmp_path):
    """Start the command as a terminal does: in a process group of its own."""
    started = []

    def start(*arguments):
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, "sandbox", "--zip", ZIP, *arguments],
            cwd=tmp_path,
            env=dict(os.environ, PYTHONPATH=str(Path.cwd())),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        # Whatever happens, the test ends.
        timer = threading.Timer(60, process.kill)
        timer.start()
        started.append((process, timer))
        return process

    yield start
    for process, timer in started:
        timer.cancel()
        process.kill()
        process.communicate()


def environ_of(process):
    """Return the variables that the command prints for a bot."""
    variables = {}
    for line in process.stdout:
        name, _, value = line.removeprefix("export ").strip().partition("=")
        variables[name] = value
        if name == "NO_PROXY":
            return variables
    raise AssertionError(process.stderr.read())


def write(variables, count):
    """Write records as a bot does."""
    logs = boto3.client(
        "logs",
        endpoint_url=variables["AWS_ENDPOINT_URL"],
        region_name=variables["AWS_REGION"],
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(proxies={}),
    )
    logs.create_log_stream(logGroupName=LOG_GROUP, logStreamName="Bot/1")
    now_ms = time.time_ns() // 1_000_000
    for number in range(count):
        line = make_line(user_query=f"q{number}", record_id=f"{number:032x}")
        logs.put_log_events(
            logGroupName=LOG_GROUP,
            logStreamName="Bot/1",
            logEvents=[{"timestamp": now_ms + number, "message": line}],
        )
    logs.close()


@pytest.mark.parametrize("destination", ["sqlite", "splunk", "documents"])
def test_ctrl_c_delivers_what_is_on_its_way(terminal, tmp_path, destination):
    """A terminal signals every process of the group, and still nothing is lost."""
    process = terminal("--to", destination)
    variables = environ_of(process)
    write(variables, COUNT)

    os.killpg(process.pid, signal.SIGINT)
    output, errors = process.communicate()

    assert process.returncode == 0, errors
    assert "ending; what is on its way is delivered first" in errors
    assert f"in {COUNT + 1} = delivered {COUNT} " in output
    with SqliteStore(tmp_path / ".sandbox" / "audit.db", is_read_only=True) as store:
        found = {document["user_query"] for document in store.search(Search())}
    assert found == {f"q{number}" for number in range(COUNT)}
