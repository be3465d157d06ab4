"""Whatever Firehose hands over: every id once, in order, in a bounded response."""

from __future__ import annotations

import base64
import gzip
import json
import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit_record.checks import find_problems
from subscription_transformer.firehose import Result, read_invocation
from subscription_transformer.metrics import Metrics
from subscription_transformer.put_back import PutBack, wrap
from subscription_transformer.response import Response
from subscription_transformer.rules import load_rules
from subscription_transformer.settings import TransformerSettings
from subscription_transformer.transform import Transformer
from tests.factories import CONTROL, make_envelope, make_invocation, make_line, pack
from tests.strategies import json_values, record_values, texts

RULES = load_rules()
TRANSFORMERS = {
    (destination, budget): Transformer(
        TransformerSettings(
            destination=destination,
            response_budget_bytes=budget,
            max_text_bytes=8_192,
            max_document_bytes=40_000,
        ),
        RULES,
    )
    for destination in ("splunk", "opensearch", "elastic")
    for budget in (65_536, 6_000_000)
}


class Taker:
    """Takes every put that is offered."""

    def __init__(self):
        self.taken = []

    def put_record_batch(self, DeliveryStreamName, Records):  # noqa: N803
        self.taken += [record["Data"] for record in Records]
        return {"RequestResponses": [{"RecordId": "x"} for _ in Records]}


def transform(invocation, destination="splunk", budget=6_000_000):
    metrics, taker = Metrics(), Taker()
    putter = PutBack("s", lambda: taker, sleep=lambda _: None)
    answers = TRANSFORMERS[destination, budget].transform(
        read_invocation(invocation), metrics, putter, lambda: 60.0
    )
    return answers, metrics, taker


messages = st.one_of(
    texts,
    st.builds(json.dumps, record_values),
    st.builds(json.dumps, json_values),
    st.just(make_line()),
    st.just(make_line(response="word " * 20_000)),
    st.just(""),
)
envelopes = st.builds(
    lambda items, changes: make_envelope(*items) | changes,
    st.lists(messages, max_size=5),
    st.dictionaries(
        st.sampled_from(
            ["messageType", "owner", "logGroup", "logStream", "logEvents", "x"]
        ),
        json_values,
        max_size=2,
    ),
)
payloads = st.one_of(
    st.binary(max_size=60),
    envelopes.map(pack),
    envelopes.map(lambda value: json.dumps(value).encode()),
    json_values.map(lambda value: json.dumps(value).encode()),
    envelopes.map(pack).flatmap(
        lambda data: st.integers(0, len(data)).map(lambda n: data[:n])
    ),
    st.just(pack(CONTROL)),
    st.lists(envelopes, min_size=2, max_size=3).map(
        lambda several: gzip.compress(b"".join(json.dumps(v).encode() for v in several))
    ),
    json_values.map(lambda v: wrap("document", json.dumps(v).encode(), 1)),
    st.just(make_line().encode()),
)
data_fields = st.one_of(
    payloads.map(lambda data: base64.b64encode(data).decode()), texts, json_values
)
slow = settings(
    max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None
)


@slow
@given(
    st.lists(data_fields, max_size=12),
    st.sampled_from(["splunk", "opensearch", "elastic"]),
    st.sampled_from([65_536, 6_000_000]),
)
def test_every_id_is_answered_once_in_order_within_the_budget(
    fields, destination, budget
):
    """For any list of records, however broken, and any destination."""
    records = [{"recordId": f"r{n}", "data": data} for n, data in enumerate(fields)]
    stream = "arn:aws:firehose:eu-west-1:123456789012:deliverystream/s"
    invocation = {"records": records, "deliveryStreamArn": stream}

    answers, _, _ = transform(invocation, destination, budget)

    assert [a.firehose_record_id for a in answers] == [r["recordId"] for r in records]
    assert not any(a.reason.startswith("unexpected") for a in answers)
    assert all((a.result is Result.OK) == bool(a.data) for a in answers)
    assert len(json.dumps(Response(answers))) <= budget
    assert json.loads(Response(answers).text()) == Response(answers)


@slow
@given(st.lists(messages, min_size=1, max_size=4))
def test_every_message_becomes_one_valid_document(items):
    """One document a message that is not blank, valid by the field table."""
    record = base64.b64encode(pack(make_envelope(*items))).decode()

    answers, metrics, taker = transform(make_invocation(record), "opensearch")

    lines = [gzip.decompress(data) for data in taker.taken]
    documents = [json.loads(line)["data"] for line in lines]
    documents += [json.loads(a.data) for a in answers if a.data]
    counts = json.loads(metrics.line(0, "x"))
    assert len(documents) == len(items) - counts["BlankMessages"]
    for document in documents:
        del document["@timestamp"]
        assert find_problems(document) == ()


@slow
@given(st.lists(messages, min_size=2, max_size=4))
def test_what_was_put_back_passes_through_unchanged(items):
    """Once round: a document is delivered as it was put, and put no second time."""
    record = base64.b64encode(pack(make_envelope(*items))).decode()
    _, _, taker = transform(make_invocation(record), "opensearch")

    again, _, second = transform(make_invocation(*taker.taken), "opensearch")

    assert second.taken == []
    for data, answer in zip(taker.taken, again, strict=True):
        put = json.loads(gzip.decompress(data))["data"]
        assert json.loads(answer.data) == put


@slow
@given(st.lists(messages, min_size=1, max_size=4))
def test_the_same_input_gives_the_same_bytes(items):
    """A retried invocation changes nothing in the index."""
    invocation = make_invocation(pack(make_envelope(*items)))

    first, _, _ = transform(invocation)
    second, _, _ = transform(invocation)

    assert first == second


def test_a_gzip_cut_at_any_byte_fails_alone():
    """Wherever it ends, the neighbours go on and nothing half is delivered."""
    whole = pack(make_envelope(make_line()))
    pieces = [whole[:length] for length in range(len(whole))]

    answers, _, _ = transform(make_invocation(*pieces, whole))

    assert {a.result for a in answers[:-1]} == {Result.PROCESSING_FAILED}
    assert answers[-1].result is Result.OK


CANARY = "xq7canary7xq"


def planted(value):
    """Return *value* with the canary in every text of it."""
    if isinstance(value, dict):
        return {key: planted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [planted(item) for item in value]
    return f"{value} {CANARY}" if isinstance(value, str) else value


def canary_records():
    line = json.loads(make_line(attributes={"a": "b"}, tools=[{"name": "x"}]))
    whole = make_envelope(json.dumps(planted(line)), CANARY, f"{{{CANARY}", "{}")
    yield pack(whole)
    yield pack(
        make_envelope(make_line(user_query=CANARY), make_line(user_query=CANARY))
    )
    for name in ("messageType", "owner", "logGroup", "logStream", "logEvents"):
        yield pack(whole | {name: CANARY})
        yield pack(whole | {name: {CANARY: CANARY}})
    yield pack(whole)[:-9]
    yield CANARY.encode()
    yield f'{{"{CANARY}": "{CANARY}"}}'.encode()
    yield f'["{CANARY}"]'.encode()
    yield pack(whole) + CANARY.encode()
    yield wrap("document", json.dumps(planted(line)).encode(), 1)
    yield wrap(CANARY, b"{}", 1)
    yield wrap("bytes", json.dumps(CANARY).encode(), 1)
    yield make_line(user_query=CANARY, user_id=CANARY, bot_name=CANARY).encode()


@pytest.mark.parametrize("destination", ["splunk", "opensearch", "elastic"])
@pytest.mark.parametrize("budget", [65_536, 6_000_000])
def test_content_is_in_no_log_line_and_no_metric(caplog, destination, budget):
    """A canary in every field of every input appears in what is delivered only."""
    records = [*canary_records(), *[f"%{CANARY}%"] * 2]

    with caplog.at_level(logging.DEBUG):
        answers, metrics, _ = transform(make_invocation(*records), destination, budget)

    said = caplog.text + metrics.line(0, destination).decode()
    said += repr([a.reason for a in answers])
    assert CANARY not in said
    assert {a.result for a in answers} >= {Result.PROCESSING_FAILED}
