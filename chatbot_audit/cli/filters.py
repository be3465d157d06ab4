"""The options that say which records are meant, and the `Search` they make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from audit_record.fields import OUTCOMES, RECORD_TYPES
from chatbot_audit.cli.session import Session, say
from chatbot_audit.errors import ArgumentError
from chatbot_audit.query.when import describe, resolve
from chatbot_audit.stores.model import Search

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.decorators import FC

MAX_TEXT_CHARS: Final = 4_000
_NAMES: Final = ("user", "bot", "text", "topic", "signal", "department")


def filter_options(command: FC) -> FC:
    """Add the filter options to *command*; it gets them as keyword arguments."""
    options: list[Callable[[FC], FC]] = [
        click.option("--user", help="Login, e-mail or platform id."),
        click.option("--since", help='Time phrase, e.g. "last tuesday", 2h, -7d@d.'),
        click.option("--until", help="Time phrase; the end of it is meant."),
        click.option("--bot", help="Name of a bot."),
        click.option("--text", help="Words in question, answer or conversation."),
        click.option("--phrase", is_flag=True, help="The words of --text as they are."),
        click.option("--topic", help="E.g. compensation or compensation@response."),
        click.option("--signal", help="E.g. injection or injection:role_play."),
        click.option("--department", help="E.g. Finance."),
        click.option("--outcome", type=click.Choice(OUTCOMES), help="How it ended."),
        click.option(
            "--type",
            "record_types",
            type=click.Choice(RECORD_TYPES),
            multiple=True,
            help="Type of record; may be given several times.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def make_search(
    session: Session, since: str | None, until: str | None, **filters: Any
) -> Search:
    """Return the search that the options mean, having told the interval.

    Raises:
        ArgumentError: An option is empty or too long, or --phrase has no --text.
        WhenError: A time phrase cannot be read.
    """
    for name in _NAMES:
        _require_value(name, filters[name])
    if filters["phrase"] and filters["text"] is None:
        raise ArgumentError("--phrase needs --text, the words that it is about")
    interval = resolve(since, until, now=session.now, zone=session.zone)
    say(f"time:  {describe(interval, session.zone)}")
    return Search(
        since_ms=interval.since_ms,
        until_ms=interval.until_ms,
        zone=session.zone,
        **filters,
    )


def _require_value(name: str, value: str | None) -> None:
    if value is None:
        return
    if not value.strip():
        raise ArgumentError(f"--{name} is empty; leave it out to search without it")
    if len(value) > MAX_TEXT_CHARS:
        raise ArgumentError(f"--{name} is longer than {MAX_TEXT_CHARS:,} characters")
