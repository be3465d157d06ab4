"""`Question`: what the bot tells the audit about one question, safe to call anyhow."""

from __future__ import annotations

import enum
import functools
import logging
import os
import threading
from contextlib import suppress
from typing import (
    TYPE_CHECKING,
    Any,
    Final,
    ParamSpec,
    Self,
    TypeVar,
    cast,
)

from emitter.current import current, current_question, running_for
from emitter.errors import EmitterError
from emitter.gathered import Gathered
from emitter.identity.source import SourceFacts, read_source
from emitter.loading import AFTER_REPLY, load
from emitter.runtime import read_runtime
from emitter.safely import safely

if TYPE_CHECKING:
    import contextvars
    from collections.abc import Callable
    from types import TracebackType

    from emitter.client import AuditEmitter
    from emitter.collected import Collected
    from emitter.draft import Recipe
    from emitter.guard import Watch

__all__ = ["Question", "current_question", "running_for"]

_LOG: Final = logging.getLogger("emitter")
_P = ParamSpec("_P")
_T = TypeVar("_T")


class _State(enum.Enum):
    OPEN = enum.auto()
    # The guard has written what was known; the block has not ended.
    TIMED_OUT = enum.auto()
    ENDED = enum.auto()


class Question:
    """One question, from its arrival to its record; made by `AuditEmitter.question`.

    Use it with ``with`` or ``async with``. Leaving the block writes exactly one
    record, whatever happened inside. Every method can be called with anything.

    Attributes:
        record_id: Id of the record that will be written.
    """

    def __init__(
        self,
        emitter: AuditEmitter,
        source: Any,
        given: dict[str, Any],
        *,
        user: Any = None,
        lambda_context: Any = None,
    ) -> None:
        self._writer = emitter.writer
        clock = self._writer.clock
        self._asked_ms = clock.now_ms()
        self._started_s = clock.monotonic_s()
        self.record_id = self._new_id()
        self._user = user
        self._model = given.get("model_used")
        messages = given.pop("conversation", None)
        self._facts: SourceFacts = read_source(
            source, text=given.pop("text", None), bot_name=self._writer.bot_name
        )
        self._runtime = read_runtime(lambda_context, event=self._facts.event)
        self._given = given
        self._gathered = Gathered(self._facts.attachments)
        self._replied_ms: int | None = None
        self._lock = threading.Lock()
        self._state = _State.OPEN
        self._pid = os.getpid()
        self._token: contextvars.Token[Question | None] | None = None
        self._watch: Watch | None = None
        if messages is not None:
            self.conversation(messages)

    def __enter__(self) -> Self:
        """Make this the question that the code inside runs for."""
        self._token = current.set(self)
        remaining_ms = self._runtime.remaining_ms
        if remaining_ms is not None and self._watch is None:
            load("emitter.guard")
            from emitter.guard import guard  # noqa: PLC0415 - for Lambda alone

            self._watch = guard.watch(self, remaining_ms)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write the record; an error goes on to the bot as it came."""
        try:
            recipe = self._end(error)
            if recipe is not None:
                self._writer.deliver(recipe, self._runtime.remaining_ms)
        except Exception as failure:  # noqa: BLE001 - the bot must never be harmed
            self._take(failure, error)

    async def __aenter__(self) -> Self:
        """As `with`."""
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write the record on a thread, also while the task is cancelled."""
        try:
            recipe = self._end(error)
            if recipe is not None:
                await self._writer.deliver_async(recipe, self._runtime.remaining_ms)
        except Exception as failure:  # noqa: BLE001 - the bot must never be harmed
            self._take(failure, error)

    def _take(self, failure: Exception, error: BaseException | None) -> None:
        """Count a lost record; raise only by the caller's own overflow policy."""
        if not isinstance(failure, EmitterError):
            self._writer.stats.count_failed(type(failure).__name__)
        elif error is None:
            raise failure

    def conversation(self, messages: _T) -> _T:
        """Tell what the model is about to see.

        Args:
            messages: Of Converse, Anthropic, OpenAI or Strands, or text.

        Returns:
            The messages, for the bot to use: an iterator comes back as another
            one or a list, because it can be read only once.
        """
        try:
            kept = self._gathered.keep_messages(messages)
        except Exception as error:  # noqa: BLE001 - the bot must never be harmed
            _LOG.warning("audit: conversation failed: %s", type(error).__name__)
            return messages
        return cast("_T", kept)

    def model_response(self, response: _T) -> _T:
        """Tell what a model answered; return it.

        Args:
            response: Of Converse, InvokeModel, Anthropic, OpenAI, Bedrock Agents,
                RetrieveAndGenerate or Strands, as it came. Several are added up.
        """
        self.add_answer(response)
        return response

    def consume(self, stream: Any) -> Any:
        """Return *stream* to be read in its place; the audit reads along.

        Synchronous and asynchronous streams both work; an aborted one counts as
        partial.
        """
        load("emitter.conversation.stream.along")
        from emitter.conversation.stream.along import tee_any  # noqa: PLC0415 - as needed

        try:
            along = tee_any(stream, self.add_answer)
            self._gathered.add_stream(along)
        except Exception as error:  # noqa: BLE001 - the bot must get its stream
            _LOG.warning("audit: consume failed: %s", type(error).__name__)
            return stream
        return along

    @safely
    def reply(self, text: Any) -> None:
        """Tell what the person was shown; several replies are joined by newlines."""
        self._gathered.add_reply(text)
        self._replied_ms = self._elapsed_ms()

    @safely
    def tool(self, name: Any, status: Any = "ok", ms: float | None = None) -> None:
        """Tell that a tool was called: its name, ok/error/returned, milliseconds."""
        self._gathered.add_tool(name, status, ms)

    @safely
    def source(self, uri: Any, title: Any = None, score: float | None = None) -> None:
        """Tell that the answer drew on a document."""
        self._gathered.add_source(uri, title, score)

    @safely
    def attachment(
        self,
        name: Any,
        type: Any = None,  # noqa: A002 - the field's own name
        data: Any = None,
        bytes: int | None = None,  # noqa: A002 - the field's own name
    ) -> None:
        """Tell that the person gave a file; only its size and digest are kept."""
        self._gathered.add_attachment(name, type, data, bytes)

    @safely
    def add_answer(self, answer: Any) -> None:
        """Take an answer as a model gave it, or the facts of one."""
        self._gathered.add_answer(answer)

    def set(self, **fields: Any) -> None:
        """Set fields of the record by name; what the bot says here wins.

        Fields that only this library or the pipeline fills are left as they are, and
        so is a field for which the bot says None.

        Raises:
            TypeError: A field does not exist.
        """
        load("emitter.assemble")
        from emitter.assemble import without_own_fields  # noqa: PLC0415 - as needed

        told = {name: value for name, value in fields.items() if value is not None}
        stated = without_own_fields(told)
        attributes = stated.get("attributes")
        before = self._given.get("attributes")
        if type(attributes) is type(before) is dict:
            stated["attributes"] = before | attributes
        self._given = self._given | stated

    def bedrock_metadata(self) -> dict[str, str]:
        """Return what to pass as Bedrock's ``requestMetadata``.

        Invocation logs then carry the record's id and can be joined to it. Who asked
        is named where the bot or claims tell it: nobody is looked up here.
        """
        load("emitter.invocation_metadata")
        from emitter.invocation_metadata import (  # noqa: PLC0415 - few bots need it
            invocation_metadata,
        )

        return {"record_id": self.record_id} | invocation_metadata(
            self._writer, self._facts, self._user, self._given
        )

    def bind(self, function: Callable[_P, _T]) -> Callable[_P, _T]:
        """Return *function* such that it runs for this question on any thread."""

        @functools.wraps(function)
        def bound(*args: _P.args, **kwargs: _P.kwargs) -> _T:
            with running_for(self):
                return function(*args, **kwargs)

        return bound

    @property
    def has_reply(self) -> bool:
        """Whether it was told what the person was shown."""
        return self._gathered.response is not None

    @property
    def facts(self) -> SourceFacts:
        """What the event said that made the bot run."""
        return self._facts

    @property
    def user(self) -> Any:
        """The bot's own word for who asked."""
        return self._user

    def _leave(self) -> None:
        """Let the code of this context run for no question; the block stays open.

        Where another thread or a generator ends the block, its own steps are bound
        with `bind`.
        """
        token, self._token = self._token, None
        if token is not None:
            # The block may be left in another context than it was entered in, as
            # generators of tests and frameworks do.
            with suppress(ValueError):
                current.reset(token)

    def time_is_up(self) -> None:
        """Write what is known, as Lambda is about to stop the bot; never raises."""
        with self._lock:
            if self._state is not _State.OPEN:
                return
            self._state = _State.TIMED_OUT
        try:
            load(*AFTER_REPLY)
            recipe = self._recipe(self.collected(is_timeout=True))
            self._writer.deliver_now(recipe)
        except Exception as failure:  # noqa: BLE001 - the guard watches others too
            self._writer.stats.count_failed(type(failure).__name__)

    def collected(self, **ending: Any) -> Collected:
        """Return what the bot told, for the record that is made of it.

        Args:
            **ending: How the question ended; see `Collected`.
        """
        from emitter.collected import Collected  # noqa: PLC0415 - after the reply only

        ending.setdefault("record_id", self.record_id)
        return Collected(
            asked_ms=self._asked_ms,
            duration_ms=self._replied_ms,
            facts=self._facts,
            runtime=self._runtime,
            given=self._given,
            model=self._model,
            gathered=self._gathered,
            **ending,
        )

    def _recipe(self, collected: Collected) -> Recipe:
        from emitter.closing import QuestionRecipe  # noqa: PLC0415 - as above

        return QuestionRecipe(self._writer, collected, self._user)

    def _end(self, error: BaseException | None) -> Recipe | None:
        """Leave the block; return what to write, None if that was done before.

        A forked child that leaves the block writes nothing: the question is the
        parent's. Where the guard has written already, the full record follows it.
        """
        self._leave()
        if self._watch is not None:
            self._watch.cancel()
        with self._lock:
            before, self._state = self._state, _State.ENDED
        if before is _State.ENDED or self._pid != os.getpid():
            return None
        load(*AFTER_REPLY)
        if self._replied_ms is None:
            self._replied_ms = self._elapsed_ms()
        try:
            self._gathered.end_streams()
        except Exception as failure:  # noqa: BLE001 - the bot must never be harmed
            _LOG.warning("audit: stream failed: %s", type(failure).__name__)
        if before is _State.OPEN:
            return self._recipe(self.collected(error=error))
        return self._recipe(
            self.collected(
                error=error, record_id=self._new_id(), ref_record_id=self.record_id
            )
        )

    def _elapsed_ms(self) -> int:
        return max(int((self._writer.clock.monotonic_s() - self._started_s) * 1_000), 0)

    def _new_id(self) -> str:
        return self._writer.new_record_id(self._asked_ms)
