"""Run a framework's code inside a question without making it wait for the record.

A framework hands the reply on only when its listener, turn or agent has returned;
writing before that would keep the person waiting.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

from emitter.capture import capture
from emitter.errors import EmitterError
from emitter.runtime import is_on_lambda
from emitter.sigterm import mind_sigterm

if TYPE_CHECKING:
    from types import TracebackType

    from emitter.question import Question

_LOG: Final = logging.getLogger("emitter")
THREAD_NAME: Final = "audit-record"


class Beside:
    """Enters *question* as ``with question`` does; writes on a thread of its own.

    A Lambda is frozen when it has answered, so there the block waits for the record
    as ever; so it does where a test collects records, which looks at them next.
    Elsewhere the process waits for the thread before it ends.

    Attributes:
        question: As given.
    """

    def __init__(self, question: Question) -> None:
        self.question = question

    def __enter__(self) -> Question:
        """Make it the question that the code inside runs for."""
        if capture.sink is None:
            # Later, off the main thread, it would be too late.
            given = self.question._writer.given  # noqa: SLF001 - one package
            mind_sigterm(given.settings, is_beside=True)
        return self.question.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Have the record written; an error goes on to the bot as it came."""
        self.question._leave()  # noqa: SLF001 - must happen in this thread's context
        if is_on_lambda() or capture.sink is not None:
            self._write(kind, error, trace)
            return
        self.question._writer.pending.expect()  # noqa: SLF001 - `flush` is to wait for it
        written = threading.Thread(
            target=self._write_beside,
            args=(kind, error, trace),
            name=THREAD_NAME,
            daemon=False,
        )
        try:
            written.start()
        except RuntimeError:  # no thread to be had, or the interpreter is ending
            self._write_beside(kind, error, trace)

    def _write_beside(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._write(kind, error, trace)
        except BaseException as failure:  # noqa: BLE001 - its text may hold content
            _LOG.warning("audit: record not written: %s", type(failure).__name__)
        finally:
            self.question._writer.pending.settle()  # noqa: SLF001 - as above

    def _write(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.question.__exit__(kind, error, trace)
        except EmitterError as failure:  # a full queue; no one here could handle it
            _LOG.warning("audit: record not taken: %s", type(failure).__name__)
