"""The main job on one machine: from a bot's question to the analyst's answer.

Three bots answer thirteen days of questions of an invented company. Their records
go through CloudWatch Logs (moto), a real subscription filter, the sandbox's
Firehose and the built Lambda zip into a local store; then the analyst's questions
are asked. Exit code 0 only if every record is accounted for, by id.

Usage: ``make demo``, or ``python -m examples.demo [--to sqlite|splunk]``.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from chatbot_audit.errors import ChatbotAuditError
from chatbot_audit.query.render import (
    render_search_table,
    render_stats,
    render_transcript,
)
from chatbot_audit.query.when import Interval, describe, resolve
from chatbot_audit.query.zone import find_zone
from chatbot_audit.sandbox import Sandbox, SandboxError, SandboxSettings
from chatbot_audit.sandbox.accounting import Report
from chatbot_audit.stores.model import Search
from chatbot_audit.stores.sqlite import SqliteStore
from emitter import AuditEmitter, Clock, EmitterSettings
from emitter.beside import THREAD_NAME
from examples import demo_world as world
from examples.platform_stubs import KeepingAdapter, SlackStub
from examples.scripted_model import make_model
from examples.vera_research import VeraResearch
from examples.vera_slack import VeraSlack
from examples.vera_teams import VeraTeams

SEED = 20_261_125
STORE = Path(".sandbox/audit.db")
SETTINGS = EmitterSettings(
    sink="cloudwatch",
    home_domains=(world.DOMAIN,),
    slack_team=world.SLACK_TEAM,
    tenant=world.TENANT,
)
EXECUTION_ENVIRONMENTS = 2
BOB = Search(user="bob.smith", department="Finance")


@dataclass
class LambdaContext:
    """What AWS hands to a Lambda's handler, as far as the library reads it."""

    function_name: str
    number: int
    day: str
    aws_request_id: str
    _deadline_s: float = field(default_factory=lambda: time.monotonic() + 60)

    @property
    def invoked_function_arn(self) -> str:
        """Return the function's ARN."""
        return f"arn:aws:lambda:eu-west-1:123456789012:function:{self.function_name}"

    @property
    def log_group_name(self) -> str:
        """Return the group of the bot's own execution log."""
        return f"/aws/lambda/{self.function_name}"

    @property
    def log_stream_name(self) -> str:
        """Return the stream of this execution environment."""
        return f"{self.day}/[$LATEST]{self.number:032x}"

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the Lambda is stopped."""
        return int((self._deadline_s - time.monotonic()) * 1_000)


class Bots:
    """The three example bots, on one clock that the history drives.

    Attributes:
        now_ms: The present of the bots, in milliseconds since 1970.
        audits: The bots' emitters.
    """

    def __init__(self) -> None:
        self.now_ms = 0
        self._requests_count = 0
        model = make_model(world.SCRIPT)
        slack = self._audit("VeraSlack", world.slack_directory)
        teams = self._audit("VeraTeams", world.graph_directory)
        research = self._audit("VeraResearch", None)
        self.audits = (slack, teams, research)
        self._slack_stub = SlackStub()
        app = self._slack_stub.make_app()
        self._slack = VeraSlack(app, slack, model, _department_of)
        self._teams = VeraTeams(KeepingAdapter(), teams, model)
        self._research = VeraResearch(research, model, world.PLANS)

    def close(self) -> None:
        """Stop what stands for Slack."""
        self._slack_stub.close()

    def ask(self, asked: world.Asked) -> None:
        """Let one bot answer one question at its time."""
        self.now_ms = int(asked.at.timestamp() * 1_000)
        if asked.bot == "slack":
            for _ in range(2 if asked.is_redelivered else 1):
                request = world.gateway_event(world.slack_event(asked))
                self._run("VeraSlack", self._slack.handle, request, asked)
        elif asked.bot == "teams":
            request = world.gateway_event(world.teams_activity(asked))
            self._run("VeraTeams", self._teams.handle, request, asked)
        else:
            request = world.http_event(asked)
            self._run("VeraResearch", self._research.handle, request, asked)

    def _run(
        self,
        function_name: str,
        handle: Callable[[dict[str, Any], LambdaContext], dict[str, Any]],
        request: dict[str, Any],
        asked: world.Asked,
    ) -> None:
        """Run a bot as AWS runs the Lambda of that name."""
        answer = handle(request, self._context(function_name, asked))
        _wait_for_records()
        if answer["statusCode"] >= HTTPStatus.BAD_REQUEST:
            raise SandboxError(f"{function_name} answered {answer['statusCode']}")

    def _audit(self, bot_name: str, directory: Any) -> AuditEmitter:
        clock = Clock(now_ms=lambda: self.now_ms)
        return AuditEmitter(
            bot_name, settings=SETTINGS, directory=directory, clock=clock
        )

    def _context(self, function_name: str, asked: world.Asked) -> LambdaContext:
        self._requests_count += 1
        return LambdaContext(
            function_name,
            self._requests_count % EXECUTION_ENVIRONMENTS,
            f"{asked.at:%Y/%m/%d}",
            f"00000000-0000-4000-8000-{self._requests_count:012d}",
        )


def _wait_for_records() -> None:
    """Wait for what is written beside the bots, as the clock is about to jump.

    On Lambda a bot returns when its record is written; elsewhere its framework does
    not wait for it.
    """
    for thread in threading.enumerate():
        if thread.name == THREAD_NAME:
            thread.join()


def main(arguments: Sequence[str]) -> int:
    """Run the demo; return 0 only if every record is accounted for."""
    options = _options(arguments)
    console = Console()
    errors = Console(stderr=True, style="red")
    started_s = time.monotonic()
    try:
        is_right = _run(options, console)
    except (SandboxError, ChatbotAuditError) as error:
        errors.print(f"demo: {error}", markup=False, highlight=False)
        return 2
    console.print(f"\nTook {time.monotonic() - started_s:.0f} s.", style="dim")
    return 0 if is_right else 1


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="demo", description=__doc__.splitlines()[0])
    parser.add_argument("--to", choices=("sqlite", "splunk"), default="sqlite")
    parser.add_argument("--store", type=Path, default=STORE)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--tz", help="the analyst's zone, as Europe/Berlin")
    return parser.parse_args(arguments)


def _run(options: argparse.Namespace, console: Console) -> bool:
    zone = find_zone(options.tz, os.environ)
    now = dt.datetime.now(zone)
    for path in options.store.parent.glob(f"{options.store.name}*"):
        path.unlink()
    console.rule("Three bots, thirteen days of questions")
    console.print(f"seed {options.seed}, destination {options.to}", style="dim")
    with SqliteStore(options.store) as store:
        report, written_count = _fill(options, store, now, console)
        is_right = _tell_sum(report, written_count, console)
        _answer(store, now, zone, console)
    return is_right


def _fill(
    options: argparse.Namespace, store: SqliteStore, now: dt.datetime, console: Console
) -> tuple[Report, int]:
    """Let the bots answer, carry their records to the store, and sum up."""
    settings = SandboxSettings(destination=options.to, seed=options.seed)
    with _progress(console) as progress:
        stages: dict[str, Any] = {}

        def tell(stage: str, done: int, total: int) -> None:
            if stage not in stages:
                stages[stage] = progress.add_task(stage)
            progress.update(stages[stage], completed=done, total=total)

        with (
            Sandbox(settings, store, progress=tell) as sandbox,
            _environment(sandbox.environ),
        ):
            asked = world.history(now, options.seed)
            with closing(Bots()) as bots:
                for number, question in enumerate(asked, 1):
                    bots.ask(question)
                    tell("bots answer", number, len(asked))
            _write_stray_line(sandbox)
            sandbox.drain()
            written_count = sum(audit.stats.written for audit in bots.audits)
            return sandbox.report(), written_count


def _write_stray_line(sandbox: Sandbox) -> None:
    """Write what is no record, as a careless print would: it is quarantined."""
    place = {"logGroupName": SETTINGS.log_group, "logStreamName": "VeraSlack/by-hand"}
    sandbox.cloudwatch.logs.create_log_stream(**place)
    event = {"timestamp": time.time_ns() // 1_000_000, "message": "DEBUG here I am"}
    sandbox.cloudwatch.logs.put_log_events(**place, logEvents=[event])


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Lead the bots to this machine, whatever AWS settings and proxy the shell has."""
    before = dict(os.environ)
    for name in before:
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            del os.environ[name]
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _progress(console: Console) -> Progress:
    columns = (
        TextColumn("{task.description:24}"),
        BarColumn(),
        MofNCompleteColumn(),
    )
    return Progress(*columns, console=console)


def _tell_sum(report: Report, written_count: int, console: Console) -> bool:
    """Print the sum of the run; tell whether nothing is missing, by id."""
    console.print(f"\nAccounted for, by id: {report.sentence()}", highlight=False)
    is_right = report.holds and len(report.delivered) == written_count
    if not is_right:
        console.print("The records do NOT add up.", style="bold red")
    return is_right


def _answer(
    store: SqliteStore, now: dt.datetime, zone: dt.tzinfo, console: Console
) -> None:
    """Ask what an analyst asks."""
    interval = resolve("last tuesday", None, now=now, zone=zone)
    console.rule("What did Bob from Finance ask the bots last Tuesday?")
    console.print(describe(interval, zone), style="dim")
    found = list(store.search(_during(BOB, interval)))
    render_search_table(found, console, zone=zone)
    console.rule("His conversation, as a transcript")
    if found:
        name = found[0]["conversation_id"]
        render_transcript(store.conversation(name), console, zone=zone)
    console.rule("Which sensitive topics come up?")
    for by in (("topic",), ("bot",)):
        if by == ("bot",):
            console.rule("Which bot is used most?")
        render_stats(store.stats(by, Search(zone=zone)), console, by=by, zone=zone)
    _suggest(found, console)


def _during(search: Search, interval: Interval) -> Search:
    return Search(
        user=search.user,
        department=search.department,
        since_ms=interval.since_ms,
        until_ms=interval.until_ms,
    )


def _suggest(found: Sequence[dict[str, Any]], console: Console) -> None:
    console.rule("Ask for more")
    commands = [
        'search --user bob.smith --since "last tuesday"',
        "search --topic compensation",
        "search --signal injection",
        "stats --by day,bot",
    ]
    if found:
        commands.insert(1, f"show {found[0]['record_id']}")
    for command in commands:
        console.print(f"  .venv/bin/chatbot-audit {command}", highlight=False)


def _department_of(slack_id: str) -> str | None:
    """Say what the help bot knows from the directory of Human Resources."""
    return world.BY_SLACK_ID[slack_id].department or None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
