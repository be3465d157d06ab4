"""For bot authors' own tests: sinks that keep or refuse, and a pytest fixture.

With this package installed, a pytest test that names ``audit_records`` gets a list
that fills with the records of every emitter used in it, and nothing is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from audit_record.checks import find_problems
from audit_record.codec import decode
from emitter.capture import capture
from emitter.sinks.memory import FailingSink, MemorySink

if TYPE_CHECKING:
    from audit_record import AuditRecord
    from emitter.sinks.entry import Entry

try:
    import pytest
except ImportError:  # the sinks work without it
    pytest = None  # type: ignore[assignment]

__all__ = ["FailingSink", "MemorySink", "assert_valid"]


def assert_valid(record: Mapping[str, Any] | bytes | str) -> None:
    """Raise unless *record* keeps every rule of the schema.

    Args:
        record: A record, or its encoded line.

    Raises:
        AssertionError: With all problems, as ``code:field``.
        DecodeError: A line that is not one JSON object.
    """
    values = record if isinstance(record, Mapping) else decode(record)
    problems = find_problems(values)
    if problems:
        text = ", ".join(str(problem) for problem in problems)
        raise AssertionError(f"invalid audit record: {text}")


class _ListSink:
    """Decodes what is written into a list that a test holds."""

    def __init__(self, records: list[AuditRecord]) -> None:
        self._records = records

    def write(self, entry: Entry) -> None:
        """Keep the record of one line."""
        self._records.append(decode(entry.line))


def _collecting() -> Iterator[list[AuditRecord]]:
    """Collect the records of every emitter while the test runs."""
    records: list[AuditRecord] = []
    before = capture.sink
    capture.sink = _ListSink(records)
    try:
        yield records
    finally:
        capture.sink = before


if pytest is not None:
    audit_records = pytest.fixture(name="audit_records")(_collecting)
