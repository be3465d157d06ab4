"""Firehose's API as boto3 speaks to it."""

from __future__ import annotations

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

from chatbot_audit.sandbox.errors import PortTakenError
from chatbot_audit.sandbox.faults import PutFaults
from chatbot_audit.sandbox.firehose_api import FirehoseApi

STREAM = {"DeliveryStreamName": "chatbot-audit"}


@pytest.fixture
def put():
    return []


@pytest.fixture
def faults():
    return PutFaults()


@pytest.fixture
def api(put, faults):
    made = FirehoseApi(lambda data, key: put.append((data, key)) or "id", faults=faults)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def client(api):
    made = boto3.client(
        "firehose",
        endpoint_url=api.url,
        region_name="eu-west-1",
        aws_access_key_id="function",
        aws_secret_access_key="testing",
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )
    yield made
    made.close()


def test_records_arrive_with_the_key_of_who_put_them(client, put):
    """One record and a batch, byte for byte."""
    client.put_record(**STREAM, Record={"Data": b"\0one"})
    answer = client.put_record_batch(
        **STREAM, Records=[{"Data": b"two"}, {"Data": b"\xff"}]
    )

    assert answer["FailedPutCount"] == 0
    assert [item["RecordId"] for item in answer["RequestResponses"]] == ["id", "id"]
    assert put == [(b"\0one", "function"), (b"two", "function"), (b"\xff", "function")]


def test_partial_failures_are_told_by_position(client, faults):
    """boto3 raises nothing: who does not look loses records."""
    faults.failed_positions = frozenset([1])
    faults.partial_calls.set(1)

    answer = client.put_record_batch(**STREAM, Records=[{"Data": b"x"}] * 3)

    assert answer["FailedPutCount"] == 1
    assert [
        n for n, r in enumerate(answer["RequestResponses"]) if "ErrorCode" in r
    ] == [1]


def test_errors_have_awss_names(client, faults, put):
    """boto3 turns them into the exceptions that code catches."""
    faults.throttled_calls.set(1)

    with pytest.raises(client.exceptions.ServiceUnavailableException):
        client.put_record(**STREAM, Record={"Data": b"x"})
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.put_record(DeliveryStreamName="other", Record={"Data": b"x"})
    with pytest.raises(ClientError, match="ValidationException"):
        client.put_record(**STREAM, Record={"Data": b"x" * 1_024_001})
    assert put == []


def test_the_stream_can_be_described(client):
    """As a health check does."""
    answer = client.describe_delivery_stream(**STREAM)

    assert answer["DeliveryStreamDescription"]["DeliveryStreamStatus"] == "ACTIVE"


@pytest.mark.parametrize("body", [b"", b"junk", b"[" * 100_000, b"\xff"])
def test_a_request_that_is_no_json_is_refused(api, body):
    """An error, not the end of the connection."""
    answer = requests.post(
        api.url,
        data=body,
        headers={"X-Amz-Target": "Firehose_20150804.PutRecord"},
        timeout=10,
    )

    assert answer.status_code == 400
    assert answer.json()["__type"] == "SerializationException"


def test_a_taken_port_is_said(api):
    """One sentence names it."""
    port = api._server.port

    with pytest.raises(PortTakenError, match=f"port {port} is taken"):
        FirehoseApi(lambda *_: "", port)
