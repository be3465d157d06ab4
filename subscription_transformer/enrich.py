"""Add what only the transformer can say: where a record came from, and its id.

What a bot says about itself is compared with what AWS adds and IAM bounds: the log
stream, the filter's name, the event's time and the account.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from audit_record.fields import FIELDS_BY_NAME
from audit_record.ids import document_id, log_stream_name
from audit_record.times import format_timestamp, parse_timestamp_ms

if TYPE_CHECKING:
    from collections.abc import Iterator

# A bot's clock and the event's time are the same instant; more is a claim.
MAX_CLOCK_DIFFERENCE_MS: Final = 1_000
# Record types that count only from streams with that prefix, which IAM guards; what
# is quarantined is for the transformer alone to say.
_GUARDED_TYPES: Final = {"canary": "Canary/", "access": "Access/", "invalid": "\0"}
_FLAT_COPIES: Final = (
    ("tool_names", "tools", "name"),
    ("source_uris", "sources", "uri"),
    ("attachment_sha256s", "attachments", "sha256"),
)


@dataclass(frozen=True, slots=True)
class Source:
    """Where one line came from, as AWS says.

    Attributes:
        owner: Account of the log group.
        log_group: Name of the log group.
        log_stream: Name of the log stream.
        event_id: CloudWatch's id of the event.
        event_ms: The event's time, if known.
        arrival_ms: When it reached Firehose, if known.
        line: The original message.
        region: Region of the Firehose stream.
        delivered_by: ``fallback`` for a line of that kind, else "".
        problems: What is wrong with the envelope.
    """

    owner: str
    log_group: str
    log_stream: str
    event_id: str
    event_ms: int | None
    arrival_ms: int | None
    line: str
    region: str = ""
    delivered_by: str = ""
    problems: tuple[str, ...] = ()


def enrich(values: dict[str, Any], source: Source) -> list[str]:
    """Add the transformer's fields to *values*, in place.

    Returns:
        Problems found: claims that differ from what AWS says.
    """
    problems = list(_compare_claims(values, source))
    line = source.line.encode(errors="replace")
    has_id = "record_id" in values
    event_ms = None if has_id else source.event_ms
    values["document_id"] = document_id(
        source.owner, source.log_group, source.log_stream, line, event_ms
    )
    values.setdefault("record_id", values["document_id"])
    values.setdefault("record_type", "interaction")
    values["source_sha256"] = hashlib.sha256(line).hexdigest()
    values.update(source_fields(source))
    _add_log_url(values, source)
    return problems


def source_fields(source: Source) -> dict[str, str]:
    """Return the fields that say where a line came from; unknown ones are left out."""
    fields = {
        "event_id": source.event_id,
        "source_log_group": source.log_group,
        "source_log_stream": source.log_stream,
        "source_account": source.owner,
        "delivered_by": source.delivered_by,
        "ingested_at": _time(source.arrival_ms),
    }
    return {name: value for name, value in fields.items() if value}


def index_time_ms(values: dict[str, Any], source: Source) -> int:
    """Return the time that the index files a document under.

    CloudWatch's event time; a bot cannot choose its month. Without one, the
    record's own claim, then Firehose's arrival, then 1970.
    """
    if source.event_ms is not None:
        return source.event_ms
    try:
        return parse_timestamp_ms(str(values.get("timestamp")))
    except ValueError:
        return source.arrival_ms or 0


def _compare_claims(values: dict[str, Any], source: Source) -> Iterator[str]:
    if source.log_stream and values["bot_name"] != source.log_stream.partition("/")[0]:
        yield "mismatch:bot_name"
    elif source.log_stream and _is_other_session(values, source.log_stream):
        yield "mismatch:session_id"
    if source.owner and values["aws_account_id"] not in (source.owner, "unknown"):
        yield "mismatch:aws_account_id"
    if source.event_ms is not None and _is_other_time(values, source.event_ms):
        yield "time:mismatch"
    prefix = _GUARDED_TYPES.get(values.get("record_type", ""))
    if prefix is not None and not source.log_stream.startswith(prefix):
        values["record_type"] = "interaction"
        yield "mismatch:record_type"


def _is_other_session(values: dict[str, Any], log_stream: str) -> bool:
    return log_stream_name(values["bot_name"], values["session_id"]) != log_stream


def _is_other_time(values: dict[str, Any], event_ms: int) -> bool:
    claimed_ms = parse_timestamp_ms(values["timestamp"])
    return abs(claimed_ms - event_ms) > MAX_CLOCK_DIFFERENCE_MS


def add_flat_copies(values: dict[str, Any]) -> None:
    """Add flat lists of what stands in lists of objects, for equality search.

    To be called after redaction: what was masked there must be masked here.
    """
    for copy, original, member in _FLAT_COPIES:
        _add_copy(values, copy, (item.get(member) for item in values.get(original, ())))
    failed = (
        tool["name"]
        for tool in values.get("tools", ())
        if tool.get("status") == "error"
    )
    _add_copy(values, "failed_tools", failed)
    _add_copy(values, "redaction_kinds", iter(values.get("redactions", ())))


def _add_copy(values: dict[str, Any], name: str, items: Iterator[Any]) -> None:
    unique = list(dict.fromkeys(item for item in items if item))
    if unique:
        values[name] = unique[: FIELDS_BY_NAME[name].max_items]


def _time(epoch_ms: int | None) -> str:
    return "" if epoch_ms is None else format_timestamp(epoch_ms)


def _add_log_url(values: dict[str, Any], source: Source) -> None:
    group = values.get("log_group")
    region = values.get("aws_region") or source.region
    if "log_url" in values or not group or not region:
        return
    session = values["session_id"]
    if session == "unknown" or session.startswith("local/"):
        return
    # Most records bring their link; URL quoting costs 9 ms of a cold start.
    from audit_record.links import console_log_url  # noqa: PLC0415

    values["log_url"] = console_log_url(region, group, session, source.event_ms)
