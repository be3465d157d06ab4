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


def mind_sigterm(settings: EmitterSettings | None) -> None:
    """See to SIGTERM where mode ``thread`` will be used, as far as is known.

    A framework may write every record on threads of its own. So the mode is looked up
    as early as the emitter is made; the settings themselves are read at the first use.

    Args:
        settings: Those the bot's author gave; None leaves it to the environment.
    """
    mode = os.environ.get(_MODE_VARIABLE, "") if settings is None else settings.mode
    if is_on_lambda() or str(mode).strip().lower() != "thread":
        return
    load("emitter.endings")
    from emitter.endings import close_on_sigterm  # noqa: PLC0415 - for servers alone

    close_on_sigterm()
