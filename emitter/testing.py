"""For bot authors' own tests: sinks that keep or refuse, and a pytest fixture.

With this package installed, a pytest test that names ``audit_records`` gets a list
that fills with the records of every emitter used in it, and nothing is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit_record.checks import require_valid
from audit_record.codec import decode
from emitter.client import AuditEmitter
from emitter.sinks.memory import FailingSink, MemorySink

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from audit_record import AuditRecord
    from emitter.sinks.entry import Entry

try:
    import pytest
except ImportError:  # the sinks work without it
    pytest = None  # type: ignore[assignment]

__all__ = ["FailingSink", "MemorySink", "assert_valid"]


def assert_valid(record: Mapping[str, Any]) -> None:
    """Raise `InvalidRecordError` with all problems unless *record* is valid."""
    require_valid(record)


class _ListSink:
    """Decodes what is written into a list that a test holds."""

    def __init__(self, records: list[AuditRecord]) -> None:
        self._records = records

    def write(self, entry: Entry) -> None:
        self._records.append(decode(entry.line))


if pytest is not None:

    @pytest.fixture
    def audit_records(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[AuditRecord]]:
        """Collect the records of every emitter that the test uses."""
        records: list[AuditRecord] = []
        sink = _ListSink(records)
        monkeypatch.setattr(AuditEmitter, "_chosen_sinks", lambda _: (sink, None))
        yield records
