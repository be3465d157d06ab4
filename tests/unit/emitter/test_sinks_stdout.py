"""The fallback line: marked, whole, under its limit, with or without content."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import sys
import threading
from pathlib import Path

import pytest

from audit_record.codec import encode
from emitter.errors import SinkError
from emitter.sinks import stdout
from emitter.sinks.entry import Entry
from emitter.sinks.stdout import MARKER, StdoutSink, fallback_line
from emitter.testing import assert_valid
from tests.factories import LOG_GROUP, LOG_STREAM, make_record


def make_entry(**changes):
    return Entry(LOG_GROUP, LOG_STREAM, 1, encode(make_record(**changes)))


def parts_of(line):
    assert line.startswith(MARKER)
    return json.loads(line.removeprefix(MARKER))


def test_the_line_says_where_it_belongs():
    """Group, stream, the very bytes and their digest: enough to deliver it later."""
    entry = make_entry(response='a "quote" \\ and ünïcode 漢')

    parts = parts_of(fallback_line(entry))

    assert list(parts) == ["log_group", "log_stream", "line_sha256", "line"]
    assert parts["log_group"] == LOG_GROUP
    assert parts["log_stream"] == LOG_STREAM
    assert parts["line"].encode() == entry.line
    assert parts["line_sha256"] == hashlib.sha256(entry.line).hexdigest()


AWKWARD = {
    "letters": "word " * 200_000,
    "quotes": '" ' * 400_000,
    "backslashes": "\\ " * 400_000,
    "controls": "\x01" * 150_000,
    "chinese": "漢字" * 150_000,
    "emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 30_000,
}


@pytest.mark.parametrize("kind", AWKWARD)
def test_a_long_record_is_cut_to_the_lines_limit(kind):
    """At most 250,000 bytes with the newline, valid, the digest of the full line."""
    text = AWKWARD[kind]
    entry = make_entry(full_conversation=text, response=text, nonce="ab" * 16)

    line = fallback_line(entry)

    parts = parts_of(line)
    assert len(line.encode()) + 1 <= 250_000
    assert len(line.encode()) > 30_000
    assert_valid(parts["line"])
    assert json.loads(parts["line"])["truncated"]
    assert parts["line_sha256"] == hashlib.sha256(entry.line).hexdigest()


def test_metadata_leaves_content_out():
    """Who, when and which bot stay; what was said does not."""
    entry = make_entry(
        response="canary",
        user_query="canary",
        full_conversation="canary",
        feedback_comment="canary",
        attributes={"k": "canary"},
    )

    line = fallback_line(entry, with_content=False)

    record = json.loads(parts_of(line)["line"])
    assert "canary" not in line
    assert_valid(record)
    assert record["user_id"] == "bob.smith"


def test_one_write_carries_the_whole_line(tmp_path, monkeypatch):
    """What waits in the text stream goes first, then the line in one piece."""
    path = tmp_path / "out"
    with path.open("w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        stream.write("before\n")

        StdoutSink().write(make_entry())
        stream.write("after\n")

    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line.split(" ")[0] for line in lines] == [
        "before",
        MARKER.strip(),
        "after",
    ]


def test_partial_writes_are_continued(tmp_path, monkeypatch):
    """A pipe may take a part only; the rest follows."""
    real_write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real_write(fd, data[:100]))
    path = tmp_path / "out"
    with path.open("w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdout", stream)

        StdoutSink().write(make_entry())

    assert parts_of(path.read_text(encoding="utf-8"))["line"]


def test_a_stream_that_is_no_file_is_written_as_text():
    """Tests and notebooks replace the standard output."""
    text = io.StringIO()

    with contextlib.redirect_stdout(text):
        StdoutSink().write(make_entry())

    assert text.getvalue().endswith("}\n")


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("make", [closed, lambda: None], ids=["closed", "none"])
def test_a_closed_output_is_an_error(monkeypatch, make):
    """A daemon without an output gets its record counted as lost, not a crash."""
    monkeypatch.setattr(sys, "stdout", make())

    with pytest.raises(SinkError, match="stdout_closed"):
        StdoutSink().write(make_entry())


def test_a_full_disk_is_an_error(monkeypatch):
    """The same where the output goes to a file on a full disk."""
    with Path("/dev/full").open("w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdout", stream)

        with pytest.raises(SinkError, match="stdout_closed"):
            StdoutSink().write(make_entry())


def test_a_pipe_that_nobody_reads_does_not_keep_whoever_has_a_time(capsys):
    """A line that is only a count is given up; a record is written when it can be."""
    record = threading.Thread(target=StdoutSink().write, args=(make_entry(),))
    with stdout._writing.lock:
        record.start()
        with pytest.raises(OSError, match="another thread"):
            stdout.write_line("{}", timeout_s=0.05)

    record.join(10)
    assert capsys.readouterr().out.startswith(MARKER)
