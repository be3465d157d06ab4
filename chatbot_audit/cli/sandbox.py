"""``chatbot-audit sandbox``: the whole pipeline on this machine, for your own bot."""

from __future__ import annotations

import math
import shlex
import signal
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from chatbot_audit.cli.group import NONE_FOUND, OK
from chatbot_audit.cli.session import say
from chatbot_audit.sandbox import (
    LambdaSettings,
    Sandbox,
    SandboxError,
    SandboxSettings,
)
from chatbot_audit.sandbox.settings import DEFAULT_ZIP, DESTINATIONS
from chatbot_audit.stores.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType

_PAUSE_S: Final = 0.5


@click.command()
@click.option(
    "--zip",
    "zip_path",
    type=click.Path(path_type=Path),
    default=DEFAULT_ZIP,
    show_default=True,
    help="The transformer's zip; `make build` makes it.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=0,
    help="Port of the AWS endpoint; 0 takes a free one.",
)
@click.option(
    "--to",
    "destination",
    type=click.Choice(DESTINATIONS),
    default="sqlite",
    show_default=True,
    help="How Firehose delivers to the store: HEC events without a network, HEC events "
    "by way of a collector, or one document a record as OpenSearch wants them.",
)
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path),
    default=Path(".sandbox"),
    show_default=True,
    help="Folder of the store and of the bot's environment.",
)
@click.option(
    "--store", type=click.Path(path_type=Path), help="Another file for the store."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Repeats a run.")
@click.option("--once", is_flag=True, help="End as soon as nothing is on its way.")
@click.option("--seconds", type=click.FloatRange(0), help="End after so many seconds.")
def sandbox(
    *,
    zip_path: Path,
    port: int,
    destination: str,
    state_dir: Path,
    store: Path | None,
    seed: int,
    once: bool,
    seconds: float | None,
) -> int:
    """Run the whole pipeline on this machine.

    Prints the variables that a bot needs, carries what it writes to the store until
    Ctrl-C, then checks that every record is accounted for. Exit code 1 if not.
    """
    settings = SandboxSettings(
        destination=destination,
        function=LambdaSettings(zip_path=zip_path),
        aws_port=port,
        seed=seed,
    )
    run_s = 0.0 if once else seconds
    try:
        return _run(settings, store or state_dir / "audit.db", state_dir, run_s)
    except SandboxError as error:
        raise click.ClickException(str(error)) from error


def _run(
    settings: SandboxSettings, store: Path, state_dir: Path, run_s: float | None
) -> int:
    with (
        _end_by_signal() as ended,
        SqliteStore(store) as opened,
        Sandbox(settings, opened) as running,
    ):
        _introduce(running.environ, state_dir)
        say(f"store: {store}")
        _carry(running, run_s, ended)
        report = running.report()
    click.echo(report.sentence())
    if not report.holds:
        say("the sum does not hold: records are missing or made up")
    return OK if report.holds else NONE_FOUND


def _carry(running: Sandbox, run_s: float | None, ended: threading.Event) -> None:
    """Carry records to the store for *run_s* seconds, or until a signal."""
    end_s = math.inf if run_s is None else time.monotonic() + run_s
    while time.monotonic() < end_s and not ended.is_set():
        running.drain()
        ended.wait(_PAUSE_S)
    if ended.is_set():
        say("ending; what is on its way is delivered first")
    running.drain()


def _introduce(environ: Mapping[str, str], state_dir: Path) -> None:
    lines = [f"export {k}={shlex.quote(v)}" for k, v in sorted(environ.items())]
    state_dir.mkdir(parents=True, exist_ok=True)
    path = state_dir / "environ"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    for line in lines:
        click.echo(line)
    say(f"in your bot's shell: source {path}; Ctrl-C ends the sandbox")


@contextmanager
def _end_by_signal() -> Iterator[threading.Event]:
    """Turn the first Ctrl-C or SIGTERM into an event; a second one interrupts.

    An exception in the middle of a delivery would lose the records in hand.
    """
    ended = threading.Event()

    def end(number: int, _: FrameType | None) -> None:
        ended.set()
        signal.signal(number, signal.default_int_handler)

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
