"""The contract between Firehose and the function."""

from __future__ import annotations

import base64
import json

import pytest

from chatbot_audit.sandbox.function.contract import ContractError, check_answer

IDS = ["a", "b"]


def ok(name, data=b"x"):
    return {
        "recordId": name,
        "result": "Ok",
        "data": base64.b64encode(data).decode(),
    }


def answer(*records):
    return json.dumps({"records": records}).encode()


def test_results_come_in_the_order_asked():
    """Whatever the order of the answer, each record gets its own result."""
    dropped = {"recordId": "a", "result": "Dropped"}

    results = check_answer(answer(ok("b", b"two"), dropped), IDS)

    assert [(r.firehose_record_id, r.result, r.data) for r in results] == [
        ("a", "Dropped", b""),
        ("b", "Ok", b"two"),
    ]


def test_further_members_are_allowed():
    """Partition keys and data beside a failed result harm nothing."""
    failed = {"recordId": "a", "result": "ProcessingFailed", "data": "!!!"}
    extra = ok("b") | {"metadata": {"partitionKeys": {}}}

    results = check_answer(answer(failed, extra), IDS)

    assert [r.result for r in results] == ["ProcessingFailed", "Ok"]


BREACHES = [
    pytest.param(b"not json", "JsonProcessingException", id="no-json"),
    pytest.param(b"", "JsonProcessingException", id="empty"),
    pytest.param(b'"text"', "JsonProcessingException", id="str"),
    pytest.param(b"[]", "JsonProcessingException", id="list"),
    pytest.param(b"null", "JsonProcessingException", id="null"),
    pytest.param(b"{}", "JsonProcessingException", id="no-records"),
    pytest.param(b'{"records":{}}', "JsonProcessingException", id="records-object"),
    pytest.param(
        json.dumps({"records": [ok("a"), ok("b")]}).encode("utf-16"),
        "JsonProcessingException",
        id="utf-16",
    ),
    pytest.param(b"[" * 100_000, "JsonProcessingException", id="nested"),
    pytest.param(answer(ok("a")), "MissingRecordId", id="missing"),
    pytest.param(answer(), "MissingRecordId", id="none"),
    pytest.param(answer(ok("a"), ok("b"), ok("c")), "MissingRecordId", id="unknown"),
    pytest.param(answer(ok("a"), ok("a")), "DuplicatedRecordId", id="duplicate"),
    pytest.param(answer(ok("a"), 7), "MissingRecordId", id="no-object"),
    pytest.param(
        answer(ok("a"), {"result": "Ok", "data": ""}), "MissingRecordId", id="no-id"
    ),
    pytest.param(
        answer(ok("a"), ok("b") | {"recordId": 7}), "MissingRecordId", id="id"
    ),
    *(
        pytest.param(
            answer(ok("a"), ok("b") | {"result": word}),
            "JsonProcessingException",
            id=f"result-{word}",
        )
        for word in ("ok", "OK", "Okay", "", None, 1, "Processing Failed", ["Ok"])
    ),
    *(
        pytest.param(
            answer(ok("a"), ok("b") | {"data": data}),
            "JsonProcessingException",
            id=f"data-{data}",
        )
        for data in (None, 1, "###", "YQ", "YQ==\n", "ä", {"a": 1})
    ),
]


@pytest.mark.parametrize(("data", "code"), BREACHES)
def test_a_breach_has_its_code(data, code):
    """Each breach is found, and named as Firehose names it."""
    with pytest.raises(ContractError) as caught:
        check_answer(data, IDS)

    assert caught.value.code == f"Lambda.{code}"


def test_a_breach_says_nothing_of_the_content():
    """The answer is content; the error is not."""
    with pytest.raises(ContractError) as caught:
        check_answer(b'{"records":[{"recordId":"canary","result":"canary"}]}', IDS)

    assert "canary" not in str(caught.value)
