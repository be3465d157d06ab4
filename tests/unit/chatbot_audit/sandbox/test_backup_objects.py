"""Firehose's error objects."""

from __future__ import annotations

import base64
import gzip
import json
import re

import pytest

from chatbot_audit.sandbox.backup_objects import (
    OPENSEARCH_FAILED,
    PROCESSING_FAILED,
    SPLUNK_FAILED,
    BackupBucket,
    FailedRecord,
)
from tests.unit.chatbot_audit.sandbox.rig import FakeS3

# 2026-11-25T09:46:40Z
ARRIVAL_MS = 1_795_600_000_000


def failed(number=0, data=b"data"):
    return FailedRecord(
        f"r{number}", data, "Lambda.FunctionError", "Text.", 4, ARRIVAL_MS + number, 7
    )


def test_a_line_has_firehoses_keys_and_types():
    """Numbers are numbers; what could not be processed names the function."""
    s3 = FakeS3()

    BackupBucket(s3, "b", "chatbot-audit").write(PROCESSING_FAILED, [failed()])

    (body,) = s3.objects.values()
    assert json.loads(body) == {
        "attemptsMade": 4,
        "arrivalTimestamp": ARRIVAL_MS,
        "errorCode": "Lambda.FunctionError",
        "errorMessage": "Text.",
        "attemptEndingTimestamp": 7,
        "rawData": base64.b64encode(b"data").decode(),
        "lambdaARN": "arn:aws:lambda:eu-west-1:123456789012:function:"
        "chatbot-audit-transformer:1",
    }


def test_what_was_not_delivered_names_the_record():
    """Under splunk-failed an id stands where the function's name would."""
    s3 = FakeS3()

    BackupBucket(s3, "b", "chatbot-audit").write(SPLUNK_FAILED, [failed(3)])

    (body,) = s3.objects.values()
    assert json.loads(body)["EventId"] == "r3"
    assert "lambdaARN" not in json.loads(body)


def test_what_opensearch_did_not_take_names_the_document():
    """Firehose's id of the record is the document's; types are no more."""
    s3 = FakeS3()

    key = BackupBucket(s3, "b", "chatbot-audit").write(OPENSEARCH_FAILED, [failed(3)])

    assert key.startswith("AmazonOpenSearchService-failed/2026/11/25/09/")
    (body,) = s3.objects.values()
    line = json.loads(body)
    assert list(line) == [
        "attemptsMade",
        "arrivalTimestamp",
        "errorCode",
        "errorMessage",
        "attemptEndingTimestamp",
        "rawData",
        "esDocumentId",
        "esIndexName",
        "esTypeName",
    ]
    assert (line["esDocumentId"], line["esTypeName"]) == ("r3", "")


def test_the_key_is_laid_out_by_error_type_and_hour():
    """The time is that of the oldest record's arrival, UTC."""
    bucket = BackupBucket(FakeS3(), "b", "chatbot-audit")

    key = bucket.write(PROCESSING_FAILED, [failed(5_000), failed(0)])

    assert re.fullmatch(
        r"processing-failed/2026/11/25/09/"
        r"chatbot-audit-1-2026-11-25-09-46-40-[0-9a-f-]{36}",
        key,
    )


@pytest.mark.parametrize("is_gzip", [False, True])
def test_what_was_written_is_read_back(is_gzip):
    """Every line of every object, of either type, over all pages."""
    s3 = FakeS3(page_keys=2)
    bucket = BackupBucket(s3, "b", "chatbot-audit", is_gzip=is_gzip)
    for number in range(5):
        bucket.write(PROCESSING_FAILED, [failed(number), failed(number, b"\0\n\xff")])
    bucket.write(SPLUNK_FAILED, [failed(9)])

    found = list(bucket.read())

    assert len(found) == 11
    kinds = [kind for kind, _ in found]
    assert kinds.count(SPLUNK_FAILED) == 1
    data = {base64.b64decode(line["rawData"]) for _, line in found}
    assert data == {b"data", b"\0\n\xff"}
    assert all(key.endswith(".gz") == is_gzip for key in s3.objects)
    assert all((body[:2] == b"\x1f\x8b") == is_gzip for body in s3.objects.values())


def test_a_compressed_object_is_gzip_of_the_same_lines():
    """Compression changes nothing but the bytes."""
    s3 = FakeS3()
    BackupBucket(s3, "b", "s", is_gzip=True).write(PROCESSING_FAILED, [failed()])

    (body,) = s3.objects.values()

    assert json.loads(gzip.decompress(body))["attemptsMade"] == 4
