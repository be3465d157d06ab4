"""A conversation as people read it: turns, and files for a case.

All output is harmless text: see `clean`. The HTML loads nothing and runs nothing.
"""

from __future__ import annotations

import datetime as dt
import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from chatbot_audit.query.clean import clean, clean_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

WITHHELD: Final = "(content not shown)"
CONTENT_FIELDS: Final = frozenset(
    {
        "user_query",
        "response",
        "full_conversation",
        "raw_text",
        "feedback_comment",
        "attributes",
        "attachments",
        "sources",
        "source_uris",
    }
)
"""What people wrote or were told, or what names it; left out by ``--no-content``."""

_FENCES: Final = re.compile("`{3,}")
_STYLE: Final = """
body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}
section{border-top:1px solid #ccc;padding:.5rem 0}
h1{font-size:1.3rem;overflow-wrap:anywhere}
h2{font-size:1rem;font-weight:normal;color:#555;margin:.5rem 0}
.who{font-weight:bold}
.text{white-space:pre-wrap;overflow-wrap:anywhere;margin:.2rem 0 1rem 1rem}
.note{color:#a40}
"""


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and its answer, harmless to show.

    Attributes:
        time: When it was asked, on the analyst's clock.
        user: Who asked.
        bot: Which bot answered.
        outcome: How it ended; "" if the record does not say.
        question: What was asked.
        answer: What the person was shown.
        notes: What a reader must know: labels, cuts, repeated answers.
        log_url: Web address of the execution log; "" if there is none.
        record_id: Id for ``show``.
    """

    time: str
    user: str
    bot: str
    outcome: str
    question: str
    answer: str
    notes: tuple[str, ...]
    log_url: str
    record_id: str

    @property
    def heading(self) -> str:
        """Return time, bot and outcome on one line."""
        return " · ".join(part for part in (self.time, self.bot, self.outcome) if part)


def without_content(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of *document* that quote nobody."""
    return {k: v for k, v in document.items() if k not in CONTENT_FIELDS}


def make_turns(
    documents: Iterable[Mapping[str, Any]],
    zone: dt.tzinfo,
    *,
    is_content_shown: bool = True,
) -> list[Turn]:
    """Return *documents* as turns, in their order.

    An answer to a message that was answered before is noted: the platform sent it
    twice, and both answers happened.
    """
    turns: list[Turn] = []
    seen: set[str] = set()
    for document in documents:
        message_id = _string(document, "message_id")
        is_repeated = message_id in seen and document.get("record_type") != "feedback"
        turns.append(_turn(document, zone, is_content_shown, is_repeated))
        if message_id:
            seen.add(message_id)
    return turns


def local_time(
    document: Mapping[str, Any], zone: dt.tzinfo, form: str = "%a %Y-%m-%d %H:%M:%S %Z"
) -> str:
    """Return when the question came, on the clock of *zone*.

    A time that cannot be read is returned as it stands, harmless.
    """
    text = _string(document, "@timestamp") or _string(document, "timestamp")
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return clean_line(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return moment.astimezone(zone).strftime(form)


def to_text(turns: Sequence[Turn]) -> str:
    """Return *turns* as plain text."""
    return "\n".join(_text_lines(turns)) + "\n"


def to_markdown(title: str, turns: Sequence[Turn]) -> str:
    """Return *turns* as Markdown; what people wrote stands in fences, as text."""
    lines = [f"# {_one_code(clean_line(title))}"]
    for turn in turns:
        lines += ["", f"## {_escaped(turn.heading)}", ""]
        for who, text in ((turn.user, turn.question), (turn.bot, turn.answer)):
            if text:
                lines += [f"**{_escaped(who)}**", "", *_fenced(text), ""]
        lines += [f"- {_escaped(note)}" for note in turn.notes]
        lines += [f"- execution log: <{turn.log_url}>"] if turn.log_url else []
        lines += [f"- record {_one_code(turn.record_id)}"]
    return "\n".join(lines) + "\n"


def to_html(title: str, turns: Sequence[Turn]) -> str:
    """Return *turns* as one HTML page that needs nothing else."""
    heading = html.escape(clean_line(title))
    sections = "\n".join(_section(turn) for turn in turns)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';'
        " style-src 'unsafe-inline'\">\n"
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{heading}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{heading}</h1>\n{sections}\n</body>\n</html>\n"
    )


def _turn(
    document: Mapping[str, Any],
    zone: dt.tzinfo,
    is_content_shown: bool,
    is_repeated: bool,
) -> Turn:
    def content(name: str) -> str:
        return clean(_string(document, name)) if is_content_shown else WITHHELD

    is_feedback = document.get("record_type") == "feedback"
    return Turn(
        local_time(document, zone),
        clean_line(_string(document, "user_id")),
        clean_line(_string(document, "bot_name")),
        clean_line(_string(document, "outcome")),
        _feedback(document, content) if is_feedback else content("user_query"),
        "" if is_feedback else content("response"),
        tuple(_notes(document, is_repeated=is_repeated)),
        safe_url(_string(document, "log_url")),
        clean_line(_string(document, "record_id") or _string(document, "document_id")),
    )


def _feedback(document: Mapping[str, Any], content: Any) -> str:
    verdict = clean_line(_string(document, "feedback"))
    comment = content("feedback_comment")
    return f"[feedback: {verdict}] {comment}".rstrip()


def _notes(document: Mapping[str, Any], *, is_repeated: bool) -> Iterator[str]:
    if is_repeated:
        yield "answered again: the platform sent this message twice"
    for name in ("topics", "signals", "problems"):
        if labels := _strings(document, name):
            yield f"{name}: " + ", ".join(labels)
    action = _string(document, "guardrail_action")
    if action and action != "none":
        yield f"guardrail: {clean_line(action)}"
    cuts = document.get("truncated")
    for cut in cuts if isinstance(cuts, list) else ():
        if isinstance(cut, dict):
            kept, size = cut.get("kept_bytes"), cut.get("bytes")
            yield clean_line(f"{cut.get('field')} was cut: {kept} of {size} bytes kept")


def _section(turn: Turn) -> str:
    notes = "".join(f'<p class="note">{html.escape(note)}</p>\n' for note in turn.notes)
    link = ""
    if turn.log_url:
        url = html.escape(turn.log_url)
        link = f'<p><a href="{url}" rel="noopener noreferrer">execution log</a></p>\n'
    return (
        f"<section>\n<h2>{html.escape(turn.heading)}</h2>\n"
        f"{_spoken(turn.user, turn.question)}{_spoken(turn.bot, turn.answer)}"
        f"{notes}{link}<h2>record {html.escape(turn.record_id)}</h2>\n</section>"
    )


def _spoken(who: str, text: str) -> str:
    if not text:
        return ""
    return (
        f'<div class="who" dir="auto">{html.escape(who)}</div>\n'
        f'<div class="text" dir="auto">{html.escape(text)}</div>\n'
    )


def _text_lines(turns: Sequence[Turn]) -> Iterator[str]:
    for number, turn in enumerate(turns):
        if number:
            yield ""
        yield f"--- {turn.heading} ---"
        for who, text in ((turn.user, turn.question), (turn.bot, turn.answer)):
            if text:
                yield f"{who}:"
                yield from (f"  {line}" for line in text.split("\n"))
        yield from (f"  ({note})" for note in turn.notes)
        if turn.log_url:
            yield f"  (execution log: {turn.log_url})"
        yield f"  (record {turn.record_id})"


def _fenced(text: str) -> list[str]:
    longest = max((len(run) for run in _FENCES.findall(text)), default=2)
    fence = "`" * (longest + 1)
    return [fence + "text", *text.split("\n"), fence]


def _one_code(text: str) -> str:
    return f"`{text.replace('`', chr(0x2CB))}`"


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>()#+!|&~])", r"\\\1", text)


def safe_url(url: str) -> str:
    """Return *url* if it is a plain web address, else ""."""
    if not url.isascii() or not url.isprintable() or re.search(r"[\s<>\"]", url):
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in {"https", "http"} and parts.netloc else ""


def _string(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) else ""


def _strings(document: Mapping[str, Any], name: str) -> list[str]:
    values = document.get(name)
    if not isinstance(values, list):
        return []
    return [clean_line(value) for value in values if isinstance(value, str)]
