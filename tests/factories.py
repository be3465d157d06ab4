"""Builders of values that many tests need; all people and places invented."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

from audit_record import AuditRecord
from audit_record.codec import encode

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


LOG_GROUP = "/aws/ai-bots/audit-logs"
LOG_STREAM = "VeraSlack/2026/11/24/[$LATEST]8f3c0d1e2a"
# The event time of `CORE["timestamp"]`.
EVENT_MS = 1_795_532_645_123
ARRIVAL_MS = EVENT_MS + 5_000
STREAM_ARN = "arn:aws:firehose:eu-west-1:123456789012:deliverystream/chatbot-audit"


def make_line(**changes: Any) -> str:
    """Return a valid record as a bot writes it, with *changes*."""
    return encode(make_record(**changes)).decode()


def make_envelope(*messages: Any, **changes: Any) -> dict[str, Any]:
    """Return CloudWatch's envelope with one event for each message."""
    envelope = {
        "messageType": "DATA_MESSAGE",
        "owner": "123456789012",
        "logGroup": LOG_GROUP,
        "logStream": LOG_STREAM,
        "subscriptionFilters": ["chatbot-audit"],
        "logEvents": [
            {"id": f"{number:056d}", "timestamp": EVENT_MS, "message": message}
            for number, message in enumerate(messages, 1)
        ],
    }
    return envelope | changes


def pack(envelope: Any) -> bytes:
    """Return the gzip that CloudWatch puts into a Firehose record."""
    return gzip.compress(json.dumps(envelope).encode(), 6, mtime=0)


def make_invocation(*data: bytes | str) -> dict[str, Any]:
    """Return the event that Firehose hands to the Lambda."""
    return {
        "invocationId": "00000000-0000-4000-8000-000000000001",
        "deliveryStreamArn": STREAM_ARN,
        "region": "eu-west-1",
        "records": [
            {
                "recordId": f"r{number}",
                "approximateArrivalTimestamp": ARRIVAL_MS,
                "data": item
                if isinstance(item, str)
                else base64.b64encode(item).decode(),
            }
            for number, item in enumerate(data)
        ],
    }


CONTROL = {
    "messageType": "CONTROL_MESSAGE",
    "owner": "CloudwatchLogs",
    "logGroup": "",
    "logStream": "",
    "subscriptionFilters": [],
    "logEvents": [{"id": "", "timestamp": EVENT_MS, "message": "CWL CONTROL MESSAGE"}],
}
