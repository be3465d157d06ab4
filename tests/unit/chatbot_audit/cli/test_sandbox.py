"""``chatbot-audit sandbox``, with a pipeline that only pretends."""

from __future__ import annotations

import os
import signal
import stat

import pytest
from click.testing import CliRunner

from chatbot_audit.cli import sandbox as module
from chatbot_audit.cli.group import cli
from chatbot_audit.sandbox import SandboxError
from chatbot_audit.stores.sqlite import SqliteStore

ENVIRON = {
    "AWS_ENDPOINT_URL_LOGS": "http://127.0.0.1:4566",
    "AWS_REGION": "eu-west-1; x",
}


class Report:
    """What a run ends with."""

    def __init__(self, holds):
        self.holds = holds

    def sentence(self):
        return "in 1 = delivered 1"


class Pipeline:
    """Stands for the sandbox; remembers what it was asked."""

    holds = True
    fails = ""
    signals = ()
    made = ()

    def __init__(self, settings, store):
        self.settings, self.store = settings, store
        self.environ = ENVIRON
        self.drained_count = 0
        self.is_closed = False
        Pipeline.made = (*Pipeline.made, self)

    def __enter__(self):
        if self.fails == "start":
            raise SandboxError("port 4566 is taken by another program")
        return self

    def __exit__(self, *_):
        self.is_closed = True

    def drain(self):
        self.drained_count += 1
        if self.fails == "drain":
            raise SandboxError("records were still on their way")
        if self.drained_count == 1:
            for number in self.signals:
                os.kill(os.getpid(), number)
            self.is_whole = True

    def report(self):
        return Report(self.holds)


@pytest.fixture
def pipeline(monkeypatch):
    made = type("Made", (Pipeline,), {})
    monkeypatch.setattr(module, "Sandbox", made)
    monkeypatch.setattr(Pipeline, "made", ())
    return made


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(cli, ["sandbox", *arguments])


def test_prints_what_a_bot_needs(run, pipeline, tmp_path):
    """The variables can be pasted into a shell, and stand in a file."""
    result = run("--once")

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "export AWS_ENDPOINT_URL_LOGS=http://127.0.0.1:4566",
        "export AWS_REGION='eu-west-1; x'",
        "in 1 = delivered 1",
    ]
    written = (tmp_path / ".sandbox" / "environ").read_text()
    assert written.splitlines() == result.stdout.splitlines()[:2]
    assert "source .sandbox/environ" in result.stderr


def test_once_drains_and_ends(run, pipeline):
    """Nothing is left on its way, and everything is ended."""
    run("--once")

    (made,) = pipeline.made
    assert made.drained_count == 1
    assert made.is_closed


def test_runs_for_as_long_as_told(run, pipeline):
    """It drains again and again, and once more at the end."""
    result = run("--seconds", "0.6")

    assert result.exit_code == 0
    assert pipeline.made[0].drained_count >= 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_a_report(run, pipeline, monkeypatch, number):
    """The delivery in hand is finished, what is on its way is delivered first."""
    monkeypatch.setattr(pipeline, "signals", (number,))
    before = signal.getsignal(number)

    result = run()

    assert result.exit_code == 0
    assert "in 1 = delivered 1" in result.stdout
    assert pipeline.made[0].is_whole
    assert pipeline.made[0].drained_count == 2
    assert signal.getsignal(number) is before


def test_a_second_signal_interrupts(run, pipeline, monkeypatch):
    """Whoever cannot wait gets exit code 130, and everything is ended."""
    monkeypatch.setattr(pipeline, "signals", (signal.SIGINT, signal.SIGINT))

    result = run()

    assert result.exit_code == 130
    assert pipeline.made[0].is_closed


def test_a_sum_that_does_not_hold_is_exit_code_one(run, pipeline, monkeypatch):
    """Lost records are a problem found."""
    monkeypatch.setattr(pipeline, "holds", False)

    result = run("--once")

    assert result.exit_code == 1
    assert "does not hold" in result.stderr


@pytest.mark.parametrize("fails", ["start", "drain"])
def test_what_cannot_run_is_one_sentence_and_exit_code_two(
    run, pipeline, monkeypatch, fails
):
    """The sandbox's own sentence is told."""
    monkeypatch.setattr(pipeline, "fails", fails)

    result = run("--once")

    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith("chatbot-audit: ")
    assert "Traceback" not in result.output


def test_options_reach_the_pipeline(run, pipeline, tmp_path):
    """Port, zip, destination and seed are the sandbox's settings."""
    run(
        *("--once", "--port", "4567", "--zip", "x.zip", "--to", "splunk"),
        *("--seed", "7", "--state-dir", "state", "--store", "elsewhere/a.db"),
    )

    settings = pipeline.made[0].settings
    assert (settings.aws_port, settings.seed) == (4567, 7)
    assert settings.destination == "splunk"
    assert str(settings.function.zip_path) == "x.zip"
    assert (tmp_path / "elsewhere" / "a.db").is_file()
    assert (tmp_path / "state" / "environ").is_file()


def test_the_store_is_one_that_can_be_searched(run, pipeline, tmp_path):
    """By default it lies where the other commands look for it."""
    run("--once")

    path = tmp_path / ".sandbox" / "audit.db"
    SqliteStore(path, is_read_only=True).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--port", "99999"], "99999 is not in the range"),
        (["--port", "x"], "'x' is not a valid integer"),
        (["--to", "kafka"], "'kafka' is not one of"),
        (["--seconds", "-1"], "is not in the range"),
        (["--state-dir", "file", "--once"], "cannot be made"),
        (["--store", "file", "--once"], "is not a store"),
        (["--store", "a.db", "--state-dir", "file", "--once"], "File exists"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_exit_code_two(run, pipeline, tmp_path, options, sentence):
    """One clear sentence each."""
    (tmp_path / "file").write_bytes(b"not a store " * 100)

    result = run(*options)

    assert result.exit_code == 2
    assert sentence in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.output
