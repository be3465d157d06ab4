"""`Writer`: settings, sinks and delivery of one emitter, behind its public face."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from audit_record.ids import new_random_hex, new_record_id, system_random_bits
from emitter.capture import capture
from emitter.clock import Clock
from emitter.errors import QueueFullError
from emitter.forks import tell_after_fork
from emitter.loading import load
from emitter.pending import Pending
from emitter.runtime import is_on_aws, is_on_lambda
from emitter.sigterm import TOO_LATE, mind_sigterm
from emitter.stats import Stats

if TYPE_CHECKING:
    import asyncio

    from audit_record import AuditRecord
    from audit_record.ids import RandomBits
    from emitter.assemble import Redact
    from emitter.delivery import Delivery
    from emitter.draft import Draft, Making, Recipe
    from emitter.given import Usable
    from emitter.identity import Identity, SourceFacts
    from emitter.settings import EmitterSettings
    from emitter.sinks.entry import Sink
    from emitter.sinks.worker import Worker

# What is needed only after the reply is imported there: a Lambda's cold start is
# time that a person waits for.

_LOG: Final = logging.getLogger("emitter")
RemainingMs = Callable[[], int | None]
# Left to the bot of what Lambda gives, so that writing never makes it time out.
_LAMBDA_RESERVE_MS: Final = 500
# What a record written a second before the end may take where there is no fallback.
_LAST_CALL_S: Final = 0.5
_NONCE_DIGITS: Final = 32
DEADLINE: Final = "deadline"
REENTRANT: Final = "reentrant"
# Threads that make records in mode ``thread`` where people are looked up.
_LOOKING_UP: Final = 8


class Given(NamedTuple):
    """What the bot's author has brought; None stands for what is usual."""

    settings: EmitterSettings | None = None
    sinks: Sequence[Sink] | None = None
    directory: Any = None
    redact: Redact | None = None
    on_overflow: Callable[[AuditRecord], Any] | None = None
    clock: Clock = Clock()
    random_bits: RandomBits = system_random_bits


class Writer:
    """Resolves people and writes records. Thread-safe; reads settings lazily.

    Args:
        bot_name: As records carry it.
        given: What the bot's author has brought.
    """

    def __init__(self, bot_name: str, given: Given) -> None:
        self.bot_name = bot_name
        self.given = given
        self.clock = given.clock
        self.stats = Stats()
        self.pending = Pending()
        self._settings: EmitterSettings | None = None
        self._look_ups: Any = None
        self._sinks: list[Sink] | None = None
        self._delivery: Delivery | None = None
        self._worker: Worker | None = None
        self._making: Making | None = None
        # Whether anybody turns such lines into metrics; on a laptop nobody does.
        self._tells_metrics = False
        self._is_closed = False
        self._was_told_disabled = False
        self.begin_anew()
        tell_after_fork(self)
        mind_sigterm(given.settings)

    def begin_anew(self) -> None:
        """Replace what a fork may have left locked."""
        self._lock = threading.RLock()

    @property
    def settings(self) -> EmitterSettings:
        """The settings in force; the environment is read at the first use."""
        if self._settings is None:
            with self._lock:
                if self._settings is None:
                    usable = _read_given(self.given)
                    self._sinks, self._settings = usable.sinks, usable.settings
        return self._settings

    @property
    def last_error(self) -> str:
        """Why the last record that failed to go to the first sink did so."""
        return self._delivery.last_error if self._delivery else ""

    def new_record_id(self, now_ms: int) -> str:
        """Return an id for a record of that time."""
        return new_record_id(now_ms, random_bits=self.given.random_bits)

    def new_nonce(self) -> str:
        """Return what makes the digests of one record unlike any other's."""
        return new_random_hex(_NONCE_DIGITS, random_bits=self.given.random_bits)

    def resolve(self, facts: SourceFacts, user: Any) -> Identity:
        """Return who asked; asks the directory, if there is one."""
        return self._resolve(facts, user, self._asked())

    def resolve_now(self, facts: SourceFacts, user: Any) -> Identity:
        """Return who asked as far as the event alone says it."""
        from emitter.identity import LookupFailure  # noqa: PLC0415 - see above

        has_one = self.given.directory is not None
        directory = LookupFailure("timeout") if has_one else None
        return self._resolve(facts, user, directory)

    def deliver(self, recipe: Recipe, remaining_ms: RemainingMs | None) -> None:
        """Write one record; blocks for the budget at most.

        Raises:
            QueueFullError: In mode ``thread`` with overflow policy ``raise``.
        """
        draft = self._draft(recipe)
        if draft is not None and not self._offer(draft):
            self._deliver(draft, remaining_ms)

    async def deliver_async(
        self, recipe: Recipe, remaining_ms: RemainingMs | None
    ) -> None:
        """As `deliver`, on a thread of its own; goes on if the task is cancelled.

        Raises:
            QueueFullError: As `deliver`.
        """
        import asyncio  # noqa: PLC0415 - see above

        draft = self._draft(recipe)
        if draft is None or self._offer(draft):
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # another kind of loop, which we cannot wake
            self._deliver(draft, remaining_ms)
            return
        done: asyncio.Future[QueueFullError | None] = loop.create_future()

        def run() -> None:
            try:
                failure = self._failure_of(draft, remaining_ms)
            finally:
                self.pending.settle()
            # The loop may have ended while the record was written.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(_finish, done, failure)

        self.pending.expect()
        self._start(run)
        failure = await asyncio.shield(done)
        if failure is not None:
            raise failure

    def deliver_now(self, recipe: Recipe) -> None:
        """Write one record to the fallback at once: the process is about to end."""
        draft = self._draft(recipe)
        if draft is None:
            return
        delivery = self._current_delivery()
        if len(delivery.sinks) > 1:
            delivery.fall_back(draft, DEADLINE)
        else:
            delivery.deliver(draft, _LAST_CALL_S)
        # A bot that always runs out of time tells its numbers here or never.
        self._tell_metrics()

    def flush(self, timeout_s: float) -> bool:
        """Wait until all that was begun is written; tell whether that came to be."""
        ends_at_s = self.clock.monotonic_s() + timeout_s

        def left_s() -> float:
            return max(ends_at_s - self.clock.monotonic_s(), 0)

        # In the order in which a record goes through them.
        if not self.pending.wait(left_s()):
            return False
        if self._worker is not None and not self._worker.flush(left_s()):
            return False
        return self._delivery is None or self._delivery.wait_idle(left_s())

    def close(self, timeout_s: float) -> None:
        """Write what waits; what comes later is written at once."""
        ends_at_s = self.clock.monotonic_s() + timeout_s
        worker = self._worker
        if worker is not None:
            worker.close(timeout_s)
        self.flush(max(ends_at_s - self.clock.monotonic_s(), 0))

    def _resolve(self, facts: SourceFacts, user: Any, directory: Any) -> Identity:
        from emitter.identity import Home, resolve  # noqa: PLC0415 - see above

        settings = self.settings
        home = Home(
            domains=settings.home_domains,
            slack_team=settings.slack_team,
            tenant=settings.tenant,
            teams_order=settings.teams_order,
            strip_plus_tags=settings.strip_plus_tags,
            service_pattern=settings.service_pattern,
            is_closed=settings.is_home_closed,
        )
        return resolve(facts, home=home, directory=directory, user=user)

    def _asked(self) -> Any:
        """Return whom to ask: one for all questions, since it remembers people."""
        if self._look_ups is None and self.given.directory is not None:
            load("emitter.identity.lookup")
            from emitter.identity.lookup import as_look_ups  # noqa: PLC0415

            with self._lock:
                if self._look_ups is None:
                    self._look_ups = as_look_ups(self.given.directory)
        return self._look_ups

    def _draft(self, recipe: Recipe) -> Draft | None:
        settings = self.settings
        if not settings.is_enabled:
            self._tell_disabled()
            return None
        from emitter.draft import Draft  # noqa: PLC0415 - see above

        self._set_up()
        return Draft(recipe, cast("Making", self._making))

    def _offer(self, draft: Draft) -> bool:
        """Give a question to the worker, if there is one and it has room."""
        worker = self._worker
        if worker is None or capture.sink is not None or not worker.offer(draft):
            return False
        self._tell_metrics()
        return True

    def _deliver(self, draft: Draft, remaining_ms: RemainingMs | None) -> None:
        self.pending.expect()
        try:
            self._deliver_in_time(draft, self._timeout_s(remaining_ms))
        finally:
            self.pending.settle()
        self._tell_metrics()

    def _deliver_in_time(self, draft: Draft, timeout_s: float) -> None:
        from emitter.reentry import is_delivering  # noqa: PLC0415 - see above

        delivery = self._current_delivery()
        worker = self._worker if capture.sink is None else None
        if is_delivering():
            # A logging handler that audits what the AWS library logs, say.
            delivery.fall_back(draft, REENTRANT)
        elif worker is None or not worker.enqueue(draft):
            delivery.deliver(draft, timeout_s)

    def _timeout_s(self, remaining_ms: RemainingMs | None) -> float:
        timeout_ms = self.settings.budget_ms
        left_ms = remaining_ms() if remaining_ms is not None else None
        if left_ms is not None:
            timeout_ms = min(timeout_ms, left_ms - _LAMBDA_RESERVE_MS)
        return timeout_ms / 1_000

    def _failure_of(
        self, draft: Draft, remaining_ms: RemainingMs | None
    ) -> QueueFullError | None:
        try:
            self._deliver(draft, remaining_ms)
        except QueueFullError as error:
            return error
        except Exception as error:  # noqa: BLE001 - the bot must never be harmed
            self.stats.count_failed(type(error).__name__)
        return None

    def _start(self, run: Callable[[], None]) -> None:
        from emitter.crew import crew  # noqa: PLC0415 - see above

        try:
            crew.run(run)
        except RuntimeError:  # no thread can be had: the loop has to wait
            run()

    def _current_delivery(self) -> Delivery:
        from emitter.delivery import Delivery  # noqa: PLC0415 - see above

        if capture.sink is not None:
            return Delivery((capture.sink,), self.stats)
        return self._set_up()

    def _set_up(self) -> Delivery:
        if self._delivery is None:
            with self._lock:
                if self._delivery is None:
                    self._delivery = self._make_delivery()
        return self._delivery

    def _make_delivery(self) -> Delivery:
        from emitter.delivery import Delivery  # noqa: PLC0415 - see above
        from emitter.draft import Making  # noqa: PLC0415
        from emitter.endings import close_at_exit, close_on_sigterm  # noqa: PLC0415 - see above
        from emitter.resend import Resender  # noqa: PLC0415 - see above
        from emitter.sinks.choice import choose_sinks  # noqa: PLC0415 - see above

        self._tells_metrics = is_on_aws()
        self._making = Making(
            self.settings.log_group,
            self.settings.max_record_bytes,
            self.given.redact,
            self.given.on_overflow,
            self.stats.count_shortened,
        )
        sinks = choose_sinks(self.settings) if self._sinks is None else self._sinks
        delivery = Delivery(sinks, self.stats)
        close_at_exit(self)
        if self._is_threaded():
            self._worker = self._make_worker(delivery)
            if not close_on_sigterm():
                _LOG.warning(TOO_LATE)
        resender = Resender(sinks, self.clock.now_ms)
        self.stats.on_recovery = resender.start
        if not is_on_lambda():
            resender.start()
        return delivery

    def _is_threaded(self) -> bool:
        if self.settings.mode != "thread":
            return False
        if is_on_lambda():
            _LOG.warning("audit: mode thread would lose records on Lambda: using sync")
            return False
        return True

    def _make_worker(self, delivery: Delivery) -> Worker:
        # The AWS library needs the second, and Python refuses to load it once the
        # main thread has ended, when the queue may still have to be sent.
        load("emitter.sinks.worker", "concurrent.futures.thread")
        from emitter.sinks.worker import QueueRules, Worker  # noqa: PLC0415

        settings = self.settings
        rules = QueueRules(
            settings.max_queue_count,
            settings.max_queue_bytes,
            settings.overflow,
            settings.budget_ms / 1_000,
            _LOOKING_UP if self.given.directory is not None else 1,
        )
        return Worker(delivery, self.stats, rules, self.clock.sleep_s)

    def _tell_disabled(self) -> None:
        if not self._was_told_disabled:
            self._was_told_disabled = True
            _LOG.warning("audit is switched off by BOT_AUDIT_ENABLED")

    def _tell_metrics(self) -> None:
        if capture.sink is not None or not self._tells_metrics:
            return
        from emitter import metrics  # noqa: PLC0415 - see above
        from emitter.sinks.stdout import write_line  # noqa: PLC0415 - see above

        line = metrics.tell(self.stats, self.bot_name, self.clock)
        if line is not None:
            with contextlib.suppress(OSError, ValueError, AttributeError):
                write_line(line)


def _read_given(given: Given) -> Usable:
    load("emitter.given")
    from emitter.given import read_given  # noqa: PLC0415 - see above

    usable = read_given(given.settings, given.sinks)
    if usable.settings.problems:
        _LOG.error("audit settings: %s", "; ".join(usable.settings.problems))
    return usable


def _finish(
    done: asyncio.Future[QueueFullError | None], failure: QueueFullError | None
) -> None:
    if not done.done():
        done.set_result(failure)
