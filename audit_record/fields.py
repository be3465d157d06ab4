"""The field table: the one place that says what an audit record holds.

Validation, shortening, the JSON Schema, the search mappings and the published
table are made from `FIELDS` or are compared with it in tests. The order of the
table is the order of the keys in an encoded record, and that is a contract:
search products read the front of a long event only, so the fields that people
filter on come first and the long texts last.
"""

from __future__ import annotations

from typing import Final

from audit_record import limits
from audit_record.field import (
    DELIVERED_BY,
    FEEDBACKS,
    GUARDRAIL_ACTIONS,
    HEX16,
    HEX32,
    HEX64,
    OUTCOMES,
    RECORD_TYPES,
    SCHEMA_VERSION,
    TIMESTAMP_PATTERN,
    TOOL_STATUSES,
    UNKNOWN_USER_ID,
    Field,
    Kind,
    Member,
    Scalar,
    count_field,
    string_field,
    strings_field,
    text_field,
)
from audit_record.filter_fields import FILTER_ROWS

__all__ = [
    "CORE_DEFAULTS",
    "CORE_FIELDS",
    "FEEDBACKS",
    "FIELDS",
    "FIELDS_BY_NAME",
    "FILTER_FIELDS",
    "GUARDRAIL_ACTIONS",
    "KEY_ORDER",
    "OUTCOMES",
    "RECORD_TYPES",
    "SCHEMA_VERSION",
    "TEXT_FIELDS",
    "TIMESTAMP_PATTERN",
    "TOOL_STATUSES",
    "TRANSFORMER_FIELDS",
    "UNKNOWN_USER_ID",
    "Field",
    "Kind",
    "Member",
    "Scalar",
]

_SHORT_FIELDS: Final = (
    string_field(
        "message_id",
        256,
        "A/B",
        "The platform's own message; equal in two records: answered twice.",
        example="slack:T01/C0123/1732460645.123",
    ),
    string_field(
        "ref_record_id",
        32,
        "A/C",
        "The record this one is about or corrects.",
        pattern=HEX32,
        example="019360c8b3037f3ab2c4d5e6f7a8b9c0",
    ),
    string_field(
        "chain_id",
        16,
        "A",
        "Names the hash chain of one process and log stream.",
        pattern=HEX16,
        example="8f3c0d1e2a4b5c6d",
    ),
    count_field(
        "seq", "A", "Place in the chain, from 1, without holes.", is_filter=False
    ),
    string_field(
        "prev_sha256",
        64,
        "A",
        "SHA-256 of the previous full line of the chain.",
        pattern=HEX64,
        example="9f" * 32,
    ),
    string_field(
        "nonce",
        32,
        "A",
        "Random; makes digests unguessable. Removed by the transformer.",
        pattern=HEX32,
        example="0a" * 16,
    ),
    string_field(
        "source_sha256",
        64,
        "T",
        "SHA-256 of the original line, before enrichment and redaction.",
        pattern=HEX64,
        example="1b" * 32,
    ),
    string_field(
        "delivered_by",
        8,
        "T",
        "How it came, if not the normal way.",
        enum=DELIVERED_BY,
        example="replay",
    ),
    string_field(
        "user_id_raw",
        256,
        "A",
        "The very string `user_id` was made from.",
        example="Bob.Smith@example.com",
    ),
    string_field(
        "user_platform_id",
        128,
        "A",
        "Immutable id: team/user or tenant/object id.",
        example="T01/U0BOB",
    ),
    string_field(
        "user_domain",
        253,
        "A",
        "Domain of the e-mail or login, lower case.",
        example="example.com",
    ),
    string_field(
        "user_email", 320, "A", "E-mail, lower case.", example="bob.smith@example.com"
    ),
    string_field("channel_id", 128, "B/C", "Where it was asked.", example="C0123"),
    string_field(
        "log_group",
        512,
        "A",
        "Log group of the bot's own execution log.",
        example="/aws/lambda/VeraSlack",
    ),
    string_field(
        "aws_region", 32, "A", "Region that runs the bot.", example="eu-west-1"
    ),
    string_field(
        "log_url",
        1_024,
        "A",
        "Console link to the execution log at this time.",
        example="https://eu-west-1.console.aws.amazon.com/cloudwatch/home",
    ),
    string_field(
        "trace_id",
        32,
        "A",
        "W3C trace id.",
        pattern=HEX32,
        example="5759e988bd862e3fe1be46a994272793",
    ),
    string_field(
        "bot_version", 64, "C", "Release of code and prompts.", example="2026.11.3"
    ),
    string_field(
        "event_id",
        64,
        "T",
        "CloudWatch's id of the log event.",
        example="37199773595581154154810589279545129148442535997644275712",
    ),
    string_field(
        "source_log_group",
        512,
        "T",
        "Log group the record came through.",
        example="/aws/ai-bots/audit-logs",
    ),
    string_field(
        "source_log_stream",
        512,
        "T",
        "Log stream the record came through.",
        example="VeraSlack/2026/11/24/[$LATEST]8f3c0d1e2a",
    ),
    string_field(
        "source_account",
        32,
        "T",
        "Account that owns that log group.",
        example="123456789012",
    ),
    string_field(
        "ingested_at",
        24,
        "T",
        "When the record reached Firehose.",
        pattern=TIMESTAMP_PATTERN,
        example="2026-11-24T15:04:09.000Z",
    ),
    string_field(
        "feedback",
        4,
        "C",
        "A person's verdict on an answer.",
        enum=FEEDBACKS,
        example="down",
    ),
)

_LIST_FIELDS: Final = (
    strings_field(
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
    strings_field(
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
    strings_field(
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
    strings_field(
        "tool_names", 100, 128, "T", "Names in `tools`.", example="jira_search"
    ),
    strings_field(
        "failed_tools", 100, 128, "T", "Tools that failed.", example="jira_search"
    ),
    strings_field(
        "source_uris",
        50,
        2_048,
        "T",
        "URIs in `sources`.",
        example="s3://example-kb/ssl.pdf",
    ),
    strings_field(
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
    string_field(
        "feedback_comment",
        limits.MAX_FEEDBACK_COMMENT_BYTES,
        "C",
        "Why, in the person's words.",
        example="The link is dead.",
    ),
    string_field(
        "raw_text",
        limits.MAX_RAW_TEXT_BYTES,
        "T",
        "The message of a quarantined record, redacted.",
        example="ERROR not JSON",
    ),
    text_field(
        "response",
        limits.MAX_RESPONSE_BYTES,
        "Exactly what the person was shown, error texts included.",
        "Request them in the portal.",
    ),
    text_field(
        "user_query",
        limits.MAX_USER_QUERY_BYTES,
        "This turn's question as readable text.",
        "What is our process for SSL certificates?",
    ),
    text_field(
        "full_conversation",
        limits.MAX_FULL_CONVERSATION_BYTES,
        "The conversation up to and including this question, flattened.",
        "[user] What is our process for SSL certificates?",
    ),
)

FIELDS: Final[tuple[Field, ...]] = (
    FILTER_ROWS + _SHORT_FIELDS + _LIST_FIELDS + _TEXT_FIELDS
)
FIELDS_BY_NAME: Final[dict[str, Field]] = {field.name: field for field in FIELDS}
KEY_ORDER: Final[tuple[str, ...]] = tuple(field.name for field in FIELDS)
CORE_FIELDS: Final[tuple[str, ...]] = (
    *("timestamp", "bot_name", "aws_account_id", "user_id", "session_id"),
    *("conversation_id", "model_used", "response", "user_query", "full_conversation"),
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
