"""What bot authors write, as a strict type checker sees it; never run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_type

from audit_record import AuditRecord
from emitter import AuditEmitter, Clock, EmitterSettings, Entry, Question, Sink
from emitter.conversation import flatten, readable_slack, readable_teams
from emitter.identity import (
    Home,
    Identity,
    LookupFailure,
    SlackDirectory,
    TeamsDirectory,
    from_claims,
    from_slack,
    from_teams,
    from_text,
)
from emitter.testing import MemorySink, assert_valid


class ListSink:
    """A sink of a bot author's own."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def write(self, entry: Entry) -> None:
        """Keep a line."""
        self.lines.append(entry.line)


def mask(text: str) -> str:
    """Stand for a redact hook."""
    return text.replace("secret", "***")


def overflowed(record: AuditRecord) -> None:
    """Stand for an overflow hook."""
    print(record.record_id)  # noqa: T201 - an example


sink: Sink = ListSink()
audit = AuditEmitter(
    "Vera",
    settings=EmitterSettings(home_domains=("example.com",)),
    sinks=[sink, MemorySink()],
    directory=SlackDirectory("token"),
    redact=mask,
    on_overflow=overflowed,
    clock=Clock(now_ms=lambda: 1),
    strict=True,
)


def handler(event: Mapping[str, Any], context: object) -> str:
    """Audit one question, with everything that can be said."""
    with audit.question(event, lambda_context=context, model="m") as q:
        assert_type(q, Question)
        messages = [{"role": "user", "content": "hi"}]
        q.conversation(messages)
        answer: dict[str, str] = {"stopReason": "end_turn"}
        assert_type(q.model_response(answer), dict[str, str])
        q.tool("search", ms=5)
        q.source("s3://bucket/key", title="Guide", score=0.5)
        q.attachment("report.pdf", data=b"...")
        q.set(department="Finance", attributes={"team": "emea"})
        assert_type(q.bedrock_metadata(), dict[str, str])
        assert_type(q.bind(mask)("x"), str)
        q.reply("hello")
        assert_type(q.record_id, str)
    return q.record_id


async def handler_async(event: Mapping[str, Any]) -> None:
    """Audit one question of an asynchronous bot."""
    async with audit.question(event) as q:
        q.reply("hello")


@audit.audited
def decorated(event: Mapping[str, Any], context: object) -> str:
    """Keep its own type when it is decorated."""
    return f"{event} {context}"


assert_type(decorated({}, None), str)
assert_type(audit.write(user_query="q", response="a"), str | None)
assert_type(audit.feedback("ab" * 16, "up", comment="thanks"), str | None)
assert_type(audit.stats.written, int)
assert_type(audit.problems, tuple[str, ...])

home = Home(domains=("example.com",), tenant="t")
assert_type(from_slack(LookupFailure("timeout"), {}, home), Identity)
assert_type(from_teams({}, {}, home), Identity)
assert_type(from_claims({}, home), Identity)
assert_type(from_text("bob", home), Identity)
assert_type(flatten([]), str)
assert_type(readable_slack("text"), str)
assert_type(readable_teams("text"), str)
TeamsDirectory(lambda: "token")


def test_my_bot(audit_records: list[AuditRecord]) -> None:
    """Use the fixture of this package."""
    assert_valid(audit_records[0])
    assert_type(audit_records[0].user_id, str)
