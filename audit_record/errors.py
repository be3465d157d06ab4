"""Errors of the audit record.

::

    AuditRecordError
    ├── DecodeError (ValueError)           bytes that are not one JSON object
    ├── InvalidRecordError (ValueError)    a record that breaks rules; has .problems
    ├── RecordTooLargeError (ValueError)   a limit no shortening can meet
    └── UnknownSchemaError (ValueError)    a schema major this release cannot read

No message carries record content: names of fields, codes and sizes only.
"""

from __future__ import annotations


class AuditRecordError(Exception):
    """Base of every error that this package raises."""


class DecodeError(AuditRecordError, ValueError):
    """The bytes are not one JSON object.

    Attributes:
        reason: A fixed phrase, safe to log.
        size_bytes: Size of what could not be decoded.
    """

    def __init__(self, reason: str, size_bytes: int) -> None:
        super().__init__(f"not an audit record: {reason} ({size_bytes} bytes)")
        self.reason = reason
        self.size_bytes = size_bytes


class InvalidRecordError(AuditRecordError, ValueError):
    """The record breaks at least one rule of `audit_record.checks`.

    Attributes:
        problems: Each as ``code:field``, in table order.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("invalid audit record: " + ", ".join(problems))
        self.problems = problems


class RecordTooLargeError(AuditRecordError, ValueError):
    """The asked limit is below what any record may need.

    Attributes:
        max_bytes: The limit asked for.
        smallest_bytes: The smallest limit that is legal.
    """

    def __init__(self, max_bytes: int, smallest_bytes: int) -> None:
        super().__init__(
            f"a record limit of {max_bytes} bytes is below {smallest_bytes} bytes"
        )
        self.max_bytes = max_bytes
        self.smallest_bytes = smallest_bytes


class UnknownSchemaError(AuditRecordError, ValueError):
    """The record's schema major is one that this release cannot upgrade.

    Attributes:
        major: The major as found, at most 8 characters, digits only.
    """

    def __init__(self, major: str) -> None:
        super().__init__(f"unknown schema major {major}")
        self.major = major
