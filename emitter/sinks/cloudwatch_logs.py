"""CloudWatch Logs: put first, create the stream only when it is not there.

The rights it needs are CreateLogStream and PutLogEvents on one group; it never
creates a group and never describes anything.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from emitter.errors import SinkError
from emitter.forks import tell_after_fork
from emitter.sinks.aws_client import discreet, logs_clients
from emitter.sinks.aws_errors import NOT_FOUND, error_code, reason_of
from emitter.sinks.batches import is_too_large
from emitter.sinks.entry import Entry, Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

TOO_LARGE: Final = "too_large"
BAD_ANSWER: Final = "bad_answer"
# A process has one stream, or a few where the bot names sessions itself.
_MAX_STREAMS: Final = 1_024
_EXISTS: Final = "ResourceAlreadyExistsException"
# Of older services: the same batch was taken before.
_TAKEN: Final = "DataAlreadyAcceptedException"


class CloudWatchLogsSink:
    """Writes lines to CloudWatch Logs with boto3, which is loaded when first used.

    Thread-safe. Blocks as long as the client's time-outs and two attempts allow.

    Args:
        region: Region of the log group; "" leaves it to the AWS library.
        client: A boto3 ``logs`` client to use instead of the process's own.
    """

    def __init__(self, region: str = "", client: Any = None) -> None:
        self._region = region
        self._client = client
        self.begin_anew()
        tell_after_fork(self)

    def begin_anew(self) -> None:
        """Replace the lock; streams stay created over a fork."""
        self._lock = threading.Lock()
        # How often each stream was created: a put that found none need not create
        # it if another thread has done so since.
        self._created_counts: dict[tuple[str, str], int] = {}

    def write(self, entry: Entry) -> None:
        """Put one line; create its stream if it is not there.

        Raises:
            SinkError: What the service answered or the connection did.
        """
        for refused in self.write_batch([entry]):
            raise SinkError(refused.reason)

    def write_batch(self, entries: Sequence[Entry]) -> list[Refused]:
        """Put lines of one stream, in order of time; return those refused.

        Args:
            entries: As `pack_batches` makes them: one call takes them all.

        Raises:
            SinkError: As `write`; none was taken.
        """
        if any(is_too_large(entry) for entry in entries):
            raise SinkError(TOO_LARGE)
        discreet.is_writing = True
        try:
            return _refused(entries, self._put_or_create(entries))
        except SinkError:
            raise
        except Exception as error:  # noqa: BLE001 - of any library; mapped in one place
            # What it says may repeat the record.
            raise SinkError(reason_of(error)) from None
        finally:
            discreet.is_writing = False

    def _put_or_create(self, entries: Sequence[Entry]) -> dict[str, Any]:
        stream = (entries[0].log_group, entries[0].log_stream)
        created_count = self._created_counts.get(stream, 0)
        try:
            return self._put(entries)
        except Exception as error:
            if reason_of(error) != NOT_FOUND:
                raise
        self._create_stream(stream, created_count)
        return self._put(entries)

    def _put(self, entries: Sequence[Entry]) -> dict[str, Any]:
        events = [
            {"timestamp": entry.timestamp_ms, "message": entry.line.decode()}
            for entry in entries
        ]
        try:
            answer = self._logs().put_log_events(
                logGroupName=entries[0].log_group,
                logStreamName=entries[0].log_stream,
                logEvents=events,
            )
        except Exception as error:
            if error_code(error) != _TAKEN:
                raise
            return {}
        if _is_page(answer):
            raise SinkError(BAD_ANSWER)
        return dict(answer.get("rejectedLogEventsInfo") or {})

    def _create_stream(self, stream: tuple[str, str], created_count: int) -> None:
        with self._lock:
            if self._created_counts.get(stream, 0) != created_count:
                return
            try:
                self._logs().create_log_stream(
                    logGroupName=stream[0], logStreamName=stream[1]
                )
            except Exception as error:
                # Another process was quicker: as good as done by us.
                if error_code(error) != _EXISTS:
                    raise
            if len(self._created_counts) >= _MAX_STREAMS:
                self._created_counts.clear()
            self._created_counts[stream] = created_count + 1

    def _logs(self) -> Any:
        return self._client if self._client is not None else _own(self._region)


def _is_page(answer: dict[str, Any]) -> bool:
    """Tell whether a proxy's page came with status 200 where the service's JSON should.

    botocore reads it as an empty answer, which would be a success.
    """
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return "html" in headers.get("content-type", "").lower()


def _own(region: str) -> Any:
    return logs_clients.get(region)


def _refused(entries: Sequence[Entry], rejected: dict[str, Any]) -> list[Refused]:
    """Read `rejectedLogEventsInfo`: positions in the batch that was sent.

    A member that is there but names no event is taken to mean the nearest one: a
    record that arrives twice does less harm than one that is lost.
    """
    reasons: dict[int, str] = {}
    count = len(entries)
    too_new = rejected.get("tooNewLogEventStartIndex")
    if isinstance(too_new, int):
        first = min(max(too_new, 0), count - 1)
        reasons |= dict.fromkeys(range(first, count), "rejected_too_new")
    for member, reason in _ENDS.items():
        end = rejected.get(member)
        if isinstance(end, int):
            reasons |= dict.fromkeys(range(min(max(end, 1), count)), reason)
    return [Refused(entries[place], reason) for place, reason in reasons.items()]


# Both name the first event that is *not* rejected. PutLogEvents API page.
_ENDS: Final = {
    "tooOldLogEventEndIndex": "rejected_too_old",
    "expiredLogEventEndIndex": "rejected_expired",
}
