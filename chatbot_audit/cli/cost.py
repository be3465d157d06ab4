"""``chatbot-audit cost``: what a pipeline costs a month, from your own prices."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any, Final

import click

from chatbot_audit.cli.group import OK
from chatbot_audit.cli.session import say
from chatbot_audit.cost import (
    DESTINATIONS,
    HOURS_PER_MONTH,
    Estimate,
    Prices,
    Workload,
    estimate,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from click.decorators import FC

# Page and line of AWS's price lists; what one unit is.
_PRICES: Final[Mapping[str, str]] = {
    "--cloudwatch-gb": "Amazon CloudWatch, Logs: Collect, Standard, per GB",
    "--cloudwatch-storage-gb": "Amazon CloudWatch, Logs: Store, per GB and month",
    "--firehose-gb": "Amazon Data Firehose: Direct PUT, ingestion, per GB",
    "--firehose-vpc-gb": "Amazon Data Firehose: VPC delivery, per GB",
    "--firehose-vpc-az-hour": "Amazon Data Firehose: VPC delivery, per AZ and hour",
    "--lambda-gb-s": "AWS Lambda: Duration of your architecture, per GB-second",
    "--lambda-million": "AWS Lambda: Requests, per million",
    "--s3-gb": "Amazon S3: Storage, S3 Standard, per GB and month",
    "--metric": "Amazon CloudWatch, Metrics: custom metrics, per metric and month",
    "--alarm": "Amazon CloudWatch, Alarms: standard resolution, per alarm metric",
}
_SIZES: Final[Mapping[str, tuple[type, str]]] = {
    "--record-kb": (float, "Size of a record as it is written, in KB."),
    "--bots": (int, "Bots that write; each has metrics of its own."),
    "--retention-days": (int, "Days that the log group keeps records."),
    "--archive-days": (int, "Days that the archive keeps them; 0: no archive."),
    "--gzip-ratio": (float, "Bytes of a record by its bytes as gzip."),
    "--events-per-envelope": (float, "Records that CloudWatch packs together."),
    "--put-back-percent": (float, "Records that OpenSearch's stream takes twice."),
    "--lambda-memory-mb": (int, "Memory of the transformer."),
    "--lambda-ms-per-event": (float, "Its time for a record at that memory."),
    "--lambda-ms-per-invocation": (float, "Its time for a call beside the records."),
    "--vpc-azs": (int, "Availability zones of an OpenSearch domain in a VPC."),
}
_COLUMNS: Final = ("part", "quantity", "unit", "price", "cost")
_CENT: Final = 0.01


def _workload_options(command: FC) -> FC:
    defaults = {field.name: field.default for field in dataclasses.fields(Workload)}
    for option, (kind, help_text) in reversed(list(_SIZES.items())):
        default = defaults[option.removeprefix("--").replace("-", "_")]
        add: Callable[[FC], FC] = click.option(
            option, type=kind, default=default, show_default=True, help=help_text
        )
        command = add(command)
    return command


def _price_options(command: FC) -> FC:
    for option, line in reversed(list(_PRICES.items())):
        add: Callable[[FC], FC] = click.option(
            option, type=float, metavar="PRICE", help=f"{line}."
        )
        command = add(command)
    return command


@click.command()
@click.option(
    "--questions-per-day",
    type=float,
    required=True,
    help="Questions a day, of all bots together.",
)
@click.option(
    "--destination",
    "destinations",
    type=click.Choice(DESTINATIONS),
    multiple=True,
    default=("splunk",),
    show_default=True,
    help="Where records go; may be given twice.",
)
@_workload_options
@_price_options
@click.option("--json", "is_json", is_flag=True, help="Print JSON.")
def cost(*, is_json: bool, **given: Any) -> int:
    """Estimate what the pipeline costs a month, from your prices.

    No price is built in: take those of your Region from the AWS price list that each
    option names. A part without a price is shown and left out of the total. What
    Splunk, OpenSearch or Elastic charge is not in it.
    """
    names = {field.name for field in dataclasses.fields(Workload)}
    workload = Workload(**{key: given[key] for key in names})
    prices = Prices(**{key: given[key] for key in given.keys() - names})
    result = estimate(workload, prices)
    if is_json:
        click.echo(json.dumps(_as_json(workload, result)))
    else:
        click.echo("\n".join(_table(result)))
    if result.unpriced:
        say("not in the total, for want of a price: " + ", ".join(result.unpriced))
    return OK


def _as_json(workload: Workload, result: Estimate) -> dict[str, Any]:
    return {
        "workload": dataclasses.asdict(workload),
        "hours_per_month": HOURS_PER_MONTH,
        "parts": [
            {
                "part": part.about,
                "quantity": part.quantity,
                "unit": part.unit,
                "price": part.price,
                "cost": part.cost,
            }
            for part in result.parts
        ],
        "total": result.total,
        "unpriced": list(result.unpriced),
    }


def _table(result: Estimate) -> list[str]:
    """Return the lines: text to the left, numbers to the right."""
    rows = [
        (p.about, _figure(p.quantity), p.unit, _plain(p.price), _money(p.cost))
        for p in result.parts
    ]
    total = ("total a month", "", "", "", _money(result.total))
    cells = [_COLUMNS, *rows, total]
    widths = [max(len(row[n]) for row in cells) for n in range(len(_COLUMNS))]
    return ["  ".join(_aligned(row, widths)).rstrip() for row in cells]


def _aligned(row: tuple[str, ...], widths: list[int]) -> list[str]:
    pairs = zip(_COLUMNS, row, widths, strict=True)
    return [
        cell.ljust(width) if column in {"part", "unit"} else cell.rjust(width)
        for column, cell, width in pairs
    ]


def _figure(value: float) -> str:
    """Return a quantity with about four digits, never as a power of ten."""
    is_large = value >= 1_000  # noqa: PLR2004 - four digits before the point
    return f"{value:,.0f}" if is_large else _plain(float(f"{value:.4g}"))


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:.12f}".rstrip("0").rstrip(".")


def _money(value: float | None) -> str:
    if value is None:
        return "-"
    return "<0.01" if 0 < value < _CENT else f"{value:,.2f}"
