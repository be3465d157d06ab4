"""Invocations to measure with: chats, batches and huge conversations.

The text is English from the documentation of Python's own library, with code and
other scripts in half of the records, escapes and raw UTF-8 by turns; one record in
25 has a secret, one in 250 is no record, one in 250 lacks a field.
"""

from __future__ import annotations

import base64
import gzip
import json
import pydoc_data.topics
import random
import re
from typing import Any, Final

_FOREIGN: Final = (
    "証明書の更新手順を教えてください。",
    "Как продлить сертификат сервера?",
    "Wie läuft die Verlängerung, bitte? 🙂",
    "¿Quién aprueba las vacaciones?",
)
_CODE: Final = '```python\ndef renew(name):\n\treturn f"{name}\\\\cert"\n```\n'
_SECRETS: Final = (
    "AKIAQ3EGRXVZT5BMJ7WD",
    "password=hunter2hunter2",
    "219-09-9999",
    "4111 1111 1111 1111",
    "Bearer abcDEF0123456789abcDEF",
    "ghp_" + "a1B2" * 9,
)
_FOREIGN_SHARE: Final = 0.1
_CODE_SHARE: Final = 0.01
_EVENT_MS: Final = 1_795_532_645_123


def _sentences() -> list[str]:
    text = " ".join(pydoc_data.topics.topics.values())
    text = re.sub(r"[*`=|_\\~^-]+", " ", text).encode("ascii", "ignore").decode()
    return [s for s in re.split(r"(?<=[.?!])\s+", " ".join(text.split())) if s]


class _Author:
    """Writes records; the same ones every time."""

    def __init__(self) -> None:
        self._random = random.Random(20261124)
        self._sentences = _sentences()
        self._count = 0

    def text(self, size: int, *, is_foreign: bool) -> str:
        """Return about *size* characters."""
        parts: list[str] = []
        length = 0
        while length < size:
            part = self._random.choice(self._sentences)
            if is_foreign and self._random.random() < _FOREIGN_SHARE:
                part += " " + self._random.choice(_FOREIGN)
            if self._random.random() < _CODE_SHARE:
                part += "\n" + _CODE
            parts.append(part)
            length += len(part) + 1
        return " ".join(parts)

    def message(self, conversation_bytes: int, place: int) -> str:
        """Return one line as a bot writes it."""
        self._count += 1
        if self._count % 250 == 0:
            return "ERROR something that is no record"
        is_foreign = self._count % 2 == 0
        query = self.text(300, is_foreign=is_foreign)
        response = self.text(1_400, is_foreign=is_foreign)
        if self._count % 25 == 0:
            response += " " + self._random.choice(_SECRETS)
        earlier = self.text(conversation_bytes, is_foreign=is_foreign)
        moment = f"2026-11-24T15:04:05.{123 + place:03d}Z"
        values: dict[str, Any] = {
            "timestamp": moment,
            "bot_name": "VeraSlack",
            "aws_account_id": "123456789012",
            "user_id": f"user.{self._count % 97}",
            "session_id": "2026/11/24/[$LATEST]8f3c0d1e2a",
            "conversation_id": f"C0123:{self._count}.123",
            "model_used": "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "schema_version": "1.0",
            "record_id": f"{self._count:032x}",
            "record_type": "interaction",
            "outcome": "answered",
            "duration_ms": 1_840,
            "response": response,
            "user_query": query,
            "full_conversation": f"{earlier}\n[user] {query}\n[assistant] {response}",
        }
        if self._count % 250 == 1:
            del values["user_id"]
        return json.dumps(
            values, ensure_ascii=self._count % 4 in (0, 1), separators=(",", ":")
        )

    def payload(self, sizes: list[int]) -> bytes:
        """Return one envelope with an event for each conversation size."""
        envelope = {
            "messageType": "DATA_MESSAGE",
            "owner": "123456789012",
            "logGroup": "/aws/ai-bots/audit-logs",
            "logStream": "VeraSlack/2026/11/24/[$LATEST]8f3c0d1e2a",
            "subscriptionFilters": ["chatbot-audit"],
            "logEvents": [
                {
                    "id": f"{self._count * 100 + n:056d}",
                    "timestamp": _EVENT_MS + n,
                    "message": self.message(size, n),
                }
                for n, size in enumerate(sizes)
            ],
        }
        return gzip.compress(json.dumps(envelope, separators=(",", ":")).encode(), 6)


def make_workload(name: str, scale: float = 1.0) -> bytes:
    """Return an event as Lambda's runtime gets it, in bytes.

    Args:
        name: ``chat``, ``batch``, ``huge``, or ``growth:EVENTS:BYTES``.
        scale: Part of the payloads to make.
    """
    author = _Author()
    chooser = random.Random(7)
    usual = (1_200, 2_500, 4_500, 6_500, 8_500, 16_000)
    if name == "chat":
        shapes = [[chooser.choice(usual)] for _ in range(300)]
        shapes[100] = shapes[200] = [500_000]
    elif name == "batch":
        shapes = [[chooser.choice(usual) for _ in range(40)] for _ in range(30)]
    elif name == "huge":
        shapes = [[400_000, 400_000] for _ in range(14)]
    else:
        _, records, size = name.split(":")
        shapes = [[int(size)] for _ in range(int(records))]
    kept = shapes[: max(1, round(len(shapes) * scale))]
    records = [
        {
            "recordId": f"{n:056d}",
            "approximateArrivalTimestamp": _EVENT_MS + 5_000,
            "data": base64.b64encode(author.payload(shape)).decode(),
        }
        for n, shape in enumerate(kept)
    ]
    event = {
        "invocationId": "00000000-0000-4000-8000-000000000001",
        "deliveryStreamArn": "arn:aws:firehose:eu-west-1:123456789012:deliverystream/x",
        "region": "eu-west-1",
        "records": records,
    }
    return json.dumps(event).encode()
