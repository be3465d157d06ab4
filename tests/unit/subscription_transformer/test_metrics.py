"""The metrics line: what alarms rely on."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from subscription_transformer.metrics import METRICS, NAMESPACE, Metrics
from tests.factories import (
    CONTROL,
    EVENT_MS,
    make_envelope,
    make_line,
    pack,
)


def test_the_line_is_embedded_metric_format():
    """Each metric named in the directive has a number beside it."""
    metrics = Metrics()
    metrics.add("EventsIn", 3)

    line = json.loads(metrics.line(EVENT_MS, "splunk"))

    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert line["_aws"]["Timestamp"] == EVENT_MS
    assert directive["Namespace"] == NAMESPACE
    assert directive["Dimensions"] == [["Destination"]]
    names = [metric["Name"] for metric in directive["Metrics"]]
    assert set(names) == set(METRICS) - {"OldestEventAge"}
    assert all(isinstance(line[name], int) for name in names)
    assert line["EventsIn"] == 3


def test_unknown_names_are_refused():
    """A misspelt counter is found by the first test that runs it."""
    with pytest.raises(KeyError):
        Metrics().add("EventsInn")


def test_the_oldest_event_gives_the_age():
    """In milliseconds, never negative."""
    metrics = Metrics()
    for event_ms in (EVENT_MS, EVENT_MS - 5_000, None, EVENT_MS - 1_000):
        metrics.see_event_time(event_ms)

    assert json.loads(metrics.line(EVENT_MS, "x"))["OldestEventAge"] == 5_000
    assert json.loads(metrics.line(0, "x"))["OldestEventAge"] == 0


def test_merging_adds():
    """Counts of one record join those of the invocation."""
    whole, part = Metrics(), Metrics()
    for metrics in (whole, part):
        metrics.add("EventsIn")
        metrics.add_reason("x")
        metrics.add_redactions(Counter(jwt=1))
    part.see_event_time(5)

    whole.merge(part)

    line = json.loads(whole.line(10, "x"))
    assert (line["EventsIn"], line["Redactions"], line["OldestEventAge"]) == (2, 2, 5)
    assert (line["Reasons"], line["RedactionKinds"]) == ({"x": 2}, {"jwt": 2})


def test_an_invocation_is_counted(run):
    """Each thing that happened is in its counter."""
    canary = make_envelope(
        make_line(bot_name="Canary", session_id="s", record_type="canary"),
        logStream="Canary/s",
    )

    metrics = run(
        pack(make_envelope(make_line(user_query="password=hunter2"), " ", "text")),
        pack(make_envelope(make_line(response="word " * 20_000))),
        pack(canary),
        pack(CONTROL),
        "%%%",
        max_text_bytes=50_000,
    ).metrics

    expected = {
        "RecordsIn": 5,
        "EventsIn": 5,
        "EventsDelivered": 4,
        "EventsQuarantined": 1,
        "RecordsDropped": 1,
        "RecordsFailed": 1,
        "BlankMessages": 1,
        "Redactions": 1,
        "Shortened": 1,
        "CanarySeen": 1,
        "PutBackFailed": 0,
    }
    assert {name: metrics[name] for name in expected} == expected
    assert metrics["Reasons"] == {"control_message": 1, "base64:invalid": 1}
    assert metrics["RedactionKinds"] == {"password": 1}
    assert metrics["BytesIn"] > 1_000
    assert metrics["BytesOut"] > 50_000
