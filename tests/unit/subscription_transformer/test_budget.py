"""The response's size, counted while it is made."""

from __future__ import annotations

import json

import pytest

from subscription_transformer.budget import Budget
from subscription_transformer.firehose import FirehoseRecord, Result, TransformedRecord
from subscription_transformer.response import Response


def answer(size, name="r0"):
    return TransformedRecord(name, Result.OK, b"x" * size)


def widest(answers):
    """Return the size as AWS's runtime client writes a dict."""
    return len(json.dumps(Response(answers)))


@pytest.mark.parametrize(("extra", "fits"), [(-1, False), (0, True), (1, True)])
def test_a_budget_is_used_to_its_last_byte(extra, fits):
    """One byte less than the whole response is too little."""
    size = widest([answer(300)])
    # The comma that no single record has, and the longer word of a failure.
    reserve = 2

    budget = Budget(size + reserve + extra, [FirehoseRecord("r0", "")])

    assert budget.take(answer(300)) == fits


def test_every_id_can_be_answered_when_nothing_is_left():
    """Room for the shortest answers is set aside before anything is taken."""
    records = [FirehoseRecord(f"r{n}", "") for n in range(50)]
    budget = Budget(10_000, records)
    answers = []

    for record in records:
        made = answer(300, record.firehose_record_id)
        is_taken = budget.take(made)
        failed = TransformedRecord(made.firehose_record_id, Result.PROCESSING_FAILED)
        answers.append(made if is_taken else failed)

    assert 8_000 < widest(answers) <= 10_000


def test_ids_that_json_escapes_are_counted_as_written():
    """A name of quotes and foreign letters takes its escaped size."""
    name = '"\\ü漢\U0001f600' * 20
    budget = Budget(3_000, [FirehoseRecord(name, "")])

    assert budget.take(answer(300, name))
    assert widest([answer(300, name)]) <= 3_000


def test_could_fit_tells_whether_waiting_helps():
    """What would fit into an empty response may come round; the rest may not."""
    budget = Budget(1_000, [FirehoseRecord("r0", ""), FirehoseRecord("r1", "")])
    assert budget.take(answer(300))

    assert not budget.take(answer(400, "r1"))
    assert budget.could_fit(answer(400, "r1"))
    assert not budget.could_fit(answer(700, "r1"))
