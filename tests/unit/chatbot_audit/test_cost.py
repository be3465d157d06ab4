"""The monthly bill, by AWS's rules and the user's prices."""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot_audit import cost
from chatbot_audit.cost import Prices, Workload, billed_bytes, estimate
from chatbot_audit.errors import ArgumentError
from emitter import stats
from subscription_transformer import metrics

GB = 1024**3
MODULE = Path("infra/terraform/modules/audit_pipeline")
ALL_PRICES = Prices(**{field.name: 1.0 for field in dataclasses.fields(Prices)})

loads = st.builds(
    dict,
    questions_per_day=st.floats(0, 1e6),
    record_kb=st.floats(0.1, 200),
    bots=st.integers(1, 1_000),
    destinations=st.sampled_from(
        [("splunk",), ("opensearch",), ("elastic",), ("splunk", "opensearch")]
    ),
    retention_days=st.integers(1, 3_653),
    gzip_ratio=st.floats(1, 20),
    put_back_percent=st.floats(0, 100),
    lambda_memory_mb=st.integers(128, 10_240),
    lambda_ms_per_event=st.floats(0, 1_000),
    lambda_ms_per_invocation=st.floats(0, 1_000),
)


def quantities(**changes):
    """Return the quantities of a workload by what they are about."""
    result = estimate(Workload(**changes), Prices())
    return {f"{part.about}, {part.unit}": part.quantity for part in result.parts}


@pytest.mark.parametrize(
    ("size", "billed"),
    [
        pytest.param(0, 0, id="nothing"),
        pytest.param(1, 5_120, id="one-byte"),
        pytest.param(3 * 1024, 5_120, id="3-KB-is-5"),
        pytest.param(5_120, 5_120, id="exactly-one-step"),
        pytest.param(5_121, 10_240, id="one-byte-more"),
        pytest.param(12 * 1024, 15 * 1024, id="12-KB-is-15"),
        pytest.param(5_120 * (1 + 1e-13), 5_120, id="only-inexact-arithmetic"),
    ],
)
def test_firehose_bills_in_steps_of_5_kb(size, billed):
    """A record is rounded up to the next 5 KB; an exact multiple is not."""
    assert billed_bytes(size) == billed


def test_a_splunk_pipeline_by_hand():
    """2,400 questions a day are 73,000 a month; 10 KB at ratio 2 are one step."""
    got = quantities(questions_per_day=2_400, record_kb=10, gzip_ratio=2)

    written_gb = 73_000 * 10_240 / GB
    assert got["CloudWatch Logs, written, GB"] == pytest.approx(written_gb)
    # Half of the day's 2,400 x 10 KB, for 400 days.
    stored_gb = 2_400 * 10_240 / 2 * 400 / GB
    assert got["CloudWatch Logs, stored, GB-month"] == pytest.approx(stored_gb)
    assert got["Firehose, splunk, GB"] == pytest.approx(73_000 * 5_120 / GB)
    # One record an invocation: (5 ms + 5 ms) x 73,000 at half a GB.
    assert got["Lambda, splunk, requests, million"] == pytest.approx(0.073)
    assert got["Lambda, splunk, duration, GB-second"] == pytest.approx(365)
    assert got["CloudWatch, metrics, metric"] == 20 + 4
    assert got["CloudWatch, alarms, alarm metric"] == 9 + 9 + 3
    assert len(got) == 7


def test_rounding_is_by_the_gzip_bytes():
    """12 KB that gzip makes 4 KB of are billed as 5 KB, not as 15 KB."""
    got = quantities(questions_per_day=24, record_kb=12, gzip_ratio=3)

    assert got["Firehose, splunk, GB"] == pytest.approx(730 * 5_120 / GB)


def test_records_packed_together_are_rounded_once():
    """Four of 4 KB in one envelope are 16 KB: 20 KB billed, and a quarter of calls."""
    got = quantities(
        questions_per_day=96, record_kb=8, gzip_ratio=2, events_per_envelope=4
    )

    assert got["Firehose, splunk, GB"] == pytest.approx(730 * 20 * 1024 / GB)
    assert got["Lambda, splunk, requests, million"] == pytest.approx(730 / 1e6)


def test_what_opensearch_puts_back_is_billed_again():
    """Each document that goes round again costs a step of 5 KB at least."""
    got = quantities(
        questions_per_day=2_400,
        record_kb=2,
        gzip_ratio=2,
        events_per_envelope=10,
        put_back_percent=50,
        destinations=("opensearch",),
    )

    # Ten of 1 KB in an envelope: two steps. One alone: one.
    assert got["Firehose, opensearch, GB"] == pytest.approx(7_300 * 10_240 / GB)
    again_gb = 36_500 * 5_120 / GB
    assert got["Firehose, opensearch, put back, GB"] == pytest.approx(again_gb)
    calls = 7_300 + 36_500
    assert got["Lambda, opensearch, requests, million"] == pytest.approx(calls / 1e6)
    gb_s = (5 * (73_000 + 36_500) + 5 * calls) / 1_000 / 2
    assert got["Lambda, opensearch, duration, GB-second"] == pytest.approx(gb_s)


def test_a_busy_stream_calls_when_time_or_buffer_is_full():
    """730,000 records are 87,600 half minutes and 7,128.9 full buffers."""
    got = quantities(questions_per_day=24_000, record_kb=10, gzip_ratio=2)

    calls = 87_600 + 730_000 * 5_120 / 524_288
    assert got["Lambda, splunk, requests, million"] == pytest.approx(calls / 1e6)


def test_a_vpc_is_paid_by_zone_and_by_gb():
    """Two zones are 1,460 hours, whether records come or not."""
    got = quantities(questions_per_day=0, destinations=("opensearch",), vpc_azs=2)

    assert got["Firehose into the VPC, AZ-hour"] == 1_460
    assert got["Firehose into the VPC, GB"] == 0


def test_an_archive_is_a_stream_of_its_own():
    """The same envelopes once more, and gzip bytes in S3 for all its days."""
    got = quantities(
        questions_per_day=2_400, record_kb=10, gzip_ratio=2, archive_days=365
    )

    assert got["Firehose, archive, GB"] == got["Firehose, splunk, GB"]
    stored_gb = 2_400 * 5_120 * 365 / GB
    assert got["S3, archive, GB-month"] == pytest.approx(stored_gb)
    assert got["CloudWatch, alarms, alarm metric"] == 9 + 9 + 9 + 3


def test_metrics_are_billed_by_the_hours_in_which_they_are_sent():
    """Six questions a day fill six hours at most; three bots share them."""
    few = quantities(questions_per_day=6, bots=3)
    many = quantities(questions_per_day=10_000, bots=3)

    assert few["CloudWatch, metrics, metric"] == pytest.approx(20 / 4 + 4 / 4)
    assert many["CloudWatch, metrics, metric"] == 20 + 3 * 4


def test_cost_is_quantity_by_price():
    """A price of two doubles the figure; the total is the sum."""
    prices = Prices(cloudwatch_gb=0.5, firehose_gb=0.25, alarm=0.1)

    result = estimate(
        Workload(questions_per_day=2_400, record_kb=10, gzip_ratio=2), prices
    )

    written = 73_000 * 10_240 / GB * 0.5
    taken = 73_000 * 5_120 / GB * 0.25
    assert result.total == pytest.approx(written + taken + 2.1)


def test_parts_without_a_price_are_named():
    """The total says what it lacks; nothing is taken to be free."""
    prices = dataclasses.replace(ALL_PRICES, firehose_gb=None, metric=None)

    result = estimate(
        Workload(questions_per_day=1, destinations=("splunk", "opensearch")), prices
    )

    assert result.unpriced == ("--firehose-gb", "--metric")
    assert {p.cost for p in result.parts if p.price is None} == {None}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param({"questions_per_day": -1}, "--questions-per-day", id="negative"),
        pytest.param({"questions_per_day": math.nan}, "--questions-per-day", id="nan"),
        pytest.param({"questions_per_day": math.inf}, "--questions-per-day", id="inf"),
        pytest.param({"record_kb": 0}, "--record-kb must be 0.1", id="no-record"),
        pytest.param({"record_kb": 1_024}, "to 1,023.97", id="over-cloudwatch"),
        pytest.param({"bots": 0}, "--bots", id="no-bot"),
        pytest.param({"retention_days": 0}, "--retention-days", id="no-retention"),
        pytest.param({"archive_days": -1}, "--archive-days", id="archive"),
        pytest.param({"gzip_ratio": 0}, "--gzip-ratio", id="ratio"),
        pytest.param({"events_per_envelope": 0.5}, "--events-per-env", id="half"),
        pytest.param({"put_back_percent": 101}, "--put-back-percent", id="percent"),
        pytest.param({"lambda_memory_mb": 64}, "--lambda-memory-mb", id="memory"),
        pytest.param({"lambda_ms_per_event": -1}, "--lambda-ms-per-event", id="ms"),
        pytest.param({"vpc_azs": 7}, "--vpc-azs must be 0 to 6", id="zones"),
        pytest.param({"destinations": ()}, "--destination must be", id="nowhere"),
        pytest.param({"destinations": ("s3",)}, "--destination must be", id="unknown"),
        pytest.param(
            {"destinations": ("splunk", "splunk")}, "--destination must be", id="twice"
        ),
        pytest.param(
            {"destinations": ("splunk", "elastic"), "archive_days": 1},
            "two streams at most",
            id="three-filters",
        ),
        pytest.param({"vpc_azs": 1}, "for --destination opensearch", id="vpc-of-whom"),
        pytest.param(
            {"record_kb": 1_000, "events_per_envelope": 10},
            "fit no Firehose record of 1,024,000 bytes",
            id="no-such-envelope",
        ),
    ],
)
def test_what_cannot_be_is_refused(changes, told):
    """The sentence names the option and what it may be."""
    with pytest.raises(ArgumentError) as caught:
        Workload(**{"questions_per_day": 1} | changes)

    assert told in str(caught.value)


def test_faults_are_told_together():
    """One run is enough to mend all."""
    with pytest.raises(ArgumentError) as caught:
        Workload(questions_per_day=-1, bots=0)

    assert str(caught.value) == (
        "--questions-per-day must be 0 to 1,000,000,000; --bots must be 1 to 100,000"
    )


@pytest.mark.parametrize("price", [-0.01, math.nan, math.inf, 1e7])
def test_what_is_no_price_is_refused(price):
    """A price is a number, and not below nothing."""
    with pytest.raises(ArgumentError, match="--lambda-gb-s must be 0 to 1,000,000"):
        Prices(lambda_gb_s=price)


@given(loads)
def test_nothing_is_negative_or_endless(load):
    """Whatever is given, each part is a number from nothing up."""
    for part in estimate(Workload(**load), ALL_PRICES).parts:
        assert part.quantity >= 0
        assert math.isfinite(part.quantity)


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("questions_per_day", st.floats(0, 1e9)),
        ("record_kb", st.floats(0.1, 1_000)),
        ("bots", st.integers(1, 100_000)),
        ("retention_days", st.integers(1, 3_653)),
        ("put_back_percent", st.floats(0, 100)),
        ("lambda_memory_mb", st.integers(128, 10_240)),
        ("lambda_ms_per_event", st.floats(0, 300_000)),
        ("lambda_ms_per_invocation", st.floats(0, 300_000)),
    ],
)
@given(load=loads, data=st.data())
def test_more_never_costs_less(name, more, load, data):
    """Every part grows, or stays, with each of these."""
    low, high = sorted([load[name], data.draw(more)])

    before = estimate(Workload(**load | {name: low}), ALL_PRICES).parts
    after = estimate(Workload(**load | {name: high}), ALL_PRICES).parts

    for one, other in zip(before, after, strict=True):
        assert other.quantity >= one.quantity * (1 - 1e-9)


@given(loads)
def test_no_question_costs_no_ingestion(load):
    """Without questions only what stands there all month is left: the alarms."""
    parts = estimate(Workload(**load | {"questions_per_day": 0}), ALL_PRICES).parts

    assert {part.about for part in parts if part.quantity} == {"CloudWatch, alarms"}


@given(loads)
def test_rounding_never_bills_less_than_was_sent(load):
    """Steps of 5 KB are above the bytes, by less than a step a record."""
    workload = Workload(**load)

    billed = billed_bytes(workload.envelope_gzip_bytes)

    sent = workload.envelope_gzip_bytes
    assert sent * (1 - 1e-6) <= billed < sent + 5_120


def test_metrics_are_those_that_are_sent():
    """What is billed as a custom metric is what the two parts send."""
    assert len(metrics.METRICS) == cost.TRANSFORMER_METRIC_COUNT
    assert len(stats.METRICS) == cost.EMITTER_METRIC_COUNT


def test_alarms_and_buffers_are_those_of_terraform():
    """What is deployed is what is counted."""
    alarms = (MODULE / "alarms.tf").read_text(encoding="utf-8")
    functions, streams = alarms.split("stream_alarms = ", 1)
    key = re.compile(r'^ +"[a-z-]+-\$\{name\}" = \{', re.MULTILINE)
    compared = re.findall(r"^ +limit +=", streams, re.MULTILINE)
    terraform = "\n".join(path.read_text() for path in sorted(MODULE.glob("*.tf")))
    buffer_mb = re.search(r'BufferSizeInMBs += "([\d.]+)"', terraform)
    buffer_s = re.search(r'BufferIntervalInSeconds += "(\d+)"', terraform)

    assert len(key.findall(functions)) == cost.FUNCTION_ALARM_METRIC_COUNT
    stream_metrics = len(key.findall(streams)) + len(compared)
    assert stream_metrics == cost.STREAM_ALARM_METRIC_COUNT
    assert float(buffer_mb[1]) * 1024**2 == cost.TRANSFORM_BUFFER_BYTES
    assert int(buffer_s[1]) == cost.TRANSFORM_BUFFER_S
