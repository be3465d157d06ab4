"""The emitter's own numbers: counts, fixed log lines, one EMF line a minute."""

from __future__ import annotations

import json

import pytest

from emitter.clock import Clock
from emitter.metrics import MetricsTeller
from emitter.stats import METRICS, NAMESPACE, Stats


class Time:
    """A clock that a test moves."""

    def __init__(self):
        self.now_s = 1_000.0
        self.clock = Clock(now_ms=lambda: 5, monotonic_s=lambda: self.now_s)


@pytest.fixture
def time():
    return Time()


def counts_in(line):
    document = json.loads(line)
    return tuple(document[name] for name in METRICS)


def test_the_line_is_what_cloudwatch_reads(time):
    """Namespace, dimension, units and values stand where EMF wants them."""
    stats = Stats()
    stats.count_written(3)
    stats.count_failed("denied")

    line = MetricsTeller().line(stats, "Vera", time.clock)

    assert "\n" not in line
    assert json.loads(line) == {
        "_aws": {
            "Timestamp": 5,
            "CloudWatchMetrics": [
                {
                    "Namespace": NAMESPACE,
                    "Dimensions": [["BotName"]],
                    "Metrics": [{"Name": name, "Unit": "Count"} for name in METRICS],
                }
            ],
        },
        "BotName": "Vera",
        "Written": 3,
        "Fallback": 0,
        "Failed": 1,
        "Shortened": 0,
    }


def test_at_most_one_line_a_minute_with_what_is_new(time):
    """Counts add up until the next line, and are told once."""
    teller, stats = MetricsTeller(), Stats()
    stats.count_written()
    assert counts_in(teller.line(stats, "Vera", time.clock)) == (1, 0, 0, 0)
    stats.count_written()
    time.now_s += 59
    assert teller.line(stats, "Vera", time.clock) is None
    stats.count_fallback("denied")
    time.now_s += 1

    assert counts_in(teller.line(stats, "Vera", time.clock)) == (1, 1, 0, 0)

    time.now_s += 61
    assert teller.line(stats, "Vera", time.clock) is None


def test_emitters_of_one_process_take_turns(time):
    """The one that has waited longest is told next, whoever asks."""
    teller, first, second = MetricsTeller(), Stats(), Stats()
    names = []
    for _ in range(4):
        for stats, name in ((first, "First"), (second, "Second")):
            stats.count_written()
            line = teller.line(stats, name, time.clock)
            if line:
                names.append(json.loads(line)["BotName"])
        time.now_s += 60

    assert names == ["First", "Second", "First", "Second"]


def test_a_fork_tells_only_of_its_own(time):
    """What the parent has counted is the parent's to tell."""
    teller, stats = MetricsTeller(), Stats()
    stats.count_written(5)
    teller.begin_anew()
    stats.begin_anew()
    stats.count_written()

    assert counts_in(teller.line(stats, "Vera", time.clock)) == (1, 0, 0, 0)


def test_each_kind_of_failure_has_a_fixed_line(caplog):
    """The first, second, fourth, eighth, ...: a log that is flooded hides."""
    stats = Stats()

    for _ in range(9):
        stats.count_fallback("denied")

    assert caplog.messages == [
        f"audit delivery: reason=denied count={count}" for count in (1, 2, 4, 8)
    ]


def test_counts_are_attributes_and_a_mapping():
    """Both ways of asking give the same."""
    stats = Stats()
    stats.count_fallback("denied")
    stats.count_shortened()

    assert stats["fallback"] == stats.fallback == 1
    assert dict(stats) == {
        "written": 0,
        "fallback": 1,
        "failed": 0,
        "shortened": 1,
        "by_reason": {"denied": 1},
    }
    with pytest.raises(KeyError):
        stats["_lock"]
    assert len(stats) == 5
    assert "fallback=1" in repr(stats)


def test_a_recovery_is_told_once(caplog):
    """After an outage one line says how many records went elsewhere."""
    stats, recovered = Stats(), []
    stats.on_recovery = lambda: recovered.append(1)
    stats.count_written()
    stats.count_fallback("denied")
    stats.count_failed("full")
    caplog.clear()

    stats.count_written()
    stats.count_written()

    assert caplog.messages == ["audit delivery: recovered after count=2"]
    assert recovered == [1]
