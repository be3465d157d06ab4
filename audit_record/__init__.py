"""What an audit record is: fields, limits, validity, bytes and ids.

No AWS, no network, no files: everything here is a function from value to value,
so that the bot's library, the Lambda and the analyst's tool share one meaning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_record.lazy import lazy_names

if TYPE_CHECKING:
    from audit_record.record import AuditRecord

__all__ = ["AuditRecord"]

__getattr__, __dir__ = lazy_names(__name__, {"AuditRecord": "audit_record.record"})
