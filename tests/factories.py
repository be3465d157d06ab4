"""Builders of values that many tests need; all people and places invented."""

from __future__ import annotations

from typing import Any

from audit_record import AuditRecord

CORE: dict[str, Any] = {
    "timestamp": "2026-11-24T15:04:05.123Z",
    "bot_name": "VeraSlack",
    "aws_account_id": "123456789012",
    "user_id": "bob.smith",
    "session_id": "2026/11/24/[$LATEST]8f3c0d1e2a",
    "conversation_id": "C0123:1732460645.123",
    "model_used": "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "response": "Request them in the portal.",
    "user_query": "What is our process for SSL certificates?",
    "full_conversation": "[user] What is our process for SSL certificates?",
}


def make_values(**changes: Any) -> dict[str, Any]:
    """Return the fields of a valid record; a change to None leaves a field out."""
    values = CORE | {"schema_version": "1.0", "record_id": "0193" + "ab" * 14}
    values |= changes
    return {name: value for name, value in values.items() if value is not None}


def make_record(**changes: Any) -> AuditRecord:
    """Return a valid record with *changes*."""
    return AuditRecord(make_values(**changes))
