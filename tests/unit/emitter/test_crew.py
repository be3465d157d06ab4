"""Helper threads: kept for the next task, replaced when one hangs."""

from __future__ import annotations

import queue
import threading
import time

from emitter.crew import MAX_IDLE, Crew


def names_of(crew, count):
    """Run tasks one after another and return the threads they ran on."""
    names = queue.SimpleQueue()
    found = []
    for _ in range(count):
        crew.run(lambda: names.put(threading.get_ident()))
        found.append(names.get(timeout=5))
        time.sleep(0.01)
    return found


def test_a_thread_is_used_again():
    """Tasks that follow each other share a thread."""
    assert len(set(names_of(Crew(), 5))) == 1


def test_a_task_that_hangs_does_not_hold_up_the_next():
    """Each task begins at once, on whatever thread."""
    crew, released = Crew(), threading.Event()
    crew.run(lambda: released.wait(10))

    assert len(names_of(crew, 1)) == 1

    released.set()


def test_only_a_few_threads_wait():
    """After a burst most threads end."""
    crew, started = Crew(), threading.Barrier(21, timeout=10)
    before = threading.active_count()
    for _ in range(20):
        crew.run(started.wait)
    started.wait()
    ends_at_s = time.monotonic() + 5

    while threading.active_count() > before + MAX_IDLE and time.monotonic() < ends_at_s:
        time.sleep(0.01)

    assert threading.active_count() <= before + MAX_IDLE


def test_a_forked_child_has_no_threads_to_wait_for():
    """Its first task gets a thread of its own."""
    crew = Crew()
    names_of(crew, 1)

    crew.begin_anew()

    assert len(names_of(crew, 1)) == 1


def test_whatever_a_task_raises_its_thread_is_kept(monkeypatch, caplog):
    """The name is logged, the text is not: it may repeat a record."""
    died = []
    monkeypatch.setattr(threading, "excepthook", died.append)

    class Panic(BaseException):
        """What no `except Exception` catches."""

    def fail():
        raise Panic("canary")

    crew = Crew()
    crew.run(fail)
    ends_at_s = time.monotonic() + 5
    while crew._idle_count == 0 and time.monotonic() < ends_at_s:
        time.sleep(0.01)

    assert crew._idle_count == 1
    assert died == []
    assert "Panic" in caplog.text
    assert "canary" not in caplog.text
