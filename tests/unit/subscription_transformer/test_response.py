"""The answer as JSON, through AWS's own runtime client and without it."""

from __future__ import annotations

import base64
import json
import sys
import types

import pytest
from awslambdaric import lambda_runtime_client
from awslambdaric.lambda_runtime_marshaller import LambdaMarshaller

from subscription_transformer.firehose import Result, TransformedRecord
from subscription_transformer.response import Response, install_marshaller

RECORDS = [
    TransformedRecord("r0", Result.OK, b'{"a":"\xc3\xbc"}\n'),
    TransformedRecord("r1", Result.DROPPED),
    TransformedRecord('r"2\\ü', Result.PROCESSING_FAILED, None, "reason"),
]
EXPECTED = {
    "records": [
        {
            "recordId": "r0",
            "result": "Ok",
            "data": base64.b64encode(RECORDS[0].data).decode(),
        },
        {"recordId": "r1", "result": "Dropped"},
        {"recordId": 'r"2\\ü', "result": "ProcessingFailed"},
    ]
}


@pytest.fixture
def client(monkeypatch):
    """The real client's class with its own marshaller, restored afterwards."""
    client = lambda_runtime_client.LambdaRuntimeClient
    monkeypatch.setattr(client, "marshaller", LambdaMarshaller())
    return client


def test_is_a_dict_of_the_documented_shape():
    """Without the override Lambda's client sees an ordinary dict."""
    assert Response(RECORDS) == EXPECTED


def test_writes_itself_as_the_same_json():
    """Pre-serialised and dict say the same."""
    assert json.loads(Response(RECORDS).text()) == EXPECTED


def test_the_runtime_client_sends_our_text_as_json(client):
    """AWS's client hands the text on, labelled application/json."""
    assert install_marshaller()

    body, content_type = client.marshaller.marshal_response(Response(RECORDS))

    assert json.loads(body) == EXPECTED
    assert body == Response(RECORDS).text()
    assert content_type == "application/json"


def test_other_answers_are_left_to_the_client(client):
    """Only our own answer is written by us; requests are read as before."""
    install_marshaller()

    assert client.marshaller.marshal_response({"a": 1}) == (
        '{"a": 1}',
        "application/json",
    )
    assert client.marshaller.unmarshal_request(b'{"a": 1}') == {"a": 1}


def test_installing_twice_is_once(client):
    """A second import does not stack marshallers."""
    install_marshaller()
    first = client.marshaller
    install_marshaller()

    assert client.marshaller is first


@pytest.mark.parametrize("attribute", ["LambdaRuntimeClient", "marshaller", "method"])
def test_a_changed_client_gets_a_dict(monkeypatch, client, attribute):
    """Where AWS's client differs from what we know, the dict does the work."""
    if attribute == "LambdaRuntimeClient":
        monkeypatch.delattr(lambda_runtime_client, "LambdaRuntimeClient")
    elif attribute == "marshaller":
        for owner in client.__mro__[:-1]:
            monkeypatch.delattr(owner, "marshaller", raising=False)
    else:
        monkeypatch.setattr(client, "marshaller", object())

    assert install_marshaller() is False
    body, _ = LambdaMarshaller().marshal_response(Response(RECORDS))
    assert json.loads(body) == EXPECTED


def test_a_client_that_refuses_to_change_gets_a_dict(monkeypatch):
    """A class whose attributes are fixed costs speed, not the answer."""

    class Frozen(type):
        def __setattr__(cls, name, value):
            raise AttributeError(name)

    class Client(metaclass=Frozen):
        marshaller = LambdaMarshaller()

    fake = types.SimpleNamespace(LambdaRuntimeClient=Client)
    monkeypatch.setitem(sys.modules, "awslambdaric.lambda_runtime_client", fake)

    assert install_marshaller() is False


def test_without_the_client_nothing_happens(monkeypatch):
    """Outside Lambda there is nothing to install into."""
    monkeypatch.delitem(sys.modules, "awslambdaric.lambda_runtime_client")

    assert install_marshaller() is False
