"""Firehose's API, without the network."""

from __future__ import annotations

import base64

import pytest

from audit_record.limits import MAX_FIREHOSE_RECORD_BYTES
from chatbot_audit.sandbox.faults import PutFaults
from chatbot_audit.sandbox.firehose_api import ApiError, FirehoseApi

STREAM = {"DeliveryStreamName": "chatbot-audit"}


@pytest.fixture
def put():
    return []


@pytest.fixture
def faults():
    return PutFaults()


@pytest.fixture
def api(put, faults):
    def take(data, access_key):
        put.append((data, access_key))
        return f"id{len(put)}"

    made = FirehoseApi(take, faults=faults)
    yield made
    made.stop()


def record(data=b"x"):
    return {"Data": base64.b64encode(data).decode()}


def batch(*records):
    return STREAM | {"Records": list(records)}


def code_of(api, name, request):
    with pytest.raises(ApiError) as caught:
        api.call(name, request)
    return caught.value.code


def test_a_record_is_put(api, put):
    """Its bytes arrive, and whose they are."""
    answer = api.call("PutRecord", STREAM | {"Record": record(b"data")}, "key")

    assert answer == {"RecordId": "id1", "Encrypted": False}
    assert put == [(b"data", "key")]


def test_a_batch_is_put_in_order(api, put):
    """One answer a record, at its position."""
    answer = api.call("PutRecordBatch", batch(record(b"a"), record(b"b")))

    assert answer["FailedPutCount"] == 0
    assert answer["RequestResponses"] == [{"RecordId": "id1"}, {"RecordId": "id2"}]
    assert [data for data, _ in put] == [b"a", b"b"]


LARGEST = record(b"x" * MAX_FIREHOSE_RECORD_BYTES)
TOO_LARGE = record(b"x" * (MAX_FIREHOSE_RECORD_BYTES + 1))
MEBIBYTE = record(b"x" * 1_000_000)


def test_the_limits_themselves_are_legal(api, put):
    """500 records, 4 MiB, 1,000 KiB: so much is taken."""
    api.call("PutRecordBatch", batch(*[record()] * 500))
    api.call("PutRecordBatch", batch(*[LARGEST] * 4))
    api.call("PutRecord", STREAM | {"Record": LARGEST})

    assert len(put) == 505


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        pytest.param(batch(), "ValidationException", id="none"),
        pytest.param(batch(*[record()] * 501), "ValidationException", id="501"),
        pytest.param(batch(*[MEBIBYTE] * 5), "InvalidArgumentException", id="5 MB"),
        pytest.param(batch(record(), TOO_LARGE), "ValidationException", id="1,000 KiB"),
        pytest.param(batch(record(b"")), "ValidationException", id="empty"),
        pytest.param(batch({}), "ValidationException", id="no data"),
        pytest.param(batch(7), "ValidationException", id="no record"),
        pytest.param(batch({"Data": "#"}), "SerializationException", id="base64"),
        pytest.param(batch({"Data": "ä"}), "SerializationException", id="not ascii"),
        pytest.param(STREAM, "ValidationException", id="no records"),
        pytest.param([], "SerializationException", id="no object"),
        pytest.param({"Records": []}, "ValidationException", id="no name"),
        pytest.param(
            batch(record()) | {"DeliveryStreamName": "a b"},
            "ValidationException",
            id="bad name",
        ),
        pytest.param(
            batch(record()) | {"DeliveryStreamName": "x" * 65},
            "ValidationException",
            id="long name",
        ),
        pytest.param(
            batch(record()) | {"DeliveryStreamName": "other"},
            "ResourceNotFoundException",
            id="other stream",
        ),
    ],
)
def test_what_is_over_a_limit_is_refused_whole(api, put, request_, code):
    """Nothing of a refused call is put."""
    assert code_of(api, "PutRecordBatch", request_) == code
    assert put == []


def test_an_unknown_call_is_refused(api):
    """Only what is needed is there, and says so."""
    assert code_of(api, "DeleteDeliveryStream", STREAM) == "UnknownOperationException"


def test_the_stream_can_be_described(api):
    """It is active and takes direct puts."""
    answer = api.call("DescribeDeliveryStream", STREAM)["DeliveryStreamDescription"]

    assert answer["DeliveryStreamStatus"] == "ACTIVE"
    assert answer["DeliveryStreamType"] == "DirectPut"


def test_given_positions_fail(api, put, faults):
    """They are told by position, and only the others are put."""
    faults.failed_positions = frozenset([1, 3])
    faults.partial_calls.set(1)

    answers = [
        api.call("PutRecordBatch", batch(*(record(b"%d" % n) for n in range(4))))
        for _ in range(2)
    ]

    assert [answer["FailedPutCount"] for answer in answers] == [2, 0]
    codes = [r.get("ErrorCode") for r in answers[0]["RequestResponses"]]
    assert codes == [None, "ServiceUnavailableException"] * 2
    assert [data for data, _ in put[:2]] == [b"0", b"2"]


def test_whole_calls_are_throttled_so_often(api, put, faults):
    """Then the same call is carried out."""
    faults.throttled_calls.set(1)

    assert code_of(api, "PutRecordBatch", batch(record())) == (
        "ServiceUnavailableException"
    )
    api.call("PutRecordBatch", batch(record()))
    assert len(put) == 1


def test_every_call_can_be_refused_for_good(api, faults):
    """As when the role may not put."""
    faults.refusal_code = "AccessDeniedException"

    codes = {code_of(api, "PutRecordBatch", batch(record())) for _ in range(3)}

    assert codes == {"AccessDeniedException"}


class Process:
    """Stands for a process of the function; remembers what was done to it."""

    def __init__(self):
        self.done = []

    def doom(self):
        self.done.append("doomed")
        return lambda: self.done.append("killed")


def test_only_a_caller_of_ours_is_killed_and_only_so_often(faults):
    """A bot that puts records is no process of the function."""
    process = Process()
    api = FirehoseApi(lambda *_: "id", 0, faults, {"function0": process}.get)
    faults.killed_callers.set(1)

    answers = [api.doom_caller(key) for key in ("bot", "function0", "function0")]
    api.stop()

    assert [answer is not None for answer in answers] == [False, True, False]
    answers[1]()
    assert process.done == ["doomed", "killed"]
