"""Slack and Graph look-ups against stubs on the loopback interface."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from emitter.identity import (
    Home,
    LookupFailure,
    SlackDirectory,
    TeamsDirectory,
    read_source,
    resolve,
)

HOME = Home(domains=("example.com",), slack_team="T1", tenant="tid0")
SLACK_USER = {
    "ok": True,
    "user": {
        "id": "U1",
        "team_id": "T1",
        "name": "bob",
        "profile": {"email": "bob@example.com"},
    },
}
GRAPH_USER = {"userPrincipalName": "Bob.Smith@example.com", "department": "Finance"}
TOKEN = "xoxb-canary-token"


class Stub:
    """An HTTP server that answers what a test says and notes what it was asked."""

    def __init__(self):
        self.requests = []
        self.answer = (200, json.dumps(SLACK_USER).encode(), {})
        self.before = None

    def reply(self, handler):
        self.requests.append((handler.path, dict(handler.headers)))
        if self.before:
            self.before(handler)
        status, body, headers = self.answer
        with contextlib.suppress(OSError):
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)


@pytest.fixture
def stub():
    stub = Stub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            stub.reply(self)

        def log_message(self, *args):
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    stub.url = f"http://127.0.0.1:{server.server_port}"
    yield stub
    server.shutdown()
    server.server_close()
    thread.join(5)


class Clock:
    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s


def test_slack_is_asked_with_the_token_in_a_header(stub):
    """One GET of users.info; the token is never part of the address."""
    answer = SlackDirectory(TOKEN, base_url=stub.url)("T1/U1")

    path, headers = stub.requests[0]
    assert answer == SLACK_USER
    assert urlsplit(path).path == "/users.info"
    assert parse_qs(urlsplit(path).query) == {"user": ["U1"]}
    assert headers["Authorization"] == f"Bearer {TOKEN}"


def test_graph_is_asked_for_what_identity_needs(stub):
    """One GET of the user, with all selected properties, by object id."""
    stub.answer = (200, json.dumps(GRAPH_USER).encode(), {})

    answer = TeamsDirectory(lambda: TOKEN, base_url=f"{stub.url}/v1.0")("tid0/o 1")

    path, _ = stub.requests[0]
    assert answer == GRAPH_USER
    assert urlsplit(path).path == "/v1.0/users/o%201"
    selected = parse_qs(urlsplit(path).query)["$select"][0].split(",")
    assert selected == [
        "id",
        "userPrincipalName",
        "mail",
        "userType",
        "department",
        "accountEnabled",
        "mailNickname",
        "onPremisesSamAccountName",
    ]


def test_a_person_is_named_through_the_directory(stub):
    """Event, look-up and rules together name the person."""
    event = {
        "type": "app_mention",
        "user": "U1",
        "team": "T1",
        "channel": "C1",
        "ts": "1.2",
    }

    identity = resolve(
        read_source(event),
        home=HOME,
        directory=SlackDirectory(TOKEN, base_url=stub.url),
    )

    assert (identity.user_id, identity.user_resolution) == ("bob", "resolved")


def test_the_tokens_owner_is_told_to_a_callable_that_wants_it(stub):
    """Bots in many workspaces choose the token by the workspace."""
    owners = []

    def token(owner):
        owners.append(owner)
        return TOKEN

    SlackDirectory(token, base_url=stub.url)("T1/U1")

    assert owners == ["T1"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param((404, b"{}", {}), "not_found", id="T33"),
        pytest.param((403, b"{}", {}), "forbidden", id="T35"),
        pytest.param((401, b"{}", {}), "unauthorized", id="T36"),
        pytest.param((429, b"", {"Retry-After": "1"}), "throttled", id="T37"),
        pytest.param((429, b"", {}), "throttled", id="T37-bare"),
        pytest.param((503, b"", {}), "error", id="T38"),
        pytest.param((200, b"<html>", {}), "error", id="T41-html"),
        pytest.param((200, b"[1]", {}), "error", id="T41-list"),
        pytest.param((200, b"\xff", {}), "error", id="T41-bytes"),
        pytest.param((302, b"", {"Location": "/elsewhere"}), "error", id="redirect"),
        pytest.param((200, b" " * 1_100_000, {}), "error", id="huge"),
    ],
)
def test_a_failed_answer_is_asked_for_once(stub, answer, reason):
    """Every status says why; nothing is tried again, no redirect followed."""
    stub.answer = answer

    found = TeamsDirectory(TOKEN, base_url=stub.url)("tid0/o1")

    assert found == LookupFailure(reason)
    assert len(stub.requests) == 1


def test_t39_a_server_that_hangs_costs_the_limit_and_no_more(stub):
    """The whole look-up is bounded, and the time-out is remembered."""
    release = threading.Event()
    stub.before = lambda handler: release.wait(10)
    directory = TeamsDirectory(TOKEN, base_url=stub.url, timeout_s=0.2)

    started_s = time.monotonic()
    answers = [directory("tid0/o1") for _ in range(20)]
    elapsed_s = time.monotonic() - started_s
    release.set()

    assert set(answers) == {LookupFailure("timeout")}
    assert elapsed_s < 2
    assert len(stub.requests) == 1


def test_a_server_that_drips_costs_the_limit_and_no_more(stub):
    """A byte now and then keeps no bot waiting."""
    release = threading.Event()

    def drip(handler):
        with contextlib.suppress(OSError):
            handler.send_response(200)
            handler.end_headers()
            while not release.wait(0.05):
                handler.wfile.write(b" ")

    stub.before = drip
    directory = TeamsDirectory(TOKEN, base_url=stub.url, timeout_s=0.3)

    started_s = time.monotonic()
    answer = directory("tid0/o1")
    elapsed_s = time.monotonic() - started_s
    release.set()

    assert answer == LookupFailure("timeout")
    assert elapsed_s < 2


def test_a_late_answer_is_remembered(stub):
    """The next question finds what came after the time-out."""

    def slow_token():
        time.sleep(0.3)
        return TOKEN

    directory = SlackDirectory(slow_token, base_url=stub.url, timeout_s=0.1)
    first = directory("T1/U1")
    deadline_s = time.monotonic() + 5
    while directory("T1/U1") != SLACK_USER and time.monotonic() < deadline_s:
        time.sleep(0.02)

    assert first == LookupFailure("timeout")
    assert directory("T1/U1") == SLACK_USER
    assert len(stub.requests) == 1


def test_t40_a_closed_port_is_an_error():
    """Refused, reset and unresolved connections end at once."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]

    answer = SlackDirectory(TOKEN, base_url=f"http://127.0.0.1:{port}")("T1/U1")

    assert answer == LookupFailure("error")


def test_t40_a_reset_connection_is_an_error(stub):
    """A server that hangs up gives no answer."""
    stub.before = lambda handler: handler.connection.shutdown(socket.SHUT_RDWR)

    answer = SlackDirectory(TOKEN, base_url=stub.url)("T1/U1")

    assert answer == LookupFailure("error")


def test_good_answers_live_an_hour_and_failures_five_minutes(stub):
    """Each kind of answer is asked for again after its time."""
    clock = Clock()
    directory = SlackDirectory(TOKEN, base_url=stub.url, clock=clock)
    counts = []

    for now_s in (0, 3_599, 3_600):
        clock.now_s = now_s
        directory("T1/U1")
        counts.append(len(stub.requests))
    stub.answer = (200, b'{"ok": false, "error": "ratelimited"}', {})
    for now_s in (10_000, 10_299, 10_300):
        clock.now_s = now_s
        directory("T1/U2")
        counts.append(len(stub.requests))

    assert counts == [1, 1, 2, 3, 3, 4]


@pytest.mark.parametrize(
    "body",
    [
        b'{"ok": true, "user": null}',
        b"{}",
        b'{"ok": true}',
        b'{"error": "ratelimited"}',
        b'{"error": {"code": "TooManyRequests"}}',
        b'{"userPrincipalName": null, "mail": null}',
    ],
)
def test_a_failure_with_status_200_lives_five_minutes(stub, body):
    """Only an answer that names somebody is good for an hour."""
    clock = Clock()
    stub.answer = (200, body, {})
    directory = TeamsDirectory(TOKEN, base_url=stub.url, clock=clock)
    counts = []

    for now_s in (0, 299, 300):
        clock.now_s = now_s
        directory("tid0/o1")
        counts.append(len(stub.requests))

    assert counts == [1, 1, 2]


def test_the_least_recently_used_person_is_forgotten(stub):
    """The number of people remembered is bounded."""
    directory = SlackDirectory(TOKEN, base_url=stub.url, max_people=2)

    for user in ("U1", "U2", "U1", "U3", "U1", "U2"):
        directory(f"T1/{user}")

    asked = [parse_qs(urlsplit(path).query)["user"][0] for path, _ in stub.requests]
    assert asked == ["U1", "U2", "U3", "U2"]


def test_threads_that_ask_together_share_one_call(stub):
    """Thirty questions of one person make one request."""
    stub.before = lambda handler: time.sleep(0.1)
    directory = SlackDirectory(TOKEN, base_url=stub.url)
    answers = []

    threads = [
        threading.Thread(target=lambda: answers.append(directory("T1/U1")))
        for _ in range(30)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)

    assert answers == [SLACK_USER] * 30
    assert len(stub.requests) == 1


async def async_token():
    return TOKEN


def raise_secret():
    raise RuntimeError(TOKEN)


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (raise_secret, "error"),
        (lambda: None, "unauthorized"),
        ("", "unauthorized"),
        (async_token, "unauthorized"),
    ],
    ids=["raises", "none", "empty", "async"],
)
def test_without_a_token_nobody_is_asked(stub, token, reason):
    """A token callable that fails is a failed look-up."""
    assert SlackDirectory(token, base_url=stub.url)("T1/U1") == LookupFailure(reason)
    assert stub.requests == []


@pytest.mark.parametrize("user", ["", "..", "T1/", "T1/.", "/"])
def test_an_id_that_is_none_is_not_asked_for(stub, user):
    """Dots and slashes never become another address."""
    assert TeamsDirectory(TOKEN, base_url=stub.url)(user) == LookupFailure("not_found")
    assert stub.requests == []


def test_the_token_is_never_shown(stub, caplog):
    """No log line, no representation and no failure carries it."""
    caplog.set_level(logging.DEBUG)
    stub.answer = (401, TOKEN.encode(), {})
    directory = SlackDirectory(TOKEN, base_url=stub.url)

    answer = directory("T1/U1")

    assert TOKEN not in caplog.text
    assert TOKEN not in repr(directory)
    assert TOKEN not in repr(answer)


def test_a_netrc_entry_does_not_replace_the_token(stub, tmp_path, monkeypatch):
    """The bot's token is sent, whatever lies in its home folder."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login eve password x\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))

    SlackDirectory(TOKEN, base_url=stub.url)("T1/U1")

    assert stub.requests[0][1]["Authorization"] == f"Bearer {TOKEN}"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_looks_up_for_itself(stub):
    """A child never waits for a thread that only its parent has."""
    code = f"""
import os, sys
from emitter.identity import SlackDirectory
directory = SlackDirectory("x", base_url={stub.url!r})
directory("T1/U1")
directory._lock.acquire()
child = os.fork()
if child == 0:
    os._exit(0 if directory("T1/U2").get("ok") else 1)
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
"""

    done = subprocess.run([sys.executable, "-c", code], timeout=20, check=False)

    assert done.returncode == 0


def test_import_and_construction_load_no_http_library():
    """Bots that never look anybody up never pay for it."""
    code = """
import sys
from emitter.identity import SlackDirectory
SlackDirectory("x")
sys.exit(any(name in sys.modules for name in ("requests", "boto3", "urllib3")))
"""

    done = subprocess.run([sys.executable, "-c", code], timeout=20, check=False)

    assert done.returncode == 0


def test_without_requests_the_constructor_says_what_to_install(monkeypatch):
    """A missing extra shows at the first run, not at the first question."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    with pytest.raises(ImportError, match=r"chatbot-audit\[identity\]"):
        SlackDirectory("x")
