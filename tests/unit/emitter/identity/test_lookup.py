"""Look-ups by a bot's own callable: limited, asked once, remembered."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from urllib.error import HTTPError, URLError

import pytest

from emitter import AuditEmitter
from emitter.identity import Home, LookupFailure, SlackDirectory, read_source, resolve
from emitter.identity.answers import reason_for_error
from emitter.identity.lookup import MAX_CALLS, TIMEOUT_S, AskedCallable, as_look_ups
from emitter.testing import MemorySink

HOME = Home(domains=("example.com",), slack_team="T1", tenant="tid0")
EVENT = {"type": "app_mention", "user": "U1", "team": "T1", "channel": "C1", "ts": "1"}
BOB = {"ok": True, "user": {"name": "bob", "profile": {"email": "bob@example.com"}}}
ADA = {"userPrincipalName": "ada@example.com"}


class Clock:
    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s


class Asked:
    """A directory that notes whom it was asked for."""

    def __init__(self, answer):
        self.answer = answer
        self.users = []

    def __call__(self, user):
        self.users.append(user)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


def test_a_look_up_may_take_two_seconds():
    """The limit of the rules, in all."""
    assert TIMEOUT_S == 2.0


@pytest.mark.parametrize("platform_id", ["T1/U1", "tid0/U1", "U1"])
def test_a_callable_gets_the_user_alone(platform_id):
    """Workspace and tenant are for remembering."""
    asked = Asked(BOB)

    assert AskedCallable(asked)(platform_id) == BOB
    assert asked.users == ["U1"]


GOOD = [
    BOB,
    ADA,
    {"user": {"name": "bob"}},
    {"ok": True, "user": {"profile": {"email": "bob@example.com"}}},
    {"mail": "ada@example.com", "error": None},
    {"mailNickname": "ada"},
    {"onPremisesSamAccountName": "ada"},
    SimpleNamespace(data=BOB),
    SimpleNamespace(user_principal_name="ada@example.com"),
]
BAD = [
    None,
    "<html>",
    [1],
    {},
    {"ok": True},
    {"ok": True, "user": None},
    {"ok": True, "user": {}},
    {"ok": True, "user": {"name": " ", "profile": {"email": "\u200b"}}},
    {"ok": True, "user": {"profile": {"display_name": "Bob", "real_name": "Bob"}}},
    {"error": "ratelimited"},
    {"error": {"code": "TooManyRequests"}},
    {"ok": False, "error": "user_not_found"},
    {"ok": False, "user": {"name": "bob"}},
    {"userPrincipalName": None, "mail": ""},
    {"userPrincipalName": "@example.com"},
    {"displayName": "Ada Moss"},
    LookupFailure("timeout"),
    ValueError("no"),
    TimeoutError(),
    SystemExit(1),
    asyncio.CancelledError(),
    KeyboardInterrupt(),
]


@pytest.mark.parametrize(
    ("answer", "stays_s"),
    [(each, 3_600) for each in GOOD] + [(each, 300) for each in BAD],
)
def test_an_answer_that_names_nobody_is_believed_for_five_minutes(answer, stays_s):
    """One that names somebody for an hour, whatever its status was."""
    clock, asked = Clock(), Asked(answer)
    look_ups = AskedCallable(asked, clock=clock)
    counts = []

    for now_s in (0, stays_s - 1, stays_s):
        clock.now_s = now_s
        look_ups("T1/U1")
        counts.append(len(asked.users))

    assert counts == [1, 1, 2]


@pytest.mark.parametrize(
    "error",
    [asyncio.CancelledError(), SystemExit(3), KeyboardInterrupt(), GeneratorExit()],
    ids=lambda error: type(error).__name__,
)
def test_no_exception_of_any_kind_comes_through(error):
    """What ends a task or the process ends a look-up and nothing else."""
    look_ups = AskedCallable(Asked(error), timeout_s=5)

    started_s = time.monotonic()
    answers = [look_ups("T1/U1"), look_ups("T1/U2")]
    identity = resolve(read_source(EVENT), home=HOME, directory=Asked(error))

    assert answers == [LookupFailure("error")] * 2
    assert identity.user_resolution == "unresolved:error"
    assert time.monotonic() - started_s < 2
    assert look_ups._calls == {}


def test_a_token_that_ends_the_process_ends_the_look_up():
    """A token callable is the bot's own code as well."""
    directory = SlackDirectory(Asked(SystemExit(1)), base_url="http://127.0.0.1:9")

    assert directory("T1/U1") == LookupFailure("error")
    assert directory._calls == {}


@pytest.mark.parametrize("platform_id", [None, 7, [], {}, object()])
def test_an_id_that_is_no_text_is_not_asked_for(platform_id):
    """It cannot be remembered, and no directory has it."""
    asked = Asked(BOB)

    assert AskedCallable(asked)(platform_id) == LookupFailure("not_found")
    assert asked.users == []


def test_without_a_thread_the_look_up_has_failed(monkeypatch):
    """The next question asks anew: nothing is left of the one that could not."""
    look_ups = AskedCallable(Asked(BOB))

    def refuse(self):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        first = look_ups("T1/U1")

    assert first == LookupFailure("error")
    assert look_ups("T1/U1") == BOB


def test_a_callable_that_hangs_costs_the_limit_once():
    """The time-out is remembered; the late answer is, too."""
    release = threading.Event()
    users = []

    def hang(user):
        users.append(user)
        release.wait(10)
        return BOB

    look_ups = AskedCallable(hang, timeout_s=0.1)
    started_s = time.monotonic()
    answers = [look_ups("T1/U1") for _ in range(20)]
    elapsed_s = time.monotonic() - started_s
    release.set()

    assert answers == [LookupFailure("timeout")] * 20
    assert elapsed_s < 1
    ends_at_s = time.monotonic() + 5
    while look_ups("T1/U1") != BOB and time.monotonic() < ends_at_s:
        time.sleep(0.01)
    assert look_ups("T1/U1") == BOB
    assert users == ["U1"]


def test_look_ups_under_way_are_bounded():
    """A directory that hangs ties up a few threads' worth of calls and no more."""
    release = threading.Event()
    users = []

    def hang(user):
        users.append(user)
        release.wait(10)
        return BOB

    look_ups = AskedCallable(hang, timeout_s=0.2)
    people = [f"T1/U{number}" for number in range(3 * MAX_CALLS)]
    with ThreadPoolExecutor(len(people)) as pool:
        answers = list(pool.map(look_ups, people))
    asked_count = len(users)
    release.set()

    assert answers == [LookupFailure("timeout")] * len(people)
    assert asked_count == MAX_CALLS


def test_people_remembered_are_bounded():
    """The least recently used goes first."""
    asked = Asked(BOB)
    look_ups = AskedCallable(asked, max_people=2)

    for user in ("U1", "U2", "U1", "U3", "U1", "U2"):
        look_ups(f"T1/{user}")

    assert asked.users == ["U1", "U2", "U3", "U2"]


def test_the_same_user_of_two_workspaces_is_two_people():
    """Answers are remembered by the whole platform id."""
    asked = Asked(BOB)
    look_ups = AskedCallable(asked)

    look_ups("T1/U1")
    look_ups("T2/U1")

    assert asked.users == ["U1", "U1"]


def test_a_bot_that_hangs_in_its_directory_still_writes_in_time():
    """A callable takes 2 s of the budget at most, and the sink gets the record."""
    release = threading.Event()
    sink = MemorySink()
    audit = AuditEmitter("Vera", sinks=[sink], directory=lambda _: release.wait(20))

    started_s = time.monotonic()
    for _ in range(3):
        with audit.question(EVENT):
            pass
    elapsed_s = time.monotonic() - started_s
    release.set()

    assert elapsed_s < 4
    assert [record.get("user_resolution") for record in sink.records] == [
        "unresolved:timeout"
    ] * 3
    assert audit.stats.written == 3


def test_an_emitter_asks_once_for_a_person():
    """Questions of one person share an answer; another person has another."""
    asked = Asked(BOB)
    sink = MemorySink()
    audit = AuditEmitter("Vera", sinks=[sink], directory=asked)

    for user in ("U1", "U1", "U2", "U1"):
        with audit.question({**EVENT, "user": user}):
            pass

    assert asked.users == ["U1", "U2"]
    assert {record.user_id for record in sink.records} == {"bob"}


@pytest.mark.parametrize("directory", ["xoxb-token", 7, object()])
def test_a_directory_that_cannot_be_called_has_failed(directory):
    """The record says that the look-up failed."""
    identity = resolve(read_source(EVENT), home=HOME, directory=directory)

    assert identity.user_resolution == "unresolved:error"


def test_what_is_a_directory_already_stays_one():
    """Nothing is remembered twice."""
    known = [AskedCallable(pytest.fail), LookupFailure("timeout"), None]

    assert [as_look_ups(each) for each in known] == known


def make_error(name="Odd", **attributes):
    return type(name, (Exception,), attributes)()


def wrapped(error):
    outer = RuntimeError("wrapped")
    outer.__cause__ = error
    return outer


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, "unauthorized"),
        (403, "forbidden"),
        (404, "not_found"),
        (408, "timeout"),
        (429, "throttled"),
        (500, "error"),
        (504, "error"),
        (200, "error"),
    ],
)
@pytest.mark.parametrize(
    "make",
    [
        lambda status: HTTPError("http://127.0.0.1", status, "x", {}, None),
        lambda status: make_error(status=status),
        lambda status: make_error(status_code=status),
        lambda status: make_error(response_status_code=status),
        lambda status: make_error(response=SimpleNamespace(status_code=status)),
        lambda status: make_error(response=SimpleNamespace(status=status)),
        lambda status: wrapped(make_error(code=status)),
    ],
    ids=["urllib", "aiohttp", "plain", "graph", "requests", "response", "wrapped"],
)
def test_every_librarys_error_tells_its_status(make, status, reason):
    """Wherever a library keeps the status, it says why nobody was found."""
    assert reason_for_error(make(status)) == reason


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TimeoutError(), "timeout"),
        (URLError(TimeoutError()), "timeout"),
        (wrapped(make_error("ReadTimeout")), "timeout"),
        (URLError(ConnectionRefusedError()), "error"),
        (make_error(code="404"), "error"),
        (make_error(status=True), "error"),
        (make_error(code=lambda: 404), "error"),
        (make_error(status=99_999), "error"),
        (make_error(args=property(lambda self: 1 / 0)), "error"),
        (asyncio.CancelledError(), "error"),
    ],
)
def test_without_a_status_the_names_tell(error, reason):
    """Time-outs are told by name; what is not understood is an error."""
    assert reason_for_error(error) == reason
