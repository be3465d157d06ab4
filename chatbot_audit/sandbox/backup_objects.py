"""Firehose's error objects in S3: their format, their keys, and reading them back.

One JSON object a line for each failed record; `rawData` is base64 of the original
for ``processing-failed`` and of the transformed bytes for the others (AWS guide
"Handle data delivery failures", and captured objects).
"""

from __future__ import annotations

import base64
import gzip
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from chatbot_audit.sandbox.function.process import FUNCTION_ARN
from chatbot_audit.sandbox.inflate import GZIP_MAGIC, gunzip

PROCESSING_FAILED: Final = "processing-failed"
SPLUNK_FAILED: Final = "splunk-failed"
OPENSEARCH_FAILED: Final = "AmazonOpenSearchService-failed"
# The index that documents would have gone to; types are no more.
_INDEX_NAME: Final = "chatbot-audit"
_TYPE_NAME: Final = ""
_PAGE_KEYS: Final = 1_000
# One object holds one batch; a batch's originals are below Lambda's 6 MB.
_MAX_OBJECT_BYTES: Final = 256 * 1_024 * 1_024

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True)
class FailedRecord:
    """One record that was not delivered.

    Attributes:
        firehose_record_id: Firehose's id of it.
        raw_data: The bytes kept.
        error_code: As ``Lambda.FunctionError``.
        error_message: One sentence.
        attempts_count: How often it was tried.
        arrival_ms: When it reached the stream.
        ended_ms: When the last try ended.
    """

    firehose_record_id: str
    raw_data: bytes
    error_code: str
    error_message: str
    attempts_count: int
    arrival_ms: int
    ended_ms: int


class BackupBucket:
    """The bucket that keeps what could not be delivered.

    Args:
        s3: A boto3 S3 client.
        bucket: Name of a bucket that exists.
        delivery_stream: Stream whose objects these are.
        is_gzip: Whether objects are compressed.
    """

    def __init__(
        self, s3: Any, bucket: str, delivery_stream: str, *, is_gzip: bool = False
    ) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._delivery_stream = delivery_stream
        self._is_gzip = is_gzip

    def write(self, error_type: str, failed: Sequence[FailedRecord]) -> str:
        """Write one object for *failed*; return its key."""
        lines = [json.dumps(_line(error_type, record)) for record in failed]
        body = ("\n".join(lines) + "\n").encode()
        key = self._key(error_type, min(record.arrival_ms for record in failed))
        if self._is_gzip:
            body = gzip.compress(body)
            key += ".gz"
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=body)
        return key

    def read(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield error type and line of every object, all pages."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, PaginationConfig={"PageSize": _PAGE_KEYS}
        )
        for page in pages:
            for item in page.get("Contents", ()):
                answer = self._s3.get_object(Bucket=self._bucket, Key=item["Key"])
                body = answer["Body"].read()
                error_type = item["Key"].partition("/")[0]
                for line in read_lines(body):
                    yield error_type, line

    def _key(self, error_type: str, arrival_ms: int) -> str:
        moment = datetime.fromtimestamp(arrival_ms / 1_000, UTC)
        name = f"{self._delivery_stream}-1-{moment:%Y-%m-%d-%H-%M-%S}-{uuid.uuid4()}"
        return f"{error_type}/{moment:%Y/%m/%d/%H}/{name}"


def read_lines(body: bytes) -> Iterator[dict[str, Any]]:
    """Yield the JSON lines of one object, compressed or not."""
    is_gzip = body.startswith(GZIP_MAGIC)
    plain = gunzip(body, _MAX_OBJECT_BYTES) if is_gzip else body
    for line in plain.splitlines():
        if line.strip():
            yield json.loads(line)


def _line(error_type: str, record: FailedRecord) -> dict[str, Any]:
    line: dict[str, Any] = {
        "attemptsMade": record.attempts_count,
        "arrivalTimestamp": record.arrival_ms,
        "errorCode": record.error_code,
        "errorMessage": record.error_message,
        "attemptEndingTimestamp": record.ended_ms,
        "rawData": base64.b64encode(record.raw_data).decode(),
    }
    if error_type == PROCESSING_FAILED:
        # Spelt as captured objects have it; AWS's page writes lambdaArn.
        line["lambdaARN"] = FUNCTION_ARN
    elif error_type == OPENSEARCH_FAILED:
        # Firehose makes the id itself, one for each record.
        line["esDocumentId"] = record.firehose_record_id
        line["esIndexName"] = _INDEX_NAME
        line["esTypeName"] = _TYPE_NAME
    else:
        line["EventId"] = record.firehose_record_id
    return line
