"""Strands Agents: a hook that tells the audit what an agent saw, did and said.

::

    agent = Agent(model=..., hooks=[AuditHook(audit)])

    with audit.question(event):               # the question of your handler ...
        text = str(agent("Why?"))             # ... gets model calls, tools, tokens

Without such a block each run of the agent is a question of its own. Strands is
imported when the hook is given to an agent.
"""

from __future__ import annotations

import asyncio
import sys
import weakref
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from emitter.beside import Beside
from emitter.conversation import read_answer
from emitter.conversation.shape import as_dict, attribute, dict_at, dicts_in, first_text
from emitter.question import current_question
from emitter.safely import safely
from emitter.sigterm import mind_sigterm

if TYPE_CHECKING:
    from collections.abc import MutableMapping, MutableSet

    from emitter.client import AuditEmitter
    from emitter.question import Question

_MILLISECONDS: Final = 1_000


class _Run(NamedTuple):
    """A run that is a question of its own.

    Attributes:
        beside: Its question.
        handled: The error that the bot was handling when it began.
    """

    beside: Beside
    handled: BaseException | None


class AuditHook:
    """A hook provider for ``Agent(hooks=[...])``; one may serve many agents.

    Every model call counts with its tokens and stop reason, every tool with its
    status and time, and the messages that the model saw are the conversation. Do not
    also `watch` the client of the agent's model: its calls would count twice.

    A run outside of any question makes one: its text is the prompt, its reply the
    agent's result. What ``invocation_state`` holds as ``audit_source`` and
    ``audit_user`` is taken as for `AuditEmitter.question`.

    Args:
        audit: Who writes where a run is a question of its own.
    """

    def __init__(self, audit: AuditEmitter) -> None:
        mind_sigterm(audit.writer.given.settings, is_beside=True)
        self._audit = audit
        self._own: MutableMapping[Any, _Run] = weakref.WeakKeyDictionary()
        self._ended: MutableSet[Question] = weakref.WeakSet()

    def register_hooks(self, registry: Any, **_: Any) -> None:
        """Subscribe to an agent's events; Strands calls this."""
        from strands import hooks  # noqa: PLC0415 - never needed to import this module

        registry.add_callback(hooks.BeforeInvocationEvent, self.begin_run)
        registry.add_callback(hooks.BeforeModelCallEvent, self.tell_conversation)
        registry.add_callback(hooks.AfterModelCallEvent, self.tell_answer)
        registry.add_callback(hooks.AfterToolCallEvent, self.tell_tool)
        registry.add_callback(hooks.AfterInvocationEvent, self.end_run)

    @safely
    def begin_run(self, event: Any) -> None:
        """Make the run a question, unless it belongs to one."""
        current = current_question()
        # One that has ended is left behind by a stream that was never read out.
        if current is not None and current not in self._ended:
            return
        state = dict_at(attribute(event, "invocation_state"))
        source = state.get("audit_source")
        question = self._audit.question(
            source,
            text=None if source is not None else _asked(event),
            user=state.get("audit_user"),
        )
        beside = Beside(question)
        beside.__enter__()
        self._own[event.agent] = _Run(beside, sys.exc_info()[1])

    @safely
    def tell_conversation(self, event: Any) -> None:
        """Tell what the model is about to see."""
        question = current_question()
        if question is not None:
            question.conversation(list(event.agent.messages))

    @safely
    def tell_answer(self, event: Any) -> None:
        """Tell what the model answered and what that took."""
        question, stopped = current_question(), attribute(event, "stop_response")
        if question is None or stopped is None:
            return
        message = as_dict(stopped.message) or {}
        answer = {
            "output": {"message": message},
            "stopReason": stopped.stop_reason,
            "usage": dict_at(message, "metadata", "usage"),
        }
        # Tools are told when they have run.
        facts = replace(read_answer(answer), tools=(), model=_model_of(event.agent))
        question.model_response(facts)

    @safely
    def tell_tool(self, event: Any) -> None:
        """Tell which tool ran, how it ended and how long it took."""
        question = current_question()
        if question is None:
            return
        is_ok = dict_at(event.result).get("status") != "error"
        seconds = attribute(event, "duration")
        question.tool(
            event.tool_use.get("name"),
            "ok" if is_ok and event.exception is None else "error",
            None if seconds is None else round(seconds * _MILLISECONDS),
        )

    @safely
    def end_run(self, event: Any) -> None:
        """Have the record written of a run that was a question of its own."""
        run = self._own.pop(event.agent, None)
        if run is None:
            return
        question = run.beside.question
        self._ended.add(question)
        result = attribute(event, "result")
        if result is not None:
            question.reply(str(result).rstrip("\n"))
        error = _raised(run.handled)
        run.beside.__exit__(type(error) if error else None, error, None)


def _asked(event: Any) -> str:
    """Return the text of the run's prompt."""
    messages = dicts_in(attribute(event, "messages"))
    blocks = dicts_in(messages[-1].get("content")) if messages else []
    return "\n".join(filter(None, (first_text(each, "text") for each in blocks)))


def _model_of(agent: Any) -> str | None:
    configured = attribute(agent.model, "get_config")
    settings = as_dict(configured()) if callable(configured) else None
    return first_text(settings or {}, "model_id") or None


def _raised(handled: BaseException | None) -> BaseException | None:
    """Return the error that ends the run: Strands does not tell it to its hooks."""
    error = sys.exc_info()[1]
    if error is handled:
        return None
    # The bot has stopped listening to the stream.
    return asyncio.CancelledError() if isinstance(error, GeneratorExit) else error
