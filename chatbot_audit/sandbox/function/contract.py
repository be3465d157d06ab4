"""Check a transformation's answer as Firehose documents it, and harder.

Source: AWS guide "Transform source data in Amazon Data Firehose", and captured
error objects. Whatever is wrong with an answer fails the whole batch at once: a
false pass here would be a lost record there.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

OK: Final = "Ok"
DROPPED: Final = "Dropped"
REFUSED: Final = "ProcessingFailed"
RESULTS: Final = (OK, DROPPED, REFUSED)
# Firehose's code for an answer that it cannot read.
UNREADABLE: Final = "Lambda.JsonProcessingException"


class ContractError(Exception):
    """The answer breaks the contract.

    Attributes:
        code: Firehose's error code.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class CheckedResult:
    """One record's result.

    Attributes:
        firehose_record_id: The record answered.
        result: One of `RESULTS`.
        data: What to deliver; b"" unless the result is Ok.
    """

    firehose_record_id: str
    result: str
    data: bytes = b""


def check_answer(answer: bytes, wanted_ids: Sequence[str]) -> list[CheckedResult]:
    """Return the results in the order of *wanted_ids*.

    Raises:
        ContractError: Not JSON, ids missing, doubled or made up, words that
            Firehose does not know, or data that is no base64.
    """
    records = _records(answer)
    results: dict[str, CheckedResult] = {}
    for record in records:
        result = _result(record)
        if result.firehose_record_id in results:
            raise ContractError("Lambda.DuplicatedRecordId", "an id stands twice")
        results[result.firehose_record_id] = result
    if set(results) - set(wanted_ids):
        raise ContractError("Lambda.MissingRecordId", "an id was never sent")
    if set(wanted_ids) - set(results):
        raise ContractError("Lambda.MissingRecordId", "an id was not answered")
    return [results[name] for name in wanted_ids]


def _records(answer: bytes) -> list[Any]:
    try:
        value = json.loads(answer.decode())
    except (ValueError, RecursionError):
        raise _unreadable("the answer is no JSON") from None
    records = value.get("records") if isinstance(value, dict) else None
    if not isinstance(records, list):
        raise _unreadable("the answer has no list of records")
    return records


def _result(record: Any) -> CheckedResult:
    if not isinstance(record, dict) or not isinstance(record.get("recordId"), str):
        raise ContractError("Lambda.MissingRecordId", "an answer has no recordId")
    result = record.get("result")
    if result not in RESULTS:
        raise _unreadable("a result is none of Ok, Dropped, ProcessingFailed")
    if result != OK:
        return CheckedResult(record["recordId"], result)
    data = record.get("data")
    if not isinstance(data, str):
        raise _unreadable("an Ok result has no data")
    try:
        decoded = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise _unreadable("data is no base64") from None
    return CheckedResult(record["recordId"], result, decoded)


def _unreadable(message: str) -> ContractError:
    return ContractError(UNREADABLE, message)
