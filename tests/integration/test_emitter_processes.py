"""Processes that fork, end, are told to end, or were ended: nothing gets lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from emitter import AuditEmitter, EmitterSettings
from emitter.sinks.choice import choose_sinks
from emitter.sinks.spool_send import read_spool
from emitter.sinks.stdout import MARKER
from emitter.testing import assert_valid
from tests.integration.logs_endpoint import (
    HANG,
    logs_endpoint,
    use_endpoint,
    wait_until,
)

PRELUDE = """
import os, signal, sys, threading, time
from emitter import AuditEmitter, EmitterSettings

def ask(audit, number):
    with audit.question(text=f"question {number}") as q:
        q.reply("x")

def serve():
    print("ready", flush=True)
    # Not one long sleep: a signal just before it would be seen only after it.
    for _ in range(600):
        time.sleep(0.1)
"""


@pytest.fixture
def endpoint(monkeypatch):
    """A CloudWatch for the children of this process."""
    with logs_endpoint() as service:
        use_endpoint(monkeypatch, service.url)
        yield service
        assert service.violations == []


def start(code):
    """Run *code* in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(code, timeout_s=60):
    """Run *code* to its end and return what it printed."""
    process = start(code)
    out, err = process.communicate(timeout=timeout_s)
    assert process.returncode == 0, err
    return out


def records_in(text):
    """Return the records of the fallback lines among what was printed."""
    lines = [line for line in text.splitlines() if line.startswith(MARKER)]
    return [json.loads(json.loads(line.removeprefix(MARKER))["line"]) for line in lines]


def asked(records):
    return sorted(record["user_query"] for record in records)


def sent(endpoint):
    return [json.loads(message) for message in endpoint.messages()]


def test_a_process_that_just_ends_has_sent_its_queue(endpoint):
    """Mode thread needs no call at the end: leaving the program sends the rest."""
    run(
        """
        settings = EmitterSettings(mode="thread", sink="cloudwatch")
        audit = AuditEmitter("Vera", settings=settings)
        for number in range(200):
            ask(audit, number)
        """
    )

    assert asked(sent(endpoint)) == sorted(f"question {n}" for n in range(200))
    assert max(endpoint.batches) > 1


def test_a_dead_endpoint_does_not_hold_up_the_end(endpoint):
    """The exit is bounded, and what could not be sent is in the fallback."""
    endpoint.always = HANG
    started_s = time.monotonic()

    out = run(
        """
        settings = EmitterSettings(mode="thread", sink="cloudwatch")
        audit = AuditEmitter("Vera", settings=settings)
        for number in range(20):
            ask(audit, number)
        """
    )

    assert time.monotonic() - started_s < 30
    assert asked(records_in(out)) == sorted(f"question {n}" for n in range(20))


SERVER = """
    settings = EmitterSettings(mode="thread", sink="cloudwatch", spool_dir={spool!r})
    audit = AuditEmitter("Vera", settings=settings)
    for number in range(50):
        ask(audit, number)
    serve()
"""


def test_sigterm_with_a_full_queue_loses_nothing(endpoint, tmp_path):
    """The process ends by the signal, after what waited is sent or spooled."""
    endpoint.always = HANG
    spool = tmp_path / "spool"
    process = start(SERVER.format(spool=str(spool)))
    assert process.stdout.readline() == "ready\n"

    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)

    kept = [json.loads(entry.line) for entry in read_spool(spool)]
    assert process.returncode == -signal.SIGTERM
    assert asked(kept + records_in(out)) == sorted(f"question {n}" for n in range(50))


def test_sigterm_finds_a_queue_that_other_threads_filled(endpoint, tmp_path):
    """A framework that writes on threads of its own loses nothing either."""
    endpoint.always = HANG
    spool = tmp_path / "spool"
    process = start(
        f"""
        settings = EmitterSettings(
            mode="thread", sink="cloudwatch", spool_dir={str(spool)!r}
        )
        audit = AuditEmitter("Vera", settings=settings)

        def ask_all():
            for number in range(20):
                ask(audit, number)

        thread = threading.Thread(target=ask_all)
        thread.start()
        thread.join()
        serve()
        """
    )
    assert process.stdout.readline() == "ready\n"

    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)

    kept = [json.loads(entry.line) for entry in read_spool(spool)]
    assert process.returncode == -signal.SIGTERM
    assert asked(kept + records_in(out)) == sorted(f"question {n}" for n in range(20))


def test_a_servers_own_handler_is_left_alone(endpoint):
    """Who minds SIGTERM himself ends in his own way, and the queue is sent."""
    process = start(
        """
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
        settings = EmitterSettings(mode="thread", sink="cloudwatch")
        audit = AuditEmitter("Vera", settings=settings)
        ask(audit, 1)
        serve()
        """
    )
    assert process.stdout.readline() == "ready\n"

    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)

    assert process.returncode == 7
    assert asked(sent(endpoint)) == ["question 1"]


def test_mode_sync_installs_no_handler():
    """A bot that is not a server keeps its signals."""
    out = run(
        """
        from emitter.testing import MemorySink
        ask(AuditEmitter("Vera", sinks=[MemorySink()]), 1)
        print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)
        """
    )

    assert out == "True\n"


def test_a_forked_worker_writes_as_its_parent_does(endpoint):
    """Before and after the fork, in both processes, every record arrives once."""
    out = run(
        """
        settings = EmitterSettings(mode="thread", sink="cloudwatch")
        audit = AuditEmitter("Vera", settings=settings)
        for number in range(20):
            ask(audit, number)
        child = os.fork()
        first = 100 if child == 0 else 200
        for number in range(first, first + 20):
            ask(audit, number)
        is_flushed = audit.flush(20)
        if child == 0:
            os._exit(0 if is_flushed else 1)
        print(is_flushed, os.waitpid(child, 0)[1], audit.stats.fallback)
        """
    )

    wanted = [*range(20), *range(100, 120), *range(200, 220)]
    records = sent(endpoint)
    assert out == "True 0 0\n"
    assert asked(records) == sorted(f"question {n}" for n in wanted)
    assert len({record["chain_id"] for record in records}) == 2
    assert len({record["session_id"] for record in records}) == 2


def test_a_fork_in_the_middle_of_everything_does_not_hang():
    """Locks that threads held at the fork do not stop the child."""
    out = run(
        """
        from emitter.testing import MemorySink
        audit = AuditEmitter("Vera", sinks=[MemorySink()])
        stop = threading.Event()

        def busy():
            while not stop.is_set():
                ask(audit, 0)

        threads = [threading.Thread(target=busy, daemon=True) for _ in range(4)]
        for thread in threads:
            thread.start()
        codes = []
        for _ in range(20):
            child = os.fork()
            if child == 0:
                signal.alarm(20)
                ask(audit, 1)
                own = [r for r in audit.writer.given.sinks[0].records
                       if r["user_query"] == "question 1"]
                os._exit(0 if own and audit.stats.failed == 0 else 1)
            codes.append(os.waitpid(child, 0)[1])
        stop.set()
        print(sum(codes))
        """
    )

    assert out == "0\n"


def test_a_question_that_was_open_at_the_fork_is_the_parents(endpoint):
    """A child that leaves the block writes no second record of it."""
    run(
        """
        audit = AuditEmitter("Vera", settings=EmitterSettings(sink="cloudwatch"))
        with audit.question(text="question 1"):
            child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        """
    )

    assert asked(sent(endpoint)) == ["question 1"]


def test_the_next_process_sends_what_was_spooled(endpoint, tmp_path):
    """An outage outlives a process: its records arrive with the next one."""
    spool = tmp_path / "spool"
    endpoint.always = (400, {"__type": "AccessDeniedException"})
    settings = f"EmitterSettings(sink='cloudwatch', spool_dir={str(spool)!r})"
    out = run(
        f"""
        audit = AuditEmitter("Vera", settings={settings})
        ask(audit, 1)
        ask(audit, 2)
        """
    )
    assert out == ""
    assert len(list(read_spool(spool))) == 2
    spooled = {entry.line for entry in read_spool(spool)}
    endpoint.always = None

    run(
        f"""
        audit = AuditEmitter("Vera", settings={settings})
        ask(audit, 3)
        time.sleep(1)
        """
    )

    assert wait_until(lambda: len(endpoint.messages()) == 3)
    assert spooled <= set(endpoint.messages())
    assert len(endpoint.streams) == 2
    assert list(read_spool(spool)) == []


def test_what_was_spooled_is_sent_after_the_outage(endpoint, tmp_path, monkeypatch):
    """A long-lived process does not wait for its own end to send it."""
    spool = tmp_path / "spool"
    settings = EmitterSettings(sink="cloudwatch", spool_dir=str(spool))
    audit = AuditEmitter("Vera", settings=settings)
    audit.write(user_query="warm-up")
    endpoint.faults = [(400, {"__type": "AccessDeniedException"})]

    audit.write(user_query="during")
    assert audit.stats.fallback == 1
    audit.write(user_query="after")

    assert wait_until(lambda: len(endpoint.messages()) == 3)
    assert wait_until(lambda: list(read_spool(spool)) == [])


def test_on_lambda_nothing_is_spooled(endpoint, tmp_path, monkeypatch, capsys):
    """Lambda's disk is not kept: the marked line on stdout is what it ships."""
    spool = tmp_path / "spool"
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "vera")
    endpoint.always = (400, {"__type": "AccessDeniedException"})
    settings = EmitterSettings(spool_dir=str(spool))

    AuditEmitter("Vera", settings=settings).write(user_query="hi")

    (record,) = records_in(capsys.readouterr().out)
    assert_valid(record)
    assert not spool.exists()


def test_a_full_disk_ends_on_stdout(endpoint, tmp_path, monkeypatch, capsys):
    """Where the spool cannot be written the marked line is the last resort."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    endpoint.always = (400, {"__type": "AccessDeniedException"})
    settings = EmitterSettings(sink="cloudwatch", spool_dir=str(blocked / "spool"))
    audit = AuditEmitter("Vera", settings=settings)

    audit.write(user_query="hi")

    assert len(records_in(capsys.readouterr().out)) == 1
    assert audit.stats.by_reason == {"denied": 1}


SETTINGS = [
    pytest.param({}, {}, ["StdoutSink"], id="laptop"),
    pytest.param(
        {"AWS_LAMBDA_FUNCTION_NAME": "vera"},
        {},
        ["CloudWatchLogsSink", "StdoutSink"],
        id="lambda",
    ),
    pytest.param(
        {},
        {"log_group": "/mine"},
        ["CloudWatchLogsSink", "StdoutSink"],
        id="group named",
    ),
    pytest.param(
        {},
        {"sink": "cloudwatch", "spool_dir": "/spool"},
        ["CloudWatchLogsSink", "SpoolSink", "StdoutSink"],
        id="spool",
    ),
    pytest.param(
        {"AWS_LAMBDA_FUNCTION_NAME": "vera"},
        {"spool_dir": "/spool"},
        ["CloudWatchLogsSink", "StdoutSink"],
        id="lambda spool",
    ),
    pytest.param(
        {},
        {"sink": "cloudwatch", "fallback": "off", "spool_dir": "/spool"},
        ["CloudWatchLogsSink"],
        id="off",
    ),
    pytest.param(
        {"AWS_LAMBDA_FUNCTION_NAME": "vera"},
        {"sink": "stdout"},
        ["StdoutSink"],
        id="stdout on lambda",
    ),
]


@pytest.mark.parametrize(("environ", "settings", "names"), SETTINGS)
def test_the_sinks_follow_from_settings_and_place(environ, settings, names):
    """CloudWatch where it is there, then the spool, then the marked line."""
    sinks = choose_sinks(EmitterSettings(**settings), environ)

    assert [type(sink).__name__ for sink in sinks] == names


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that fork")
def test_gunicorns_way_of_forking_works(endpoint):
    """An emitter made in the master serves every worker."""
    run(
        """
        settings = EmitterSettings(mode="thread", sink="cloudwatch")
        audit = AuditEmitter("Vera", settings=settings)
        children = []
        for worker in range(3):
            child = os.fork()
            if child == 0:
                for number in range(10):
                    ask(audit, worker * 100 + number)
                sys.exit(0)
            children.append(child)
        for child in children:
            assert os.waitpid(child, 0)[1] == 0
        """
    )

    wanted = [worker * 100 + n for worker in range(3) for n in range(10)]
    assert asked(sent(endpoint)) == sorted(f"question {n}" for n in wanted)


def test_a_child_of_multiprocessing_sends_its_queue(endpoint):
    """Such a child leaves without what `atexit` holds."""
    out = run(
        """
        import multiprocessing
        settings = EmitterSettings(mode="thread", sink="cloudwatch")
        audit = AuditEmitter("Vera", settings=settings)
        ask(audit, 0)

        def work(first):
            for number in range(first, first + 5):
                ask(audit, number)

        context = multiprocessing.get_context("fork")
        children = [context.Process(target=work, args=(n * 100,)) for n in (1, 2)]
        for child in children:
            child.start()
        for child in children:
            child.join(30)
        print([child.exitcode for child in children])
        """
    )

    wanted = [0, *range(100, 105), *range(200, 205)]
    assert out == "[0, 0]\n"
    assert asked(sent(endpoint)) == sorted(f"question {n}" for n in wanted)


@pytest.mark.parametrize(
    ("number", "handler", "code"),
    [
        (signal.SIGINT, "signal.SIG_DFL", -signal.SIGINT),
        (signal.SIGTERM, "signal.SIG_DFL", -signal.SIGTERM),
        (signal.SIGTERM, "lambda *_: sys.exit(7)", 7),
    ],
)
def test_what_ends_a_write_leaves_the_record_in_the_spool(
    endpoint, tmp_path, number, handler, code
):
    """Mode sync: Ctrl-C and SIGTERM end the bot as ever, after the fallback."""
    endpoint.always = HANG
    spool = tmp_path / "spool"
    process = start(
        f"""
        signal.signal(signal.SIGTERM, {handler})
        settings = EmitterSettings(sink="cloudwatch", spool_dir={str(spool)!r})
        audit = AuditEmitter("Vera", settings=settings)
        with audit.question(text="question 1") as q:
            q.reply("x")
            print("ready", flush=True)
        """
    )
    assert process.stdout.readline() == "ready\n"
    assert wait_until(lambda: endpoint.calls)

    process.send_signal(number)
    process.communicate(timeout=30)

    kept = [json.loads(entry.line) for entry in read_spool(spool)]
    assert process.returncode == code
    assert asked(kept) == ["question 1"]


def test_sigterm_finds_a_record_that_is_written_beside(endpoint, tmp_path):
    """Mode sync behind a framework: the reply is out, the record under way."""
    endpoint.always = HANG
    spool = tmp_path / "spool"
    process = start(
        f"""
        from emitter.beside import Beside
        settings = EmitterSettings(sink="cloudwatch", spool_dir={str(spool)!r})
        audit = AuditEmitter("Vera", settings=settings)
        with Beside(audit.question(text="question 1")) as q:
            q.reply("x")
        serve()
        """
    )
    assert process.stdout.readline() == "ready\n"
    assert wait_until(lambda: endpoint.calls)

    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)

    kept = [json.loads(entry.line) for entry in read_spool(spool)]
    assert process.returncode == -signal.SIGTERM
    assert asked(kept) == ["question 1"]
