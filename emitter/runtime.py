"""Where the bot runs: account, region, log stream, request, trace, time left."""

from __future__ import annotations

import functools
import os
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from emitter.conversation.shape import dict_at, never_raises
from emitter.loading import load

# Compiled when first used: most of them are not, and a cold start is waited for.
_ACCOUNT: Final = r"[0-9]{12}"
# Two letters, but for the European Sovereign Cloud: eusc-de-east-1.
_REGION: Final = r"[a-z]{2,8}(?:-[a-z]+)+-[0-9]{1,2}"
# X-Ray's root: version, 8 hex digits of time, 24 of random. AWS docs, X-Ray.
_XRAY_ROOT: Final = r"Root=1-([0-9a-fA-F]{8})-([0-9a-fA-F]{24})(?!\w)"
_TRACEPARENT: Final = r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?"
_NOT_IN_HOST: Final = r"[^A-Za-z0-9.\-]"
_ARN_PARTS: Final = 6
# A Lambda runs for 15 minutes at most; more than a day is no time left.
_MAX_LEFT_MS: Final = 86_400_000
_MAX_HOST_CHARS: Final = 64
_WINDOWS: Final = "COMPUTERNAME"
_TRACE_HEADERS: Final = ("traceparent", "x-amzn-trace-id")
# What tells Lambda, ECS and AgentCore from a laptop. AWS docs of each.
_ON_AWS: Final = (
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_EXECUTION_ENV",
    "ECS_CONTAINER_METADATA_URI_V4",
)


class RuntimeFacts(NamedTuple):
    """What the environment says about one question.

    Attributes:
        aws_account_id: Twelve digits, or ``unknown``.
        session_id: Lambda's log stream, AgentCore's session, or
            ``local/<host>/<pid>-<start>``.
        aws_region: Region that runs the bot, if known.
        log_group: Group of the bot's own execution log, if known.
        log_stream: Stream of the same, if known.
        request_id: Lambda's request id, if there is one.
        trace_id: W3C trace id, if there is one.
        remaining_ms: Gives the milliseconds until Lambda stops the bot, None where
            that cannot be told any more; None elsewhere.
    """

    aws_account_id: str = "unknown"
    session_id: str = "unknown"
    aws_region: str | None = None
    log_group: str | None = None
    log_stream: str | None = None
    request_id: str | None = None
    trace_id: str | None = None
    remaining_ms: Callable[[], int | None] | None = None

    def as_fields(self, time_ms: int) -> dict[str, str]:
        """Return the record's fields; what is unknown is left out.

        Args:
            time_ms: Where the link into the log begins, in ms since 1970.
        """
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
        if not (self.aws_region and self.log_group and self.log_stream):
            return None
        load("audit_record.links")
        from audit_record.links import console_log_url  # noqa: PLC0415 - late

        return console_log_url(
            self.aws_region, self.log_group, self.log_stream, time_ms
        )


def read_runtime(
    context: Any = None,
    environ: Mapping[str, str] = os.environ,
    event: Mapping[str, Any] | None = None,
) -> RuntimeFacts:
    """Read what surrounds the bot. Total: any object will do.

    Args:
        context: Lambda's context object, AgentCore's, the ARN of what runs the
            bot, or None.
        environ: Environment variables.
        event: What made the bot run; its headers may carry a trace id.
    """
    account, region = read_arn(_arn_of(context))
    stream = _text(context, "log_stream_name") or environ.get(
        "AWS_LAMBDA_LOG_STREAM_NAME"
    )
    return RuntimeFacts(
        aws_account_id=account or _account_in(environ),
        session_id=stream or _text(context, "session_id") or local_session_id(),
        aws_region=region
        or environ.get("AWS_REGION")
        or environ.get("AWS_DEFAULT_REGION"),
        log_group=_text(context, "log_group_name")
        or environ.get("AWS_LAMBDA_LOG_GROUP_NAME"),
        log_stream=stream,
        request_id=_text(context, "aws_request_id"),
        trace_id=_trace_id(environ, event),
        remaining_ms=_remaining(context),
    )


def read_arn(arn: Any) -> tuple[str | None, str | None]:
    """Return account and region of any AWS ARN, None for what it does not say.

    Plain, alias and version ARNs of functions, those of other partitions, and of
    AgentCore runtimes all have them in the same place; a bare name has neither.
    """
    parts = _plain(arn).strip().split(":")
    if len(parts) < _ARN_PARTS or parts[0] != "arn":
        return None, None
    region, account = parts[3], parts[4]
    return (
        account if re.fullmatch(_ACCOUNT, account) else None,
        region if re.fullmatch(_REGION, region) else None,
    )


def read_trace_id(header: Any) -> str | None:
    """Return the 32 hex digits of an X-Ray header or a W3C traceparent."""
    header = _plain(header)
    root = re.search(_XRAY_ROOT, header)
    if root:
        return (root[1] + root[2]).lower()
    parent = re.fullmatch(_TRACEPARENT, header.strip())
    return parent[1] if parent and parent[1].strip("0") else None


def is_on_lambda(environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether this process is a Lambda function."""
    return bool(environ.get("AWS_LAMBDA_FUNCTION_NAME"))


def is_on_aws(environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether AWS ships what this process prints."""
    return any(environ.get(name) for name in _ON_AWS)


def local_session_id() -> str:
    """Name this process, where no Lambda names it; another one after a fork."""
    return _session_of(os.getpid())


@functools.lru_cache(maxsize=4)
def _session_of(process_id: int) -> str:
    # Loading socket for its gethostname would cost every cold start.
    node = os.uname().nodename if hasattr(os, "uname") else os.environ.get(_WINDOWS, "")
    host = re.sub(_NOT_IN_HOST, "_", node)[:_MAX_HOST_CHARS] or "host"
    return f"local/{host}/{process_id}-{int(time.time())}"


def _arn_of(context: Any) -> Any:
    if text := _plain(context):
        return text
    return _text(context, "invoked_function_arn") or _text(context, "runtime_arn")


def _account_in(environ: Mapping[str, str]) -> str:
    account = environ.get("AWS_ACCOUNT_ID", "")
    return account if re.fullmatch(_ACCOUNT, account) else "unknown"


def _trace_id(environ: Mapping[str, str], event: Any) -> str | None:
    """Prefer Lambda's own trace, which its log lines carry too."""
    for name in ("_X_AMZN_TRACE_ID", "TRACEPARENT"):
        found = read_trace_id(environ.get(name))
        if found:
            return found
    return _trace_id_in_headers(event)


def _no_trace() -> str | None:
    return None


@never_raises(_no_trace)
def _trace_id_in_headers(event: Any) -> str | None:
    by_name = {_plain(k).lower(): v for k, v in dict_at(event, "headers").items()}
    found_in = (read_trace_id(by_name.get(name)) for name in _TRACE_HEADERS)
    return next((trace for trace in found_in if trace), None)


def _plain(value: Any) -> str:
    """Return a string without what its class may have changed, "" of all else."""
    # Not isinstance, which asks the object for its class.
    return str.__str__(value) if issubclass(type(value), str) else ""


def _text(context: Any, name: str) -> str | None:
    try:
        is_map = isinstance(context, Mapping)
        value = context.get(name) if is_map else getattr(context, name, None)
    except Exception:  # noqa: BLE001 - a bot's own context may do anything
        return None
    return _plain(value) or None


def _remaining(context: Any) -> Callable[[], int | None] | None:
    try:
        ask = getattr(context, "get_remaining_time_in_millis", None)
    except Exception:  # noqa: BLE001 - as above
        return None
    if not callable(ask):
        return None

    def remaining_ms() -> int | None:
        try:
            left: Any = ask()
            is_number = isinstance(left, int | float) and not isinstance(left, bool)
            if not is_number:
                return None
            return max(min(int(left), _MAX_LEFT_MS), -_MAX_LEFT_MS)
        except Exception:  # noqa: BLE001 - as above
            return None

    return remaining_ms if remaining_ms() is not None else None
