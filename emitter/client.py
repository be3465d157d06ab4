"""`AuditEmitter`: what a bot makes once and asks for a `Question` each time."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from audit_record.ids import clean_bot_name, system_random_bits
from emitter.clock import Clock
from emitter.errors import EmitterError, SettingsError
from emitter.loading import AFTER_REPLY, load
from emitter.question import Question, current_question
from emitter.writer import Given, Writer

if TYPE_CHECKING:
    from audit_record import AuditRecord
    from audit_record.ids import RandomBits
    from emitter.settings import EmitterSettings
    from emitter.sinks.entry import Sink
    from emitter.stats import Stats

_P = ParamSpec("_P")
_T = TypeVar("_T")
_F = TypeVar("_F", bound=Callable[..., Any])


class AuditEmitter:
    """Writes one audit record for each question that a bot is asked.

    Make it once, at module level: it is cheap, reads the environment when it is
    first used, and loads the AWS library only to write. No method raises for bad
    data or a failing service. Thread-safe, and safe to use after a fork.

    Args:
        bot_name: Letters, digits, dots, underscores and dashes, at most 64.
        settings: Instead of the environment.
        sinks: Where records go: the first is tried, the others are fallbacks.
        directory: Who looks people up: `SlackDirectory`, `TeamsDirectory`, or any
            callable that takes the platform's user id.
        redact: Runs on each text; a text on which it raises is withheld.
        on_overflow: Gets the untouched record when it had to be shortened.
        clock: Instead of the machine's own.
        random_bits: Instead of the system's chance, for ids and nonces.
        strict: Raise faulty settings instead of using defaults, for CI.

    Attributes:
        bot_name: As records carry it.
        writer: What does the work; of use to this package alone.

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
        random_bits: RandomBits | None = None,
        strict: bool = False,
    ) -> None:
        self.bot_name = clean_bot_name(bot_name)
        self._has_odd_name = self.bot_name != bot_name
        given = Given(
            settings,
            sinks,
            directory,
            redact,
            on_overflow,
            clock or Clock(),
            random_bits or system_random_bits,
        )
        self.writer = Writer(self.bot_name, given)
        if strict and self.problems:
            raise SettingsError(self.problems)

    @property
    def settings(self) -> EmitterSettings:
        """The settings in force; the environment is read at the first use."""
        return self.writer.settings

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with the settings, a sentence each."""
        odd_name = (
            "bot_name must be 1 to 64 letters, digits, dots, underscores or dashes",
        )
        return (odd_name if self._has_odd_name else ()) + self.settings.problems

    @property
    def stats(self) -> Stats:
        """Counts of this process: written, fallback, failed, shortened, by_reason."""
        return self.writer.stats

    @property
    def last_error(self) -> str:
        """Why the last record that missed the first sink did so; "" if none did."""
        return self.writer.last_error

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
                Teams activity, an HTTP event that holds one of these in its body or
                OIDC claims of a gateway, or None.
            text: The question, where the source does not hold it.
            lambda_context: Lambda's context object, or AgentCore's.
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
                far as it can be, and what only the pipeline fills is left out.
                ``lambda_context`` as for `question`; ``user`` is a name, an
                `Identity`, or an event as for `question`.

        Raises:
            TypeError: A field does not exist.
            QueueFullError: In mode ``thread`` with overflow policy ``raise``.
        """
        load(*AFTER_REPLY, "emitter.single")
        from audit_record.plain import to_plain  # noqa: PLC0415 - as needed
        from emitter.assemble import without_own_fields  # noqa: PLC0415 - as needed
        from emitter.single import SingleRecipe  # noqa: PLC0415 - few bots need it

        context = fields.pop("lambda_context", None)
        user = fields.pop("user", None)
        stated = without_own_fields(fields, and_keep=("record_id",))
        try:
            try:
                recipe = SingleRecipe(self.writer, dict(stated), user, context)
            except Exception:  # noqa: BLE001 - traps among the values: by name, then
                known = {name: to_plain(value) for name, value in stated.items()}
                recipe = SingleRecipe(self.writer, known, None, None)
            self.writer.deliver(recipe, recipe.remaining_ms)
        except EmitterError:  # the policy that the caller chose
            raise
        except Exception as error:  # noqa: BLE001 - the bot must never be harmed
            self.writer.stats.count_failed(type(error).__name__)
            return None
        return recipe.record_id

    def feedback(
        self,
        record_id: str,
        verdict: str,
        comment: str | None = None,
        user: Any = None,
    ) -> str | None:
        """Write what a person thinks of an answer; return the new record's id.

        Args:
            record_id: Of the interaction it is about, in any usual spelling.
            verdict: ``up`` or ``down``, in any case.
            comment: In the person's own words.
            user: Who says so: a name, an `Identity`, or the event that told it.
        """
        load("emitter.feedback")
        from emitter.feedback import read_feedback  # noqa: PLC0415 - few bots need it

        return self.write(
            record_type="feedback",
            feedback_comment=comment,
            user=user,
            **read_feedback(record_id, verdict),
        )

    def watch(self, client: _T) -> _T:
        """Attribute every call of a Bedrock *client* to the question it is made in.

        Args:
            client: A boto3 client for bedrock-runtime or bedrock-agent-runtime.

        Returns:
            The same client.
        """
        load("emitter.bedrock")
        from emitter.bedrock import watch  # noqa: PLC0415 - few bots need it

        watch(self, client)
        return client

    def bind(self, function: Callable[_P, _T]) -> Callable[_P, _T]:
        """Carry the question that runs now into a thread; see `Question.bind`."""
        question = current_question()
        if question is not None:
            return question.bind(function)

        @functools.wraps(function)
        def unbound(*args: _P.args, **kwargs: _P.kwargs) -> _T:
            return function(*args, **kwargs)

        return unbound

    def audited(self, function: _F) -> _F:
        """Decorate a handler, so that each call of it is a question.

        The event among its arguments is the question's source, a Lambda context
        its context; a text that it returns or yields is the reply unless the
        handler told one. Plain, async and generator functions all work.
        """
        from emitter.audited import audited  # noqa: PLC0415 - few bots need it

        return audited(self, function)

    def flush(self, timeout_s: float = 5.0) -> bool:
        """Wait until everything is written; tell whether it is."""
        return self.writer.flush(timeout_s)

    def close(self, timeout_s: float = 5.0) -> None:
        """Write what waits, what is left to the fallback; can be called twice.

        A question that ends later is still written, at once.
        """
        self.writer.close(timeout_s)
