"""`Question`: what the bot tells the audit about one question, safe to call anyhow."""

from __future__ import annotations

import contextlib
import contextvars
import functools
import hashlib
import logging
import re
from collections.abc import Callable, Iterator
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Final,
    ParamSpec,
    Self,
    TypeVar,
    cast,
)

from audit_record.fields import TOOL_STATUSES
from audit_record.ids import new_random_hex, new_record_id
from audit_record.plain import to_plain
from emitter.collected import Collected
from emitter.identity.source import SourceFacts, read_source
from emitter.runtime import RuntimeFacts, read_runtime

if TYPE_CHECKING:
    from types import TracebackType

    from emitter.client import AuditEmitter

_LOG: Final = logging.getLogger("emitter")
_P = ParamSpec("_P")
_T = TypeVar("_T")
# Bedrock allows these characters in a value of requestMetadata, and 256 of them.
# AWS docs, Converse.
_NOT_IN_METADATA: Final = re.compile(r"[^a-zA-Z0-9\s:_@$#=/+,.\-]", re.ASCII)
_MAX_METADATA_CHARS: Final = 256
# What a bot may collect for one question before the rest is only counted away by
# shortening: far above the record's own limits, so that memory stays bounded.
_MAX_LISTED: Final = 1_000

_current: contextvars.ContextVar[Question | None] = contextvars.ContextVar(
    "audit_question", default=None
)


def current_question() -> Question | None:
    """Return the question that this code runs for, if there is one."""
    return _current.get()


def _safe(
    method: Callable[Concatenate[Question, _P], _T],
) -> Callable[Concatenate[Question, _P], _T | None]:
    """Let a call with bad data end in a log line, never in the bot's face."""

    @functools.wraps(method)
    def guarded(self: Question, *args: _P.args, **kwargs: _P.kwargs) -> _T | None:
        try:
            return method(self, *args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the bot must never be harmed
            _LOG.warning("audit: %s failed: %s", method.__name__, type(error).__name__)
            return None

    return cast("Callable[Concatenate[Question, _P], _T | None]", guarded)


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
        self._emitter = emitter
        clock = emitter.clock
        self._asked_ms = clock.now_ms()
        self._started_s = clock.monotonic_s()
        self.record_id = new_record_id(self._asked_ms)
        self._nonce = new_random_hex(32)
        self._user = user
        self._given = given
        self._facts: SourceFacts = read_source(source, text=given.pop("text", None))
        self._runtime: RuntimeFacts = read_runtime(lambda_context)
        self._messages: Any = given.pop("conversation", None)
        self._answers: list[Any] = []
        self._tools: list[dict[str, Any]] = []
        self._sources: list[dict[str, Any]] = []
        self._attachments: list[dict[str, Any]] = list(self._facts.attachments)
        self._streams: list[Any] = []
        self._response: str | None = None
        self._duration_ms: int | None = None
        self._token: contextvars.Token[Question | None] | None = None
        self._is_written = False

    def __enter__(self) -> Self:
        """Make this the question that the code inside runs for."""
        self._token = _current.set(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write the record; an error goes on to the bot as it came."""
        self._leave()
        self._write(error)

    async def __aenter__(self) -> Self:
        """As `with`."""
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write the record on an executor, also while the task is cancelled."""
        import asyncio  # noqa: PLC0415 - loaded already where this is awaited

        self._leave()
        loop = asyncio.get_running_loop()
        writing = loop.run_in_executor(None, self._write, error)
        await asyncio.shield(writing)

    def conversation(self, messages: _T) -> _T | list[Any]:
        """Tell what the model is about to see.

        Args:
            messages: Of Converse, Anthropic, OpenAI or Strands, or text.

        Returns:
            The messages, for the bot to use: an iterator comes back as a list,
            because it can be read only once.
        """
        kept: Any = messages
        with contextlib.suppress(Exception):
            if isinstance(messages, Iterator):
                kept = list(messages)
            self._messages = list(kept) if isinstance(kept, list | tuple) else kept
        return kept  # type: ignore[no-any-return]

    def model_response(self, response: _T) -> _T:
        """Tell what a model answered; return it.

        Args:
            response: Of Converse, InvokeModel, Anthropic, OpenAI, Bedrock Agents,
                RetrieveAndGenerate or Strands, as it came. Several are added up.
        """
        self._add_answer(response)
        return response

    def consume(self, stream: Any) -> Any:
        """Return *stream* to be read in its place; the audit reads along.

        Synchronous and asynchronous streams both work; an aborted one counts as
        partial.
        """
        from emitter.conversation import tee, tee_async  # noqa: PLC0415 - see client

        wrap: Any = tee_async if hasattr(stream, "__aiter__") else tee
        try:
            along = wrap(stream, self._add_answer)
            self._keep(self._streams, along)
        except Exception as error:  # noqa: BLE001 - the bot must get its stream
            _LOG.warning("audit: consume failed: %s", type(error).__name__)
            return stream
        return along

    @_safe
    def reply(self, text: Any) -> None:
        """Tell what the person was shown; several replies are joined by newlines."""
        plain = to_plain(text)
        shown = plain if isinstance(plain, str) else str(plain)
        self._response = (
            shown if self._response is None else f"{self._response}\n{shown}"
        )
        self._duration_ms = self._elapsed_ms()

    @_safe
    def tool(self, name: Any, status: str = "ok", ms: int | None = None) -> None:
        """Tell that a tool was called: its name, ok/error/returned, milliseconds."""
        entry = {
            "name": str(to_plain(name)) or "unknown",
            "status": status if status in TOOL_STATUSES else "ok",
            "ms": ms if isinstance(ms, int) and ms >= 0 else None,
        }
        self._keep(self._tools, entry)

    @_safe
    def source(self, uri: Any, title: Any = None, score: float | None = None) -> None:
        """Tell that the answer drew on a document."""
        self._keep(
            self._sources, {"uri": _text(uri), "title": _text(title), "score": score}
        )

    @_safe
    def attachment(
        self,
        name: Any,
        type: Any = None,  # noqa: A002 - the field's own name
        data: bytes | None = None,
        bytes: int | None = None,  # noqa: A002 - the field's own name
    ) -> None:
        """Tell that the person gave a file; only its size and digest are kept."""
        digest = hashlib.sha256(data).hexdigest() if data is not None else None
        size = len(data) if data is not None else bytes
        entry = {"name": _text(name), "type": _text(type), "bytes": size}
        self._keep(self._attachments, entry | {"sha256": digest})

    def set(self, **fields: Any) -> None:
        """Set fields of the record by name; what the bot says here wins.

        Raises:
            TypeError: A field does not exist, or only this library fills it.
        """
        from emitter.assemble import require_settable  # noqa: PLC0415 - see client

        require_settable(fields)
        attributes = fields.get("attributes")
        before = self._given.get("attributes")
        if isinstance(attributes, dict) and isinstance(before, dict):
            fields["attributes"] = before | attributes
        self._given |= fields

    def bedrock_metadata(self) -> dict[str, str]:
        """Return what to pass as Bedrock's ``requestMetadata``.

        Invocation logs then carry the record's id and can be joined to it.
        """
        parts = {
            "record_id": self.record_id,
            "bot_name": self._emitter.bot_name,
            "conversation_id": self._facts.conversation_id or "",
        }
        cleaned = {n: _NOT_IN_METADATA.sub("_", v) for n, v in parts.items() if v}
        return {name: value[:_MAX_METADATA_CHARS] for name, value in cleaned.items()}

    def bind(self, function: Callable[_P, _T]) -> Callable[_P, _T]:
        """Return *function* such that it runs for this question on any thread."""

        @functools.wraps(function)
        def bound(*args: _P.args, **kwargs: _P.kwargs) -> _T:
            token = _current.set(self)
            try:
                return function(*args, **kwargs)
            finally:
                _current.reset(token)

        return bound

    def _leave(self) -> None:
        if self._token is None:
            return
        # The block may be left in another context than it was entered in, as
        # generators of tests and frameworks do.
        with contextlib.suppress(ValueError):
            _current.reset(self._token)
        self._token = None

    def _write(self, error: BaseException | None) -> None:
        if self._is_written:
            return
        self._is_written = True
        try:
            # A stream that the bot left unread has still said something.
            for stream in self._streams:
                stream.tell_facts()
            self._duration_ms = self._duration_ms or self._elapsed_ms()
            self._emitter.write_question(self, error)
        except Exception as failure:  # noqa: BLE001 - the bot must never be harmed
            self._emitter.count_loss(type(failure).__name__)

    def _elapsed_ms(self) -> int:
        return max(
            int((self._emitter.clock.monotonic_s() - self._started_s) * 1_000), 0
        )

    def _add_answer(self, answer: Any) -> None:
        self._keep(self._answers, answer)

    def _keep(self, into: list[Any], item: Any) -> None:
        if len(into) < _MAX_LISTED:
            into.append(item)

    @property
    def asked_ms(self) -> int:
        """When the question arrived, in ms since the epoch."""
        return self._asked_ms

    @property
    def runtime(self) -> RuntimeFacts:
        """Where the bot runs."""
        return self._runtime

    @property
    def facts(self) -> SourceFacts:
        """What the event said that made the bot run."""
        return self._facts

    @property
    def user(self) -> Any:
        """The bot's own word for who asked."""
        return self._user

    def collected(self) -> Collected:
        """Return what the bot told, for the record that is made of it."""
        return Collected(
            record_id=self.record_id,
            nonce=self._nonce,
            asked_ms=self._asked_ms,
            duration_ms=self._duration_ms,
            facts=self._facts,
            runtime=self._runtime,
            given=self._given,
            messages=self._messages,
            answers=self._answers,
            tools=self._tools,
            sources=self._sources,
            attachments=self._attachments,
            response=self._response,
        )


def _text(value: Any) -> str | None:
    if value is None:
        return None
    plain = to_plain(value)
    return plain if isinstance(plain, str) else str(plain)
