"""`Sandbox`: all parts put together, started in order and ended in reverse."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from chatbot_audit.sandbox.accounting import Ledger, Report
from chatbot_audit.sandbox.backup_objects import BackupBucket
from chatbot_audit.sandbox.clock import Clock, RealClock
from chatbot_audit.sandbox.cloudwatch import CloudWatch
from chatbot_audit.sandbox.destinations import (
    Destination,
    Sink,
    SplunkDestination,
    StoreDestination,
)
from chatbot_audit.sandbox.errors import DrainError, SandboxError
from chatbot_audit.sandbox.firehose import DeliveryStream, Progress
from chatbot_audit.sandbox.firehose_api import FirehoseApi
from chatbot_audit.sandbox.hec_receiver import HecReceiver
from chatbot_audit.sandbox.lambda_runtime import LambdaRuntime
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
_MALLOC_ENVIRON = {
    "MALLOC_MMAP_THRESHOLD_": "33554432",
    "MALLOC_TRIM_THRESHOLD_": "268435456",
}


class Sandbox:
    """The whole pipeline on one machine, as a context manager.

    Args:
        settings: What to run and how.
        store: Where documents end; it is written to and never closed here.
        clock: Time of the engine.
        progress: Called with a stage, how much is done, and how much there is.

    Raises:
        SandboxError: A part cannot start; the message says what to do.
    """

    def __init__(
        self,
        settings: SandboxSettings,
        store: Sink,
        *,
        clock: Clock | None = None,
        progress: Progress | None = None,
    ) -> None:
        if settings.destination not in ("sqlite", "splunk"):
            raise SandboxError("the destination must be sqlite or splunk")
        self._settings = settings
        self._ledger = Ledger(store)
        self._clock = clock or RealClock()
        self._progress = progress
        self._parts = ExitStack()

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
        """
        end_s = time.monotonic() + self._settings.drain_timeout_s
        self.feed()
        while self.stream.has_work():
            if time.monotonic() > end_s:
                raise DrainError("records were still on their way when the time was up")
            self.stream.run_once(self._progress)
            self.feed()

    def feed(self) -> int:
        """Carry what the filter forwarded into the stream; return the envelopes."""
        count = 0
        for envelope in self.cloudwatch.forwarded():
            count += 1
            self._put(envelope.data())
            if self._progress is not None:
                self._progress("forward to Firehose", count, count)
        return count

    def run_due(self) -> None:
        """Transform and deliver if the buffer is full or old enough."""
        if self.stream.has_work(is_due=True):
            self.stream.run_once(self._progress)

    def put_records(self, records: Iterable[bytes]) -> None:
        """Put raw records into the stream, as another producer would."""
        for data in records:
            self._put(data)

    def report(self) -> Report:
        """Return what went in and where it is now."""
        return self._ledger.report(self.backup.read())

    def _put(self, data: bytes) -> None:
        self._ledger.see_put(data)
        self.stream.put(data)

    def _put_back(self, data: bytes) -> str:
        # What the function puts back went in before: it is not counted again.
        return self.stream.put(data)

    def _start(self) -> None:
        settings = self._settings
        self.cloudwatch = CloudWatch(settings.aws_port, settings.seed)
        # The function is looked at first: it is what is most often missing.
        self.api = FirehoseApi(self._put_back)
        self._parts.callback(self.api.stop)
        self.api.start()
        self.function = LambdaRuntime(settings.function, self._function_environ())
        self._parts.callback(self.function.close)
        self.cloudwatch.start()
        self._parts.callback(self.cloudwatch.stop)
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
        self._parts.callback(self.stream.close)

    def _function_environ(self) -> dict[str, str]:
        return _MALLOC_ENVIRON | {
            "AUDIT_DESTINATION": "splunk",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_ENDPOINT_URL_FIREHOSE": self.api.url,
        }

    def _destination(self) -> Destination:
        settings = self._settings
        if settings.destination == "sqlite":
            return StoreDestination(self._ledger)
        url = settings.hec_url
        if not url:
            self.receiver = HecReceiver(self._ledger, settings.hec_token)
            self._parts.callback(self.receiver.stop)
            self.receiver.start()
            url = self.receiver.url
        destination = SplunkDestination(
            url, settings.hec_token, settings.firehose, self._clock
        )
        self._parts.callback(destination.close)
        return destination
