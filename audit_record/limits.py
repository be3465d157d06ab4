"""Every size limit of the pipeline, in one table, each with its source.

Sizes are bytes of UTF-8 unless the name says otherwise. "AWS docs" are the
vendor's public pages, read 2026-11; `docs/limits.md` is compared with this file.
"""

from __future__ import annotations

from typing import Final

# One CloudWatch Logs event: 1,048,576 B for message plus overhead.
# AWS docs, PutLogEvents; raised from 262,144 B in April 2025.
MAX_LOG_EVENT_WITH_OVERHEAD_BYTES: Final = 1_048_576

# PutLogEvents counts 26 B for each event on top of its message. AWS docs.
LOG_EVENT_OVERHEAD_BYTES: Final = 26

# What is left for the message of one event.
MAX_LOG_EVENT_BYTES: Final = (
    MAX_LOG_EVENT_WITH_OVERHEAD_BYTES - LOG_EVENT_OVERHEAD_BYTES
)

# The same where a partition still has the limit of before April 2025.
OLD_MAX_LOG_EVENT_BYTES: Final = 262_144 - LOG_EVENT_OVERHEAD_BYTES

# One PutLogEvents call: bytes with overhead, events, and time span. AWS docs.
MAX_PUT_LOG_EVENTS_BYTES: Final = 1_048_576
MAX_PUT_LOG_EVENTS_COUNT: Final = 10_000
MAX_PUT_LOG_EVENTS_SPAN_MS: Final = 24 * 60 * 60 * 1_000

# Events outside this window are rejected by PutLogEvents. AWS docs.
MAX_LOG_EVENT_AGE_MS: Final = 14 * 24 * 60 * 60 * 1_000
MAX_LOG_EVENT_AHEAD_MS: Final = 2 * 60 * 60 * 1_000

# Names of log groups and streams. AWS docs, CreateLogStream.
MAX_LOG_STREAM_NAME_BYTES: Final = 512
MAX_LOG_GROUP_NAME_BYTES: Final = 512

# A bot's name; ours: it leaves the stream's name room for the session.
MAX_BOT_NAME_BYTES: Final = 64

# Our cap for one encoded record: room below the event limit for gzip and HEC.
DEFAULT_MAX_RECORD_BYTES: Final = 1_000_000

# The smallest cap a user may set: below it short fields alone might not fit.
MIN_MAX_RECORD_BYTES: Final = 32_768

# The three texts; ours, from lengths seen in chats with ample room.
MAX_RESPONSE_BYTES: Final = 131_072
MAX_USER_QUERY_BYTES: Final = 65_536
MAX_FULL_CONVERSATION_BYTES: Final = 524_288
MAX_RAW_TEXT_BYTES: Final = 65_536
MAX_FEEDBACK_COMMENT_BYTES: Final = 4_096

# A bot's own extras; ours: enough to be useful, too few to explode a mapping.
MAX_ATTRIBUTES_COUNT: Final = 50
MAX_ATTRIBUTE_KEY_BYTES: Final = 64
MAX_ATTRIBUTE_VALUE_BYTES: Final = 1_024

# A line on a Lambda's stdout is cut at 256 KB by the platform; the fallback
# line stays under it with room for what the platform adds. AWS docs, Lambda.
MAX_STDOUT_LINE_BYTES: Final = 262_144
MAX_FALLBACK_LINE_BYTES: Final = 250_000

# Splunk's automatic JSON extraction stops here (limits.conf [spath]
# extraction_cutoff, Splunk docs 9.3); filter fields end before our lower bound.
SPLUNK_SPATH_BYTES: Final = 5_000
MAX_FILTER_FIELDS_END_BYTES: Final = 4_500

# Lucene refuses a longer keyword term. Elastic and OpenSearch docs.
MAX_KEYWORD_TERM_BYTES: Final = 32_766

# Lambda's payload, each way; the transformer's budget for its response is the
# one AWS's own blueprint used. AWS docs, Lambda limits.
MAX_LAMBDA_PAYLOAD_BYTES: Final = 6_291_456
DEFAULT_RESPONSE_BUDGET_BYTES: Final = 6_000_000

# Firehose: one record before base64, and one PutRecordBatch call. AWS docs.
MAX_FIREHOSE_RECORD_BYTES: Final = 1_024_000
MAX_PUT_RECORD_BATCH_COUNT: Final = 500
MAX_PUT_RECORD_BATCH_BYTES: Final = 4 * 1_024 * 1_024

# What the transformer keeps of a text and of a document; ours: a document of
# this size always fits one Firehose record when it is put back.
DEFAULT_MAX_TEXT_BYTES: Final = 131_072
DEFAULT_MAX_DOCUMENT_BYTES: Final = 900_000
