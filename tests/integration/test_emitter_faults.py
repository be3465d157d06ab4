"""Whatever CloudWatch does: exact calls, a kept budget, and no record lost."""

from __future__ import annotations

import hashlib
import json
import logging
import random
import threading
import time

import pytest

from audit_record.ids import document_id
from emitter import AuditEmitter, Clock, EmitterSettings
from emitter.runtime import local_session_id
from emitter.sinks.stdout import MARKER
from emitter.testing import assert_valid
from tests.factories import LOG_GROUP
from tests.integration.logs_endpoint import (
    BROKEN,
    DENY,
    DRIP,
    GONE,
    HANG,
    PAGE,
    REJECT_EXPIRED,
    REJECT_NEW,
    REJECT_OLD,
    RESET,
    THROTTLE,
    UNAVAILABLE,
    error,
    logs_endpoint,
    use_endpoint,
    wait_until,
)

BUDGET_MS = 1_500
# The block may take its budget, and a moment on a busy machine.
LONGEST_S = BUDGET_MS / 1_000 + 1.0
PUT, CREATE = "PutLogEvents", "CreateLogStream"
SETTINGS = EmitterSettings(sink="cloudwatch", budget_ms=BUDGET_MS)


@pytest.fixture
def stream():
    """The stream of this process's bot."""
    return f"VeraSlack/{local_session_id()}"


@pytest.fixture
def endpoint(monkeypatch, stream):
    """A CloudWatch in which the bot's stream exists."""
    with logs_endpoint(existing=[stream]) as service:
        use_endpoint(monkeypatch, service.url)
        # The AWS library is loaded once, outside any budget.
        patient = EmitterSettings(sink="cloudwatch", budget_ms=60_000)
        AuditEmitter("VeraSlack", settings=patient).write(user_query="warm-up")
        service.calls.clear()
        service.streams[LOG_GROUP, stream].clear()
        yield service
        assert service.violations == []


def ask(audit, text="hi"):
    """Ask one question; return the seconds that leaving its block took."""
    with audit.question(text=text, user="bob.smith@example.com") as q:
        q.reply("hello")
        started_s = time.monotonic()
    return time.monotonic() - started_s


def fallback_lines(text):
    """Return the fallback lines among what was printed."""
    lines = [line for line in text.splitlines() if line.startswith(MARKER)]
    return [json.loads(line.removeprefix(MARKER)) for line in lines]


FAULTS = [
    # fault of every call, the calls of one record, the reason that is counted
    pytest.param(HANG, None, "budget_exceeded", id="hangs"),
    pytest.param(DRIP, [PUT], "budget_exceeded", id="drips"),
    pytest.param(RESET, [PUT, PUT], "connection", id="resets"),
    pytest.param(THROTTLE, [PUT, PUT], "throttled", id="throttles"),
    pytest.param(BROKEN, [PUT, PUT], "unavailable", id="500"),
    pytest.param(UNAVAILABLE, [PUT, PUT], "unavailable", id="503"),
    pytest.param(DENY, [PUT], "denied", id="denies"),
    pytest.param(
        error("ExpiredTokenException"), [PUT], "expired_credentials", id="expired"
    ),
    pytest.param(
        error("InvalidParameterException"), [PUT], "invalid_parameter", id="invalid"
    ),
    pytest.param(GONE, [PUT, CREATE], "not_found", id="group missing"),
    pytest.param(REJECT_OLD, [PUT], "rejected_too_old", id="too old"),
    pytest.param(REJECT_NEW, [PUT], "rejected_too_new", id="too new"),
    pytest.param(REJECT_EXPIRED, [PUT], "rejected_expired", id="expired event"),
    pytest.param(PAGE, [PUT], "bad_answer", id="a proxy's page"),
]


@pytest.mark.parametrize(("fault", "calls", "reason"), FAULTS)
def test_a_fault_costs_exact_calls_and_one_fallback_line(
    endpoint, capsys, fault, calls, reason
):
    """Every fault ends in the fallback, with the bytes that CloudWatch was sent."""
    endpoint.always = fault
    audit = AuditEmitter("VeraSlack", settings=SETTINGS)

    took_s = ask(audit)

    (wrapper,) = fallback_lines(capsys.readouterr().out)
    assert took_s < LONGEST_S
    assert_valid(wrapper["line"])
    assert wrapper["line_sha256"] == sha256(wrapper["line"])
    assert calls is None or endpoint.calls == calls
    assert audit.stats.fallback == 1
    assert audit.stats.by_reason == {reason: 1}
    assert audit.last_error == reason


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_missing_stream_is_created_and_remembered(endpoint, capsys, stream):
    """Put first, create only when it is not there, put again; then just put."""
    del endpoint.streams[LOG_GROUP, stream]
    audit = AuditEmitter("VeraSlack", settings=SETTINGS)

    ask(audit)
    ask(audit)

    assert endpoint.calls == [PUT, CREATE, PUT, PUT]
    assert audit.stats.written == 2
    assert fallback_lines(capsys.readouterr().out) == []


def test_a_vanished_stream_is_recovered_once(endpoint, capsys, stream):
    """A stream that somebody deletes is made again; one that stays away is given up."""
    audit = AuditEmitter("VeraSlack", settings=SETTINGS)
    ask(audit)
    del endpoint.streams[LOG_GROUP, stream]
    ask(audit)
    assert endpoint.calls == [PUT, PUT, CREATE, PUT]
    endpoint.calls.clear()
    endpoint.faults = [GONE, (200, {}), GONE]

    ask(audit)

    assert endpoint.calls == [PUT, CREATE, PUT]
    assert audit.stats.by_reason == {"not_found": 1}
    assert len(fallback_lines(capsys.readouterr().out)) == 1


def test_somebody_else_creating_the_stream_is_as_good(endpoint, stream):
    """AlreadyExists means that the stream is there."""
    endpoint.faults = [GONE, error("ResourceAlreadyExistsException")]
    audit = AuditEmitter("VeraSlack", settings=SETTINGS)

    ask(audit)

    assert endpoint.calls == [PUT, CREATE, PUT]
    assert audit.stats.written == 1


def test_a_passing_fault_is_tried_again_by_the_aws_library(endpoint, capsys):
    """Two attempts in all: the second may succeed, and then all is well."""
    endpoint.faults = [THROTTLE]
    audit = AuditEmitter("VeraSlack", settings=EmitterSettings(sink="cloudwatch"))

    ask(audit)

    assert endpoint.calls == [PUT, PUT]
    assert audit.stats.written == 1
    assert fallback_lines(capsys.readouterr().out) == []


def test_many_threads_make_a_stream_once(endpoint, stream):
    """A burst of first records of a cold process creates its stream once."""
    del endpoint.streams[LOG_GROUP, stream]
    audit = AuditEmitter("VeraSlack", settings=EmitterSettings(sink="cloudwatch"))
    threads = [threading.Thread(target=ask, args=(audit,)) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert endpoint.calls.count(CREATE) == 1
    assert audit.stats.written == 8


def test_an_outage_leaves_a_mark_in_the_log(endpoint, caplog, capsys):
    """The bot's own log says that records went elsewhere, and when that ended."""
    endpoint.faults = [DENY, DENY]
    audit = AuditEmitter("VeraSlack", settings=SETTINGS)

    for _ in range(3):
        ask(audit)

    assert "audit delivery: reason=denied count=2" in caplog.messages
    assert "audit delivery: recovered after count=2" in caplog.messages
    assert len(fallback_lines(capsys.readouterr().out)) == 2


def test_no_content_reaches_any_log_at_any_level(endpoint, caplog, capsys):
    """With everything on DEBUG, the AWS library too, nothing said is logged."""
    canary = "canary-7f3a-secret"
    caplog.set_level(logging.DEBUG)
    audit = AuditEmitter("VeraSlack", settings=SETTINGS)

    for fault in (None, DENY, THROTTLE, PAGE, REJECT_OLD, RESET):
        endpoint.always = fault
        with audit.question(text=canary, attributes={"note": canary}) as q:
            q.conversation([{"role": "user", "content": canary}])
            q.reply(canary)

    assert canary not in caplog.text
    assert len(fallback_lines(capsys.readouterr().out)) == 5


def test_a_handler_that_audits_log_lines_does_not_loop(endpoint, capsys):
    """A logging handler that writes records meets itself; all ends, bounded.

    Python holds a handler's lock while it writes, so each such record costs its
    budget; the library's own lines get rarer, so that there are few of them.
    """
    settings = EmitterSettings(sink="cloudwatch", budget_ms=200)
    audit = AuditEmitter("VeraSlack", settings=settings)
    root = logging.getLogger()

    class Auditing(logging.Handler):
        def emit(self, record):
            audit.write(user_query=record.name)

    handler = Auditing()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        endpoint.always = DENY
        took_s = ask(audit)
    finally:
        root.setLevel(before)
        root.removeHandler(handler)

    assert took_s < 20
    assert audit.stats.fallback >= 1
    assert "hello" in capsys.readouterr().out
    # What the library still logs in the background must not reach the next test.
    assert wait_until(lambda: audit.writer.flush(0))


KINDS = [*[None] * 8, THROTTLE, DENY, BROKEN, GONE, RESET, REJECT_OLD, PAGE]


class RandomFaults(list):
    """Gives each call a fault, or none, by a chance that repeats itself."""

    def __init__(self, seed):
        super().__init__([None])
        self._chance = random.Random(seed)

    def pop(self, _=0):
        return self._chance.choice(KINDS)


@pytest.mark.parametrize("mode", ["sync", "thread"])
def test_no_record_is_lost_in_a_thousand_random_faults(endpoint, capsys, stream, mode):
    """Each record is in the sink or in the fallback; with the same bytes in both.

    After collapse by document id there is one document a record, in one chain.
    """
    count, askers = 1_000, 20
    settings = EmitterSettings(sink="cloudwatch", mode=mode, budget_ms=BUDGET_MS)
    clock = Clock(sleep_s=lambda _: None)
    # Its own chain: nothing that an earlier test left behind has a place in it.
    audit = AuditEmitter(f"VeraLoad-{mode}", settings=settings, clock=clock)
    stream = f"VeraLoad-{mode}/{local_session_id()}"
    endpoint.streams[LOG_GROUP, stream] = []
    endpoint.faults = RandomFaults(7)

    def ask_some(first):
        for number in range(first, count, askers):
            ask(audit, f"question {number}")

    threads = [threading.Thread(target=ask_some, args=(n,)) for n in range(askers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert audit.flush(30)

    endpoint.faults = []
    sent = [line for _, line in endpoint.streams[LOG_GROUP, stream]]
    printed = [
        wrapper
        for wrapper in fallback_lines(capsys.readouterr().out)
        if wrapper["log_stream"] == stream
    ]
    lines = sent + [wrapper["line"].encode() for wrapper in printed]
    documents = {document_id("1", LOG_GROUP, stream, line): line for line in lines}
    questions = sorted(json.loads(line)["user_query"] for line in documents.values())
    assert questions == sorted(f"question {number}" for number in range(count))
    assert audit.stats.written + audit.stats.fallback == count
    assert audit.stats.failed == 0
    chain_of(documents.values())


def chain_of(lines):
    """Check that *lines* are one unbroken chain."""
    by_seq = {json.loads(line)["seq"]: line for line in lines}
    first, last = min(by_seq), max(by_seq)
    assert sorted(by_seq) == list(range(first, last + 1))
    assert len({json.loads(line)["chain_id"] for line in lines}) == 1
    for seq in range(first + 1, last + 1):
        digest = hashlib.sha256(by_seq[seq - 1]).hexdigest()
        assert json.loads(by_seq[seq])["prev_sha256"] == digest
