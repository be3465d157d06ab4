"""Slack Bolt: a middleware that audits what an app's listeners answer.

::

    app.use(audit_middleware(audit))          # AsyncApp: async_audit_middleware

    @app.event("app_mention")
    def answer(say, audit_question):          # also context["audit_question"]
        say(audit_question.model_response(ask(...)))

Works for a whole app and, as ``middleware=[...]``, for one listener. This module
does not import slack_bolt.
"""

from __future__ import annotations

import copy
import functools
import logging
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from emitter.beside import Beside
from emitter.conversation import readable_slack
from emitter.conversation.shape import as_dict, never_raises, parse_json
from emitter.question import Question
from emitter.sigterm import mind_sigterm

if TYPE_CHECKING:
    from collections.abc import Callable

    from emitter.client import AuditEmitter

_LOG: Final = logging.getLogger("emitter")
_KEY: Final = "audit_question"
# Slack asks for these at each key that somebody presses in a menu.
_SUGGESTIONS: Final = frozenset({"block_suggestion", "dialog_suggestion"})


def audit_middleware(audit: AuditEmitter) -> Callable[..., None]:
    """Return a middleware for `slack_bolt.App`.

    What a listener says with ``say``, ``respond`` or ``ack`` is the reply. The
    record is written when the listener has ended; of a listener with lazy functions
    when the first of those has. Events in which nobody says anything, such as an
    opened home tab, are no questions and leave no record.
    """
    mind_sigterm(audit.writer.given.settings, is_beside=True)

    def begin_question(context: Any, body: Any, next_: Callable[[], Any]) -> None:
        _begin(audit, context, body, _run_with)
        next_()

    return begin_question


def async_audit_middleware(audit: AuditEmitter) -> Callable[..., Any]:
    """Return a middleware for `slack_bolt.async_app.AsyncApp`; else as above."""
    mind_sigterm(audit.writer.given.settings, is_beside=True)

    async def begin_question(context: Any, body: Any, next_: Callable[[], Any]) -> None:
        _begin(audit, context, body, _await_with)
        await next_()

    return begin_question


class BoltQuestion(Question):
    """A question that stays itself where Bolt copies its context.

    Bolt does that for lazy functions; a copy would be a question of its own.

    Attributes:
        is_answered: A reply was told.
    """

    is_answered = False
    _is_heard = False

    def reply(self, text: Any) -> None:
        """Tell what the person was shown."""
        self.is_answered = True
        super().reply(text)

    def __deepcopy__(self, _: dict[int, Any]) -> BoltQuestion:
        """Return this very question."""
        return self

    def hear(self) -> bool:
        """Tell the first listener, and no other, that this is a question."""
        was_heard, self._is_heard = self._is_heard, True
        facts = self.facts
        has_content = bool(facts.user_query or facts.attachments)
        is_suggestion = facts.event.get("type") in _SUGGESTIONS
        return has_content and not is_suggestion and not was_heard


def _begin(
    audit: AuditEmitter, context: Any, body: Any, around: Callable[..., Any]
) -> None:
    try:
        if _KEY in context:
            return
        runtime = _lambda_context(context)
        context[_KEY] = BoltQuestion(audit, body, {}, lambda_context=runtime)
        runner = context["listener_runner"]
        # Bolt has no middleware around a listener: theirs end before it begins.
        if not isinstance(runner.run, _AuditedRun):
            runner.run = _AuditedRun(runner.run, around)
    except Exception as error:  # noqa: BLE001 - the bot must never be harmed
        _LOG.warning("audit: bolt middleware failed: %s", type(error).__name__)


def _lambda_context(context: Any) -> Any:
    """Return Lambda's context, or as much of it as Bolt's handler passes on."""
    arn = context.get("aws_lambda_invoked_function_arn")
    known = SimpleNamespace(invoked_function_arn=arn) if arn else None
    return context.get("lambda_context") or known


class _AuditedRun:
    """Stands for the ``run`` method of a Bolt listener runner.

    Args:
        run: The method; synchronous or not.
        around: Gives a listener's function with its question around it.
    """

    def __init__(self, run: Callable[..., Any], around: Callable[..., Any]) -> None:
        self._run = run
        self._around = around

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            kwargs |= {"listener": self._audited(kwargs["request"], kwargs["listener"])}
        except Exception as error:  # noqa: BLE001 - the bot must never be harmed
            _LOG.warning("audit: bolt listener unheard: %s", type(error).__name__)
        return self._run(*args, **kwargs)

    def _audited(self, request: Any, listener: Any) -> Any:
        question = request.context.get(_KEY)
        if not (isinstance(question, BoltQuestion) and question.hear()):
            return listener
        audited = copy.copy(listener)
        if listener.lazy_functions:
            first, *others = listener.lazy_functions
            audited.lazy_functions = [self._around(question, first), *others]
        else:
            # The answer of a slash command may be its acknowledgement.
            acknowledged = functools.partial(_tell_ack, question, request.context)
            audited.ack_function = self._around(
                question, listener.ack_function, acknowledged
            )
        for name in ("say", "respond"):
            told = getattr(request.context, name)
            request.context[name] = _Told(told, question)
        return audited


class _Told:
    """Stands for ``say`` or ``respond``; tells the question what was shown."""

    def __init__(self, inner: Any, question: Question) -> None:
        self._inner = inner
        self._question = question

    def __getattr__(self, name: str) -> Any:
        # Copying asks for special methods before there is an inner one to have them.
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._inner, name)

    def __deepcopy__(self, memo: dict[int, Any]) -> _Told:
        return _Told(copy.deepcopy(self._inner, memo), self._question)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        sent = self._inner(*args, **kwargs)
        if hasattr(sent, "__await__"):
            return self._tell_after(sent, args, kwargs)
        _tell(self._question, args, kwargs)
        return sent

    async def _tell_after(self, sending: Any, args: Any, kwargs: Any) -> Any:
        sent = await sending
        _tell(self._question, args, kwargs)
        return sent


@never_raises(lambda: None)
def _tell(question: Question, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Tell what a call of ``say(text, blocks, attachments, ...)`` has shown."""
    message = dict(zip(("text", "blocks", "attachments"), args, strict=False)) | kwargs
    shown = _shown(as_dict(message.get("text")) or message)
    if shown:
        question.reply(shown)


@never_raises(lambda: None)
def _tell_ack(question: BoltQuestion, context: Any) -> None:
    if question.is_answered:
        return
    body = getattr(context.ack.response, "body", None)
    shown = _shown(as_dict(parse_json(body)) or {"text": body}) if body else ""
    if shown:
        question.reply(shown)


def _shown(message: dict[str, Any]) -> str:
    """Return what Slack shows of a message: with blocks, its text only notifies."""
    blocks = {"blocks": message.get("blocks")}
    text = {"text": message.get("markdown_text") or message.get("text")}
    content = blocks if readable_slack(blocks) else text
    return readable_slack(content | {"attachments": message.get("attachments")})


def _run_with(
    question: Question,
    function: Callable[..., Any],
    after: Callable[[], None] = lambda: None,
) -> Callable[..., Any]:
    @functools.wraps(function)
    def audited(*args: Any, **kwargs: Any) -> Any:
        with Beside(question):
            result = function(*args, **kwargs)
            after()
            return result

    return audited


def _await_with(
    question: Question,
    function: Callable[..., Any],
    after: Callable[[], None] = lambda: None,
) -> Callable[..., Any]:
    @functools.wraps(function)
    async def audited(*args: Any, **kwargs: Any) -> Any:
        with Beside(question):
            result = await function(*args, **kwargs)
            after()
            return result

    return audited
