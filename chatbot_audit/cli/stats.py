"""``chatbot-audit stats``: how many questions, by bot, day, person or topic."""

from __future__ import annotations

from typing import Any, Final

import click

from audit_record.times import format_timestamp
from chatbot_audit.cli.filters import filter_options, make_search
from chatbot_audit.cli.group import NONE_FOUND, OK
from chatbot_audit.cli.session import Session, query_command, say
from chatbot_audit.errors import ArgumentError
from chatbot_audit.query.clean import clean_line
from chatbot_audit.query.render import render_stats
from chatbot_audit.stores.model import DIMENSIONS, StatsRow

_QUESTIONS: Final = ("interaction",)


@click.command()
@click.option(
    "--by",
    default="bot",
    show_default=True,
    help="One or more of " + ", ".join(DIMENSIONS) + "; commas between.",
)
@filter_options
@query_command
def stats(
    session: Session, by: str, since: str | None, until: str | None, **filters: Any
) -> int:
    """Count questions and people.

    Only questions are counted, unless --type says otherwise.
    """
    names = _dimensions(by)
    filters["record_types"] = filters["record_types"] or _QUESTIONS
    rows = session.store.stats(names, make_search(session, since, until, **filters))
    if not rows:
        say("no record matches")
        return NONE_FOUND
    if session.is_json:
        session.write_json(_as_json(names, row) for row in rows)
        return OK
    render_stats(rows, session.console(), by=names, zone=session.zone)
    return OK


def _dimensions(by: str) -> list[str]:
    names = [name.strip().lower() for name in by.split(",")]
    for name in names:
        if name not in DIMENSIONS:
            raise ArgumentError(
                f'--by does not know "{clean_line(name, 40)}"; expected some of '
                + ", ".join(DIMENSIONS)
            )
    return list(dict.fromkeys(names))


def _as_json(names: list[str], row: StatsRow) -> dict[str, Any]:
    return dict(zip(names, row.key, strict=True)) | {
        "count": row.count,
        "users": row.user_count,
        "first": format_timestamp(row.first_ms),
        "last": format_timestamp(row.last_ms),
    }
