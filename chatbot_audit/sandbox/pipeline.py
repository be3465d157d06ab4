"""`Sandbox`: all parts put together, started in order and ended in reverse."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, Self

from botocore.exceptions import BotoCoreError, ClientError

from chatbot_audit.sandbox.accounting import Ledger, Report
from chatbot_audit.sandbox.aws.subscription import control_message
from chatbot_audit.sandbox.backup_objects import BackupBucket
from chatbot_audit.sandbox.clock import Clock, RealClock
from chatbot_audit.sandbox.cloudwatch import CloudWatch
from chatbot_audit.sandbox.destinations import Destination, Sink, StoreDestination
from chatbot_audit.sandbox.documents import DocumentDestination
from chatbot_audit.sandbox.errors import DrainError, ServerError
from chatbot_audit.sandbox.faults import Faults
from chatbot_audit.sandbox.firehose import DeliveryStream, Progress
from chatbot_audit.sandbox.firehose_api import Caller, FirehoseApi
from chatbot_audit.sandbox.hec.collector import HecToken
from chatbot_audit.sandbox.hec.delivery import SplunkDestination
from chatbot_audit.sandbox.hec.receiver import HecReceiver
from chatbot_audit.sandbox.lambda_runtime import LambdaRuntime
from chatbot_audit.sandbox.loopback import HOST
from chatbot_audit.sandbox.settings import (
    DELIVERY_STREAM,
    FAILURE_BUCKET,
    REGION,
    SandboxSettings,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

# What Terraform sets beside the destination, measured in docs/performance.md.
_MALLOC_ENVIRON: Final = {
    "MALLOC_MMAP_THRESHOLD_": "33554432",
    "MALLOC_TRIM_THRESHOLD_": "268435456",
}
# How the function has to write for each destination.
_FUNCTION_DESTINATIONS: Final = {
    "sqlite": "splunk",
    "splunk": "splunk",
    "documents": "opensearch",
}


class Sandbox:
    """The whole pipeline on one machine, as a context manager.

    Args:
        settings: What to run and how.
        store: Where documents end; it is written to and never closed here.
        clock: Time of the engine.
        progress: Called with a stage, how much is done, and how much there is.
        faults: What goes wrong on purpose; may be changed while it runs.

    Raises:
        SandboxSettingsError: A setting cannot be used.
    """

    def __init__(
        self,
        settings: SandboxSettings,
        store: Sink,
        *,
        clock: Clock | None = None,
        progress: Progress | None = None,
        faults: Faults | None = None,
    ) -> None:
        settings.require_valid()
        self._settings = settings
        self._ledger = Ledger(store)
        self._clock = clock or RealClock()
        self._progress = progress
        self.faults = faults or Faults()
        self._parts = ExitStack()
        self._has_asked = False

    def __enter__(self) -> Self:
        """Start all parts.

        Raises:
            SandboxError: A part cannot start; those that did are ended.
        """
        try:
            self._start()
        except BaseException:
            self._parts.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End all parts, in reverse."""
        self._parts.close()

    @property
    def environ(self) -> dict[str, str]:
        """Return the variables with which a bot's boto3 reaches the sandbox."""
        return self.cloudwatch.environ | {"AWS_ENDPOINT_URL_FIREHOSE": self.api.url}

    def drain(self) -> None:
        """Carry everything written so far to its end.

        Raises:
            DrainError: It took longer than the settings allow.
            ServerError: A part does not answer; nothing is lost, drain again.
        """
        end_s = time.monotonic() + self._settings.drain_timeout_s
        self.feed()
        while self.stream.has_work():
            if time.monotonic() > end_s:
                raise DrainError("records were still on their way when the time was up")
            self.stream.run_once(self._progress)
            self.feed()

    def feed(self) -> int:
        """Carry what the filter forwarded into the stream; return the envelopes.

        Raises:
            ServerError: CloudWatch does not answer.
        """
        count = 0
        try:
            for envelope in self.cloudwatch.forwarded():
                self._ask_first()
                count += 1
                self._put(envelope.data())
                if self._progress is not None:
                    self._progress("forward", count, count)
        except (BotoCoreError, ClientError) as error:
            raise ServerError("the AWS endpoint does not answer any more") from error
        return count

    def run_due(self) -> None:
        """Transform and deliver if the buffer is full or old enough."""
        if self.stream.has_work(is_due=True):
            self.stream.run_once(self._progress)

    def put_records(self, records: Iterable[bytes]) -> None:
        """Put raw records into the stream, as another producer would.

        Raises:
            ValueError: A record is over 1,000 KiB.
        """
        for data in records:
            self._put(data)

    def report(self) -> Report:
        """Return what went in and where it is now.

        Raises:
            ServerError: CloudWatch or S3 does not answer.
        """
        try:
            unforwarded = self.cloudwatch.unforwarded()
            return self._ledger.report(self.backup.read(), unforwarded)
        except (BotoCoreError, ClientError) as error:
            raise ServerError("the AWS endpoint does not answer any more") from error

    def _ask_first(self) -> None:
        """Let CloudWatch ask whether the stream is there, before it forwards."""
        if not self._has_asked:
            self._has_asked = True
            self._put(control_message(self._clock.now_ms()).data())

    def _put(self, data: bytes) -> str:
        name = self.stream.put(data)
        self._ledger.see_put(data)
        return name

    def _put_by_api(self, data: bytes, access_key: str) -> str:
        if self._find_caller(access_key) is not None:
            # What the function puts back went in before: counting it again would
            # hide that it made something up.
            return self.stream.put(data)
        return self._put(data)

    def _find_caller(self, access_key: str) -> Caller | None:
        return self.function.caller(access_key)

    def _start(self) -> None:
        settings, parts = self._settings, self._parts
        self.api = FirehoseApi(
            self._put_by_api,
            settings.firehose_port,
            self.faults.put,
            self._find_caller,
        )
        parts.callback(self.api.stop)
        # What is most often missing is looked at first.
        self.function = LambdaRuntime(
            settings.function, self._function_environ(), self.faults.function
        )
        parts.callback(self.function.close)
        self.cloudwatch = CloudWatch(settings.aws_port, settings.seed)
        parts.callback(self.cloudwatch.stop)
        self.cloudwatch.start()
        self.backup = BackupBucket(
            self.cloudwatch.s3,
            FAILURE_BUCKET,
            DELIVERY_STREAM,
            is_gzip=settings.firehose.is_error_gzip,
        )
        self.stream = DeliveryStream(
            settings.firehose,
            self.function,
            self._destination(),
            self.backup,
            self._clock,
            settings.function.process_count,
        )
        parts.callback(self.stream.close)
        self.api.start()

    def _function_environ(self) -> dict[str, str]:
        return _MALLOC_ENVIRON | {
            "AUDIT_DESTINATION": _FUNCTION_DESTINATIONS[self._settings.destination],
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL_FIREHOSE": self.api.url,
            "NO_PROXY": HOST,
        }

    def _destination(self) -> Destination:
        settings = self._settings
        if settings.destination == "sqlite":
            return StoreDestination(self._ledger)
        if settings.destination == "documents":
            return DocumentDestination(self._ledger)
        if settings.hec_url:
            return self._splunk(settings.hec_url, is_ours=False)
        self.receiver = HecReceiver(
            self._ledger,
            HecToken(settings.hec_token),
            self.faults.hec,
            self._clock,
            settings.hec_port,
        )
        self._parts.callback(self.receiver.stop)
        self.receiver.start()
        return self._splunk(self.receiver.url, is_ours=True)

    def _splunk(self, url: str, *, is_ours: bool) -> SplunkDestination:
        # Our own receiver counts what it indexes; of another's only the
        # acknowledgements are known.
        counts = {} if is_ours else {"on_delivered": self._ledger.see_delivery}
        destination = SplunkDestination(
            url,
            self._settings.hec_token,
            self._settings.firehose,
            self._clock,
            **counts,
        )
        self._parts.callback(destination.close)
        return destination
