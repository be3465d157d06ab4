"""How a process ends: each emitter closed in time, SIGTERM without a lock."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from emitter import AuditEmitter, EmitterSettings, endings
from emitter.beside import Beside
from emitter.testing import MemorySink

LAMBDA = "AWS_LAMBDA_FUNCTION_NAME"


class Closable:
    def __init__(self, takes_s=0.0, error=None):
        self.timeouts_s = []
        self._takes_s = takes_s
        self._error = error

    def close(self, timeout_s):
        self.timeouts_s.append(timeout_s)
        time.sleep(self._takes_s)
        if self._error:
            raise self._error


@pytest.fixture(autouse=True)
def only_ours(monkeypatch):
    """Leave the emitters of other tests open."""
    monkeypatch.setattr(endings, "_open", endings.weakref.WeakSet())


def test_all_are_closed_within_one_time_limit():
    """Many emitters share the time there is."""
    closables = [Closable(takes_s=0.05) for _ in range(3)]
    for closable in closables:
        endings.close_at_exit(closable)

    endings.close_all(1.0)

    timeouts_s = sorted(closable.timeouts_s[0] for closable in closables)
    assert timeouts_s[2] <= 1.0
    assert timeouts_s[0] <= 0.95


def test_one_that_fails_does_not_keep_the_others_open():
    """Every emitter has its turn."""
    closables = [Closable(error=RuntimeError()), Closable(error=ValueError())]
    for closable in closables:
        endings.close_at_exit(closable)

    endings.close_all()

    assert [len(closable.timeouts_s) for closable in closables] == [1, 1]


@pytest.fixture
def sigterm():
    """Give the signal back as it was."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_the_handler_hands_its_work_to_a_thread(sigterm, monkeypatch):
    """It takes no lock, lets the program go on, and a second signal ends it."""
    ended = threading.Event()
    killed = []
    monkeypatch.setattr(
        endings.os, "kill", lambda _, number: (killed.append(number), ended.set())
    )
    closable = Closable()
    endings.close_at_exit(closable)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    endings.close_on_sigterm()
    handler = signal.getsignal(signal.SIGTERM)

    handler(signal.SIGTERM, None)

    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert ended.wait(5)
    assert killed == [signal.SIGTERM]
    assert len(closable.timeouts_s) == 1


def test_somebody_elses_handler_is_left_alone(sigterm):
    """Servers that mind the signal end properly by themselves."""

    def theirs(*_):
        """Stand for a server's handler."""

    signal.signal(signal.SIGTERM, theirs)

    endings.close_on_sigterm()

    assert signal.getsignal(signal.SIGTERM) is theirs


def test_off_the_main_thread_no_handler_is_set(sigterm):
    """Python would refuse; whoever asked is told that it did."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    told = []
    thread = threading.Thread(target=lambda: told.append(endings.close_on_sigterm()))
    thread.start()
    thread.join()

    assert told == [False]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def make_beside(make):
    """Make an emitter on a thread that is not the main one, and write with it."""

    def run():
        make().write(user_query="hi")

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def with_settings(_):
    settings = EmitterSettings(mode="thread")
    return AuditEmitter("Vera", sinks=[MemorySink()], settings=settings)


def with_environment(monkeypatch):
    monkeypatch.setenv("BOT_AUDIT_MODE", " Thread ")
    return AuditEmitter("Vera", sinks=[MemorySink()])


@pytest.mark.parametrize("make", [with_settings, with_environment])
def test_sigterm_is_seen_to_when_the_emitter_is_made(
    sigterm, monkeypatch, make, caplog
):
    """A framework that writes on threads of its own has a queue as well."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    audit = make(monkeypatch)

    make_beside(lambda: audit)

    assert signal.getsignal(signal.SIGTERM) is endings._on_sigterm
    assert "SIGTERM" not in caplog.text


def test_what_sigterm_would_lose_is_said_once(sigterm, caplog):
    """Where no handler can be set, the bot's author hears of it."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)

    make_beside(lambda: with_settings(None))

    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert sum("SIGTERM" in message for message in caplog.messages) == 1


def test_a_handler_of_the_bots_own_needs_no_word(sigterm, caplog):
    """Whoever minds the signal is neither replaced nor warned."""

    def theirs(*_):
        """Stand for a server's handler."""

    signal.signal(signal.SIGTERM, theirs)

    make_beside(lambda: with_settings(None))

    assert signal.getsignal(signal.SIGTERM) is theirs
    assert "SIGTERM" not in caplog.text


@pytest.mark.parametrize("mode", ["sync", "thread"])
def test_a_question_beside_has_sigterm_seen_to(sigterm, monkeypatch, mode):
    """What is written while the framework goes on is not lost, whatever the mode."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    audit = AuditEmitter("Vera", sinks=[MemorySink()])
    monkeypatch.setenv("BOT_AUDIT_MODE", mode)

    with Beside(audit.question(text="hi")):
        assert signal.getsignal(signal.SIGTERM) is endings._on_sigterm


@pytest.mark.parametrize(
    "environ",
    [{}, {"BOT_AUDIT_MODE": "sync"}, {"BOT_AUDIT_MODE": "thread", LAMBDA: "vera"}],
)
def test_where_nothing_waits_signals_are_the_bots(sigterm, monkeypatch, environ):
    """Mode sync has no handler, nor has a Lambda."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    with AuditEmitter("Vera", sinks=[MemorySink()]).question(text="hi"):
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL

    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_test_that_collects_records_keeps_its_signals(sigterm, audit_records):
    """There nothing waits: the records are written at once."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)

    with Beside(AuditEmitter("Vera").question(text="hi")):
        pass

    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert len(audit_records) == 1
