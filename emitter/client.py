"""`AuditEmitter`: what a bot makes once and asks for a `Question` each time."""

from __future__ import annotations

import functools
import logging
import os
import re
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from audit_record.fields import FIELDS_BY_NAME
from audit_record.ids import log_stream_name, new_random_hex, new_record_id
from audit_record.times import format_timestamp, parse_timestamp_ms
from emitter.chain import seal
from emitter.clock import Clock
from emitter.delivery import Delivery
from emitter.errors import SettingsError
from emitter.question import Question
from emitter.runtime import is_on_lambda, read_runtime
from emitter.settings import EmitterSettings
from emitter.sinks.entry import Entry, Sink
from emitter.stats import Stats

if TYPE_CHECKING:
    from audit_record import AuditRecord
    from emitter.identity import Identity, SourceFacts

# What is needed only after the reply is imported there: a Lambda's cold start is
# time that a person waits for.

_LOG: Final = logging.getLogger("emitter")
_F = TypeVar("_F", bound=Callable[..., Any])
# Left to the bot of what Lambda gives, so that writing never makes it time out.
_LAMBDA_RESERVE_MS: Final = 500


def clean_bot_name(name: Any) -> str:
    """Return *name* with only letters, digits, dots, underscores and dashes."""
    text = name if isinstance(name, str) else ""
    cleaned = re.sub(r"[^A-Za-z0-9._-]", "_", text, flags=re.ASCII)
    return cleaned[: FIELDS_BY_NAME["bot_name"].max_bytes] or "bot"


class AuditEmitter:
    """Writes one audit record for each question that a bot is asked.

    Make it once, at module level: it is cheap, reads the environment when it is
    first used, and loads the AWS library only to write. No method raises for bad
    data or a failing service.

    Args:
        bot_name: Letters, digits, dots, underscores and dashes, at most 64.
        settings: Instead of the environment.
        sinks: Where records go: the first is tried, the second is the fallback.
        directory: Who looks people up: `SlackDirectory`, `TeamsDirectory`, or any
            callable that takes the platform's user id.
        redact: Runs on each text; a text on which it raises is withheld.
        on_overflow: Gets the untouched record when it had to be shortened.
        clock: Instead of the machine's own.
        strict: Raise faulty settings instead of using defaults, for CI.

    Raises:
        SettingsError: With *strict* only; all faults together.
    """

    def __init__(  # noqa: PLR0913 - each argument is one thing a bot may bring
        self,
        bot_name: str,
        *,
        settings: EmitterSettings | None = None,
        sinks: Sequence[Sink] | None = None,
        directory: Any = None,
        redact: Callable[[str], str] | None = None,
        on_overflow: Callable[[AuditRecord], Any] | None = None,
        clock: Clock | None = None,
        strict: bool = False,
    ) -> None:
        self.bot_name = clean_bot_name(bot_name)
        self.clock = clock or Clock()
        self.stats = Stats()
        self._directory = directory
        self._redact = redact
        self._on_overflow = on_overflow
        self._given_settings = settings
        self._given_sinks = sinks
        self._lock = threading.Lock()
        self._problems: list[str] | None = None
        self._settings: EmitterSettings | None = None
        self._delivery: Delivery | None = None
        self._was_told_disabled = False
        if strict and self.problems:
            raise SettingsError(self.problems)

    @property
    def settings(self) -> EmitterSettings:
        """The settings in force; the environment is read at the first use."""
        if self._settings is None:
            self._read_settings()
        return cast("EmitterSettings", self._settings)

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with the settings, a sentence each."""
        if self._problems is None:
            self._read_settings()
        return tuple(self._problems or ())

    @property
    def last_error(self) -> str:
        """Why the last delivery went to the fallback; "" if none did."""
        return self._delivery.last_error if self._delivery else ""

    def question(  # noqa: PLR0913 - each argument is a field bots have at hand
        self,
        source: Any = None,
        *,
        text: str | None = None,
        lambda_context: Any = None,
        conversation: Any = None,
        conversation_id: str | None = None,
        user: Any = None,
        model: str | None = None,
        bot_version: str | None = None,
        attributes: dict[str, Any] | None = None,
    ) -> Question:
        """Begin one question; use the result with ``with`` or ``async with``.

        Args:
            source: What made the bot run: a Slack event, envelope or Bolt body, a
                Teams activity, an HTTP event with OIDC claims, or None.
            text: The question, where the source does not hold it.
            lambda_context: Lambda's context object.
            conversation: As for `Question.conversation`.
            conversation_id: Where the source does not tell.
            user: Who asked, where the bot knows better than the source.
            model: Model or inference profile that will be asked.
            bot_version: Release of code and prompts.
            attributes: The bot's own extras, at most 50.
        """
        given = {
            "text": text,
            "conversation": conversation,
            "conversation_id": conversation_id,
            "model_used": model,
            "bot_version": bot_version,
            "attributes": attributes,
        }
        known = {name: value for name, value in given.items() if value is not None}
        return Question(self, source, known, user=user, lambda_context=lambda_context)

    def write(self, **fields: Any) -> str | None:
        """Write one record in one call; return its id, None if that failed.

        Args:
            **fields: Fields of the record by name; what is missing is filled as
                far as it can be. ``lambda_context`` and ``user`` as for `question`.

        Raises:
            TypeError: A field does not exist, or only this library fills it.
        """
        context = fields.pop("lambda_context", None)
        user = fields.pop("user", None)
        from emitter.assemble import require_settable  # noqa: PLC0415 - see above

        require_settable(fields)
        try:
            return self._write_fields(fields, user, context)
        except Exception as error:  # noqa: BLE001 - the bot must never be harmed
            self.count_loss(type(error).__name__)
            return None

    def feedback(
        self,
        record_id: str,
        verdict: str,
        comment: str | None = None,
        user: Any = None,
    ) -> str | None:
        """Write what a person thinks of an answer; return the new record's id.

        Args:
            record_id: Of the interaction it is about.
            verdict: ``up`` or ``down``.
            comment: In the person's own words.
            user: Who says so.
        """
        return self.write(
            record_type="feedback",
            ref_record_id=record_id,
            feedback=verdict,
            feedback_comment=comment,
            user=user,
        )

    def audited(self, function: _F) -> _F:
        """Decorate a handler: its first argument is the question's source.

        A second argument with a Lambda's attributes is taken as its context, and
        what the handler returns as the reply if it is a text.
        """
        if _is_coroutine_function(function):

            @functools.wraps(function)
            async def audited_async(*args: Any, **kwargs: Any) -> Any:
                async with self._begin(args) as q:
                    answer = await function(*args, **kwargs)
                    _reply(q, answer)
                    return answer

            return cast("_F", audited_async)

        @functools.wraps(function)
        def audited_sync(*args: Any, **kwargs: Any) -> Any:
            with self._begin(args) as q:
                answer = function(*args, **kwargs)
                _reply(q, answer)
                return answer

        return cast("_F", audited_sync)

    def flush(self, timeout_s: float = 5.0) -> bool:
        """Wait until everything is written; tell whether it is.

        In mode ``sync`` there is never anything to wait for.
        """
        return timeout_s >= 0

    def close(self) -> None:
        """End what the emitter has begun; it can be called twice."""

    def resolve(self, facts: SourceFacts, user: Any, directory: Any = None) -> Identity:
        """Return who asked, by the home that the settings name."""
        from emitter.identity import Home, resolve  # noqa: PLC0415 - see above

        settings = self.settings
        home = Home(
            domains=settings.home_domains,
            slack_team=settings.slack_team,
            tenant=settings.tenant,
        )
        who = directory if directory is not None else self._directory
        return resolve(facts, home=home, directory=who, user=user)

    def write_question(self, question: Question, error: BaseException | None) -> None:
        """Write the record of one question that has ended."""
        from emitter.closing import fields_of  # noqa: PLC0415 - see above
        from emitter.identity import LookupFailure  # noqa: PLC0415 - see above

        collected = question.collected()

        def make(identity: Identity) -> Entry:
            fields = fields_of(collected, identity, error, self.settings.style)
            named = {"bot_name": self.bot_name} | fields
            return self._entry(named, collected.asked_ms)

        def unreachable(_: str) -> LookupFailure:
            return LookupFailure("timeout")

        once = _Once(make)
        self._deliver(
            lambda: once.entry(self.resolve(question.facts, question.user)),
            lambda: once.entry(
                self.resolve(question.facts, question.user, unreachable)
            ),
            collected.runtime.remaining_ms,
        )

    def count_loss(self, reason: str) -> None:
        """Count a record that could not even be made."""
        self.stats.count("failed", reason)

    def _begin(self, args: tuple[Any, ...]) -> Question:
        source = args[0] if args else None
        context = args[1] if len(args) > 1 else None
        return self.question(source, lambda_context=context)

    def _write_fields(
        self, fields: dict[str, Any], user: Any, context: Any
    ) -> str | None:

        from emitter.identity.source import SourceFacts  # noqa: PLC0415 - see above

        runtime = read_runtime(context)
        now_ms = self.clock.now_ms()
        asked_ms = _time_of(fields.get("timestamp"), now_ms)
        record_id = new_record_id(now_ms)
        who = user if user is not None else fields.get("user_id")
        identity = self.resolve(SourceFacts(), who)
        filled: dict[str, Any] = {
            "timestamp": format_timestamp(asked_ms),
            "bot_name": self.bot_name,
            "record_id": record_id,
            "record_type": "interaction",
            "nonce": new_random_hex(32),
        }
        filled |= runtime.as_fields(asked_ms) | identity.as_fields()
        stated = {n: v for n, v in fields.items() if v is not None and n != "user_id"}
        entry = self._entry(filled | stated, asked_ms)
        self._deliver(lambda: entry, lambda: entry, runtime.remaining_ms)
        return record_id

    def _entry(self, collected: dict[str, Any], asked_ms: int) -> Entry:
        from emitter.assemble import assemble  # noqa: PLC0415 - see above

        settings = self.settings
        before, record = assemble(collected, self._redact, settings.max_record_bytes)
        if record is not before:
            self.stats.count("shortened")
            self._tell_overflow(before)
        group = settings.log_group
        stream = log_stream_name(record.bot_name, record.session_id)
        return Entry(group, stream, asked_ms, seal(record, group, stream))

    def _deliver(
        self,
        make: Callable[[], Entry],
        make_now: Callable[[], Entry],
        remaining_ms: Callable[[], int] | None,
    ) -> None:
        if not self.settings.is_enabled:
            self._tell_disabled()
            return
        timeout_ms = self.settings.budget_ms
        if remaining_ms is not None:
            timeout_ms = min(timeout_ms, remaining_ms() - _LAMBDA_RESERVE_MS)
        self._sinks().deliver(make, make_now, timeout_ms / 1_000)
        self._tell_metrics()

    def _sinks(self) -> Delivery:
        with self._lock:
            if self._delivery is None:
                sink, fallback = self._chosen_sinks()
                self._delivery = Delivery(sink, fallback, self.stats)
            return self._delivery

    def _chosen_sinks(self) -> tuple[Sink, Sink | None]:
        if self._given_sinks is not None:
            given = list(self._given_sinks)
            return given[0], given[1] if len(given) > 1 else None
        from emitter.sinks.stdout import StdoutSink  # noqa: PLC0415 - see above

        settings = self.settings
        stdout = StdoutSink(with_content=settings.fallback != "metadata")
        is_cloudwatch = settings.sink == "cloudwatch" or (
            settings.sink == "auto" and (is_on_lambda() or settings.is_log_group_named)
        )
        if not is_cloudwatch:
            return StdoutSink(), None
        from emitter.sinks.cloudwatch_logs import (  # noqa: PLC0415 - see above
            CloudWatchLogsSink,
        )

        fallback = None if settings.fallback == "off" else stdout
        return CloudWatchLogsSink(settings.region), fallback

    def _read_settings(self) -> None:
        if self._given_settings is not None:
            self._settings, self._problems = self._given_settings, []
            return
        self._settings, self._problems = EmitterSettings.from_env(os.environ)
        for problem in self._problems:
            _LOG.error("audit settings: %s", problem)

    def _tell_overflow(self, record: AuditRecord) -> None:
        if self._on_overflow is None:
            return
        try:
            self._on_overflow(record)
        except Exception as error:  # noqa: BLE001 - the hook is the bot's own code
            _LOG.warning("audit: on_overflow failed: %s", type(error).__name__)

    def _tell_disabled(self) -> None:
        if not self._was_told_disabled:
            self._was_told_disabled = True
            _LOG.warning("audit is switched off by BOT_AUDIT_ENABLED")

    def _tell_metrics(self) -> None:
        # Elsewhere nobody turns such lines into metrics.
        if not is_on_lambda():
            return
        line = self.stats.metrics_line(
            self.clock.now_ms(), self.clock.monotonic_s(), self.bot_name
        )
        if line is not None:
            print(line, file=sys.stdout, flush=True)  # noqa: T201 - metrics go there


class _Once:
    """Makes one entry, whoever asks first; the other gets the same bytes."""

    def __init__(self, make: Callable[[Identity], Entry]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._entry: Entry | None = None

    def entry(self, identity: Identity) -> Entry:
        with self._lock:
            if self._entry is None:
                self._entry = self._make(identity)
            return self._entry


def _is_coroutine_function(function: Callable[..., Any]) -> bool:
    import inspect  # noqa: PLC0415 - see above

    return inspect.iscoroutinefunction(function)


def _reply(question: Question, answer: Any) -> None:
    if isinstance(answer, str):
        question.reply(answer)


def _time_of(timestamp: Any, now_ms: int) -> int:
    try:
        return parse_timestamp_ms(timestamp)
    except (ValueError, TypeError):
        return now_ms
