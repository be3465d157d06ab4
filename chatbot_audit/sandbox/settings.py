"""What can be set of a sandbox; numbers are those of the deployed pipeline."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chatbot_audit.sandbox.errors import SandboxSettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LOG_GROUP: Final = "/aws/ai-bots/audit-logs"
REGION: Final = "eu-west-1"
ACCOUNT_ID: Final = "123456789012"
DELIVERY_STREAM: Final = "chatbot-audit"
FAILURE_BUCKET: Final = "chatbot-audit-failed"
HANDLER: Final = "subscription_transformer.handler.lambda_handler"
DEFAULT_ZIP: Final = Path("build/transformer.zip")
DESTINATIONS: Final = ("sqlite", "splunk", "documents")
# Outstanding invocations for a Splunk stream. AWS docs, Firehose quotas.
MAX_PROCESS_COUNT: Final = 10
# The Lambda's buffer for a Firehose stream: 0.2 to 3 MB. AWS docs.
MIN_BUFFER_BYTES: Final = 200_000
MAX_BUFFER_BYTES: Final = 3 * 1_024 * 1_024
# A function may run for five minutes under Firehose. AWS docs.
MAX_TIMEOUT_S: Final = 300.0
MAX_BUFFER_INTERVAL_S: Final = 900.0
MAX_RETRY_DURATION_S: Final = 7_200.0
MAX_PORT: Final = 65_535
# Beside the zip, where `make setup` prepares it.
_LAMBDA_RUNTIME: Final = Path("lambda-runtime/bin/python")


def default_lambda_python(zip_path: Path) -> str:
    """Return the interpreter prepared beside the zip, else this one."""
    prepared = zip_path.parent / _LAMBDA_RUNTIME
    return str(prepared) if prepared.exists() else sys.executable


@dataclass(frozen=True, slots=True)
class LambdaSettings:
    """How the zip is run.

    Attributes:
        zip_path: The built zip.
        python: Interpreter that has ``awslambdaric``; "" takes the one that was
            prepared beside the zip, else this one.
        handler: Handler string, as Terraform sets it.
        timeout_s: Longest run of one invocation.
        memory_mb: What the function is told it has.
        environ: Its environment variables, as Terraform sets them.
        process_count: Execution environments kept warm, 1 to 10.
    """

    zip_path: Path = DEFAULT_ZIP
    python: str = ""
    handler: str = HANDLER
    timeout_s: float = 60.0
    memory_mb: int = 512
    environ: Mapping[str, str] = field(default_factory=dict)
    process_count: int = 2

    @property
    def interpreter(self) -> str:
        """Return the interpreter that runs the zip."""
        return self.python or default_lambda_python(self.zip_path)


@dataclass(frozen=True, slots=True)
class FirehoseSettings:
    """How the delivery stream buffers, invokes and retries.

    Attributes:
        buffer_bytes: Size hint of the Lambda's buffer: 256 KiB, AWS's default for
            Splunk.
        buffer_interval_s: Longest time that a record waits in it.
        lambda_retry_count: Further tries after a function error; AWS's default.
        retry_duration_s: How long delivery is tried again.
        ack_timeout_s: How long an acknowledgement is waited for.
        is_error_gzip: Whether error objects are compressed.
    """

    buffer_bytes: int = 262_144
    buffer_interval_s: float = 60.0
    lambda_retry_count: int = 3
    retry_duration_s: float = 300.0
    ack_timeout_s: float = 300.0
    is_error_gzip: bool = False


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """All of one sandbox.

    Attributes:
        destination: ``sqlite``: HEC events straight into the store; ``splunk``: by way
            of a collector; ``documents``: one document a record, as for OpenSearch.
        function: How the zip is run.
        firehose: How the stream behaves.
        aws_port: Port of the AWS endpoint; 0 takes a free one.
        firehose_port: Port of Firehose's API; 0 takes a free one.
        hec_url: Base URL of an HTTP Event Collector, for ``splunk``; "" starts the
            sandbox's own receiver.
        hec_token: Its token.
        hec_port: Port of the sandbox's own receiver; 0 takes a free one.
        seed: Makes the same batches and faults again.
        drain_timeout_s: Longest time that `Sandbox.drain` takes.
    """

    destination: str = "sqlite"
    function: LambdaSettings = field(default_factory=LambdaSettings)
    firehose: FirehoseSettings = field(default_factory=FirehoseSettings)
    aws_port: int = 0
    firehose_port: int = 0
    hec_url: str = ""
    hec_token: str = "00000000-0000-4000-8000-000000000000"  # noqa: S105 - invented
    hec_port: int = 0
    seed: int = 1
    drain_timeout_s: float = 300.0

    def require_valid(self) -> None:
        """Check every number and name.

        Raises:
            SandboxSettingsError: With all faults together.
        """
        faults = [*_faults(self), *_port_faults(self)]
        if faults:
            raise SandboxSettingsError(faults)


def _faults(settings: SandboxSettings) -> Iterator[str]:
    if settings.destination not in DESTINATIONS:
        yield "the destination must be one of " + ", ".join(DESTINATIONS)
    if settings.hec_url and not settings.hec_url.startswith(("http://", "https://")):
        yield "the collector's URL must begin with http:// or https://"
    function, firehose = settings.function, settings.firehose
    numbers: list[tuple[str, float, float, float]] = [
        ("function.process_count", function.process_count, 1, MAX_PROCESS_COUNT),
        ("function.timeout_s", function.timeout_s, 0.1, MAX_TIMEOUT_S),
        (
            "firehose.buffer_bytes",
            firehose.buffer_bytes,
            MIN_BUFFER_BYTES,
            MAX_BUFFER_BYTES,
        ),
        (
            "firehose.buffer_interval_s",
            firehose.buffer_interval_s,
            0,
            MAX_BUFFER_INTERVAL_S,
        ),
        ("firehose.lambda_retry_count", firehose.lambda_retry_count, 0, 10),
        (
            "firehose.retry_duration_s",
            firehose.retry_duration_s,
            0,
            MAX_RETRY_DURATION_S,
        ),
        ("firehose.ack_timeout_s", firehose.ack_timeout_s, 0.1, 600),
        ("drain_timeout_s", settings.drain_timeout_s, 0.1, 86_400),
    ]
    for name, value, lowest, highest in numbers:
        if not lowest <= value <= highest:
            yield f"{name} must be from {lowest:g} to {highest:g}"


def _port_faults(settings: SandboxSettings) -> Iterator[str]:
    for name in ("aws_port", "firehose_port", "hec_port"):
        if not 0 <= getattr(settings, name) <= MAX_PORT:
            yield f"{name} must be from 0 to {MAX_PORT}"
