"""``chatbot-audit search``: what did Bob from Finance ask last Tuesday?"""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import Any, Final

import click

from chatbot_audit.cli.filters import filter_options, make_search
from chatbot_audit.cli.group import NONE_FOUND, OK
from chatbot_audit.cli.session import Session, query_command, say
from chatbot_audit.query.clean import clean_line
from chatbot_audit.query.render import render_search_table
from chatbot_audit.stores.model import Document, Search

_DEFAULT_LIMIT: Final = 50
_MAX_SIMILAR_COUNT: Final = 5


@click.command()
@filter_options
@click.option(
    "--limit",
    type=click.IntRange(0, 1_000_000),
    default=_DEFAULT_LIMIT,
    show_default=True,
    help="The newest so many; 0 is all.",
)
@query_command
def search(
    session: Session, since: str | None, until: str | None, limit: int, **filters: Any
) -> int:
    """Find what people asked the bots.

    Records come in time order, the newest last.
    """
    wanted = make_search(session, since, until, **filters)
    if session.is_json and not limit:
        return _stream(session, wanted)
    # One more than shown tells whether there are more.
    asked = replace(wanted, limit=limit + 1 if limit else None)
    found = list(session.store.search(asked))
    shown = found[-limit:]
    _print(session, wanted, shown)
    if not shown:
        return _none_found(session, wanted)
    if len(shown) < len(found):
        say(f"only the newest {limit:,} are shown; --limit 0 shows all")
    return OK


def _stream(session: Session, wanted: Search) -> int:
    count = 0
    for document in session.store.search(wanted):
        session.write_json([document])
        count += 1
    return OK if count else _none_found(session, wanted)


def _print(session: Session, wanted: Search, documents: list[Document]) -> None:
    if session.is_json:
        session.write_json(documents)
        return
    if not documents:
        return
    text = wanted.text or ""
    words = [text.strip()] if wanted.phrase else text.split()
    render_search_table(
        documents,
        session.console(),
        zone=session.zone,
        is_content_shown=session.is_content_shown,
        words=words,
    )
    say("next: chatbot-audit show RECORD, or chatbot-audit conversation RECORD")


def _none_found(session: Session, wanted: Search) -> int:
    say("no record matches" + _hint(session, wanted))
    return NONE_FOUND


def _hint(session: Session, wanted: Search) -> str:
    """Return the names most like the one asked for, if nobody has that name."""
    if wanted.user is None or any(
        session.store.search(Search(user=wanted.user, limit=1))
    ):
        return ""
    asked = wanted.user.strip().lower()
    names = [row.key[0] for row in session.store.stats(["user"], Search())]
    similar = [name for name in names if asked in name]
    similar += difflib.get_close_matches(asked, names, _MAX_SIMILAR_COUNT)
    unique = list(dict.fromkeys(similar))[:_MAX_SIMILAR_COUNT]
    like = f"; similar: {', '.join(map(clean_line, unique))}" if unique else ""
    return f'; nobody in this store is called "{clean_line(asked)}"{like}'
