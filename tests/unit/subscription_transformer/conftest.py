"""A transformer with fakes for whatever is outside it."""

from __future__ import annotations

import base64
import json

import pytest

from subscription_transformer.firehose import read_invocation
from subscription_transformer.metrics import Metrics
from subscription_transformer.put_back import PutBack
from subscription_transformer.rules import load_rules
from subscription_transformer.settings import TransformerSettings
from subscription_transformer.transform import Transformer
from tests.factories import make_invocation

RULES = load_rules()


class FakeFirehose:
    """Takes what is put; refuses the positions it was told to, call by call."""

    def __init__(self, *refusals):
        self.refusals = list(refusals)
        self.calls = []

    def put_record_batch(self, DeliveryStreamName, Records):  # noqa: N803
        assert DeliveryStreamName == "chatbot-audit"
        self.calls.append([record["Data"] for record in Records])
        refused = self.refusals.pop(0) if self.refusals else set()
        if isinstance(refused, Exception):
            raise refused
        answers = [
            {"ErrorCode": "ServiceUnavailableException"}
            if n in refused
            else {"RecordId": str(n)}
            for n in range(len(Records))
        ]
        return {"FailedPutCount": len(refused), "RequestResponses": answers}

    @property
    def taken(self):
        return [data for call in self.calls for data in call]


class Answers:
    """What one invocation came to."""

    def __init__(self, records, metrics, firehose):
        self.records = records
        self.metrics = json.loads(metrics.line(1_795_532_655_123, "test"))
        self.firehose = firehose

    @property
    def fates(self):
        return [(r.result.value, r.reason) for r in self.records]

    def lines(self, number=0):
        return [json.loads(line) for line in self.records[number].data.splitlines()]

    def event(self, number=0, line=0):
        """Return what a Splunk answer holds as event."""
        return self.lines(number)[line]["event"]


@pytest.fixture
def run():
    """Transform records with settings given by name."""

    def transform(*data, firehose=None, put_back=True, remaining_s=60.0, **settings):
        clock = remaining_s if callable(remaining_s) else lambda: remaining_s
        firehose = firehose or FakeFirehose()
        transformer = Transformer(
            TransformerSettings(**settings), RULES, "/aws/lambda/own"
        )
        putter = PutBack(
            "chatbot-audit", lambda: firehose, sleep=lambda _: None, jitter=float
        )
        metrics = Metrics()
        records = transformer.transform(
            read_invocation(make_invocation(*data)),
            metrics,
            putter if put_back else None,
            clock,
        )
        return Answers(records, metrics, firehose)

    return transform


@pytest.fixture
def refusing():
    """Return Firehose's client, which refuses positions, call by call."""
    return FakeFirehose


@pytest.fixture
def again():
    """Return records that were put back as Firehose would hand them over."""
    return lambda taken: [base64.b64encode(data).decode() for data in taken]
