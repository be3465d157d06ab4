"""The whole pipeline: emitter, CloudWatch, the built zip in its process, the store."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path

import pytest

from chatbot_audit.sandbox import (
    FirehoseSettings,
    LambdaSettings,
    Sandbox,
    SandboxError,
    SandboxSettings,
)
from chatbot_audit.stores.model import Search
from chatbot_audit.stores.sqlite import SqliteStore
from emitter import AuditEmitter, EmitterSettings
from tests.factories import CONTROL, make_envelope, make_line, pack

ZIP = Path("build/transformer.zip")
SECRET = "AKIAQ3EGRXVZT5BMJ7WD"
CANARY = "c4n4ry-must-not-be-logged"


@pytest.fixture
def store(tmp_path):
    with_store = SqliteStore(tmp_path / "audit.db")
    yield with_store
    with_store.close()


@pytest.fixture(scope="session", autouse=True)
def built_zip():
    """These tests judge the artefact: it has to be there."""
    assert ZIP.is_file(), "run: make build"


def documents(store, *record_types):
    return list(store.search(Search(record_types=record_types)))


@pytest.mark.parametrize("destination", ["sqlite", "splunk"])
def test_one_batch_of_everything(store, destination):
    """Each record of a mixed batch ends as it should; none harms its neighbours."""
    good = make_line(user_query="good")
    surrogate = make_line(user_query="half").replace("half", r"half \ud83d pair")
    oversize = make_line(user_query="long", full_conversation="word " * 100_000)
    leaked = make_line(user_query=f"leaked {SECRET}", response=f"I saw {SECRET}")
    batch = [
        pack(make_envelope(good)),
        pack(CONTROL),
        b"\x1f\x8b broken",
        pack(make_envelope("no JSON at all")),
        pack(make_envelope(surrogate)),
        pack(make_envelope(oversize)),
        pack(make_envelope(leaked, "", " ")),
    ]
    # The ids of the factory are per envelope; here each event needs its own.
    batch = [_with_own_ids(data, number) for number, data in enumerate(batch)]

    with Sandbox(SandboxSettings(destination=destination), store) as sandbox:
        sandbox.put_records(batch)
        sandbox.drain()
        report = sandbox.report()
        errors = list(sandbox.backup.read())
        log = "\n".join(sandbox.function.log_lines)

    assert report.holds, report.sentence()
    assert len(report.delivered) == 4
    assert len(report.quarantined) == 1
    assert len(report.failed) == 1
    assert len(report.dropped) == 3
    found = {d["user_query"].split()[0]: d for d in documents(store)}
    assert set(found) == {"good", "half", "long", "leaked"}
    assert found["half"]["user_query"] == "half \ufffd pair"
    assert "utf8:replaced" in found["half"]["problems"]
    assert found["long"]["truncated"][0]["bytes"] == 500_000
    assert found["leaked"]["redactions"] == {"aws_access_key": 2}
    assert SECRET not in json.dumps(found)
    (invalid,) = documents(store, "invalid")
    assert invalid["raw_text"] == "no JSON at all"
    assert [(kind, line["errorCode"]) for kind, line in errors] == [
        ("processing-failed", "Lambda.ProcessingFailedStatus")
    ]
    assert SECRET not in log


def _with_own_ids(data: bytes, number: int) -> bytes:
    try:
        envelope = json.loads(gzip.decompress(data))
    except (OSError, EOFError):
        return data
    if envelope["messageType"] == "CONTROL_MESSAGE":
        return data
    for event in envelope["logEvents"]:
        event["id"] = f"{number:03d}{event['id'][3:]}"
    return pack(envelope)


def test_from_a_bots_question_to_the_store(store, monkeypatch):
    """What a bot writes through the library is found by the person's name."""
    settings = EmitterSettings(sink="cloudwatch", home_domains=("example.com",))

    with Sandbox(SandboxSettings(), store) as sandbox:
        for name, value in sandbox.environ.items():
            monkeypatch.setenv(name, value)
        audit = AuditEmitter("VeraSlack", settings=settings)
        for number in range(7):
            with audit.question(user="Bob.Smith@example.com", text=f"q{number}") as q:
                q.reply("Ask payroll about your salary.")
        sandbox.drain()
        report = sandbox.report()

    assert audit.stats.written == 7
    assert report.holds, report.sentence()
    found = list(store.search(Search(user="bob.smith")))
    assert [d["user_query"] for d in found] == [f"q{n}" for n in range(7)]
    assert all(d["topics"] == ["compensation@response"] for d in found)
    # Other emitters of this process may have begun the chain.
    first = found[0]["seq"]
    assert [d["seq"] for d in found] == list(range(first, first + 7))
    assert not any("problems" in d for d in found), found[0].get("problems")
    assert all("nonce" not in d for d in found)


def test_the_same_line_delivered_twice_is_one_document(store):
    """At-least-once delivery becomes exactly once in the store."""
    envelope = pack(make_envelope(make_line()))

    with Sandbox(SandboxSettings(), store) as sandbox:
        sandbox.put_records([envelope, envelope])
        sandbox.drain()
        sandbox.put_records([envelope])
        sandbox.drain()

    assert len(documents(store)) == 1


def test_a_broken_handler_fails_loudly_and_loses_nothing(store, tmp_path):
    """Without its handler the zip delivers nothing; every original is kept."""
    broken = tmp_path / "broken.zip"
    with zipfile.ZipFile(ZIP) as source, zipfile.ZipFile(broken, "w") as target:
        for name in source.namelist():
            if name != "subscription_transformer/handler.py":
                target.writestr(name, source.read(name))
    settings = SandboxSettings(
        function=LambdaSettings(
            zip_path=broken, python=LambdaSettings().interpreter, process_count=1
        ),
        firehose=FirehoseSettings(lambda_retry_count=0),
    )

    with Sandbox(settings, store) as sandbox:
        sandbox.put_records([pack(make_envelope(make_line()))])
        sandbox.drain()
        report = sandbox.report()

    assert report.holds, report.sentence()
    assert not report.delivered
    assert len(report.failed) == 1
    assert documents(store) == []


@pytest.mark.parametrize("content", [None, b"no zip"])
def test_a_missing_or_broken_zip_is_one_sentence(store, tmp_path, content):
    """What has to be done is said; nothing is left running."""
    path = tmp_path / "t.zip"
    if content is not None:
        path.write_bytes(content)
    settings = SandboxSettings(function=LambdaSettings(zip_path=path))

    with pytest.raises(SandboxError, match="run: make build"):
        Sandbox(settings, store).__enter__()


def test_no_content_in_any_log_of_the_function(store):
    """A canary in every field of good and bad records appears in no log line."""
    lines = [
        make_line(
            user_query=CANARY,
            response=f"{CANARY} password={CANARY}",
            full_conversation=CANARY * 20_000,
            attributes={CANARY: CANARY},
            outcome=CANARY,
        ),
        CANARY,
        f'{{"user_query": "{CANARY}"',
        f'BOT_AUDIT_FALLBACK {{"log_group": "{CANARY}"',
    ]

    with Sandbox(SandboxSettings(), store) as sandbox:
        sandbox.put_records([pack(make_envelope(*lines)), CANARY.encode()])
        sandbox.drain()
        log = "\n".join(sandbox.function.log_lines)

    assert '"EventsIn":4' in log
    assert CANARY not in log


def test_records_of_long_ago_keep_their_time(store):
    """The index time is the event's, to the millisecond."""
    with Sandbox(SandboxSettings(), store) as sandbox:
        sandbox.put_records([pack(make_envelope(make_line()))])
        sandbox.drain()

    (document,) = documents(store)
    assert document["@timestamp"] == "2026-11-24T15:04:05.123Z"
    assert document["timestamp"] == document["@timestamp"]
