"""The handler: settings, deadline, metrics line, imports."""

from __future__ import annotations

import base64
import json
import subprocess
import sys

import pytest

from subscription_transformer import handler
from subscription_transformer.errors import InvocationError, RulesError, SettingsError
from tests.factories import make_envelope, make_invocation, make_line, pack


@pytest.fixture(autouse=True)
def fresh():
    handler._transformer.cache_clear()
    yield
    handler._transformer.cache_clear()


class Context:
    """Lambda's, as far as it is used."""

    def __init__(self, remaining_ms):
        self.remaining_ms = remaining_ms

    def get_remaining_time_in_millis(self):
        return self.remaining_ms


def test_answers_an_invocation(capfd):
    """Records in, records out, and one line of metrics."""
    event = make_invocation(pack(make_envelope(make_line())))

    answer = handler.lambda_handler(event, Context(30_000))

    (record,) = answer["records"]
    assert record["result"] == "Ok"
    assert json.loads(base64.b64decode(record["data"]))["event"]["user_id"]
    (line,) = capfd.readouterr().out.splitlines()
    assert json.loads(line)["EventsDelivered"] == 1


@pytest.mark.parametrize(
    "event", [None, [], "x", {}, {"records": None}, {"records": 5}]
)
def test_an_event_without_records_fails_loudly(event):
    """Nothing could be answered: Firehose keeps the originals."""
    with pytest.raises(InvocationError):
        handler.lambda_handler(event, None)


@pytest.mark.parametrize(
    "records", [[], [None], [5], [{}], [{"recordId": 7, "data": 5}], [[{"data": "x"}]]]
)
def test_any_list_of_records_is_answered(records):
    """Whatever stands in the list, nothing is raised and nothing is forgotten."""
    answer = handler.lambda_handler({"records": records}, None)

    assert len(answer["records"]) == len(records)


def test_faulty_settings_fail_every_call(monkeypatch):
    """All faults together, at each call, until they are mended."""
    monkeypatch.setenv("AUDIT_DESTINATION", "nowhere")
    monkeypatch.setenv("AUDIT_MAX_TEXT_BYTES", "many")

    for _ in range(2):
        with pytest.raises(SettingsError) as caught:
            handler.lambda_handler(make_invocation(), None)
        assert len(caught.value.faults) == 2


def test_a_missing_rules_file_fails_loudly(monkeypatch):
    """Without rules nothing is labelled or redacted: better to stop."""
    monkeypatch.setenv("AUDIT_RULES", "/nowhere/rules.json")

    with pytest.raises(RulesError):
        handler.lambda_handler(make_invocation(), None)


def test_own_log_group_is_known_from_the_environment(monkeypatch):
    """The recursion guard needs no setting."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "mine")
    event = make_invocation(pack(make_envelope("x", logGroup="/aws/lambda/mine")))

    assert handler.lambda_handler(event, None)["records"][0]["result"] == "Dropped"


def test_a_stream_that_reads_kinesis_gets_no_puts(monkeypatch):
    """It refuses them: what cannot be carried is kept in S3 instead."""
    monkeypatch.setenv("AUDIT_DESTINATION", "opensearch")
    event = make_invocation(pack(make_envelope(make_line(), make_line())))
    event["sourceKinesisStreamArn"] = "arn:aws:kinesis:eu-west-1:123456789012:stream/x"

    answer = handler.lambda_handler(event, None)

    assert answer["records"][0]["result"] == "ProcessingFailed"


PROBE = """
import json, sys
from subscription_transformer.handler import lambda_handler
from tests.factories import make_envelope, make_invocation, make_line, pack
lambda_handler(make_invocation(pack(make_envelope(make_line(), "x"))), None)
print(json.dumps(sorted(sys.modules)))
"""


def test_the_normal_path_loads_no_aws_library_and_opens_no_socket():
    """boto3 costs 128 ms: it is loaded when something is put back, not before."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE], capture_output=True, check=True, text=True
    )

    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert not loaded & {"boto3", "botocore", "requests", "socket", "dataclasses_json"}
