"""The emitter's public face: sinks in order, hooks, single records, the decorator."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import json
import threading
import time

import pytest

from audit_record.fields import FIELDS
from emitter import AuditEmitter, Clock, EmitterSettings
from emitter.identity import Home, from_text
from emitter.question import current_question
from emitter.single import read_time_ms
from emitter.testing import FailingSink, MemorySink, assert_valid

NOW_MS = 1_795_532_645_123
SLACK = {"type": "message", "user": "U1", "text": "hi", "ts": "1.2", "channel": "C1"}
SMALL = EmitterSettings(max_record_bytes=40_000, budget_ms=1_000)


@pytest.fixture
def sink():
    return MemorySink()


@pytest.fixture
def audit(sink):
    return AuditEmitter("Vera", sinks=[sink], clock=Clock(now_ms=lambda: NOW_MS))


def record_of(sink):
    """Return the one record written, which is valid."""
    (record,) = sink.records
    assert_valid(record)
    return record


def test_the_second_sink_takes_what_the_first_refuses():
    """Sinks are tried in order, with the same bytes; each step is counted."""
    first, second, third = FailingSink("denied"), FailingSink("full"), MemorySink()
    audit = AuditEmitter("Vera", sinks=[first, second, third])

    with audit.question(text="hi") as q:
        q.reply("x")

    assert (first.attempts_count, second.attempts_count) == (1, 1)
    assert record_of(third)["response"] == "x"
    assert audit.stats.fallback == 1
    assert audit.stats["by_reason"] == {"denied": 1}
    assert audit.last_error == "full"


def test_a_record_that_nothing_takes_is_counted(caplog):
    """Nothing is dropped silently."""
    audit = AuditEmitter("Vera", sinks=[FailingSink("a"), FailingSink("b")])

    with audit.question(text="canary"):
        pass

    assert audit.stats.failed == 1
    assert audit.last_error == "b"
    assert "audit delivery: reason=b count=1" in caplog.messages
    assert "canary" not in caplog.text


def test_without_any_sink_the_loss_is_counted():
    """An empty list of sinks is a choice, and visible."""
    audit = AuditEmitter("Vera", sinks=[])

    with audit.question():
        pass

    assert audit.stats.by_reason == {"no_sink": 1}


def test_a_sink_of_the_bots_own_may_raise_anything():
    """What a sink raises is a reason, never the bot's problem."""

    class OddSink:
        def write(self, entry):
            raise ZeroDivisionError("canary")

    second = MemorySink()
    audit = AuditEmitter("Vera", sinks=[OddSink(), second])

    with audit.question():
        pass

    assert audit.stats.by_reason == {"ZeroDivisionError": 1}
    assert len(second.entries) == 1


def test_a_sink_that_hangs_costs_the_budget():
    """The block waits for the deadline, then the fallback has the same bytes."""
    released = threading.Event()

    class HangingSink(MemorySink):
        def write(self, entry):
            super().write(entry)
            released.wait(20)

    first, second = HangingSink(), MemorySink()
    settings = EmitterSettings(budget_ms=200)
    audit = AuditEmitter("Vera", sinks=[first, second], settings=settings)
    started_s = time.monotonic()

    with audit.question():
        pass

    assert time.monotonic() - started_s < 5
    assert audit.stats.by_reason == {"budget_exceeded": 1}
    assert first.entries == second.entries
    released.set()


@pytest.mark.parametrize("left_ms", [400, 0, -100])
def test_without_time_left_the_fallback_is_written_at_once(left_ms):
    """Half a second of the Lambda's time is the bot's own."""

    class Context:
        @staticmethod
        def get_remaining_time_in_millis():
            return left_ms

    first, second = MemorySink(), MemorySink()
    audit = AuditEmitter("Vera", sinks=[first, second])

    audit.write(user_query="hi", lambda_context=Context())

    assert first.entries == []
    assert len(second.entries) == 1


def test_a_hung_directory_leaves_the_person_unresolved():
    """The budget ends the look-up: the record goes out with the platform's id."""
    released = threading.Event()
    second = MemorySink()
    audit = AuditEmitter(
        "Vera",
        sinks=[MemorySink(), second],
        settings=EmitterSettings(budget_ms=200),
        directory=lambda _: released.wait(20),
    )

    with audit.question(SLACK):
        pass

    record = record_of(second)
    released.set()
    assert record["user_id"] == "unknown_user_id"
    assert record["user_platform_id"].endswith("U1")
    assert record["user_resolution"] == "unresolved:timeout"


def test_redact_runs_on_each_text(sink):
    """The hook sees every text of a person, and its answers are what is kept."""
    audit = AuditEmitter("Vera", sinks=[sink], redact=lambda t: t.replace("x", "*"))

    with audit.question(text="ax", attributes={"k": "bx"}) as q:
        q.conversation("cx")
        q.reply("dx")
        q.source("s3://x", title="ex")
        q.attachment("fx.pdf")

    record = record_of(sink)
    assert record["user_query"] == "a*"
    assert record["attributes"] == {"k": "b*"}
    assert record["full_conversation"] == "c*"
    assert record["response"] == "d*"
    assert record["sources"][0] == {"uri": "s3://x", "title": "e*"}
    assert record["attachments"][0]["name"] == "f*.pdf"
    assert "redactions" not in record


def broken_hook(text):
    raise ValueError(text)


@pytest.mark.parametrize(
    "hook",
    [broken_hook, lambda _: None, lambda _: b"x"],
    ids=["raises", "none", "bytes"],
)
def test_a_broken_redact_hook_withholds_its_texts(sink, caplog, hook):
    """It fails closed: the text is not kept, and the record says how many."""
    audit = AuditEmitter("Vera", sinks=[sink], redact=hook)

    with audit.question(text="canary") as q:
        q.reply("canary")

    record = record_of(sink)
    assert b"canary" not in sink.entries[0].line
    assert "canary" not in caplog.text
    assert record["redactions"] == {"withheld": 2}


def test_a_hung_redact_hook_withholds_its_texts():
    """The budget ends a hook as well, and nothing unredacted gets out."""
    released = threading.Event()

    def hang(text):
        released.wait(20)
        return text

    second = MemorySink()
    settings = EmitterSettings(budget_ms=200)
    audit = AuditEmitter(
        "Vera", sinks=[MemorySink(), second], settings=settings, redact=hang
    )

    with audit.question(text="canary"):
        pass

    record = record_of(second)
    released.set()
    assert b"canary" not in second.entries[0].line
    assert record["redactions"] == {"withheld": 1}


def test_an_overflow_is_told_with_the_untouched_record(sink):
    """What was cut can be kept elsewhere by the bot, complete and without seals."""
    told = []
    audit = AuditEmitter("Vera", sinks=[sink], settings=SMALL, on_overflow=told.append)
    text = "word " * 20_000

    with audit.question(text="why?") as q:
        q.conversation([{"role": "user", "content": text}])
        q.reply("kept")

    record = record_of(sink)
    (untouched,) = told
    assert untouched["full_conversation"] == "[user] " + text
    assert untouched["record_id"] == record["record_id"]
    assert "seq" not in untouched
    assert len(sink.entries[0].line) <= 40_000
    assert record["response"] == "kept"
    assert [entry["field"] for entry in record["truncated"]] == ["full_conversation"]
    digest = hashlib.sha256((record["nonce"] + "[user] " + text).encode()).hexdigest()
    assert record["truncated"][0]["sha256"] == digest
    assert audit.stats.shortened == 1


@pytest.mark.parametrize("first_works", [True, False])
def test_a_broken_overflow_hook_harms_nobody(caplog, first_works):
    """The record is written whatever the hook does."""
    first = MemorySink() if first_works else FailingSink()
    second = MemorySink()
    audit = AuditEmitter(
        "Vera", sinks=[first, second], settings=SMALL, on_overflow=broken_hook
    )

    audit.write(response="canary " * 20_000)

    assert len(first.entries) + len(second.entries) == 1
    assert "canary" not in caplog.text


def test_a_short_record_is_no_overflow(sink):
    """The hook is not asked in vain."""
    told = []
    audit = AuditEmitter("Vera", sinks=[sink], on_overflow=told.append)

    audit.write(response="short")

    assert told == []
    assert audit.stats.shortened == 0


def test_write_takes_the_ten_core_fields(audit, sink):
    """A record in one call, for bots that had a function of their own."""
    record_id = audit.write(
        timestamp="2026-11-24T15:04:05.123Z",
        bot_name="Other",
        aws_account_id="123456789012",
        user_id="Bob.Smith@example.com",
        session_id="s",
        conversation_id="c",
        model_used="m",
        response="r",
        user_query="q",
        full_conversation="f",
        department="Finance",
    )

    record = record_of(sink)
    assert record["record_id"] == record_id
    assert record["user_id"] == "bob.smith"
    assert record["user_email"] == "bob.smith@example.com"
    assert record["bot_name"] == "Other"
    assert sink.entries[0].log_stream == "Other/s"
    assert record["outcome"] == "answered"
    assert record["department"] == "Finance"


def test_write_fills_what_is_missing(audit, sink):
    """Nothing is required; the time is now, the texts may be empty."""
    audit.write()

    record = record_of(sink)
    assert record["timestamp"] == "2026-11-24T15:04:05.123Z"
    assert record["record_type"] == "interaction"
    assert record["outcome"] == "empty"
    assert record["session_id"].startswith("local/")


def test_write_takes_any_field_of_the_table(audit, sink):
    """Every name of the table is taken; what is not a bot's to say is left out."""
    record_id = "0193" + "ab" * 14
    values = {field.name: field.example for field in FIELDS}

    written = audit.write(**values | {"record_id": record_id})

    record = record_of(sink)
    assert written == record["record_id"] == record_id
    assert "document_id" not in record
    assert "source_sha256" not in record


def test_write_refuses_an_unknown_field(audit, sink):
    """A misspelt name shows at the first run."""
    with pytest.raises(TypeError, match="no such field"):
        audit.write(user_questoin="hi")

    assert sink.entries == []


def test_write_takes_messages_and_texts_as_they_come(audit, sink):
    """A hand-written function's arguments need no preparing."""
    audit.write(
        full_conversation=[{"role": "user", "content": "why?"}],
        response={"text": "because"},
        attributes={"n": 1},
    )

    record = record_of(sink)
    assert record["full_conversation"] == "[user] why?"
    assert record["user_query"] == "why?"
    assert record["response"] == "because"
    assert record["attributes"] == {"n": "1"}


def test_write_resolves_an_event(sink):
    """`user` may be the event that tells who it was."""
    answer = {"ok": True, "user": {"id": "U1", "team_id": "T1", "name": "ada"}}
    audit = AuditEmitter("Vera", sinks=[sink], directory=lambda _: answer)

    audit.write(user=SLACK, user_query="hi")

    record = record_of(sink)
    assert record["user_id"] == "ada"
    assert record["channel_id"] == "C1"


def test_write_takes_an_identity(audit, sink):
    """Who has resolved the person already hands that over."""
    audit.write(user=from_text("ada@example.com", Home()))

    assert record_of(sink)["user_id"] == "ada"


UTC = dt.UTC
MOMENTS = [
    ("2026-11-24T15:04:05.123Z", NOW_MS),
    ("2026-11-24T16:04:05.123+01:00", NOW_MS),
    ("2026-11-24T15:04:05.123456", NOW_MS),
    ("2026-11-24 15:04:05", NOW_MS - 123),
    (dt.datetime(2026, 11, 24, 15, 4, 5, 123_000, tzinfo=UTC), NOW_MS),
    (dt.datetime(2026, 11, 24, 15, 4, 5, 123_000), NOW_MS),  # noqa: DTZ001
    (NOW_MS, NOW_MS),
    (NOW_MS // 1_000, NOW_MS - 123),
    (1_795_532_645.5, 1_795_532_645_500),
    ("yesterday", None),
    ("", None),
    (None, None),
    (True, None),
    (float("nan"), None),
    (float("inf"), None),
    ([], None),
]


@pytest.mark.parametrize(
    ("moment", "time_ms"), MOMENTS, ids=[repr(moment) for moment, _ in MOMENTS]
)
def test_times_are_read_as_bots_write_them(moment, time_ms):
    """ISO texts, datetimes, seconds and milliseconds all mean an instant."""
    assert read_time_ms(moment) == time_ms


def test_a_time_that_is_none_becomes_an_attribute(audit, sink):
    """The record is dated now, and what the bot said is kept."""
    audit.write(timestamp="yesterday")

    record = record_of(sink)
    assert sink.entries[0].timestamp_ms == NOW_MS
    assert record["timestamp"] == "2026-11-24T15:04:05.123Z"
    assert record["attributes"] == {"timestamp": "yesterday"}


def test_feedback_names_the_interaction(audit, sink):
    """What a person thinks is a record of its own about another."""
    interaction = audit.write(user_query="q", response="r")
    sink.clear()

    feedback = audit.feedback(interaction, "down", comment="wrong", user="bob")

    record = record_of(sink)
    assert record["record_id"] == feedback != interaction
    assert record["record_type"] == "feedback"
    assert record["ref_record_id"] == interaction
    assert record["feedback"] == "down"
    assert record["feedback_comment"] == "wrong"
    assert record["user_id"] == "bob"
    assert "outcome" not in record


def test_odd_feedback_is_kept_as_it_is(audit, sink):
    """A verdict that is none, about nothing, still leaves what was said."""
    audit.feedback(None, "meh", comment=5)

    record = record_of(sink)
    assert record["record_type"] == "feedback"
    assert record["attributes"]["feedback"] == "meh"


def test_ids_can_be_made_by_chance_of_the_caller(sink):
    """Randomness is an argument: a replayed test has the same ids."""
    audit = AuditEmitter(
        "Vera",
        sinks=[sink],
        clock=Clock(now_ms=lambda: NOW_MS),
        random_bits=lambda bits: (1 << bits) - 1,
    )

    with audit.question() as q:
        pass

    assert q.record_id == f"{NOW_MS:012x}7fffbfffffffffffffff"
    assert record_of(sink)["nonce"] == "f" * 32


def test_two_warm_invocations_share_nothing(audit, sink):
    """What the first question was told is not in the second."""
    with audit.question(text="first", attributes={"a": "1"}) as q:
        q.tool("t")
        q.reply("x")
    with audit.question(text="second"):
        pass

    record = sink.records[1]
    assert "tools" not in record
    assert "attributes" not in record
    assert record["response"] == ""


def test_a_slack_retry_has_its_own_record_and_the_same_message(audit, sink):
    """Both answers happened; `message_id` says that they answer one message."""
    envelope = {"type": "event_callback", "team_id": "T1", "event": SLACK}
    mention = envelope | {"event": SLACK | {"type": "app_mention"}}
    for event in (envelope, envelope, mention):
        with audit.question(event):
            pass

    records = sink.records
    assert len({record["record_id"] for record in records}) == 3
    assert {record["message_id"] for record in records} == {"slack:T1/C1/1.2"}


def test_the_decorator_makes_each_call_a_question(audit, sink):
    """The event is the source, a text that is returned is the reply."""

    @audit.audited
    def handler(event, context):
        """Answer."""
        assert current_question() is not None
        return f"hello {event['user']}"

    assert handler(SLACK, None) == "hello U1"

    record = record_of(sink)
    assert handler.__doc__ == "Answer."
    assert record["user_query"] == "hi"
    assert record["response"] == "hello U1"


def test_the_decorator_lets_errors_through(audit, sink):
    """A handler's error is recorded and goes on."""

    @audit.audited
    def handler(event):
        raise LookupError("secret")

    with pytest.raises(LookupError):
        handler(SLACK)

    assert record_of(sink)["error_type"] == "LookupError"


def test_the_decorator_knows_methods_keywords_and_contexts(audit, sink):
    """The event is found behind `self`, and by the names that frameworks use."""

    class Context:
        aws_request_id = "req-1"

    class Bot:
        @audit.audited
        def handle(self, event, context):
            return "x"

    Bot().handle(SLACK, Context())
    Bot().handle(event=SLACK, context=Context())

    for record in sink.records:
        assert record["user_query"] == "hi"
        assert record["request_id"] == "req-1"


def test_the_decorator_leaves_a_told_reply_alone(audit, sink):
    """What the bot told beats what it returned."""

    @audit.audited
    def handler(event):
        current_question().reply("shown")
        return "returned"

    handler(SLACK)

    assert record_of(sink)["response"] == "shown"


def test_the_decorator_awaits(audit, sink):
    """Coroutine functions stay coroutine functions."""

    @audit.audited
    async def handler(event):
        await asyncio.sleep(0)
        return "later"

    assert asyncio.run(handler(SLACK)) == "later"
    assert record_of(sink)["response"] == "later"


def test_the_decorator_streams(audit, sink):
    """Pieces of text add up; between them the reader runs for no question."""

    @audit.audited
    def handler(event):
        for piece in ("He", "llo"):
            assert current_question() is not None
            yield piece

    seen = []
    for piece in handler(SLACK):
        assert current_question() is None
        seen.append(piece)

    assert seen == ["He", "llo"]
    assert record_of(sink)["response"] == "Hello"


def test_a_stream_that_nobody_reads_on_is_cancelled(audit, sink):
    """What was shown until then is kept."""

    @audit.audited
    def handler(event):
        yield "He"
        yield "llo"

    pieces = handler(SLACK)
    next(pieces)
    pieces.close()

    record = record_of(sink)
    assert record["response"] == "He"
    assert record["outcome"] == "cancelled"


def test_the_decorator_streams_asynchronously(audit, sink):
    """The same for asynchronous generators."""

    @audit.audited
    async def handler(event):
        for piece in ("He", "llo"):
            assert current_question() is not None
            yield piece

    async def run():
        seen = []
        async for piece in handler(SLACK):
            assert current_question() is None
            seen.append(piece)
        return seen

    assert asyncio.run(run()) == ["He", "llo"]
    assert record_of(sink)["response"] == "Hello"


def test_watch_returns_the_client(audit, caplog):
    """What is no client of Bedrock is left alone."""
    client = object()

    assert audit.watch(client) is client


def test_flush_and_close_can_always_be_called(audit, sink):
    """In mode sync there is nothing to wait for; a later question is still written."""
    assert audit.flush(0)
    audit.close()
    audit.close()

    audit.write()

    assert len(sink.entries) == 1


def test_lines_are_one_line(audit, sink):
    """Line breaks of any kind stay inside the JSON string."""
    audit.write(user_query="a\nb\r\nc\u2028d", response="\x00")

    line = sink.entries[0].line
    assert b"\n" not in line
    assert json.loads(line)["user_query"] == "a\nb\r\nc\u2028d"


def test_the_metrics_line_is_printed_on_aws(monkeypatch, capsys, sink):
    """On Lambda one line a minute tells CloudWatch how many were written."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "vera")
    monkeypatch.setattr("emitter.metrics.tell", lambda *_: '{"_aws":{}}')
    audit = AuditEmitter("Vera", sinks=[sink])

    audit.write()

    assert capsys.readouterr().out == '{"_aws":{}}\n'


def test_elsewhere_no_metrics_line_is_printed(capsys, audit):
    """A laptop's terminal stays clean."""
    audit.write()

    assert capsys.readouterr().out == ""
