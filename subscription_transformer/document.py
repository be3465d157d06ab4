"""A finished document: what a destination encoder is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Document:
    """One record, finished.

    Attributes:
        values: Fields in any order; the encoders keep the contractual one.
        index_ms: Time that the index files it under, in ms since the epoch.
    """

    values: dict[str, Any]
    index_ms: int

    @property
    def is_invalid(self) -> bool:
        """Tell whether this is a quarantined record."""
        return self.values.get("record_type") == "invalid"
