"""Tables, records and transcripts on a terminal, fitted to its width.

Nothing here reads markup: every value is put in as text, and is `clean`.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from rich import box
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from audit_record.codec import dumps
from chatbot_audit.query.clean import clean, clean_line
from chatbot_audit.query.transcript import (
    CONTENT_FIELDS,
    WITHHELD,
    Turn,
    local_time,
    make_turns,
    safe_url,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console, JustifyMethod

    from chatbot_audit.stores.model import StatsRow

# Below these widths a column would leave the question too little room.
_MEDIUM_CHARS: Final = 100
_WIDE_CHARS: Final = 120
_WIDER_CHARS: Final = 150
_WIDEST_CHARS: Final = 190
_ID_CHARS: Final = 12
_MAX_NAME_CHARS: Final = 32
_BAR_CHARS: Final = 20
_LONG_FIELDS: Final = (
    ("user_query", "question"),
    ("response", "answer"),
    ("full_conversation", "conversation"),
    ("raw_text", "quarantined text"),
    ("feedback_comment", "comment"),
)
_GOOD_OUTCOMES: Final = frozenset({"answered", ""})


def render_search_table(
    documents: Iterable[Mapping[str, Any]],
    console: Console,
    *,
    zone: dt.tzinfo,
    is_content_shown: bool = True,
    words: Sequence[str] = (),
) -> None:
    """Print records, one a line; long texts end in ``…``.

    Args:
        documents: In the order of the lines.
        console: Where to; its width decides which columns there are.
        zone: Whose clock times are shown on.
        is_content_shown: Whether questions and answers are.
        words: What was searched for; highlighted.
    """
    columns = _search_columns(console.width, is_content_shown=is_content_shown)
    table = Table(box=box.SIMPLE_HEAD, expand=is_content_shown, padding=(0, 1, 0, 0))
    for name in columns:
        if name in {"question", "answer"}:
            table.add_column(name, no_wrap=True, overflow="ellipsis", ratio=1)
        else:
            # An overlong name must not take the room of the question.
            table.add_column(
                name, no_wrap=True, overflow="ellipsis", max_width=_MAX_NAME_CHARS
            )
    for document in documents:
        cells = [_cell(name, document, zone, console.width) for name in columns]
        for cell in cells if words else ():
            cell.highlight_words(words, "bold reverse", case_sensitive=False)
        table.add_row(*cells)
    console.print(table)


def render_record(
    document: Mapping[str, Any],
    console: Console,
    *,
    zone: dt.tzinfo,
    is_content_shown: bool = True,
) -> None:
    """Print one record: its short fields, then its texts in full."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row("time", Text(local_time(document, zone)))
    long_names = {name for name, _ in _LONG_FIELDS}
    for name, value in document.items():
        is_shown = is_content_shown or name not in CONTENT_FIELDS
        if name not in long_names and is_shown:
            grid.add_row(clean_line(name), Text(_value(value)))
    console.print(grid)
    for name, label in _LONG_FIELDS:
        if name in document:
            text = _value(document[name]) if is_content_shown else WITHHELD
            _print_block(console, label, text, "bold")


def render_transcript(
    documents: Iterable[Mapping[str, Any]],
    console: Console,
    *,
    zone: dt.tzinfo,
    is_content_shown: bool = True,
) -> None:
    """Print a conversation, turn by turn: who asked, what the bot answered."""
    for turn in make_turns(documents, zone, is_content_shown=is_content_shown):
        console.rule(Text(turn.heading), style="dim", align="left")
        if turn.question:
            _print_block(console, turn.user, turn.question, "bold cyan")
        if turn.answer:
            _print_block(console, turn.bot, turn.answer, "bold green")
        for note in _footnotes(turn):
            # An address must stay in one piece, to be followed.
            console.print(Text(f"  {note}", "dim"), soft_wrap=True)


def render_stats(
    rows: Sequence[StatsRow],
    console: Console,
    *,
    by: Sequence[str],
    zone: dt.tzinfo = dt.UTC,
) -> None:
    """Print counts, one group a line, with a bar against the biggest."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in by:
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    right: JustifyMethod = "right"
    table.add_column("questions", justify=right, no_wrap=True)
    table.add_column("people", justify=right, no_wrap=True)
    if console.width >= _MEDIUM_CHARS:
        table.add_column("first", no_wrap=True)
        table.add_column("last", no_wrap=True)
    table.add_column("", no_wrap=True, overflow="crop")
    biggest = max((row.count for row in rows), default=1)
    for row in rows:
        times = (_minute(row.first_ms, zone), _minute(row.last_ms, zone))
        table.add_row(
            *(Text(clean_line(name) or "(none)") for name in row.key),
            f"{row.count:,}",
            f"{row.user_count:,}",
            *(times if console.width >= _MEDIUM_CHARS else ()),
            Text("█" * max(1, round(_BAR_CHARS * row.count / biggest)), "blue"),
        )
    console.print(table)


def _search_columns(width: int, *, is_content_shown: bool) -> list[str]:
    columns = ["time", "bot", "user"]
    if is_content_shown:
        columns.append("question")
        columns += ["answer"] if width >= _WIDE_CHARS else []
    if width >= _MEDIUM_CHARS or not is_content_shown:
        columns.append("outcome")
    if width >= _WIDER_CHARS or not is_content_shown:
        columns.append("labels")
    return [*columns, "record"]


def _cell(name: str, document: Mapping[str, Any], zone: dt.tzinfo, width: int) -> Text:
    if name == "time":
        form = "%a %Y-%m-%d %H:%M" if width >= _WIDE_CHARS else "%d %b %H:%M"
        return Text(local_time(document, zone, form))
    if name == "record":
        record_id = _line(document, "record_id") or _line(document, "document_id")
        return Text(record_id if width >= _WIDEST_CHARS else record_id[:_ID_CHARS])
    if name == "outcome":
        outcome = _line(document, "outcome")
        return Text(outcome, "" if outcome in _GOOD_OUTCOMES else "yellow")
    if name == "labels":
        return Text(_labels(document), "magenta")
    field = {"bot": "bot_name", "user": "user_id", "question": "user_query"}
    return Text(_line(document, field.get(name, "response")))


def _labels(document: Mapping[str, Any]) -> str:
    names: list[str] = []
    for field in ("topics", "signals"):
        values = document.get(field)
        if isinstance(values, list):
            names += [v for v in values if isinstance(v, str)]
    return clean_line(" ".join(names), 60)


def _footnotes(turn: Turn) -> list[str]:
    notes = [f"({note})" for note in turn.notes]
    if turn.log_url:
        notes.append(f"execution log: {turn.log_url}")
    return [*notes, f"record {turn.record_id}"]


def _print_block(console: Console, who: str, text: str, style: str) -> None:
    console.print(Text(who, style))
    console.print(Padding(Text(text), (0, 0, 0, 2)))


def _value(value: Any) -> str:
    if isinstance(value, str):
        return safe_url(value) or clean(value)
    return clean(dumps(value).decode())


def _line(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    return clean_line(value) if isinstance(value, str) else ""


def _minute(epoch_ms: int, zone: dt.tzinfo) -> str:
    moment = dt.datetime.fromtimestamp(epoch_ms / 1_000, dt.UTC)
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")
