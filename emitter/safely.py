"""Calls of a bot that go wrong end in a log line."""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_LOG: Final = logging.getLogger("emitter")
_P = ParamSpec("_P")
_T = TypeVar("_T")


def safely(method: Callable[_P, _T]) -> Callable[_P, _T | None]:
    """Let a call with bad data end in a log line, never in the bot's face.

    The line names the method and the kind of error, nothing of the data.
    """

    @functools.wraps(method)
    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> _T | None:
        try:
            return method(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the bot must never be harmed
            _LOG.warning("audit: %s failed: %s", method.__name__, type(error).__name__)
            return None

    return guarded
