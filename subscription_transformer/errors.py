"""Errors of the transformer.

::

    TransformerError
    ├── InvocationError (ValueError)   an event that Firehose would never send
    ├── SettingsError (ValueError)     faulty settings; has .faults
    ├── RulesError (ValueError)        faulty rules; has .faults
    └── UndecodableError (ValueError)  a record whose bytes cannot be read; has .reason

The first three leave the handler: Firehose then keeps every original. The last is
a record's fate and never leaves `transform.py`. No message holds record content.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class TransformerError(Exception):
    """Base of every error that this package raises."""


class InvocationError(TransformerError, ValueError):
    """The event has no list of records: nothing can be answered."""


class SettingsError(TransformerError, ValueError):
    """At least one setting is faulty.

    Attributes:
        faults: One sentence each, all of them.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("faulty settings: " + "; ".join(faults))
        self.faults = tuple(faults)


class RulesError(TransformerError, ValueError):
    """At least one rule is faulty.

    Attributes:
        faults: One sentence each, all of them.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("faulty rules: " + "; ".join(faults))
        self.faults = tuple(faults)


class UndecodableError(TransformerError, ValueError):
    """A Firehose record's bytes cannot be read.

    Attributes:
        reason: A fixed phrase, safe to log and to count.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
