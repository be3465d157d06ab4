"""A finished document: what a destination encoder is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from audit_record import AuditRecord
from audit_record.codec import dumps
from audit_record.times import format_timestamp


@dataclass(frozen=True, slots=True)
class Document:
    """One record, finished.

    Attributes:
        values: Fields in any order; the encoders keep the contractual one. Where
            `encoded` is set, those that name the document only.
        index_ms: Time that the index files it under, in ms since the epoch.
        encoded: The whole document as JSON, where it was made in one go.
    """

    values: dict[str, Any]
    index_ms: int
    encoded: bytes = b""

    def json(self) -> bytes:
        """Return the document as one JSON object, in the contractual order."""
        return self.encoded or dumps(AuditRecord(self.values).as_dict())

    def json_with_time(self) -> bytes:
        """Return the same with the index time before everything else."""
        time = format_timestamp(self.index_ms).encode()
        return b'{"@timestamp":"%b",%b' % (time, self.json()[1:])

    @property
    def is_invalid(self) -> bool:
        """Tell whether this is a quarantined record."""
        return self.values.get("record_type") == "invalid"
