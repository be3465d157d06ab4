"""Turn a delivered document into the rows of the embedded store."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING, Any, Final

from audit_record.codec import dumps
from chatbot_audit.stores.fold import fold_name, fold_text, mend

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Row = dict[str, Any]

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND: Final = dt.timedelta(milliseconds=1)
_TIMES: Final = ("@timestamp", "timestamp", "ingested_at")
_ID_HEX_CHARS: Final = 32


def make_row(document: Mapping[str, Any]) -> Row:
    """Return the columns of table `records`; never raises.

    A field of a wrong type gets no column, and the document keeps it. A document
    without `document_id` is known by the first 128 bits of the SHA-256 of its
    bytes; one without any readable time is filed under 1970.
    """
    whole = dumps(dict(document))
    return {
        "document_id": _text(document, "document_id") or _digest(whole),
        "record_id": _text(document, "record_id"),
        "record_type": _text(document, "record_type") or "interaction",
        "ts": _time_ms(document),
        "bot": _text(document, "bot_name"),
        "user_id": _name(document, "user_id"),
        "user_email": _name(document, "user_email"),
        "user_platform_id": _name(document, "user_platform_id"),
        "department": _text(document, "department"),
        "conversation_id": _text(document, "conversation_id"),
        "outcome": _text(document, "outcome"),
        "model": _text(document, "model_used"),
        "platform": _text(document, "user_source"),
        "account": _text(document, "aws_account_id"),
        "user_query": _folded(document, "user_query"),
        "response": _folded(document, "response"),
        "full_conversation": _folded(document, "full_conversation"),
        "other_text": _folded(document, "raw_text", "feedback_comment"),
        "document": whole,
    }


def make_labels(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Return kind, value and stem of each topic and signal.

    The stem is what a search for the family finds: the topic without its place,
    the part of a signal before the colon.
    """
    for topic in _strings(document, "topics"):
        yield "topic", topic, topic.rpartition("@")[0] or topic
    for signal in _strings(document, "signals"):
        yield "signal", signal, signal.partition(":")[0]


def _text(document: Mapping[str, Any], name: str) -> str | None:
    value = document.get(name)
    if not isinstance(value, str) or not value:
        return None
    return mend(value)


def _name(document: Mapping[str, Any], name: str) -> str | None:
    value = _text(document, name)
    return None if value is None else fold_name(value)


def _folded(document: Mapping[str, Any], *names: str) -> str | None:
    values = [value for name in names if (value := _text(document, name))]
    return fold_text("\n".join(values)) or None


def _strings(document: Mapping[str, Any], name: str) -> list[str]:
    values = document.get(name)
    if not isinstance(values, (list, tuple)):
        return []
    names = [fold_name(value) for value in values if isinstance(value, str)]
    return list(dict.fromkeys(name for name in names if name))


def _time_ms(document: Mapping[str, Any]) -> int:
    for name in _TIMES:
        moment = _moment(document.get(name))
        if moment is not None:
            return (moment - _EPOCH) // _MILLISECOND
    return 0


def _moment(value: Any) -> dt.datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = dt.datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _digest(whole: bytes) -> str:
    return hashlib.sha256(whole).hexdigest()[:_ID_HEX_CHARS]
