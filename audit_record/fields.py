"""The field table: the one place that says what an audit record holds.

Validation, shortening, the JSON Schema, the search mappings and the published
table are made from `FIELDS` or are compared with it in tests. The order of the
table is the order of the keys in an encoded record, and that is a contract:
search products read the front of a long event only, so the fields that people
filter on come first and the long texts last.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import Final

from audit_record import limits

SCHEMA_VERSION: Final = "1.0"


class Kind(enum.Enum):
    """The JSON shape of a field's value."""

    STRING = "string"
    INTEGER = "integer"
    STRING_LIST = "string list"
    OBJECT_LIST = "object list"
    STRING_MAP = "string map"
    COUNT_MAP = "count map"


class Scalar(enum.Enum):
    """The JSON type of a member of an object in an `OBJECT_LIST`."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Member:
    """One member of the objects in an `OBJECT_LIST`.

    Attributes:
        name: Key in the object.
        scalar: JSON type of the value.
        max_bytes: Limit of a string in UTF-8 bytes; 0 for numbers.
        is_required: Whether each object must have it.
        enum: The only strings allowed, if any.
    """

    name: str
    scalar: Scalar = Scalar.STRING
    max_bytes: int = 0
    is_required: bool = False
    enum: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One row of the table.

    Attributes:
        name: Key in the record.
        kind: Shape of the value.
        meaning: One sentence for the published table.
        tier: Who fills it: A the library alone, B the platform's or model's own
            answer, C the bot, T the transformer (stripped from what comes in).
        max_bytes: Limit of a string, or of each string of a list, in UTF-8
            bytes. For filter fields the limit also holds for the value as JSON
            writes it, so that a text of quotes cannot push others out of reach.
        max_items: Limit of a list or map.
        enum: The only values allowed, if any.
        pattern: What a string must match as a whole, if anything.
        members: The members of the objects in an `OBJECT_LIST`.
        is_filter: Stands within the first 4,500 bytes of every record.
        is_core: Always present, as a string.
        may_be_empty: Whether an empty string is a value.
        default: What an unknown core field holds.
        example: One value, invented.
    """

    name: str
    kind: Kind
    meaning: str
    tier: str
    max_bytes: int = 0
    max_items: int = 0
    enum: tuple[str, ...] = ()
    pattern: re.Pattern[str] | None = None
    members: tuple[Member, ...] = ()
    is_filter: bool = False
    is_core: bool = False
    may_be_empty: bool = False
    default: str = ""
    example: str = ""


TIMESTAMP_PATTERN: Final = re.compile(
    r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
    r"T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z",
    re.ASCII,
)
_BOT_NAME = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)
_ACCOUNT = re.compile(r"\d{12}|unknown", re.ASCII)
_HEX32 = re.compile(r"[0-9a-f]{32}", re.ASCII)
_HEX16 = re.compile(r"[0-9a-f]{16}", re.ASCII)
_HEX64 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_SCHEMA = re.compile(r"\d{1,3}\.\d{1,3}", re.ASCII)

USER_SOURCES: Final = ("slack", "teams", "web", "api", "cli")
USER_TYPES: Final = (
    "member",
    "guest",
    "external",
    "bot",
    "service",
    "anonymous",
    "unknown",
)
USER_RESOLUTIONS: Final = (
    "resolved",
    "resolved:name",
    "resolved:deactivated",
    "partial",
    "unresolved:no_id",
    "unresolved:not_found",
    "unresolved:forbidden",
    "unresolved:unauthorized",
    "unresolved:throttled",
    "unresolved:timeout",
    "unresolved:error",
)
RECORD_TYPES: Final = ("interaction", "feedback", "access", "canary", "invalid")
OUTCOMES: Final = (
    "answered",
    "blocked",
    "partial",
    "empty",
    "error",
    "timeout",
    "cancelled",
)
CHANNEL_TYPES: Final = ("dm", "group", "private_channel", "public_channel", "api")
# From least to most: the highest over all calls of a question is kept.
GUARDRAIL_ACTIONS: Final = ("none", "detected", "anonymized", "blocked")
GUARDRAIL_SIDES: Final = ("input", "output", "both")
DELIVERED_BY: Final = ("fallback", "backfill", "replay")
TOOL_STATUSES: Final = ("ok", "error", "returned")
FEEDBACKS: Final = ("up", "down")

UNKNOWN_USER_ID: Final = "unknown_user_id"


def _string(
    name: str, max_bytes: int, tier: str, meaning: str, **more: object
) -> Field:
    return Field(name, Kind.STRING, meaning, tier, max_bytes, **more)  # type: ignore[arg-type]


def _filter(
    name: str, max_bytes: int, tier: str, meaning: str, **more: object
) -> Field:
    return _string(name, max_bytes, tier, meaning, is_filter=True, **more)


def _choice(name: str, values: tuple[str, ...], tier: str, meaning: str) -> Field:
    longest = max(len(value) for value in values)
    return _filter(name, longest, tier, meaning, enum=values, example=values[0])


def _count(name: str, tier: str, meaning: str, *, is_filter: bool = True) -> Field:
    return Field(name, Kind.INTEGER, meaning, tier, is_filter=is_filter, example="42")


def _strings(
    name: str, max_items: int, max_bytes: int, tier: str, meaning: str, **more: object
) -> Field:
    return Field(
        name,
        Kind.STRING_LIST,
        meaning,
        tier,
        max_bytes,
        max_items,
        **more,  # type: ignore[arg-type]
    )


def _core(
    name: str, max_bytes: int, meaning: str, example: str, **more: object
) -> Field:
    return _filter(name, max_bytes, "A", meaning, is_core=True, example=example, **more)


def _text(name: str, max_bytes: int, meaning: str, example: str) -> Field:
    return _string(
        name,
        max_bytes,
        "B/C",
        meaning,
        is_core=True,
        may_be_empty=True,
        example=example,
    )


_FILTER_FIELDS: Final = (
    _core(
        "timestamp",
        24,
        "When the question reached the bot: RFC 3339, UTC, three decimals.",
        "2026-11-24T15:04:05.123Z",
        pattern=TIMESTAMP_PATTERN,
        default="1970-01-01T00:00:00.000Z",
    ),
    _core(
        "bot_name",
        64,
        "Which bot; also the first part of the log stream's name.",
        "VeraSlack",
        pattern=_BOT_NAME,
        default="unknown",
    ),
    _core(
        "aws_account_id",
        12,
        "The account that runs the bot, 12 digits, or `unknown`.",
        "123456789012",
        pattern=_ACCOUNT,
        default="unknown",
    ),
    _core(
        "user_id",
        256,
        "Who asked: one login for a person across Slack and Teams.",
        "bob.smith",
        default=UNKNOWN_USER_ID,
    ),
    _core(
        "session_id",
        440,
        "The execution environment: the Lambda's log stream, or a process.",
        "2026/11/24/[$LATEST]8f3c0d1e2a",
        default="unknown",
    ),
    _core(
        "conversation_id",
        256,
        "The thread the question belongs to.",
        "C0123:1732460645.123",
        default="unknown",
    ),
    _core(
        "model_used",
        256,
        "Model or inference profile asked for; the routed model if told; `none`.",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        default="none",
    ),
    _filter(
        "schema_version",
        8,
        "A",
        "Version of this table: major.minor.",
        pattern=_SCHEMA,
        example=SCHEMA_VERSION,
    ),
    _filter(
        "record_id",
        32,
        "A",
        "Names this record through every retry, put-back and replay: UUIDv7.",
        pattern=_HEX32,
        example="019360c8b3037f3ab2c4d5e6f7a8b9c0",
    ),
    _choice("record_type", RECORD_TYPES, "A", "What kind of record this is."),
    _filter(
        "document_id",
        32,
        "T",
        "Id in the index: a digest of where the line came from and its bytes.",
        pattern=_HEX32,
        example="5f2b8c1d9e0a4b7c8d6e5f4a3b2c1d0e",
    ),
    _choice("user_source", USER_SOURCES, "A", "Where the person asked from."),
    _choice("user_type", USER_TYPES, "A", "What kind of person or program asked."),
    _choice(
        "user_resolution", USER_RESOLUTIONS, "A", "How sure `user_id` is, and why not."
    ),
    _filter(
        "department",
        128,
        "B/C",
        "The person's department, from the directory or the bot.",
        example="Finance",
    ),
    _choice("channel_type", CHANNEL_TYPES, "B", "Who else could read the answer."),
    _choice("outcome", OUTCOMES, "A/B", "How the question ended."),
    _filter(
        "error_type",
        128,
        "A",
        "Exception class or service code; never its message.",
        example="ThrottlingException",
    ),
    _filter(
        "stop_reason", 64, "B", "Why the model stopped, as it said.", example="end_turn"
    ),
    _choice(
        "guardrail_action",
        GUARDRAIL_ACTIONS,
        "B",
        "The strongest thing a guardrail did over all calls.",
    ),
    _choice("guardrail_side", GUARDRAIL_SIDES, "B", "On question, answer or both."),
    _count("duration_ms", "A", "From question received to reply handed over."),
    _count("input_tokens", "B", "Tokens read, cache reads and writes included."),
    _count("output_tokens", "B", "Tokens written."),
    _count("cache_read_tokens", "B", "Tokens read from the prompt cache."),
    _count("llm_calls", "B", "Model calls made for this question."),
    _strings(
        "signals",
        10,
        48,
        "T",
        "What looked wrong: `injection:ignore_instructions` and the like.",
        is_filter=True,
        example="injection:ignore_instructions",
    ),
    _strings(
        "topics",
        10,
        48,
        "T",
        "Sensitive topics and where they were met.",
        is_filter=True,
        example="compensation@query",
    ),
    _filter(
        "request_id",
        64,
        "A",
        "The Lambda request: finds this question inside the bot's own log.",
        example="8f3c0d1e-2a4b-4c5d-8e9f-0a1b2c3d4e5f",
    ),
)

_SHORT_FIELDS: Final = (
    _string(
        "message_id",
        256,
        "A/B",
        "The platform's own message; equal in two records: answered twice.",
        example="slack:T01/C0123/1732460645.123",
    ),
    _string(
        "ref_record_id",
        32,
        "A/C",
        "The record this one is about or corrects.",
        pattern=_HEX32,
        example="019360c8b3037f3ab2c4d5e6f7a8b9c0",
    ),
    _string(
        "chain_id",
        16,
        "A",
        "Names the hash chain of one process and log stream.",
        pattern=_HEX16,
        example="8f3c0d1e2a4b5c6d",
    ),
    _count("seq", "A", "Place in the chain, from 1, without holes.", is_filter=False),
    _string(
        "prev_sha256",
        64,
        "A",
        "SHA-256 of the previous full line of the chain.",
        pattern=_HEX64,
        example="9f" * 32,
    ),
    _string(
        "nonce",
        32,
        "A",
        "Random; makes digests unguessable. Removed by the transformer.",
        pattern=_HEX32,
        example="0a" * 16,
    ),
    _string(
        "source_sha256",
        64,
        "T",
        "SHA-256 of the original line, before enrichment and redaction.",
        pattern=_HEX64,
        example="1b" * 32,
    ),
    _string(
        "delivered_by",
        8,
        "T",
        "How it came, if not the normal way.",
        enum=DELIVERED_BY,
        example="replay",
    ),
    _string(
        "user_id_raw",
        256,
        "A",
        "The very string `user_id` was made from.",
        example="Bob.Smith@example.com",
    ),
    _string(
        "user_platform_id",
        128,
        "A",
        "Immutable id: team/user or tenant/object id.",
        example="T01/U0BOB",
    ),
    _string(
        "user_domain",
        253,
        "A",
        "Domain of the e-mail or login, lower case.",
        example="example.com",
    ),
    _string(
        "user_email",
        320,
        "A",
        "E-mail, lower case.",
        example="bob.smith@example.com",
    ),
    _string("channel_id", 128, "B/C", "Where it was asked.", example="C0123"),
    _string(
        "log_group",
        512,
        "A",
        "Log group of the bot's own execution log.",
        example="/aws/lambda/VeraSlack",
    ),
    _string("aws_region", 32, "A", "Region that runs the bot.", example="eu-west-1"),
    _string(
        "log_url",
        1_024,
        "A",
        "Console link to the execution log at this time.",
        example="https://eu-west-1.console.aws.amazon.com/cloudwatch/home",
    ),
    _string(
        "trace_id",
        32,
        "A",
        "W3C trace id.",
        pattern=_HEX32,
        example="5759e988bd862e3fe1be46a994272793",
    ),
    _string(
        "bot_version", 64, "C", "Release of code and prompts.", example="2026.11.3"
    ),
    _string(
        "event_id",
        64,
        "T",
        "CloudWatch's id of the log event.",
        example="37199773595581154154810589279545129148442535997644275712",
    ),
    _string(
        "source_log_group",
        512,
        "T",
        "Log group the record came through.",
        example="/aws/ai-bots/audit-logs",
    ),
    _string(
        "source_log_stream",
        512,
        "T",
        "Log stream the record came through.",
        example="VeraSlack/2026/11/24/[$LATEST]8f3c0d1e2a",
    ),
    _string(
        "source_account",
        32,
        "T",
        "Account that owns that log group.",
        example="123456789012",
    ),
    _string(
        "ingested_at",
        24,
        "T",
        "When the record reached Firehose.",
        pattern=TIMESTAMP_PATTERN,
        example="2026-11-24T15:04:09.000Z",
    ),
    _string(
        "feedback",
        4,
        "C",
        "A person's verdict on an answer.",
        enum=FEEDBACKS,
        example="down",
    ),
)

_LIST_FIELDS: Final = (
    _strings(
        "guardrail_policies",
        20,
        128,
        "B",
        "What the guardrail found, `kind:name`; never the matched text.",
        example="topic:Legal advice",
    ),
    Field(
        "redactions",
        Kind.COUNT_MAP,
        "What was masked: kind and count.",
        "A/T",
        64,
        50,
        example="aws_access_key: 1",
    ),
    _strings(
        "redaction_kinds",
        50,
        64,
        "A/T",
        "The kinds of `redactions`, for searching.",
        example="aws_access_key",
    ),
    Field(
        "truncated",
        Kind.OBJECT_LIST,
        "What was shortened, one entry a field, with its first size and digest.",
        "A/T",
        max_items=100,
        members=(
            Member("field", max_bytes=64, is_required=True),
            Member("bytes", Scalar.INTEGER, is_required=True),
            Member("kept_bytes", Scalar.INTEGER, is_required=True),
            Member("sha256", max_bytes=64, is_required=True),
        ),
        example="full_conversation 900000 to 524288",
    ),
    _strings(
        "problems",
        20,
        128,
        "T",
        "Why the record is invalid or was repaired.",
        example="missing:user_id",
    ),
    Field(
        "sources",
        Kind.OBJECT_LIST,
        "Documents the answer drew on.",
        "B/C",
        max_items=50,
        members=(
            Member("uri", max_bytes=2_048),
            Member("title", max_bytes=256),
            Member("score", Scalar.NUMBER),
        ),
        example="s3://example-kb/ssl.pdf",
    ),
    Field(
        "tools",
        Kind.OBJECT_LIST,
        "Tools and services called.",
        "B/C",
        max_items=100,
        members=(
            Member("name", max_bytes=128, is_required=True),
            Member("status", max_bytes=8, enum=TOOL_STATUSES),
            Member("ms", Scalar.INTEGER),
        ),
        example="jira_search ok 120",
    ),
    Field(
        "attachments",
        Kind.OBJECT_LIST,
        "Files the person gave.",
        "B/C",
        max_items=20,
        members=(
            Member("name", max_bytes=256),
            Member("type", max_bytes=100),
            Member("bytes", Scalar.INTEGER),
            Member("sha256", max_bytes=64),
        ),
        example="report.pdf",
    ),
    _strings("tool_names", 100, 128, "T", "Names in `tools`.", example="jira_search"),
    _strings(
        "failed_tools", 100, 128, "T", "Tools that failed.", example="jira_search"
    ),
    _strings(
        "source_uris",
        50,
        2_048,
        "T",
        "URIs in `sources`.",
        example="s3://example-kb/ssl.pdf",
    ),
    _strings(
        "attachment_sha256s",
        20,
        64,
        "T",
        "Digests in `attachments`.",
        example="2c" * 32,
    ),
    Field(
        "attributes",
        Kind.STRING_MAP,
        "The bot's own extras.",
        "C",
        limits.MAX_ATTRIBUTE_VALUE_BYTES,
        limits.MAX_ATTRIBUTES_COUNT,
        example="tenant: emea",
    ),
)

_TEXT_FIELDS: Final = (
    _string(
        "feedback_comment",
        limits.MAX_FEEDBACK_COMMENT_BYTES,
        "C",
        "Why, in the person's words.",
        example="The link is dead.",
    ),
    _string(
        "raw_text",
        limits.MAX_RAW_TEXT_BYTES,
        "T",
        "The message of a quarantined record, redacted.",
        example="ERROR not JSON",
    ),
    _text(
        "response",
        limits.MAX_RESPONSE_BYTES,
        "Exactly what the person was shown, error texts included.",
        "Request them in the portal.",
    ),
    _text(
        "user_query",
        limits.MAX_USER_QUERY_BYTES,
        "This turn's question as readable text.",
        "What is our process for SSL certificates?",
    ),
    _text(
        "full_conversation",
        limits.MAX_FULL_CONVERSATION_BYTES,
        "The conversation up to and including this question, flattened.",
        "[user] What is our process for SSL certificates?",
    ),
)

FIELDS: Final[tuple[Field, ...]] = (
    _FILTER_FIELDS + _SHORT_FIELDS + _LIST_FIELDS + _TEXT_FIELDS
)
FIELDS_BY_NAME: Final[dict[str, Field]] = {field.name: field for field in FIELDS}
KEY_ORDER: Final[tuple[str, ...]] = tuple(field.name for field in FIELDS)
CORE_FIELDS: Final[tuple[str, ...]] = (
    "timestamp",
    "bot_name",
    "aws_account_id",
    "user_id",
    "session_id",
    "conversation_id",
    "model_used",
    "response",
    "user_query",
    "full_conversation",
)
CORE_DEFAULTS: Final[dict[str, str]] = {
    name: FIELDS_BY_NAME[name].default for name in CORE_FIELDS
}
FILTER_FIELDS: Final[tuple[str, ...]] = tuple(f.name for f in FIELDS if f.is_filter)
TRANSFORMER_FIELDS: Final[frozenset[str]] = frozenset(
    field.name for field in FIELDS if field.tier == "T"
)
# The texts people read: what hooks, redaction and labels look at first.
TEXT_FIELDS: Final[tuple[str, ...]] = ("response", "user_query", "full_conversation")
