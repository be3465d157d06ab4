"""Bot Framework: a middleware that audits what a Teams bot answers.

::

    adapter.use(AuditMiddleware(audit))

    async def on_message_activity(self, turn_context):
        q = turn_context.turn_state["audit_question"]
        await turn_context.send_activity(q.model_response(await ask(...)))

Works with every adapter of botbuilder-core. This module does not import it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from emitter.beside import Beside
from emitter.conversation import readable_teams
from emitter.conversation.shape import attribute, never_raises, only_text
from emitter.conversation.teams_sign_in import is_sign_in
from emitter.sigterm import mind_sigterm

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from emitter.client import AuditEmitter
    from emitter.question import Question

_LOG: Final = logging.getLogger("emitter")
_KEY: Final = "audit_question"
# Activities in which a person says something. Members joining, typing, likes and
# installations are none; a sign-in holds a token, which no record may hold.
_ASKING: Final = frozenset({"message", "messageUpdate", "invoke"})


class AuditMiddleware:
    """A middleware for ``adapter.use``.

    Messages that the bot sends or updates during the turn are the reply. The record
    is written when the turn has ended; replies that travel in the answer of the HTTP
    request itself do not wait for it.

    Args:
        audit: Who writes.
        lambda_context: Gives the context that AWS handed to the Lambda of this turn,
            for which Bot Framework has no place: ``CONTEXT.get`` of a `ContextVar`
            that the handler sets.
    """

    def __init__(
        self, audit: AuditEmitter, *, lambda_context: Callable[[], Any] | None = None
    ) -> None:
        mind_sigterm(audit.writer.given.settings, is_beside=True)
        self._audit = audit
        self._lambda_context = never_raises(lambda: None)(
            lambda_context or (lambda: None)
        )

    async def on_turn(self, context: Any, logic: Callable[[], Awaitable[Any]]) -> Any:
        """Run the turn inside its question; Bot Framework calls this."""
        question = self._begin(context)
        if question is None or not _is_question(context.activity):
            return await logic()
        with Beside(question):
            return await logic()

    def _begin(self, context: Any) -> Question | None:
        try:
            runtime = self._lambda_context()
            question = self._audit.question(context.activity, lambda_context=runtime)
            context.turn_state[_KEY] = question
            context.on_send_activities(_listener(question))
            context.on_update_activity(_listener(question))
        except Exception as error:  # noqa: BLE001 - the bot must never be harmed
            _LOG.warning("audit: bot middleware failed: %s", type(error).__name__)
            return None
        return question


def _listener(question: Question) -> Callable[..., Awaitable[None]]:
    async def on_sending(_: Any, sent: Any, proceed: Callable[[], Any]) -> None:
        for activity in sent if isinstance(sent, list) else [sent]:
            is_message = only_text(attribute(activity, "type")) == "message"
            shown = readable_teams(activity) if is_message else ""
            if shown:
                question.reply(shown)
        await proceed()

    return on_sending


@never_raises(lambda: False)
def _is_question(activity: Any) -> bool:
    is_asking = only_text(attribute(activity, "type")) in _ASKING
    return is_asking and not is_sign_in(activity)
