"""``chatbot-audit conversation``: the turns of one conversation, for reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from chatbot_audit.cli.group import NONE_FOUND, OK
from chatbot_audit.cli.session import Session, query_command, say
from chatbot_audit.query.render import render_transcript
from chatbot_audit.query.transcript import (
    make_turns,
    to_html,
    to_markdown,
    to_text,
)

if TYPE_CHECKING:
    from chatbot_audit.stores.model import Document


@click.command()
@click.argument("conversation_id")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["md", "html", "text"]),
    help="A file for a case, written to the output.",
)
@query_command
def conversation(session: Session, conversation_id: str, output: str | None) -> int:
    """Show a conversation as a transcript.

    CONVERSATION_ID is a conversation_id, or the record_id of one of its turns.
    """
    found = _find(session, conversation_id)
    if not found:
        say("no record belongs to that conversation")
        return NONE_FOUND
    if output is not None:
        click.echo(_case_file(session, found, output), nl=False)
    elif session.is_json:
        session.write_json(found)
    else:
        _print(session, found)
    return OK


def _find(session: Session, wanted: str) -> list[Document]:
    found = session.store.conversation(wanted)
    for record in [] if found else session.store.show(wanted):
        conversation_id = record.get("conversation_id")
        if isinstance(conversation_id, str):
            return session.store.conversation(conversation_id)
    return found


def _case_file(session: Session, found: list[Document], output: str) -> str:
    turns = make_turns(found, session.zone, is_content_shown=session.is_content_shown)
    if output == "text":
        return to_text(turns)
    title = f"Conversation {found[0].get('conversation_id')}"
    return to_html(title, turns) if output == "html" else to_markdown(title, turns)


def _print(session: Session, found: list[Document]) -> None:
    render_transcript(
        found,
        session.console(),
        zone=session.zone,
        is_content_shown=session.is_content_shown,
    )
