"""The handler against payloads in AWS's shapes, and its golden outputs.

Set `UPDATE_GOLDEN=1` to write the golden files anew after a wanted change.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
from pathlib import Path

import jsonschema
import pytest

from subscription_transformer import handler
from tests.factories import pack

EVENTS = Path(__file__).parent.parent / "events"


def load(name):
    return json.loads((EVENTS / f"{name}.json").read_text())


@pytest.fixture(autouse=True)
def fresh():
    handler._transformer.cache_clear()
    yield
    handler._transformer.cache_clear()


def invoke(envelope, event="firehose_direct_put"):
    invocation = load(event)
    invocation["records"][0]["data"] = base64.b64encode(pack(load(envelope))).decode()
    return handler.lambda_handler(invocation, None)


@pytest.mark.parametrize("event", ["firehose_direct_put", "firehose_kinesis_source"])
@pytest.mark.parametrize(
    "envelope", ["subscription_data_message", "subscription_control_message"]
)
def test_the_response_has_the_documented_shape(event, envelope):
    """Every word, key and base64 block is as Firehose wants it."""
    answer = invoke(envelope, event)

    schema = load("firehose_response.schema")
    jsonschema.validate(json.loads(answer.text()), schema)
    jsonschema.validate(dict(answer), schema)
    ids = [record["recordId"] for record in answer["records"]]
    assert ids == [record["recordId"] for record in load(event)["records"]]


def test_control_messages_are_dropped():
    """CloudWatch asking whether the stream is there is no audit data."""
    assert invoke("subscription_control_message")["records"][0]["result"] == "Dropped"


@pytest.mark.parametrize("destination", ["splunk", "elastic"])
def test_outputs_are_as_agreed(monkeypatch, destination):
    """Byte for byte what was reviewed: order, names, times, ids."""
    monkeypatch.setenv("AUDIT_DESTINATION", destination)

    data = base64.b64decode(invoke("subscription_data_message")["records"][0]["data"])

    text = gzip.decompress(data) if destination == "elastic" else data
    golden = EVENTS / f"golden_{destination}.jsonl"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_bytes(text)
    assert text == golden.read_bytes()
