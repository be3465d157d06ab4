"""Read what a bot's author has brought, of whatever kind it may be."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from emitter.conversation.shape import attribute
from emitter.settings import EmitterSettings

if TYPE_CHECKING:
    from emitter.sinks.entry import Sink

_NO_SETTINGS: Final = "settings must be an EmitterSettings"
_NO_SINKS: Final = "sinks must be a list of sinks"


class Usable(NamedTuple):
    """What can be used of it.

    Attributes:
        settings: With a sentence for each fault, of the sinks too.
        sinks: None for those that the settings choose.
    """

    settings: EmitterSettings
    sinks: list[Sink] | None


def read_given(settings: Any, sinks: Any) -> Usable:
    """Return what can be used; what is no settings has the environment instead."""
    found, are_sinks = _read_sinks(sinks)
    problems: tuple[str, ...] = () if are_sinks else (_NO_SINKS,)
    if isinstance(settings, EmitterSettings):
        usable = settings.checked()
    else:
        usable = EmitterSettings.from_env(os.environ)
        problems += () if settings is None else (_NO_SETTINGS,)
    usable = replace(usable, problems=(*usable.problems, *problems))
    return Usable(usable, found)


def _read_sinks(given: Any) -> tuple[list[Sink] | None, bool]:
    """Return the sinks, and whether all of what was given is one.

    A sink alone is as good as a list of it: no record is lost for a bracket.
    """
    if given is None:
        return None, True
    if _is_sink(given):
        return [given], False
    try:
        items = list(given)
    except Exception:  # noqa: BLE001 - a bot may give any object
        return None, False
    sinks = [item for item in items if _is_sink(item)]
    are_sinks = len(sinks) == len(items)
    return (sinks if sinks or are_sinks else None), are_sinks


def _is_sink(value: Any) -> bool:
    return not isinstance(value, type) and callable(attribute(value, "write"))
