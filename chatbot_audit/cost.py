"""What a pipeline costs a month, from the user's own prices by AWS's billing rules.

Pure arithmetic. No price is built in: they change, and differ by Region. A GB is
1,024³ bytes and a month 730 hours, as AWS's own calculator has them. Free tiers and
volume discounts are left out, so the sum errs on the dear side.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from audit_record import limits
from chatbot_audit.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DESTINATIONS: Final = ("splunk", "opensearch", "elastic")
HOURS_PER_MONTH: Final = 730
KB: Final = 1_024
GB: Final = 1_024**3
# Firehose bills each record in steps of 5 KB, also inside PutRecordBatch.
# AWS pricing page, Amazon Data Firehose, read 2026-11.
FIREHOSE_STEP_BYTES: Final = 5 * KB
# When Firehose calls the transformer, as infra/terraform sets it.
TRANSFORM_BUFFER_BYTES: Final = KB * KB // 2
TRANSFORM_BUFFER_S: Final = 30
# A log group takes two subscription filters, the archive's included.
MAX_FILTER_COUNT: Final = 2
# docs/metrics.md.
TRANSFORMER_METRIC_COUNT: Final = 20
EMITTER_METRIC_COUNT: Final = 4
# Metrics that infra/terraform's alarms look at, the canary's left out; two alarms of a
# stream compare two metrics each.
FUNCTION_ALARM_METRIC_COUNT: Final = 9
STREAM_ALARM_METRIC_COUNT: Final = 9
# The emitters' fallbacks and failures, and silence.
PIPELINE_ALARM_METRIC_COUNT: Final = 3

_DAYS_PER_MONTH: Final = HOURS_PER_MONTH / 24
_RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "questions_per_day": (0, 1e9),
    "record_kb": (0.1, limits.MAX_LOG_EVENT_BYTES / KB),
    "bots": (1, 100_000),
    "retention_days": (1, 3_653),
    "archive_days": (0, 36_500),
    "gzip_ratio": (1, 100),
    "events_per_envelope": (1, 10_000),
    "put_back_percent": (0, 100),
    "lambda_memory_mb": (128, 10_240),
    "lambda_ms_per_event": (0, 300_000),
    "lambda_ms_per_invocation": (0, 300_000),
    "vpc_azs": (0, 6),
}
_MAX_PRICE: Final = 1e6


@dataclass(frozen=True, slots=True)
class Workload:
    """What the pipeline has to carry, and how it is set up.

    Attributes:
        questions_per_day: Of all bots together; each makes one record.
        record_kb: One record as it is written, in KB.
        bots: How many write; each has metrics of its own.
        destinations: Some of `DESTINATIONS`; each has a stream and a function.
        retention_days: How long the log group keeps records.
        archive_days: How long the archive keeps envelopes; 0 for no archive.
        gzip_ratio: Bytes of a record by its bytes as gzip. 2.9 was measured on
            English chats with code and other scripts in half of them.
        events_per_envelope: Records that CloudWatch packs together, on average. 1 is
            the dearest for ingestion.
        put_back_percent: Part of the records that come packed with others and so go
            through the stream twice; for OpenSearch only. 100 is the most.
        lambda_memory_mb: Memory of the transformer.
        lambda_ms_per_event: Its time for one record at that memory. A record of
            15 KB took 1.3 ms of one whole core; 512 MB are 0.29 of one.
        lambda_ms_per_invocation: Its time for one invocation beside the records; an
            allowance, not a measurement.
        vpc_azs: Availability zones that Firehose delivers into; 0 for a public
            domain. For OpenSearch only.
    """

    questions_per_day: float
    record_kb: float = 12
    bots: int = 1
    destinations: tuple[str, ...] = ("splunk",)
    retention_days: int = 400
    archive_days: int = 0
    gzip_ratio: float = 2.9
    events_per_envelope: float = 1
    put_back_percent: float = 100
    lambda_memory_mb: int = 512
    lambda_ms_per_event: float = 5
    lambda_ms_per_invocation: float = 5
    vpc_azs: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            ArgumentError: With all faults together, in the words of the options.
        """
        faults = tuple(_range_faults(self)) or tuple(_setup_faults(self))
        if faults:
            raise ArgumentError("; ".join(faults))

    @property
    def record_bytes(self) -> float:
        """One record as it is written."""
        return self.record_kb * KB

    @property
    def envelope_gzip_bytes(self) -> float:
        """One Firehose record as CloudWatch puts it."""
        return self.record_bytes * self.events_per_envelope / self.gzip_ratio

    @property
    def events(self) -> float:
        """Records a month."""
        return self.questions_per_day * _DAYS_PER_MONTH

    @property
    def envelopes(self) -> float:
        """Firehose records a month and stream, without what is put back."""
        return self.events / self.events_per_envelope

    def put_backs(self, destination: str) -> float:
        """Return how many documents a month are put back one by one."""
        is_exploded = destination == "opensearch"
        return self.events * self.put_back_percent / 100 if is_exploded else 0.0


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices of the user's Region, all in one currency; None where not given."""

    cloudwatch_gb: float | None = None
    cloudwatch_storage_gb: float | None = None
    firehose_gb: float | None = None
    firehose_vpc_gb: float | None = None
    firehose_vpc_az_hour: float | None = None
    lambda_gb_s: float | None = None
    lambda_million: float | None = None
    s3_gb: float | None = None
    metric: float | None = None
    alarm: float | None = None

    def __post_init__(self) -> None:
        """Refuse what is no price.

        Raises:
            ArgumentError: With all faults together, in the words of the options.
        """
        faults = [
            f"{option_of(name)} must be 0 to {_number(_MAX_PRICE)}"
            for name, price in asdict(self).items()
            if price is not None and not 0 <= price <= _MAX_PRICE
        ]
        if faults:
            raise ArgumentError("; ".join(faults))


@dataclass(frozen=True, slots=True)
class Part:
    """One line of the bill.

    Attributes:
        about: What is paid for.
        quantity: How much a month.
        unit: Of the quantity.
        price_name: Field of `Prices` that it is priced by.
        price: For one unit; None where it was not given.
    """

    about: str
    quantity: float
    unit: str
    price_name: str
    price: float | None

    @property
    def cost(self) -> float | None:
        """What it costs a month; None without a price."""
        return None if self.price is None else self.quantity * self.price


@dataclass(frozen=True, slots=True)
class Estimate:
    """All parts of the bill of a month."""

    parts: tuple[Part, ...]

    @property
    def total(self) -> float:
        """Sum of the parts that have a price."""
        return sum(part.cost or 0.0 for part in self.parts)

    @property
    def unpriced(self) -> tuple[str, ...]:
        """Options whose price the total lacks, in order, each once."""
        names = [part.price_name for part in self.parts if part.price is None]
        return tuple(option_of(name) for name in dict.fromkeys(names))


def estimate(workload: Workload, prices: Prices) -> Estimate:
    """Return what *workload* costs a month, once its retention has filled up."""
    given = asdict(prices)
    return Estimate(
        tuple(
            Part(about, quantity, unit, name, given[name])
            for about, quantity, unit, name in _quantities(workload)
        )
    )


def billed_bytes(record_bytes: float) -> int:
    """Return what Firehose bills for one record of that size: steps of 5 KB."""
    # Rounded first, so that a product like 5,120.0000000001 is no step more.
    return math.ceil(round(record_bytes / FIREHOSE_STEP_BYTES, 9)) * FIREHOSE_STEP_BYTES


def option_of(name: str) -> str:
    """Return the command's option for a field of `Workload` or `Prices`."""
    return "--" + name.replace("_", "-")


def _quantities(load: Workload) -> Iterator[tuple[str, float, str, str]]:
    """Yield what is used a month: about, quantity, unit, name of the price."""
    written_gb = load.events * load.record_bytes / GB
    kept_gb = written_gb / load.gzip_ratio / _DAYS_PER_MONTH
    yield "CloudWatch Logs, written", written_gb, "GB", "cloudwatch_gb"
    stored_gb = kept_gb * load.retention_days
    yield "CloudWatch Logs, stored", stored_gb, "GB-month", "cloudwatch_storage_gb"
    for destination in load.destinations:
        yield from _stream(load, destination)
    if load.vpc_azs:
        yield "Firehose into the VPC", written_gb, "GB", "firehose_vpc_gb"
        hours = float(load.vpc_azs * HOURS_PER_MONTH)
        yield "Firehose into the VPC", hours, "AZ-hour", "firehose_vpc_az_hour"
    if load.archive_days:
        taken_gb = load.envelopes * billed_bytes(load.envelope_gzip_bytes) / GB
        yield "Firehose, archive", taken_gb, "GB", "firehose_gb"
        yield "S3, archive", kept_gb * load.archive_days, "GB-month", "s3_gb"
    yield "CloudWatch, metrics", _metric_months(load), "metric", "metric"
    alarm_metrics = _alarm_metric_count(load)
    yield "CloudWatch, alarms", alarm_metrics, "alarm metric", "alarm"


def _stream(load: Workload, destination: str) -> Iterator[tuple[str, float, str, str]]:
    taken_gb = load.envelopes * billed_bytes(load.envelope_gzip_bytes) / GB
    put_backs = load.put_backs(destination)
    document_gzip_bytes = load.record_bytes / load.gzip_ratio
    yield f"Firehose, {destination}", taken_gb, "GB", "firehose_gb"
    if destination == "opensearch":
        again_gb = put_backs * billed_bytes(document_gzip_bytes) / GB
        yield f"Firehose, {destination}, put back", again_gb, "GB", "firehose_gb"
    invocations = _invocations(load, put_backs, document_gzip_bytes)
    events_ms = (load.events + put_backs) * load.lambda_ms_per_event
    duration_s = (events_ms + invocations * load.lambda_ms_per_invocation) / 1_000
    gb_s = duration_s * load.lambda_memory_mb / 1_024
    yield f"Lambda, {destination}, duration", gb_s, "GB-second", "lambda_gb_s"
    millions = invocations / 1e6
    yield f"Lambda, {destination}, requests", millions, "million", "lambda_million"


def _invocations(load: Workload, put_backs: float, document_bytes: float) -> float:
    """Return how often Firehose calls: when its buffer is full, or its time is up.

    Never more often than there are records.
    """
    taken_bytes = load.envelopes * load.envelope_gzip_bytes + put_backs * document_bytes
    by_time = HOURS_PER_MONTH * 3_600 / TRANSFORM_BUFFER_S
    by_size = taken_bytes / TRANSFORM_BUFFER_BYTES
    return min(load.envelopes + put_backs, by_time + by_size)


def _metric_months(load: Workload) -> float:
    """Return custom metrics a month; an hour in which nothing is sent is not billed."""
    active_share = load.questions_per_day / 24
    transformers = len(load.destinations) * min(1.0, active_share)
    emitters = min(float(load.bots), active_share)
    return TRANSFORMER_METRIC_COUNT * transformers + EMITTER_METRIC_COUNT * emitters


def _alarm_metric_count(load: Workload) -> float:
    functions = len(load.destinations)
    streams = functions + bool(load.archive_days)
    return float(
        FUNCTION_ALARM_METRIC_COUNT * functions
        + STREAM_ALARM_METRIC_COUNT * streams
        + PIPELINE_ALARM_METRIC_COUNT
    )


def _range_faults(load: Workload) -> Iterator[str]:
    for name, (low, high) in _RANGES.items():
        # Not a number is within no range either.
        if not low <= getattr(load, name) <= high:
            yield f"{option_of(name)} must be {_number(low)} to {_number(high)}"


def _setup_faults(load: Workload) -> Iterator[str]:
    names = set(load.destinations)
    if not names or len(names) < len(load.destinations) or names - set(DESTINATIONS):
        yield "--destination must be one or more of " + ", ".join(DESTINATIONS)
    if len(load.destinations) + bool(load.archive_days) > MAX_FILTER_COUNT:
        yield "a log group feeds two streams at most, the archive's included"
    if load.vpc_azs and "opensearch" not in names:
        yield "--vpc-azs is for --destination opensearch"
    if load.envelope_gzip_bytes > limits.MAX_FIREHOSE_RECORD_BYTES:
        yield (
            "so many --events-per-envelope of that --record-kb fit no Firehose record"
            f" of {limits.MAX_FIREHOSE_RECORD_BYTES:,} bytes"
        )


def _number(value: float) -> str:
    return f"{value:,.2f}".rstrip("0").rstrip(".")
