"""`watch`: note what a Bedrock client is asked and answers inside a question.

Uses botocore's event hooks, which run in the thread and context that makes the call,
once a call however often botocore tries. A call belongs to the question it was begun
in; begun outside of one it is not noted at all.
"""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING, Any, Final

from emitter.answers import WatchedCall
from emitter.bedrock_calls import OPERATIONS, Call
from emitter.conversation.shape import attribute
from emitter.question import current_question

if TYPE_CHECKING:
    from collections.abc import Callable

    from emitter.client import AuditEmitter

_LOG: Final = logging.getLogger("emitter")
_SERVICES: Final = frozenset({"bedrock-runtime", "bedrock-agent-runtime"})
# Where a call is kept in botocore's own context of one request.
_KEY: Final = "chatbot_audit_call"
_FIRST_ERROR_STATUS: Final = 300


def watch(emitter: AuditEmitter, client: Any) -> bool:
    """Note the calls of *client* from now on; tell whether that is possible.

    Watching a client again, for whichever emitter, changes nothing: a call goes to
    the question that it is made in. Never raises.

    Args:
        emitter: Who wants it; named where the client cannot be watched.
        client: boto3's, of bedrock-runtime or bedrock-agent-runtime, with whatever
            settings, retries and hooks of its own.
    """
    try:
        service = client.meta.service_model.service_id.hyphenize()
        if service in _SERVICES:
            _register(client.meta.events, service)
            return True
        reason = "not of a Bedrock runtime"
    except Exception as error:  # noqa: BLE001 - the bot must never be harmed
        reason = type(error).__name__
    _LOG.warning("audit: %s cannot watch a client: %s", emitter.bot_name, reason)
    return False


def _register(events: Any, service: str) -> None:
    # Parameters last and answers first: as they were sent and as they came, whatever
    # the bot's own hooks do. One of those may answer in `before-call`, which keeps
    # later ones from being called.
    for name, hook, register in (
        ("before-parameter-build", _note_parameters, events.register_last),
        ("before-call", _begin, events.register_first),
        ("after-call", _end, events.register_first),
        ("after-call-error", _fail, events.register_first),
    ):
        register(f"{name}.{service}", hook, unique_id=f"chatbot-audit-{name}")


def _harmless(hook: Callable[..., None]) -> Callable[..., None]:
    """Let a hook fail in a log line: what it raises would reach the bot."""

    @functools.wraps(hook)
    def guarded(**kwargs: Any) -> None:
        try:
            hook(**kwargs)
        except Exception as error:  # noqa: BLE001 - the bot must never be harmed
            _LOG.warning("audit: a watched call: %s", type(error).__name__)

    return guarded


@_harmless
def _note_parameters(
    *, params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any
) -> None:
    operation = OPERATIONS.get(model.name)
    if operation is not None and current_question() is not None:
        context[_KEY] = Call(operation, params)


@_harmless
def _begin(*, context: dict[str, Any], **_: Any) -> None:
    """Count a call when its parameters are found to be right, before it is sent."""
    call, question = context.get(_KEY), current_question()
    if call is not None and question is not None:
        question.model_response(WatchedCall(settle=call.facts))


@_harmless
def _end(*, http_response: Any, parsed: Any, context: dict[str, Any], **_: Any) -> None:
    call = context.get(_KEY)
    if call is None:
        return
    status = attribute(http_response, "status_code")
    if isinstance(status, int) and status >= _FIRST_ERROR_STATUS:
        call.refused(parsed, context.get("error_code_override"))
    else:
        call.answered(parsed)


@_harmless
def _fail(*, exception: BaseException, context: dict[str, Any], **_: Any) -> None:
    call = context.get(_KEY)
    if call is not None:
        call.failed(exception)
