"""Clocks."""

from __future__ import annotations

import time

from chatbot_audit.sandbox.clock import DrivenClock, RealClock


def test_driven_time_passes_only_when_somebody_sleeps():
    """A driven clock stands until it is driven, and then moves at once."""
    clock = DrivenClock(start_ms=1_000)

    before = clock.now_ms(), clock.monotonic_s()
    clock.sleep(90)

    assert before == (1_000, 0.0)
    assert (clock.now_ms(), clock.monotonic_s()) == (91_000, 90.0)


def test_driven_time_never_goes_back():
    """A negative sleep is none."""
    clock = DrivenClock()
    clock.sleep(5)

    clock.sleep(-3)

    assert clock.monotonic_s() == 5


def test_the_real_clock_is_the_machines():
    """Milliseconds since 1970, and seconds that go on."""
    clock = RealClock()
    started_s = clock.monotonic_s()

    clock.sleep(0.001)

    assert abs(clock.now_ms() - time.time() * 1_000) < 60_000
    assert clock.monotonic_s() > started_s
