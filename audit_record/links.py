"""Links from a record into the AWS console."""

from __future__ import annotations

from urllib.parse import quote


def console_log_url(
    region: str, log_group: str, log_stream: str, time_ms: int | None = None
) -> str:
    """Return the console's deep link to a log stream.

    The console wants names encoded twice, with ``$`` for the percent sign of the
    second time; the host depends on the partition, which the region names.

    Args:
        region: As ``eu-west-1``.
        log_group: Name of the log group.
        log_stream: Name of the log stream.
        time_ms: Moment to begin at, in ms since the epoch.
    """
    host = f"{region}.{_console_domain(region)}"
    path = f"{_twice(log_group)}/log-events/{_twice(log_stream)}"
    start = "" if time_ms is None else f"$3Fstart$3D{time_ms}"
    return (
        f"https://{host}/cloudwatch/home?region={region}"
        f"#logsV2:log-groups/log-group/{path}{start}"
    )


def _console_domain(region: str) -> str:
    if region.startswith("cn-"):
        return "console.amazonaws.cn"
    if region.startswith("us-gov-"):
        return "console.amazonaws-us-gov.com"
    return "console.aws.amazon.com"


def _twice(name: str) -> str:
    return quote(quote(name, safe=""), safe="").replace("%", "$")
