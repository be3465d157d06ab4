"""``chatbot-audit spool``: look at, and send on, what waits in a bot's spool."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from audit_record.times import format_timestamp
from chatbot_audit.cli.group import NONE_FOUND, OK
from chatbot_audit.errors import ArgumentError
from emitter.sinks.spool_send import (
    SpoolReport,
    read_spool,
    send_spool,
    send_to_cloudwatch,
)

if TYPE_CHECKING:
    from emitter.sinks.spool_send import WriteBatch

_ACCOUNT: Final = re.compile(r"\d{12}", re.ASCII)
_STREAM: Final = re.compile(r"[a-zA-Z0-9_.-]{1,64}", re.ASCII)


@click.group()
def spool() -> None:
    """Send on records that CloudWatch did not take."""


@spool.command(name="list")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--json", "is_json", is_flag=True, help="Print JSON lines.")
def list_(folder: Path, *, is_json: bool) -> int:
    """Count what waits in FOLDER, by log stream; nothing is sent or shown."""
    _require_folder(folder)
    counts: Counter[tuple[str, str]] = Counter()
    oldest: dict[tuple[str, str], int] = {}
    for entry in read_spool(folder):
        stream = (entry.log_group, entry.log_stream)
        counts[stream] += 1
        oldest[stream] = min(oldest.get(stream, entry.timestamp_ms), entry.timestamp_ms)
    for (group, name), count in sorted(counts.items()):
        since = format_timestamp(oldest[group, name])
        row = {"log_group": group, "log_stream": name, "count": count, "oldest": since}
        text = f"{count:>7}  since {since}  {group}  {name}"
        click.echo(json.dumps(row) if is_json else text)
    return OK if counts else NONE_FOUND


@spool.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--to",
    "delivery_stream",
    help="A delivery stream, for records older than CloudWatch takes (14 days).",
)
@click.option("--owner", help="Account of the log group; with --to only.")
@click.option("--region", default="", help="Region; else the AWS library's own.")
@click.option("--json", "is_json", is_flag=True, help="Print JSON.")
def send(
    folder: Path,
    delivery_stream: str | None,
    owner: str | None,
    region: str,
    *,
    is_json: bool,
) -> int:
    """Send what waits in FOLDER to the log streams it was meant for.

    A record leaves the spool only when the service has taken it; sent twice, it is one
    document. Exit code 1 if anything is left.
    """
    _require_folder(folder)
    now_ms = time.time_ns() // 1_000_000
    if delivery_stream is None:
        report = send_to_cloudwatch(folder, _cloudwatch(region), now_ms)
    else:
        write_batch = _delivery_stream(delivery_stream, owner, region)
        report = send_spool(folder, write_batch, now_ms=now_ms, max_age_ms=None)
    _tell(report, is_json=is_json)
    left_count = report.kept_count + report.held_count + report.unreadable_count
    is_done = not (left_count or report.reason)
    return OK if is_done else NONE_FOUND


def _require_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise ArgumentError(f"there is no spool folder at {folder}")


def _cloudwatch(region: str) -> WriteBatch:
    from emitter.sinks.cloudwatch_logs import (  # noqa: PLC0415 - loads nothing yet
        CloudWatchLogsSink,
    )

    return CloudWatchLogsSink(region).write_batch


def _delivery_stream(name: str, owner: str | None, region: str) -> WriteBatch:
    import boto3  # noqa: PLC0415 - this command alone needs it

    from chatbot_audit.spool.delivery_stream import (  # noqa: PLC0415 - as above
        DeliveryStreamSink,
    )

    if not _STREAM.fullmatch(name):
        raise ArgumentError("--to must be the name of a delivery stream")
    if owner is None or not _ACCOUNT.fullmatch(owner):
        raise ArgumentError(
            "--to needs --owner, the account of the log group: twelve digits"
        )
    client: Any = boto3.client("firehose", region_name=region or None)
    return DeliveryStreamSink(client, name, owner).write_batch


def _tell(report: SpoolReport, *, is_json: bool) -> None:
    counts = {
        "sent": report.sent_count,
        "kept": report.kept_count,
        "too_old": report.too_old_count,
        "unreadable": report.unreadable_count,
        "held": report.held_count,
        "reason": report.reason,
        "refused": dict(sorted(report.refused.items())),
    }
    if is_json:
        click.echo(json.dumps(counts))
        return
    click.echo(f"sent {report.sent_count}, still in the spool {report.kept_count}")
    if report.too_old_count:
        click.echo(
            f"{report.too_old_count} are older than CloudWatch takes; send them with"
            " --to STREAM --owner ACCOUNT"
        )
    if report.unreadable_count:
        click.echo(f"{report.unreadable_count} torn lines are in unreadable.txt")
    if report.held_count:
        click.echo(f"{report.held_count} are in the hands of another process")
    for reason, count in sorted(report.refused.items()):
        click.echo(f"{count} were not taken: {reason}")
    if report.reason:
        click.echo(f"stopped early: {report.reason}")
