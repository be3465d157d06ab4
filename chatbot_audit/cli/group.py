"""The group of commands: loads only the one that runs, and speaks for its errors."""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

import chatbot_audit
from chatbot_audit.errors import ChatbotAuditError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

OK: Final = 0
NONE_FOUND: Final = 1
COULD_NOT_RUN: Final = 2
INTERRUPTED: Final = 130  # 128 + SIGINT, as shells report it


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """A command that is imported when it is called.

    Attributes:
        module: Where it is.
        name: What it is called there.
        help: Its line in the list of commands.
        extra: The extra of the distribution that it needs.
    """

    module: str
    name: str
    help: str
    extra: str = "cli"


COMMANDS: Final[Mapping[str, LazyCommand]] = {
    "search": LazyCommand(
        "chatbot_audit.cli.search", "search", "Find what people asked the bots."
    ),
    "show": LazyCommand(
        "chatbot_audit.cli.show", "show", "Show one record, all of it."
    ),
    "conversation": LazyCommand(
        "chatbot_audit.cli.conversation",
        "conversation",
        "Show a conversation as a transcript.",
    ),
    "stats": LazyCommand(
        "chatbot_audit.cli.stats", "stats", "Count questions and people."
    ),
    "sandbox": LazyCommand(
        "chatbot_audit.cli.sandbox",
        "sandbox",
        "Run the whole pipeline on this machine.",
        "sandbox",
    ),
    "spool": LazyCommand(
        "chatbot_audit.cli.spool",
        "spool",
        "Send on records that CloudWatch did not take.",
    ),
    "rules": LazyCommand(
        "chatbot_audit.cli.rules",
        "rules",
        "Check rules for topics, signals and redaction.",
    ),
    "cost": LazyCommand(
        "chatbot_audit.cli.cost",
        "cost",
        "Estimate what the pipeline costs a month, from your prices.",
    ),
}


class AuditGroup(click.Group):
    """Commands that are imported late and whose errors are one sentence each."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the help text."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        del ctx
        lazy = COMMANDS.get(cmd_name)
        if lazy is None:
            return None
        try:
            module = importlib.import_module(lazy.module)
        except ModuleNotFoundError as error:
            raise click.ClickException(
                f"{cmd_name} needs {error.name};"
                f' run pip install "chatbot-audit[{lazy.extra}]"'
            ) from error
        command: click.Command = getattr(module, lazy.name)
        return command

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """Write the list of commands without importing any."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.help) for name, lazy in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command and see that all it wrote has left."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # Whoever reads has read enough, as `head` does: what it got was right.
            _drop_output()
            return OK
        return result

    def main(  # type: ignore[override]  # click's overloads; always ends the process
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        **extra: Any,
    ) -> NoReturn:
        """Run the command line and end the process with the exit code."""
        extra["standalone_mode"] = False
        name = prog_name or "chatbot-audit"
        sys.exit(_outcome(lambda: super(AuditGroup, self).main(args, name, **extra)))


def _outcome(run: Callable[[], Any]) -> int:
    """Return the exit code of *run*, having said what went wrong."""
    try:
        code = run()
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return COULD_NOT_RUN
    except click.ClickException as error:
        return _could_not_run(_sentence(error))
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except ChatbotAuditError as error:
        return _could_not_run(str(error))
    except OSError as error:
        _drop_output()
        return _could_not_run(error.strerror or type(error).__name__)
    return code if isinstance(code, int) else OK


def _sentence(error: click.ClickException) -> str:
    message = error.format_message()
    if isinstance(error, click.UsageError) and error.ctx is not None:
        message = f"{message.rstrip('.')}; see {error.ctx.command_path} --help"
    return " ".join(message.split())


def _could_not_run(sentence: str) -> int:
    click.echo(f"chatbot-audit: {sentence}", err=True)
    return COULD_NOT_RUN


def _drop_output() -> None:
    """Send what Python still holds back to nowhere, so that its exit is quiet."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except (OSError, ValueError):
        # The output is no file of the system's: nothing is held back.
        return


@click.group(
    "chatbot-audit",
    cls=AuditGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(chatbot_audit.__version__, prog_name="chatbot-audit")
def cli() -> None:
    """Ask what people asked the bots, and run the audit pipeline.

    Exit codes: 0 found or done, 1 nothing found or a problem found, 2 could not
    run, 130 interrupted.
    """
