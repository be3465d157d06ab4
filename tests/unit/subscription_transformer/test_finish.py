"""One line to one finished document: order of the steps."""

from __future__ import annotations

import hashlib
import json

import pytest

from audit_record.checks import find_problems
from tests.factories import make_envelope, make_line, pack

KEY = "AKIAQ3EGRXVZT5BMJ7WD"


def finished(run, line, **settings):
    return run(pack(make_envelope(line)), **settings).event()


def test_the_nonce_is_not_delivered(run):
    """It would make the digests of masked lines guessable again."""
    assert "nonce" not in finished(run, make_line(nonce="0a" * 16))


def test_text_is_redacted_whole_and_then_cut(run):
    """A secret across the cut leaves no half of itself."""
    words = "word " * 13_200
    secret = "ghp_" + "a1B2" * 9
    text = f"{words}{secret} {words}{secret} {words}"

    for limit in range(50_000, 50_060, 7):
        document = finished(run, make_line(response=text), max_text_bytes=limit)

        assert "a1B2" not in document["response"]
        assert document["redactions"] == {"github_token": 2}
        assert len(document["response"].encode()) <= limit


def test_a_cut_text_says_what_it_was_before_redaction(run):
    """Size and digest, with the nonce, of the text as the bot wrote it."""
    text = f"{KEY} " + "long " * 20_000
    line = make_line(user_query=text[:60_000], response=text, nonce="0a" * 16)

    document = finished(run, line, max_text_bytes=50_000)

    entries = {entry["field"]: entry for entry in document["truncated"]}
    expected = hashlib.sha256(b"0a" * 16 + text.encode()).hexdigest()
    assert entries["response"]["bytes"] == len(text)
    assert entries["response"]["sha256"] == expected
    assert entries["response"]["kept_bytes"] == len(document["response"].encode())


def test_an_emitters_entry_keeps_size_and_digest(run):
    """A second cut changes what is kept and nothing else."""
    entry = {"field": "response", "bytes": 9, "kept_bytes": 8, "sha256": "ab" * 32}

    document = finished(
        run,
        make_line(response="word " * 20_000, truncated=[entry]),
        max_text_bytes=50_000,
    )

    (found,) = document["truncated"]
    assert (found["bytes"], found["sha256"]) == (9, "ab" * 32)
    assert found["kept_bytes"] == len(document["response"].encode())


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_the_text_cap_holds_to_the_byte(run, extra):
    """At the limit nothing is cut; one byte over, something is."""
    text = "é " * 20_000 + "ab"
    limit = len(text.encode()) + extra

    document = finished(run, make_line(response=text), max_text_bytes=limit)

    assert ("truncated" in document) == (extra < 0)
    assert len(document["response"].encode()) <= limit


@pytest.mark.parametrize("character", ["a ", '" ', "\x01 ", "漢 ", "\U0001f600 "])
def test_the_document_cap_holds_whatever_the_text(run, character):
    """Escapes are counted as JSON writes them; the record stays valid."""
    text = character * (120_000 // len(character.encode()))

    document = finished(
        run,
        make_line(user_query=text[:30_000], response=text, full_conversation=text),
        max_document_bytes=100_000,
    )

    encoded = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    assert len(encoded.encode()) <= 100_000
    assert find_problems(document) == ()


def test_flat_copies_hold_no_secret(run):
    """What is masked in a list of objects is masked in its copy."""
    uri = f"https://bob:hunter2@example.com/{KEY}"
    line = make_line(sources=[{"uri": uri}], tools=[{"name": KEY, "status": "error"}])

    document = finished(run, line)

    assert KEY not in json.dumps(document)
    assert "hunter2" not in json.dumps(document)
    assert document["source_uris"] == [document["sources"][0]["uri"]]


def test_signals_say_what_was_masked_and_where(run):
    """Credentials and personal data in question and answer, by kind and place."""
    line = make_line(user_query=f"is {KEY} ok", response="219-09-9999")

    signals = finished(run, line)["signals"]

    assert signals == [
        "secret_in:query",
        "personal_in:response",
        "secret:aws_access_key",
        "personal:us_ssn",
    ]


def test_a_secret_elsewhere_is_no_signal_of_this_turn(run):
    """The conversation repeats turns that have records of their own."""
    document = finished(run, make_line(full_conversation=KEY))

    assert document["redactions"] == {"aws_access_key": 1}
    assert "signals" not in document


@pytest.mark.parametrize(
    "line",
    [
        "plain text",
        '{"user_id": 5}',
        "[1]",
        make_line()[:-1],
        make_line(outcome="splendid"),
        make_line(attributes={f"k{n}": "v" * 2_000 for n in range(80)}),
        make_line(user_id="u" * 5_000, department="d" * 500, signals=["x"] * 50),
        json.dumps({"x" * 300: 1, **json.loads(make_line())}),
        make_line(tools=[{"name": "t" * 500}] * 300),
    ],
)
def test_every_document_is_valid(run, line):
    """Whatever came in, a document obeys the field table."""
    answers = run(pack(make_envelope(line)), destination="opensearch")

    (document,) = answers.lines()
    del document["@timestamp"]
    assert find_problems(document) == ()


def test_quarantined_documents_keep_what_is_sure(run):
    """Person and place can be searched; the message is shown, redacted."""
    line = make_line(outcome="splendid", response=KEY)

    document = finished(run, line)

    assert document["record_type"] == "invalid"
    assert document["problems"] == ["value:outcome"]
    assert document["user_id"] == "bob.smith"
    assert document["bot_name"] == "VeraSlack"
    assert KEY not in document["raw_text"]
    assert document["record_id"] == document["document_id"]
    assert document["response"] == ""


def test_two_equal_lines_of_text_stay_two(run):
    """Quarantined lines are told apart by their millisecond."""
    envelope = make_envelope("same", "same")
    envelope["logEvents"][1]["timestamp"] += 1

    ids = [line["event"]["document_id"] for line in run(pack(envelope)).lines()]

    assert len(set(ids)) == 2


def test_a_piece_of_a_record_is_told_apart(run):
    """Long lines arrive in pieces where a writer did not mind the limit."""
    line = make_line()

    pieces = run(pack(make_envelope(line[:90], line[90:], "text"))).lines()

    flags = ["fragment" in piece["event"]["problems"] for piece in pieces]
    assert flags == [True, True, False]


def test_failed_redaction_is_flagged_and_counted(run, monkeypatch):
    """A text that could not be scanned is withheld, said and counted."""
    from subscription_transformer import redact  # noqa: PLC0415

    def broken(*_, **__):
        raise RuntimeError("CANARY")

    monkeypatch.setattr(redact, "is_foldable", broken)
    answers = run(pack(make_envelope(make_line(user_query=f"CANARY {KEY}"))))

    assert answers.event()["user_query"] == redact.WITHHELD
    assert "redaction:failed" in answers.event()["problems"]
    assert answers.metrics["RedactionFailures"] == 3
