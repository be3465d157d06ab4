"""What an audit record is: fields, limits, validity, bytes and ids.

No AWS, no network, no files: everything here is a function from value to value,
so that the bot's library, the Lambda and the analyst's tool share one meaning.
"""

from audit_record.record import AuditRecord

__all__ = ["AuditRecord"]
