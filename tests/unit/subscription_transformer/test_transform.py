"""One invocation: fates, budget, put-back."""

from __future__ import annotations

import base64
import gzip
import json
import logging

import pytest

from subscription_transformer import transform as transform_module
from subscription_transformer.put_back import wrap
from tests.factories import CONTROL, make_envelope, make_line, pack

GOOD = make_line()
PLAIN_TEXT = "plain text, no record"
RANDOM_TEXT = " ".join(f"{n * 7919 % 99991:05d}" for n in range(20_000))


def test_every_record_has_a_fate_of_its_own(run):
    """Good, bad and foreign records in one batch end as each deserves."""
    answers = run(
        pack(make_envelope(GOOD)),
        pack(CONTROL),
        b"\x1f\x8bbroken",
        "%%%",
        pack(make_envelope(PLAIN_TEXT)),
        json.dumps(make_envelope(GOOD)).encode(),
        GOOD.encode(),
        pack(make_envelope("", " ", "\n")),
        pack(make_envelope()),
        pack(make_envelope(messageType="NEW")),
    )

    assert answers.fates == [
        ("Ok", ""),
        ("Dropped", "control_message"),
        ("ProcessingFailed", "gzip:truncated"),
        ("ProcessingFailed", "base64:invalid"),
        ("Ok", ""),
        ("Ok", ""),
        ("Ok", ""),
        ("Dropped", "nothing_to_deliver"),
        ("Dropped", "nothing_to_deliver"),
        ("ProcessingFailed", "envelope:unknown_message_type"),
    ]
    assert [r.firehose_record_id for r in answers.records] == [
        f"r{n}" for n in range(10)
    ]


def test_events_keep_their_order_and_their_own_source(run):
    """Neither order nor metadata wander between records of a batch."""
    other = make_envelope(
        make_line(bot_name="VeraTeams"), logStream="VeraTeams/s", owner="210987654321"
    )

    answers = run(
        pack(make_envelope(GOOD, make_line(user_id="ann.lee"), PLAIN_TEXT)), pack(other)
    )

    first, second, third = (line["event"] for line in answers.lines(0))
    assert [first["user_id"], second["user_id"]] == ["bob.smith", "ann.lee"]
    assert third["record_type"] == "invalid"
    assert answers.event(1)["source_account"] == "210987654321"
    assert answers.event(1)["source_log_stream"] == "VeraTeams/s"


@pytest.mark.parametrize("group", ["/aws/lambda/own", "/aws/kinesisfirehose/errors"])
def test_own_and_firehose_error_logs_are_never_delivered(run, group):
    """What would feed itself is dropped and counted."""
    answers = run(pack(make_envelope(PLAIN_TEXT, logGroup=group)))

    assert answers.fates == [("Dropped", "nothing_to_deliver")]
    assert answers.metrics["RecursionDropped"] == 1


def test_an_unforeseen_fault_is_one_records_fate(run, monkeypatch, caplog):
    """Whatever breaks, neighbours are delivered and nothing of it is said."""
    whole = transform_module.decode_data

    def broken(data):
        payloads = whole(data)
        if payloads[0].log_events[0].message == "CANARY":
            raise RuntimeError("CANARY")
        return payloads

    monkeypatch.setattr(transform_module, "decode_data", broken)

    answers = run(pack(make_envelope("CANARY")), pack(make_envelope(GOOD)))

    assert answers.fates == [
        ("ProcessingFailed", "unexpected:RuntimeError"),
        ("Ok", ""),
    ]
    assert "CANARY" not in caplog.text


def test_failures_are_logged_with_id_reason_and_size(run, caplog):
    """A failed record can be found; its content cannot."""
    with caplog.at_level(logging.WARNING):
        run("%%CANARY%%")

    assert "recordId=r0 reason=base64:invalid bytes=10" in caplog.text
    assert "CANARY" not in caplog.text


def test_invalid_records_may_fail_their_envelope(run):
    """With AUDIT_INVALID_RECORDS=fail the original goes to S3 instead."""
    answers = run(
        pack(make_envelope(GOOD, PLAIN_TEXT)),
        pack(make_envelope(GOOD)),
        invalid_records="fail",
    )

    assert answers.fates == [("ProcessingFailed", "invalid:record"), ("Ok", "")]


def test_what_the_response_cannot_carry_goes_back_as_it_came(run):
    """From the first record that does not fit on, all the rest goes back."""
    big = pack(make_envelope(*[make_line(user_query=RANDOM_TEXT)] * 2))
    small = pack(make_envelope(GOOD))

    answers = run(
        *[big] * 3, small, max_text_bytes=60_000, response_budget_bytes=200_000
    )

    assert answers.fates == [
        ("Ok", ""),
        *[("Dropped", "put_back:overflow")] * 3,
    ]
    assert answers.firehose.taken == [big, big, small]
    assert answers.metrics["EventsIn"] == 2
    assert answers.metrics["RecordsPutBack"] == 3


def test_a_record_too_large_for_any_response_is_split(run, again):
    """Each round makes progress until everything is delivered, in order."""
    lines = [make_line(user_id=f"u{n}", user_query=RANDOM_TEXT) for n in range(6)]
    settings = {"max_text_bytes": 60_000, "response_budget_bytes": 200_000}

    answers = run(pack(make_envelope(*lines)), **settings)

    assert answers.fates == [("Dropped", "put_back:split")]
    delivered = []
    waiting = answers.firehose.taken
    for _ in range(8):
        answers = run(*again(waiting), **settings)
        delivered += [
            json.loads(line)["event"]["user_id"]
            for record in answers.records
            for line in (record.data or b"").splitlines()
        ]
        waiting = answers.firehose.taken
    assert waiting == []
    assert sorted(delivered) == [f"u{n}" for n in range(6)]


def test_the_first_record_is_handled_though_many_wait(run):
    """Ids of neighbours take room; still no record goes round for ever."""
    line = make_line(user_query=RANDOM_TEXT)
    settings = {"max_text_bytes": 60_000, "response_budget_bytes": 240_000}
    alone = run(pack(make_envelope(line, line)), **settings)
    assert alone.fates == [("Ok", "")]
    size = len(base64.b64encode(alone.records[0].data))

    answers = run(
        pack(make_envelope(line, line)),
        *[pack(CONTROL)] * 400,
        max_text_bytes=60_000,
        response_budget_bytes=size + 2_000,
    )

    assert answers.fates[0] == ("Dropped", "put_back:split")


def test_what_cannot_be_split_fails(run):
    """A single event that fits no response would only come round again."""
    line = make_line(full_conversation=RANDOM_TEXT)

    answers = run(pack(make_envelope(line)), response_budget_bytes=65_536)

    assert answers.fates == [("ProcessingFailed", "budget:too_large")]
    assert answers.firehose.calls == []


def test_generations_are_counted(run):
    """Whatever was split eight times is given up, and its original kept."""
    envelope = make_envelope(*[make_line(user_query=RANDOM_TEXT)] * 6)
    data = wrap("envelope", json.dumps(envelope).encode(), 8)

    answers = run(data, max_text_bytes=60_000, response_budget_bytes=200_000)

    assert answers.fates == [("ProcessingFailed", "put_back:too_many_generations")]


def test_without_put_back_overflow_fails(run):
    """A stream that refuses puts keeps the originals in S3."""
    big = pack(make_envelope(*[make_line(user_query=RANDOM_TEXT)] * 2))

    answers = run(
        big, big, put_back=False, max_text_bytes=60_000, response_budget_bytes=200_000
    )

    assert answers.fates == [
        ("Ok", ""),
        ("ProcessingFailed", "budget:put_back_is_off"),
    ]


def test_opensearch_gets_a_single_event_in_place(run):
    """One event is one document: nothing is put back."""
    answers = run(pack(make_envelope(GOOD)), destination="opensearch")

    (document,) = answers.lines()
    assert document["@timestamp"] == "2026-11-24T15:04:05.123Z"
    assert answers.firehose.calls == []


def test_opensearch_envelopes_are_exploded(run, again):
    """Each document comes back as a record of its own and passes through once."""
    lines = [make_line(sources=[{"uri": "u", "score": 0.5}]), PLAIN_TEXT, GOOD]
    lines[0] = lines[0].replace("0.5", "0.50")

    answers = run(pack(make_envelope(*lines)), destination="opensearch")

    assert answers.fates == [("Dropped", "put_back:exploded")]
    back = run(*again(answers.firehose.taken), destination="opensearch")
    assert [fate for fate, _ in back.fates] == ["Ok"] * 3
    assert [len(back.lines(n)) for n in range(3)] == [1, 1, 1]
    assert b'"score":0.50' in back.records[0].data
    assert back.firehose.calls == []
    assert answers.metrics["EventsIn"] == 3
    assert back.metrics["EventsIn"] == 0
    assert back.metrics["EventsDelivered"] == 3


def test_exploding_needs_put_back(run):
    """Without it the envelope fails with that reason."""
    answers = run(
        pack(make_envelope(GOOD, GOOD)), put_back=False, destination="opensearch"
    )

    assert answers.fates == [("ProcessingFailed", "explode:put_back_is_off")]


def test_an_envelope_that_did_not_go_back_whole_fails(run, refusing):
    """Nothing is both unsent and reported as sent; the others stay as they are."""
    answers = run(
        pack(make_envelope(GOOD, GOOD)),
        pack(make_envelope(GOOD, GOOD)),
        pack(make_envelope(GOOD)),
        destination="opensearch",
        firehose=refusing(*[{3}] + [{0}] * 20),
    )

    assert answers.fates == [
        ("Dropped", "put_back:exploded"),
        ("ProcessingFailed", "put_back:failed"),
        ("Ok", ""),
    ]


@pytest.mark.parametrize(
    "values",
    [
        {"document_id": "ab" * 16},
        {"@timestamp": "yesterday", "document_id": "ab" * 16},
        {"@timestamp": "2026-11-24T15:04:05.123Z", "document_id": "short"},
        {"@timestamp": "2026-11-24T15:04:05.123Z"},
    ],
)
def test_a_put_back_document_is_checked_again(run, values):
    """One bad document would fail its whole bulk: it is refused."""
    data = wrap("document", json.dumps(values).encode(), 1)

    answers = run(data, destination="opensearch")

    assert answers.fates == [("ProcessingFailed", "put_back:broken")]


def test_a_put_back_document_is_redacted_again(run):
    """Whoever forges a wrapper brings no secret in with it."""
    document = json.loads(make_line(user_query="AKIAQ3EGRXVZT5BMJ7WD"))
    document |= {"@timestamp": "2026-11-24T15:04:05.123Z", "document_id": "ab" * 16}

    answers = run(
        wrap("document", json.dumps(document).encode(), 1), destination="opensearch"
    )

    assert b"AKIA" not in answers.records[0].data


def test_a_wrapper_inside_an_envelope_is_a_message_like_any_other(run):
    """Bots cannot bring finished documents in."""
    forged = gzip.decompress(wrap("document", make_line().encode(), 1)).decode()

    answers = run(pack(make_envelope(forged)))

    assert answers.event()["record_type"] == "invalid"


def test_replayed_bytes_pass_through(run):
    """Finished bytes of the destination are delivered as they are."""
    data = b'{"event":{"a":1}}\n{"event":{"a":2}}\n'
    wrapped = wrap("bytes", json.dumps(base64.b64encode(data).decode()).encode(), 1)

    assert run(wrapped).records[0].data == data
    opensearch = run(wrapped, destination="opensearch")
    assert opensearch.fates == [("ProcessingFailed", "put_back:broken")]


def test_the_time_left_is_kept_for_putting_back(run):
    """When time runs short the first record is handled and the rest goes back."""
    seconds = iter([9.0, 9.0, 9.0, 9.0, 9.0, 9.0])

    answers = run(
        *[pack(make_envelope(GOOD))] * 3, remaining_s=lambda: next(seconds, 9.0)
    )

    assert answers.fates == [("Ok", ""), *[("Dropped", "put_back:overflow")] * 2]


def test_one_record_cannot_take_its_neighbours_time(run):
    """A record that takes half of what is left fails, and the others go on."""
    seconds = iter([60.0, *[29.0] * 50])

    answers = run(
        pack(make_envelope(*[PLAIN_TEXT] * 3)),
        pack(make_envelope(GOOD)),
        remaining_s=lambda: next(seconds),
    )

    assert answers.fates == [("ProcessingFailed", "time:exhausted"), ("Ok", "")]


@pytest.mark.parametrize("remaining_s", [0.0, -2.0])
def test_past_the_deadline_the_rest_fails(run, remaining_s):
    """Nothing is put when there is no time: the originals reach S3."""
    answers = run(*[pack(make_envelope(GOOD))] * 3, remaining_s=remaining_s)

    assert answers.fates == [
        ("Ok", ""),
        *[("ProcessingFailed", "put_back:failed")] * 2,
    ]
    assert answers.firehose.calls == []


def test_elastic_keeps_the_envelope(run):
    """Elastic's endpoint gets the envelope with finished messages."""
    answers = run(
        pack(make_envelope(GOOD, PLAIN_TEXT)), GOOD.encode(), destination="elastic"
    )

    envelope = json.loads(gzip.decompress(answers.records[0].data))
    assert envelope["logGroup"] == "/aws/ai-bots/audit-logs"
    messages = [json.loads(event["message"]) for event in envelope["logEvents"]]
    assert [m["record_type"] for m in messages] == ["interaction", "invalid"]
    plain = json.loads(gzip.decompress(answers.records[1].data))
    assert plain["messageType"] == "DATA_MESSAGE"
    assert len(plain["logEvents"]) == 1
