"""The main job on one machine: from a bot's question to the analyst's answer.

Three bots answer thirteen days of questions of an invented company. Their records
go through CloudWatch Logs (moto), a real subscription filter, the sandbox's
Firehose and the built Lambda zip into a local store; then the analyst's questions
are asked. Exit code 0 only if every record is accounted for, by id.

Usage: ``make demo``, or ``python -m examples.demo [--to sqlite|splunk]``.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from chatbot_audit.query.render import (
    render_search_table,
    render_stats,
    render_transcript,
)
from chatbot_audit.query.when import resolve
from chatbot_audit.sandbox import Sandbox, SandboxError, SandboxSettings
from chatbot_audit.stores.model import Search
from chatbot_audit.stores.sqlite import SqliteStore
from emitter import AuditEmitter
from emitter.identity import Home
from examples import demo_world as world
from examples.scripted_model import make_model
from examples.vera_research import VeraResearch
from examples.vera_slack import VeraSlack
from examples.vera_teams import VeraTeams

SEED = 20_261_125
HOME = Home(domains=(world.DOMAIN,), slack_team=world.SLACK_TEAM, tenant=world.TENANT)
EXECUTION_ENVIRONMENTS = 2


@dataclass
class LambdaContext:
    """What AWS hands to a Lambda's handler, as far as the library reads it."""

    function_name: str
    number: int
    day: str
    aws_request_id: str = ""
    memory_limit_in_mb: str = "512"
    function_version: str = "$LATEST"
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
    """The three example bots on one driven clock."""

    def __init__(self) -> None:
        self.now_ms = 0
        self._model = make_model(world.SCRIPT)
        self._slack_audit = self._audit("VeraSlack", world.slack_directory)
        self._teams_audit = self._audit("VeraTeams", world.graph_directory)
        self._research_audit = self._audit("VeraResearch", None)
        self._slack = VeraSlack(self._slack_audit, self._model, _silent)
        self._teams = VeraTeams(self._teams_audit, self._model, _silent)
        self._research = VeraResearch(self._research_audit, self._model, world.PLANS)
        self._requests = 0

    def ask(self, asked: world.Asked) -> None:
        """Let one bot answer one question at its time."""
        self.now_ms = int(asked.at.timestamp() * 1_000)
        if asked.bot == "slack":
            department = asked.person.department
            facts = {"department": department} if department else {}
            body = world.slack_event(asked)
            for _ in range(2 if asked.is_redelivered else 1):
                self._slack.handle(body, self._context("VeraSlack", asked), **facts)
        elif asked.bot == "teams":
            activity = world.teams_activity(asked)
            context = self._context("VeraTeams", asked)
            asyncio.run(self._teams.on_message(activity, context))
        else:
            event = world.http_event(asked)
            self._research.handle(event, self._context("VeraResearch", asked))

    def written_count(self) -> int:
        """Return how many records reached CloudWatch Logs."""
        audits = (self._slack_audit, self._teams_audit, self._research_audit)
        return sum(audit.stats.written for audit in audits)

    def _audit(self, bot_name: str, directory: Any) -> AuditEmitter:
        return AuditEmitter(
            bot_name, home=HOME, directory=directory, clock=lambda: self.now_ms
        )

    def _context(self, function_name: str, asked: world.Asked) -> LambdaContext:
        self._requests += 1
        return LambdaContext(
            function_name,
            self._requests % EXECUTION_ENVIRONMENTS,
            f"{asked.at:%Y/%m/%d}",
            f"00000000-0000-4000-8000-{self._requests:012d}",
        )


def main(arguments: list[str]) -> int:
    """Run the demo; return the exit code."""
    options = _options(arguments)
    console = Console()
    started_s = time.monotonic()
    console.rule("From a bot's question to the analyst's answer")
    try:
        holds = _run(options, console)
    except SandboxError as error:
        Console(stderr=True).print(f"demo: {error}", style="red")
        return 2
    console.print(f"\nTook {time.monotonic() - started_s:.0f} s.")
    return 0 if holds else 1
