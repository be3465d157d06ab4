"""Many people at once, in threads and in tasks: nothing crosses over."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
import time

from emitter import AuditEmitter, EmitterSettings
from emitter.question import current_question
from emitter.testing import MemorySink, assert_valid

COUNT = 200


def event_of(number):
    return {
        "type": "event_callback",
        "team_id": "T1",
        "event": {
            "type": "message",
            "user": f"U{number}",
            "text": f"question {number}",
            "ts": f"{number}.1",
            "channel": f"C{number}",
        },
    }


def look_up(user):
    """Answer as Slack does, after a moment."""
    time.sleep(0.002)
    return {
        "ok": True,
        "user": {
            "id": user,
            "team_id": "T1",
            "name": user.lower(),
            "profile": {"email": f"{user.lower()}@example.com"},
        },
    }


def tell(q, number):
    """Tell all about one question."""
    assert current_question() is q
    q.conversation([{"role": "user", "content": f"question {number}"}])
    q.tool(f"tool {number}")
    q.source(f"s3://kb/{number}")
    q.set(attributes={"number": number})
    q.reply(f"answer {number}")


def check(records):
    """Check that each record is of one person from end to end."""
    assert len(records) == COUNT
    for record in records:
        assert_valid(record)
        number = record["attributes"]["number"]
        assert record["user_id"] == f"u{number}"
        assert record["user_query"] == f"question {number}"
        assert record["response"] == f"answer {number}"
        assert record["full_conversation"] == f"[user] question {number}"
        assert record["conversation_id"].startswith(f"C{number}:")
        assert record["tools"] == [{"name": f"tool {number}", "status": "ok"}]
        assert record["sources"] == [{"uri": f"s3://kb/{number}"}]
    assert len({record["record_id"] for record in records}) == COUNT


def check_chain(entries):
    """Check that sequence and hashes join all lines in one chain."""
    lines = sorted((e.line for e in entries), key=lambda x: json.loads(x)["seq"])
    records = [json.loads(line) for line in lines]
    first = records[0]["seq"]
    assert [r["seq"] for r in records] == list(range(first, first + len(records)))
    for line, following in zip(lines, records[1:], strict=False):
        assert following["prev_sha256"] == hashlib.sha256(line).hexdigest()


def make_audit(mode="sync"):
    sink = MemorySink()
    settings = EmitterSettings(mode=mode, budget_ms=20_000)
    audit = AuditEmitter("Vera", sinks=[sink], settings=settings, directory=look_up)
    return audit, sink


def in_threads(audit):
    def ask(number):
        with audit.question(event_of(number)) as q:
            time.sleep((number % 7) * 0.001)
            tell(q, number)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(COUNT)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_two_hundred_threads():
    """Each thread's question stays its own; the chain has no holes."""
    audit, sink = make_audit()

    in_threads(audit)

    check(sink.records)
    check_chain(sink.entries)


def test_two_hundred_threads_into_one_queue():
    """The same where one thread writes for all."""
    audit, sink = make_audit("thread")

    in_threads(audit)

    assert audit.flush(30)
    check(sink.records)
    check_chain(sink.entries)


def test_two_hundred_tasks():
    """Tasks that take turns on one thread do not see each other's question."""
    audit, sink = make_audit()

    async def ask(number):
        async with audit.question(event_of(number)) as q:
            await asyncio.sleep((number % 7) * 0.001)
            tell(q, number)
            await asyncio.sleep(0)
            assert current_question() is q

    async def run():
        await asyncio.gather(*(ask(number) for number in range(COUNT)))

    asyncio.run(run())

    check(sink.records)
    check_chain(sink.entries)
    assert audit.stats.written == COUNT


def test_the_loop_goes_on_while_records_are_written():
    """A slow sink holds up its own question, not the others."""
    released = threading.Event()

    class SlowSink(MemorySink):
        def write(self, entry):
            released.wait(10)
            super().write(entry)

    sink = SlowSink()
    audit = AuditEmitter("Vera", sinks=[sink])
    ticks = []

    async def ask():
        async with audit.question(text="hi"):
            pass

    async def run():
        asking = [asyncio.create_task(ask()) for _ in range(50)]
        for _ in range(5):
            await asyncio.sleep(0.01)
            ticks.append(1)
        released.set()
        await asyncio.gather(*asking)

    asyncio.run(run())

    assert len(ticks) == 5
    assert len(sink.entries) == 50


def test_more_attempts_than_threads_go_to_the_fallback(monkeypatch):
    """A service that hangs cannot pile up threads without end."""
    monkeypatch.setattr("emitter.delivery.MAX_ATTEMPTS", 3)
    released = threading.Event()

    class HangingSink:
        def write(self, entry):
            released.wait(20)

    second = MemorySink()
    settings = EmitterSettings(budget_ms=100)
    audit = AuditEmitter("Vera", sinks=[HangingSink(), second], settings=settings)

    for _ in range(5):
        audit.write(user_query="hi")

    released.set()
    assert len(second.entries) == 5
    assert audit.stats.by_reason == {"budget_exceeded": 3, "busy": 2}
