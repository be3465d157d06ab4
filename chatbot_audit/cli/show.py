"""``chatbot-audit show``: one record, all of it."""

from __future__ import annotations

import click

from chatbot_audit.cli.group import NONE_FOUND, OK
from chatbot_audit.cli.session import Session, query_command, say
from chatbot_audit.query.render import render_record


@click.command()
@click.argument("record_id")
@query_command
def show(session: Session, record_id: str) -> int:
    """Show one record, all of it.

    RECORD_ID is a record_id or document_id, or the first eight characters or more.
    """
    found = session.store.show(record_id)
    if not found:
        say("no record has that id")
        return NONE_FOUND
    if session.is_json:
        session.write_json(found)
        return OK
    console = session.console()
    for number, document in enumerate(found):
        if number:
            console.rule()
        render_record(
            document,
            console,
            zone=session.zone,
            is_content_shown=session.is_content_shown,
        )
    return OK
