"""Have SIGTERM seen to early: the main thread alone can do that."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from emitter.loading import load
from emitter.runtime import is_on_lambda

if TYPE_CHECKING:
    from emitter.settings import EmitterSettings

_MODE_VARIABLE: Final = "BOT_AUDIT_MODE"
# Said where it was too late.
TOO_LATE: Final = (
    "audit: a SIGTERM would lose what waits: make AuditEmitter on the main thread, or"
    " call its close() yourself"
)


def mind_sigterm(settings: EmitterSettings | None, *, is_beside: bool = False) -> None:
    """See to SIGTERM where records wait while the bot goes on, as far as is known.

    They do in mode ``thread``, and where a framework has them written beside. It may
    write every one on threads of its own. So the mode is looked up as early as the
    emitter is made; the settings themselves are read at the first use.

    Args:
        settings: Those the bot's author gave; None leaves it to the environment.
        is_beside: Whether records are written beside, whatever the mode.
    """
    if is_on_lambda() or not (is_beside or _is_threaded(settings)):
        return
    load("emitter.endings")
    from emitter.endings import close_on_sigterm  # noqa: PLC0415 - for servers alone

    close_on_sigterm()


def _is_threaded(settings: EmitterSettings | None) -> bool:
    # Of something that is no settings at all the environment counts, as ever.
    mode = getattr(settings, "mode", None) or os.environ.get(_MODE_VARIABLE, "")
    return str(mode).strip().lower() == "thread"
