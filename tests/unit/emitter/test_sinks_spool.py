"""The spool: on the disk, bounded, locked, whole, and sent again at least once."""

from __future__ import annotations

import errno
import fcntl
import importlib
import json
import os
import stat
import threading

import pytest

from emitter.errors import SinkError
from emitter.sinks import spool_files, spool_send
from emitter.sinks.entry import Entry, Refused
from emitter.sinks.spool import SpoolSink
from emitter.sinks.spool_files import SENDING_SUFFIX, read_spool_line, spool_name
from emitter.sinks.spool_send import (
    read_spool,
    send_spool,
    send_to_cloudwatch,
)
from tests.factories import LOG_GROUP, make_line

NOW_MS = 1_795_532_645_123
DAY_MS = 86_400_000


def make_entry(number=0, stream="Vera/one", time_ms=NOW_MS):
    line = make_line(user_query=f"question {number}").encode()
    return Entry(LOG_GROUP, stream, time_ms, line)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "spool"


@pytest.fixture
def spool(folder):
    return SpoolSink(folder)


class Service:
    """Takes batches, refuses some, fails as it is told."""

    def __init__(self, *, refused=(), failures=()):
        self.batches = []
        self.refused = refused
        self.failures = list(failures)

    def write_batch(self, entries):
        reason = self.failures.pop(0) if self.failures else None
        if reason:
            raise SinkError(reason)
        self.batches.append(list(entries))
        return [Refused(e, "no") for e in entries if e.line in self.refused]

    @property
    def lines(self):
        return [entry.line for batch in self.batches for entry in batch]


def send(folder, service, now_ms=NOW_MS):
    return send_to_cloudwatch(folder, service.write_batch, now_ms)


def files(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


def test_a_record_is_on_disk_for_its_owner_alone(spool, folder):
    """One file a stream, 0600 in a folder of 0700, each line complete."""
    entries = [make_entry(0), make_entry(1), make_entry(2, stream="Vera/two")]

    for entry in entries:
        spool.write(entry)

    path = folder / spool_name(LOG_GROUP, "Vera/one")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(files(folder)) == 2
    assert sorted(read_spool(folder), key=lambda e: e.line) == entries
    assert len(path.read_bytes().splitlines()) == 2


def test_a_record_is_flushed_to_the_disk(spool, monkeypatch):
    """`write` returns when the disk has it."""
    synced = []
    real_sync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(fd) or real_sync(fd))

    spool.write(make_entry())

    assert len(synced) >= 1


def test_a_full_spool_keeps_the_oldest(folder):
    """What does not fit is refused, for the next sink to take; nothing is removed."""
    spool = SpoolSink(folder, max_bytes=2_000)
    spool.write(make_entry(0))
    spool.write(make_entry(1))

    with pytest.raises(SinkError) as raised:
        spool.write(make_entry(2))

    kept = list(read_spool(folder))
    assert raised.value.reason == "spool_full"
    assert kept == [make_entry(0), make_entry(1)]
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 2_000


def test_a_batch_is_kept_as_far_as_there_is_room(folder):
    """Of many records those that fit are kept, the others named."""
    spool = SpoolSink(folder, max_bytes=2_000)

    refused = spool.write_batch([make_entry(number) for number in range(9)])

    kept = list(read_spool(folder))
    assert kept
    assert len(kept) + len(refused) == 9
    assert {item.reason for item in refused} == {"spool_full"}


def test_a_full_disk_leaves_no_half_line(spool, folder, monkeypatch):
    """A write that fails in the middle is taken back."""
    spool.write(make_entry(0))
    real_write = os.write

    def fail_midway(descriptor, data):
        if len(data) > 100:
            return real_write(descriptor, data[:100])
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "write", fail_midway)
    with pytest.raises(SinkError) as raised:
        spool.write(make_entry(1))

    monkeypatch.undo()
    spool.write(make_entry(2))
    assert raised.value.reason == "spool_disk_full"
    assert list(read_spool(folder)) == [make_entry(0), make_entry(2)]


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    """A file where the folder should be, and no folder at all."""
    (tmp_path / "file").write_text("x")

    with pytest.raises(SinkError, match="spool_error"):
        SpoolSink(tmp_path / "file" / "spool").write(make_entry())


def test_a_link_is_not_followed(spool, folder, tmp_path):
    """Nobody can have records written into a file of his choice."""
    folder.mkdir()
    target = tmp_path / "target"
    target.write_text("")
    (folder / spool_name(LOG_GROUP, "Vera/one")).symlink_to(target)

    with pytest.raises(SinkError, match="spool_forbidden"):
        spool.write(make_entry())

    assert target.read_text() == ""


def test_a_locked_folder_is_waited_for_a_second_at_most(folder):
    """Another process that hangs with the lock does not hang the bot."""
    waits = []
    spool = SpoolSink(folder, sleep_s=waits.append)
    spool.write(make_entry(0))
    with (folder / ".lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        with pytest.raises(SinkError, match="spool_locked"):
            spool.write(make_entry(1))

    assert sum(waits) == pytest.approx(1.0, abs=0.05)


def test_threads_do_not_tear_each_others_lines(spool, folder):
    """Every line of many writers is whole."""
    threads = [
        threading.Thread(target=spool.write, args=(make_entry(number),))
        for number in range(20)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(list(read_spool(folder))) == 20


def test_a_torn_line_is_closed_before_the_next(spool, folder):
    """What a crash left does not spoil what comes after it."""
    folder.mkdir()
    path = folder / spool_name(LOG_GROUP, "Vera/one")
    path.write_bytes(b'{"log_group":"/aws')

    spool.write(make_entry(1))

    assert list(read_spool(folder)) == [make_entry(1)]


def test_the_spool_is_sent_to_the_streams_it_was_meant_for(spool, folder):
    """Batches of one stream, in order of time, the very bytes; then it is empty."""
    late, early = make_entry(1, time_ms=NOW_MS), make_entry(0, time_ms=NOW_MS - 5)
    other = make_entry(2, stream="Vera/two")
    for entry in (late, early, other):
        spool.write(entry)
    service = Service()

    report = send(folder, service)

    assert [early, late] in service.batches
    assert [other] in service.batches
    assert (report.sent_count, report.kept_count, report.reason) == (3, 0, "")
    assert files(folder) == []


def test_what_the_service_refuses_stays(spool, folder):
    """Only what was taken leaves the spool."""
    entries = [make_entry(number) for number in range(3)]
    for entry in entries:
        spool.write(entry)

    report = send(folder, Service(refused=[entries[1].line]))

    assert (report.sent_count, report.kept_count) == (2, 1)
    assert list(read_spool(folder)) == [entries[1]]


def test_a_service_that_is_down_is_asked_once(spool, folder):
    """The first failure ends the attempt; everything stays, nothing twice."""
    entries = [make_entry(n, stream=f"Vera/{n}") for n in range(3)]
    for entry in entries:
        spool.write(entry)
    service = Service(failures=["connection"] * 9)

    report = send(folder, service)

    assert report.reason == "connection"
    assert len(service.failures) == 8
    assert sorted(e.log_stream for e in read_spool(folder)) == [
        "Vera/0",
        "Vera/1",
        "Vera/2",
    ]
    assert send(folder, Service()).sent_count == 3


def test_what_is_too_old_for_cloudwatch_stays(spool, folder):
    """Older than 14 days is not even offered; another destination takes it."""
    spool.write(make_entry(0, time_ms=NOW_MS - 15 * DAY_MS))
    spool.write(make_entry(1, time_ms=NOW_MS - 13 * DAY_MS))
    service = Service()

    report = send(folder, service)

    assert (report.sent_count, report.kept_count, report.too_old_count) == (1, 1, 1)
    everywhere = send_spool(
        folder, Service().write_batch, now_ms=NOW_MS, max_age_ms=None
    )
    assert everywhere.sent_count == 1
    assert files(folder) == []


HEAD = b'{"log_group":"g","log_stream":"s","timestamp_ms":1,"line_sha256":"00",'
ALTERED = [
    b"not json\n",
    b"[]\n",
    b'{"log_group":"g"}\n',
    HEAD + b'"line":"{}"}\n',
    HEAD + b'"line":5}\n',
]


@pytest.mark.parametrize("line", ALTERED, ids=range(len(ALTERED)))
def test_altered_lines_are_set_aside(spool, folder, line):
    """A line that is not what was written is neither sent nor thrown away."""
    spool.write(make_entry(0))
    path = folder / spool_name(LOG_GROUP, "Vera/one")
    path.write_bytes(line + path.read_bytes())
    service = Service()

    report = send(folder, service)

    assert read_spool_line(line) is None
    assert (report.sent_count, report.unreadable_count) == (1, 1)
    assert (folder / "unreadable.txt").read_bytes() == line


def test_what_a_crash_left_half_sent_is_taken_up(spool, folder):
    """A file in somebody's hands whose owner is gone is sent by the next."""
    spool.write(make_entry(0))
    path = folder / spool_name(LOG_GROUP, "Vera/one")
    path.rename(folder / f"{path.stem}.99999-1{SENDING_SUFFIX}")

    report = send(folder, Service())

    assert report.sent_count == 1
    assert files(folder) == []


def test_a_file_in_another_processs_hands_is_left(spool, folder):
    """Two processes never send the same file at the same time."""
    spool.write(make_entry(0))
    path = folder / spool_name(LOG_GROUP, "Vera/one")
    claimed = path.rename(folder / f"{path.stem}.1-1{SENDING_SUFFIX}")
    with claimed.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)

        report = send(folder, Service())

    assert report.sent_count == 0
    assert claimed.exists()


def test_records_that_come_while_it_is_sent_are_kept(spool, folder):
    """Sending does not get in the way of writing."""
    spool.write(make_entry(0))

    class WritingService(Service):
        def write_batch(self, entries):
            spool.write(make_entry(1))
            return super().write_batch(entries)

    report = send(folder, WritingService())

    assert report.sent_count == 1
    assert list(read_spool(folder)) == [make_entry(1)]


def test_a_disk_that_is_full_while_putting_back_loses_nothing(
    spool, folder, monkeypatch
):
    """What cannot be put back stays in the file that was being sent."""
    spool.write(make_entry(0))
    service = Service(failures=["connection"])

    def no_space(*_):
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr("emitter.sinks.spool_send.append", no_space)
    report = send(folder, service)

    assert report.reason == "spool_error"
    assert list(read_spool(folder)) == [make_entry(0)]


def test_no_folder_is_an_empty_spool(folder):
    """A process that never spooled has nothing to send."""
    assert send(folder, Service()).sent_count == 0
    assert list(read_spool(folder)) == []


def test_the_line_format_is_what_it_is(spool, folder):
    """Other tools read the spool: one JSON object a line, with these members."""
    spool.write(make_entry(0))

    (line,) = (folder / spool_name(LOG_GROUP, "Vera/one")).read_bytes().splitlines()

    assert list(json.loads(line)) == [
        "log_group",
        "log_stream",
        "timestamp_ms",
        "line_sha256",
        "line",
    ]


def test_without_locks_one_process_can_still_use_it(spool, folder, monkeypatch):
    """Systems without file locks get a spool all the same."""
    monkeypatch.setattr(spool_files, "_has_locks", False)

    spool.write(make_entry(0))

    assert send(folder, Service()).sent_count == 1


def test_containers_with_the_same_process_id_keep_their_claims_apart(
    spool, folder, monkeypatch
):
    """Who shares a folder and a process id never overwrites what another sends."""
    monkeypatch.setattr(os, "getpid", lambda: 1)
    spool.write(make_entry(0))

    class Restarted(Service):
        """While it is asked, a second process with the same id begins."""

        def write_batch(self, entries):
            spool.write(make_entry(1))
            importlib.reload(spool_send)
            spool_send.send_to_cloudwatch(
                folder, Service(failures=["connection"]).write_batch, NOW_MS
            )
            raise SinkError("connection")

    send(folder, Restarted())

    assert lines_in(folder) == [make_entry(0).line, make_entry(1).line]


def test_a_claim_never_replaces_a_file(spool, folder, monkeypatch):
    """Should chance repeat itself, what is there stays there."""
    monkeypatch.setattr(os, "urandom", bytes)
    spool.write(make_entry(0))
    path = folder / spool_name(LOG_GROUP, "Vera/one")
    claimed = path.rename(folder / f"{path.stem}.{bytes(16).hex()}{SENDING_SUFFIX}")
    spool.write(make_entry(1))
    with claimed.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)

        report = send(folder, Service())

    assert (report.sent_count, report.held_count) == (0, 2)
    assert lines_in(folder) == [make_entry(0).line, make_entry(1).line]


def lines_in(folder):
    return sorted(entry.line for entry in read_spool(folder))


class OneBadStream(Service):
    """Refuses the stream whose file comes first, and takes the others."""

    def __init__(self, folder, error):
        super().__init__()
        self.asked = []
        self.error = error
        first = files(folder)[0]
        self.bad = next(
            entry.log_stream
            for entry in read_spool(folder)
            if spool_name(entry.log_group, entry.log_stream) == first
        )

    def write_batch(self, entries):
        self.asked.append(entries[0].log_stream)
        if entries[0].log_stream == self.bad:
            raise self.error
        return super().write_batch(entries)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (SinkError("denied"), "denied"),
        (SinkError("not_found"), "not_found"),
        (SinkError("invalid_parameter"), "invalid_parameter"),
        (SinkError("anything"), "anything"),
        (RuntimeError("what was said"), "RuntimeError"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_stream_that_is_refused_does_not_hold_up_the_others(
    spool, folder, error, reason
):
    """What is one stream's own trouble stays its own; the report says it."""
    for number in range(4):
        spool.write(make_entry(number, stream=f"Vera/{number}"))
    service = OneBadStream(folder, error)

    report = send(folder, service)

    assert (report.sent_count, report.kept_count, report.reason) == (3, 1, "")
    assert report.refused == {reason: 1}
    assert [entry.log_stream for entry in read_spool(folder)] == [service.bad]


@pytest.mark.parametrize(
    "reason",
    ["throttled", "unavailable", "connection", "read_timeout", "expired_credentials"],
)
def test_what_all_streams_would_meet_ends_the_attempt(spool, folder, reason):
    """A service that is down, or that does not know us, is asked once."""
    for number in range(4):
        spool.write(make_entry(number, stream=f"Vera/{number}"))
    service = OneBadStream(folder, SinkError(reason))

    report = send(folder, service)

    assert service.asked == [service.bad]
    assert (report.sent_count, report.kept_count, report.reason) == (0, 4, reason)


def test_what_was_not_looked_at_is_counted(spool, folder):
    """Kept is all that is still there, too old what would be refused anyway."""
    for number in range(4):
        spool.write(make_entry(number, stream=f"Vera/{number}"))
        spool.write(
            make_entry(number, stream=f"Vera/{number}", time_ms=NOW_MS - 15 * DAY_MS)
        )
    path = next(path for path in folder.iterdir() if path.suffix == ".jsonl")
    path.rename(folder / f"{path.stem}.99999-1{SENDING_SUFFIX}")

    report = send(folder, Service(failures=["connection"]))

    assert (report.kept_count, report.too_old_count) == (8, 4)
    assert len(list(read_spool(folder))) == 8


def test_what_is_put_back_is_counted_once(spool, folder):
    """A stream with a file of its own and one that a crash left has two records."""
    spool.write(make_entry(0))
    path = folder / spool_name(LOG_GROUP, "Vera/one")
    path.rename(folder / f"{path.stem}.99999-1{SENDING_SUFFIX}")
    spool.write(make_entry(1))

    report = send(folder, Service(failures=["denied"] * 9))

    assert report.kept_count == 2
    assert report.refused == {"denied": 2}


@pytest.mark.parametrize("bad", [[0], [49], [20, 21], list(range(100))])
def test_one_bad_line_does_not_keep_its_stream(spool, folder, bad):
    """Lines that a service calls invalid stay; those beside them are sent."""
    entries = [make_entry(n, time_ms=NOW_MS + n) for n in range(100)]
    spool.write_batch(entries)
    bad_lines = {entries[number].line for number in bad}

    class Strict(Service):
        calls = 0

        def write_batch(self, batch):
            self.calls += 1
            if bad_lines & {entry.line for entry in batch}:
                raise SinkError("invalid_parameter")
            return super().write_batch(batch)

    service = Strict()
    report = send(folder, service)

    assert (report.sent_count, report.kept_count) == (100 - len(bad), len(bad))
    assert sorted(service.lines) == sorted({e.line for e in entries} - bad_lines)
    assert service.calls < 401


def test_a_file_in_another_processs_hands_is_told(spool, folder):
    """A report of nothing sent and nothing kept would look like an empty spool."""
    spool.write(make_entry(0))
    path = folder / spool_name(LOG_GROUP, "Vera/one")
    claimed = path.rename(folder / f"{path.stem}.1-1{SENDING_SUFFIX}")
    with claimed.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)

        report = send(folder, Service())

    assert (report.kept_count, report.held_count) == (0, 1)
