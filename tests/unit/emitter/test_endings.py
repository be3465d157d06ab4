"""How a process ends: each emitter closed in time, SIGTERM without a lock."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from emitter import endings


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
    """Python would refuse, and nobody is told off for it."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    thread = threading.Thread(target=endings.close_on_sigterm)
    thread.start()
    thread.join()

    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
