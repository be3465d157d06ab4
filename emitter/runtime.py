"""Where the bot runs: account, region, log stream, request, trace."""

from __future__ import annotations

import functools
import os
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from audit_record.links import console_log_url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_ACCOUNT: Final = re.compile(r"\d{12}", re.ASCII)
_REGION: Final = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d{1,2}", re.ASCII)
# X-Ray's root: version, 8 hex digits of time, 24 of random. AWS docs, X-Ray.
_XRAY_ROOT: Final = re.compile(r"Root=1-([0-9a-fA-F]{8})-([0-9a-fA-F]{24})")
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_ARN_PARTS: Final = 6


@dataclass(frozen=True, slots=True)
class RuntimeFacts:
    """What the environment says about one question.

    Attributes:
        aws_account_id: Twelve digits, or ``unknown``.
        session_id: Lambda's log stream, or ``local/<host>/<pid>-<start>``.
        aws_region: Region that runs the bot, if known.
        log_group: Group of the bot's own execution log, if known.
        request_id: Lambda's request id, if there is one.
        trace_id: W3C trace id, if there is one.
        remaining_ms: Milliseconds until Lambda stops the bot; None elsewhere.
    """

    aws_account_id: str = "unknown"
    session_id: str = "unknown"
    aws_region: str | None = None
    log_group: str | None = None
    request_id: str | None = None
    trace_id: str | None = None
    remaining_ms: Callable[[], int] | None = None

    def as_fields(self, time_ms: int) -> dict[str, str]:
        """Return the record's fields; what is unknown is left out."""
        fields = {
            "aws_account_id": self.aws_account_id,
            "session_id": self.session_id,
            "aws_region": self.aws_region,
            "log_group": self.log_group,
            "request_id": self.request_id,
            "trace_id": self.trace_id,
            "log_url": self._log_url(time_ms),
        }
        return {name: value for name, value in fields.items() if value}

    def _log_url(self, time_ms: int) -> str | None:
        if not (self.aws_region and self.log_group):
            return None
        if self.session_id.startswith("local/"):
            return None
        return console_log_url(
            self.aws_region, self.log_group, self.session_id, time_ms
        )


def read_runtime(context: Any, environ: Mapping[str, str] = os.environ) -> RuntimeFacts:
    """Read a Lambda *context* and the environment. Total: any object will do.

    Args:
        context: Lambda's context object, or None elsewhere.
        environ: Environment variables.
    """
    arn = _text(context, "invoked_function_arn") or environ.get("AGENTCORE_RUNTIME_ARN")
    account, region = read_arn(arn)
    trace = environ.get("_X_AMZN_TRACE_ID") or environ.get("TRACEPARENT", "")
    return RuntimeFacts(
        aws_account_id=account or "unknown",
        session_id=_text(context, "log_stream_name")
        or environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        or local_session_id(),
        aws_region=region
        or environ.get("AWS_REGION")
        or environ.get("AWS_DEFAULT_REGION"),
        log_group=_text(context, "log_group_name")
        or environ.get("AWS_LAMBDA_LOG_GROUP_NAME"),
        request_id=_text(context, "aws_request_id"),
        trace_id=read_trace_id(trace),
        remaining_ms=_remaining(context),
    )


def read_arn(arn: Any) -> tuple[str | None, str | None]:
    """Return account and region of any AWS ARN, None for what it does not say.

    Plain, alias and version ARNs of functions, those of other partitions, and of
    AgentCore runtimes all have them in the same place; a bare name has neither.
    """
    parts = arn.split(":") if isinstance(arn, str) else []
    if len(parts) < _ARN_PARTS or parts[0] != "arn":
        return None, None
    region, account = parts[3], parts[4]
    return (
        account if _ACCOUNT.fullmatch(account) else None,
        region if _REGION.fullmatch(region) else None,
    )


def read_trace_id(header: str) -> str | None:
    """Return the 32 hex digits of an X-Ray header or a W3C traceparent."""
    root = _XRAY_ROOT.search(header)
    if root:
        return (root[1] + root[2]).lower()
    parent = _TRACEPARENT.fullmatch(header.strip())
    return parent[1] if parent and parent[1].strip("0") else None


def is_on_lambda(environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether this process is a Lambda function."""
    return bool(environ.get("AWS_LAMBDA_FUNCTION_NAME"))


def local_session_id() -> str:
    """Name this process, where no Lambda names it; another one after a fork."""
    return _session_of(os.getpid())


@functools.cache
def _session_of(process_id: int) -> str:
    host = re.sub(r"[^A-Za-z0-9.\-]", "_", os.uname().nodename)[:64] or "host"
    return f"local/{host}/{process_id}-{int(time.time())}"


def _text(context: Any, name: str) -> str | None:
    try:
        value = getattr(context, name, None)
    except Exception:  # noqa: BLE001 - a bot's own context object may do anything
        return None
    return value if isinstance(value, str) and value else None


def _remaining(context: Any) -> Callable[[], int] | None:
    try:
        remaining = getattr(context, "get_remaining_time_in_millis", None)
        return (
            remaining if callable(remaining) and int(remaining()) is not None else None
        )
    except Exception:  # noqa: BLE001 - as above
        return None
