"""Errors of the command `chatbot-audit`.

::

    ChatbotAuditError
    ├── ArgumentError (ValueError)      an option's value cannot be used
    ├── SettingsError (ValueError)      a profile file with faults; has .faults
    ├── WhenError (ValueError)          a time phrase or a zone that cannot be read
    └── StoreError (RuntimeError)       a store cannot do what was asked
        ├── StoreMissingError           there is no store at that path
        ├── StoreUnreadableError        the file is no store, or is damaged
        └── StoreWriteError             documents could not be written

Each message is one sentence for the person at the terminal. None holds record
content: paths, option names and the person's own input only. The sandbox has a
tree of its own in `chatbot_audit.sandbox.errors`.
"""

from __future__ import annotations


class ChatbotAuditError(Exception):
    """Base of every error that ends a command with exit code 2."""


class ArgumentError(ChatbotAuditError, ValueError):
    """An option's value cannot be used; the message names what was expected."""


class SettingsError(ChatbotAuditError, ValueError):
    """A profile file has faults.

    Attributes:
        faults: Each a phrase that names the key and what it must be.
    """

    def __init__(self, place: str, faults: tuple[str, ...]) -> None:
        super().__init__(f"{place}: " + "; ".join(faults))
        self.faults = faults


class WhenError(ChatbotAuditError, ValueError):
    """A time phrase or a zone cannot be read, or an interval ends before it begins."""


class StoreError(ChatbotAuditError, RuntimeError):
    """A store cannot do what was asked of it."""


class StoreMissingError(StoreError):
    """There is no store at that path."""


class StoreUnreadableError(StoreError):
    """The file is no store of this release, is damaged, or is not ours to read."""


class StoreWriteError(StoreError):
    """Documents could not be written; those of earlier batches are kept."""
