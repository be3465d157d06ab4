"""The first rows of the field table: what people filter on.

They stand within the first 4,500 bytes of every record, even when each is as long
as it may be; a test holds that.
"""

from __future__ import annotations

from typing import Final

from audit_record import limits
from audit_record.field import (
    ACCOUNT,
    BOT_NAME,
    CHANNEL_TYPES,
    GUARDRAIL_ACTIONS,
    GUARDRAIL_SIDES,
    HEX32,
    OUTCOMES,
    RECORD_TYPES,
    SCHEMA_NUMBER,
    SCHEMA_VERSION,
    TIMESTAMP_PATTERN,
    UNKNOWN_USER_ID,
    USER_RESOLUTIONS,
    USER_SOURCES,
    USER_TYPES,
    Field,
    choice_field,
    core_field,
    count_field,
    filter_field,
    strings_field,
)
from audit_record.ids import UNKNOWN_BOT_NAME

FILTER_ROWS: Final[tuple[Field, ...]] = (
    core_field(
        "timestamp",
        24,
        "When the question reached the bot: RFC 3339, UTC, three decimals.",
        "2026-11-24T15:04:05.123Z",
        pattern=TIMESTAMP_PATTERN,
        default="1970-01-01T00:00:00.000Z",
    ),
    core_field(
        "bot_name",
        limits.MAX_BOT_NAME_BYTES,
        "Which bot; also the first part of the log stream's name.",
        "VeraSlack",
        pattern=BOT_NAME,
        default=UNKNOWN_BOT_NAME,
    ),
    core_field(
        "aws_account_id",
        12,
        "The account that runs the bot, 12 digits, or `unknown`.",
        "123456789012",
        pattern=ACCOUNT,
        default="unknown",
    ),
    core_field(
        "user_id",
        256,
        "Who asked: one login for a person across Slack and Teams.",
        "bob.smith",
        default=UNKNOWN_USER_ID,
    ),
    core_field(
        "session_id",
        440,
        "The execution environment: the Lambda's log stream, or a process.",
        "2026/11/24/[$LATEST]8f3c0d1e2a",
        default="unknown",
    ),
    core_field(
        "conversation_id",
        256,
        "The thread the question belongs to.",
        "C0123:1732460645.123",
        default="unknown",
    ),
    core_field(
        "model_used",
        256,
        "Model or inference profile asked for; the routed model if told; `none`.",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        default="none",
    ),
    filter_field(
        "schema_version",
        8,
        "A",
        "Version of this table: major.minor.",
        pattern=SCHEMA_NUMBER,
        example=SCHEMA_VERSION,
    ),
    filter_field(
        "record_id",
        32,
        "A",
        "Names this record through every retry, put-back and replay: UUIDv7.",
        pattern=HEX32,
        example="019360c8b3037f3ab2c4d5e6f7a8b9c0",
    ),
    choice_field("record_type", RECORD_TYPES, "A", "What kind of record this is."),
    filter_field(
        "document_id",
        32,
        "T",
        "Id in the index: a digest of where the line came from and its bytes.",
        pattern=HEX32,
        example="5f2b8c1d9e0a4b7c8d6e5f4a3b2c1d0e",
    ),
    choice_field("user_source", USER_SOURCES, "A", "Where the person asked from."),
    choice_field("user_type", USER_TYPES, "A", "What kind of person or program asked."),
    choice_field(
        "user_resolution", USER_RESOLUTIONS, "A", "How sure `user_id` is, and why not."
    ),
    filter_field(
        "department",
        128,
        "B/C",
        "The person's department, from the directory or the bot.",
        example="Finance",
    ),
    choice_field("channel_type", CHANNEL_TYPES, "B", "Who else could read the answer."),
    choice_field("outcome", OUTCOMES, "A/B", "How the question ended."),
    filter_field(
        "error_type",
        128,
        "A",
        "Exception class or service code; never its message.",
        example="ThrottlingException",
    ),
    filter_field(
        "stop_reason", 64, "B", "Why the model stopped, as it said.", example="end_turn"
    ),
    choice_field(
        "guardrail_action",
        GUARDRAIL_ACTIONS,
        "B",
        "The strongest thing a guardrail did over all calls.",
    ),
    choice_field(
        "guardrail_side", GUARDRAIL_SIDES, "B", "On question, answer or both."
    ),
    count_field("duration_ms", "A", "From question received to reply handed over."),
    count_field("input_tokens", "B", "Tokens read, cache reads and writes included."),
    count_field("output_tokens", "B", "Tokens written."),
    count_field("cache_read_tokens", "B", "Tokens read from the prompt cache."),
    count_field("llm_calls", "B", "Model calls made for this question."),
    strings_field(
        "signals",
        10,
        48,
        "T",
        "What looked wrong: `injection:ignore_instructions` and the like.",
        is_filter=True,
        example="injection:ignore_instructions",
    ),
    strings_field(
        "topics",
        10,
        48,
        "T",
        "Sensitive topics and where they were met.",
        is_filter=True,
        example="compensation@query",
    ),
    filter_field(
        "request_id",
        64,
        "A",
        "The Lambda request: finds this question inside the bot's own log.",
        example="8f3c0d1e-2a4b-4c5d-8e9f-0a1b2c3d4e5f",
    ),
)
