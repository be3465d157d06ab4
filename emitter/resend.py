"""Send what an earlier process left in the spool, beside the bot's own work."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

from emitter.forks import tell_after_fork
from emitter.sinks.entry import BatchSink
from emitter.sinks.spool import SpoolSink
from emitter.sinks.spool_send import send_to_cloudwatch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from emitter.sinks.entry import Sink

_LOG: Final = logging.getLogger("emitter")


class Resender:
    """Empties the spool into the first sink, on a daemon thread, once at a time.

    Args:
        sinks: The first has to take batches, one of the others to be a spool;
            otherwise there is nothing to do.
        now_ms: Milliseconds since 1970.
    """

    def __init__(self, sinks: Sequence[Sink], now_ms: Callable[[], int]) -> None:
        spools = [sink for sink in sinks[1:] if isinstance(sink, SpoolSink)]
        self._spool = spools[0] if spools else None
        self._sink = sinks[0] if sinks and isinstance(sinks[0], BatchSink) else None
        self._now_ms = now_ms
        self.begin_anew()
        tell_after_fork(self)

    def begin_anew(self) -> None:
        """Forget the parent's thread."""
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to send, unless that is going on or there is nothing to send."""
        is_going_on = self._thread is not None and self._thread.is_alive()
        if self._spool is None or self._sink is None or is_going_on:
            return
        thread = threading.Thread(target=self._run, name="audit-spool", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no thread can be had: the next process will do it
            return
        self._thread = thread

    def wait(self, timeout_s: float) -> None:
        """Wait until the sending that was begun has ended."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        if self._spool is None or self._sink is None:
            return
        try:
            report = send_to_cloudwatch(
                self._spool.folder, self._sink.write_batch, self._now_ms()
            )
        except BaseException as error:  # noqa: BLE001 - its text may hold content
            _LOG.warning("audit spool: not sent: %s", type(error).__name__)
            return
        if report.sent_count or report.kept_count:
            _LOG.warning(
                "audit spool: sent=%d kept=%d too_old=%d reason=%s",
                report.sent_count,
                report.kept_count,
                report.too_old_count,
                report.reason or ",".join(sorted(report.refused)) or "none",
            )
