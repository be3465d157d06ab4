"""What every query command shares: its options, the store, the zone, the output."""

from __future__ import annotations

import datetime as dt
import functools
import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from rich.console import Console

from audit_record.codec import dumps
from chatbot_audit.query.clean import clean_line, escape_json
from chatbot_audit.query.transcript import without_content
from chatbot_audit.query.zone import find_zone
from chatbot_audit.settings import QuerySettings
from chatbot_audit.stores.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from chatbot_audit.stores.model import Store

# Where a terminal does not tell its width.
_DEFAULT_WIDTH_CHARS: Final = 100


def _environ() -> Mapping[str, str]:
    return os.environ


def _is_terminal() -> bool:
    return sys.stdout.isatty()


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a command takes from the world; tests put their own in as click's object.

    Attributes:
        environ: Environment variables.
        now: Tells the time, aware.
        is_terminal: Tells whether a person reads the output.
    """

    environ: Mapping[str, str] = field(default_factory=_environ)
    now: Callable[[], dt.datetime] = _utc_now
    is_terminal: Callable[[], bool] = _is_terminal


@dataclass(frozen=True, slots=True)
class Session:
    """One run of a query command.

    Attributes:
        store: Open for reading.
        zone: The analyst's zone.
        now: When the command was given.
        is_json: Whether JSON lines are asked for, or go to a program.
        is_content_shown: Whether questions and answers may be shown.
    """

    store: Store
    zone: dt.tzinfo
    now: dt.datetime
    is_json: bool
    is_content_shown: bool

    def console(self) -> Console:
        """Return the terminal to print tables on."""
        is_terminal = sys.stdout.isatty()
        width = None if is_terminal else _DEFAULT_WIDTH_CHARS
        return Console(highlight=False, markup=False, emoji=False, width=width)

    def write_json(self, documents: Iterable[Mapping[str, Any]]) -> None:
        """Write one JSON object a line."""
        for document in documents:
            shown = document if self.is_content_shown else without_content(document)
            click.echo(escape_json(dumps(dict(shown)).decode()))


def say(sentence: str) -> None:
    """Tell the person something that is not part of the answer."""
    click.echo(sentence, err=True)


def query_command(command: Callable[..., int]) -> Callable[..., int]:
    """Give *command* the common options and a `Session` as first argument."""

    @click.option("--store", type=click.Path(path_type=Path), help="File to search.")
    @click.option("--tz", help="Zone whose days and clock count; e.g. Europe/Berlin.")
    @click.option("--profile", help="Part of the profile file to use.")
    @click.option("--json", "is_json", is_flag=True, help="JSON lines, as when piped.")
    @click.option("--no-content", is_flag=True, help="Leave out what people wrote.")
    @functools.wraps(command)
    def run(
        *,
        store: Path | None,
        tz: str | None,
        profile: str | None,
        is_json: bool,
        no_content: bool,
        **own: Any,
    ) -> int:
        context = click.get_current_context()
        world = context.find_object(Surroundings) or Surroundings()
        settings = QuerySettings.from_env(world.environ, profile)
        settings = replace(
            settings,
            store=store or settings.store,
            tz=tz or settings.tz,
            no_content=no_content or settings.no_content,
        )
        with _session(world, settings, is_json=is_json) as session:
            return command(session, **own)

    return run


@contextmanager
def _session(
    world: Surroundings, settings: QuerySettings, *, is_json: bool
) -> Iterator[Session]:
    zone = find_zone(settings.tz, world.environ)
    with SqliteStore(settings.store, is_read_only=True) as store:
        say(f"store: {clean_line(str(settings.store))}")
        yield Session(
            store,
            zone,
            world.now(),
            is_json or not world.is_terminal(),
            not settings.no_content,
        )
