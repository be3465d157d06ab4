"""What AWS Lambda calls: wiring only."""

from __future__ import annotations

import functools
import os
import sys
import time
from typing import Any, Final

from subscription_transformer.firehose import read_invocation
from subscription_transformer.metrics import Metrics
from subscription_transformer.put_back import PutBack
from subscription_transformer.response import Response, install_marshaller
from subscription_transformer.rules import load_rules
from subscription_transformer.settings import TransformerSettings
from subscription_transformer.transform import Transformer

# Left for writing the response and for Lambda's own work after the handler.
_RESERVE_S: Final = 5.0
# Where nothing says how much time there is, Firehose's own limit holds.
_DEFAULT_REMAINING_MS: Final = 300_000

install_marshaller()


def lambda_handler(event: Any, context: Any) -> Response:
    """Answer one invocation of Firehose.

    Raises:
        InvocationError: The event has no records.
        SettingsError: The environment is faulty; Firehose keeps every original.
        RulesError: The rules file is faulty.
    """
    transformer = _transformer()
    invocation = read_invocation(event)
    started_s = time.monotonic()
    deadline_s = started_s + _remaining_ms(context) / 1_000 - _RESERVE_S
    metrics = Metrics()
    put_back = None
    if transformer.settings.is_put_back_on and invocation.delivery_stream:
        put_back = PutBack(invocation.delivery_stream, _firehose_client)
    answers = transformer.transform(
        invocation, metrics, put_back, lambda: deadline_s - time.monotonic()
    )
    metrics.add("Duration", int((time.monotonic() - started_s) * 1_000))
    line = metrics.line(time.time_ns() // 1_000_000, transformer.settings.destination)
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.flush()
    return Response(answers)


@functools.cache
def _transformer() -> Transformer:
    settings = TransformerSettings.from_env(os.environ)
    return Transformer.from_env(load_rules(settings.rules), settings)


@functools.cache
def _firehose_client() -> Any:
    import boto3  # noqa: PLC0415 - 128 ms to load, and needed for put-backs only
    from botocore.config import Config  # noqa: PLC0415

    # Retries are ours: only what failed is sent again, by position.
    # Together the times-outs are below the reserve, so that no call outlives us.
    config = Config(
        connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 1}
    )
    return boto3.client("firehose", config=config)


def _remaining_ms(context: Any) -> int:
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    return int(remaining()) if callable(remaining) else _DEFAULT_REMAINING_MS
