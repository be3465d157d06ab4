"""Errors of the emitter.

::

    EmitterError
    ├── SettingsError (ValueError)     faulty settings, raised with strict=True only
    ├── QueueFullError (RuntimeError)  mode thread with overflow policy raise only
    └── SinkError (RuntimeError)       a sink did not take a record; has .reason

A bot sees none of them unless it asked for it. No message holds record content.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class EmitterError(Exception):
    """Base of every error that this package raises."""


class SettingsError(EmitterError, ValueError):
    """At least one setting is faulty.

    Attributes:
        faults: One sentence each, all of them.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


class QueueFullError(EmitterError, RuntimeError):
    """The queue of mode ``thread`` is full, and its policy is to say so."""


class SinkError(EmitterError, RuntimeError):
    """A sink did not take a record.

    Attributes:
        reason: A fixed phrase or a service's error code, safe to log and count.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"the record was not taken: {reason}")
        self.reason = reason
