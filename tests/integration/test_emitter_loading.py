"""What is loaded late is loaded where no fork can cut it in two.

A child forked while another thread loads a module can never load that module: its
lock stays held by a thread that is not there. A worker that fell back for ever was
how this showed itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

from tests.integration.logs_endpoint import (
    BROKEN,
    DENY,
    HANG,
    PAGE,
    RESET,
    THROTTLE,
    logs_endpoint,
    use_endpoint,
)

WATCHED = """
import sys, threading, traceback
from emitter import AuditEmitter, EmitterSettings
from emitter.loading import _loader

class Finder:
    def find_spec(self, name, path=None, target=None):
        # The interpreter's own last steps, with nothing left to fork.
        if not _loader.lock._is_owned() and not sys.is_finalizing():
            print("UNGUARDED", name, threading.current_thread().name)

def ask(audit, number, source=None):
    with audit.question(source, text=f"question {number}") as q:
        q.conversation([{"role": "user", "content": [{"text": "a"}]}])
        q.model_response({"output": {"message": {"content": [{"text": "x"}]}}})
        q.reply("x")
    audit.flush(20)

"""


def unguarded(code):
    """Run *code*; return what it loaded outside the guard, and on which thread."""
    done = subprocess.run(
        [sys.executable, "-c", WATCHED + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "PYTHONFAULTHANDLER": "1"},
    )
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["end"] in lines, done.stdout
    lines = lines[: lines.index(["end"])]
    return {tuple(line[1:]) for line in lines if line[:1] == ["UNGUARDED"]}


FAULTS = [
    pytest.param([], id="well"),
    pytest.param([BROKEN], id="500"),
    pytest.param([THROTTLE], id="throttled"),
    pytest.param([DENY], id="denied"),
    pytest.param([RESET], id="reset"),
    pytest.param([PAGE], id="page"),
    pytest.param([HANG, HANG], id="hang"),
]


@pytest.mark.parametrize("mode", ["sync", "thread"])
@pytest.mark.parametrize("faults", FAULTS)
def test_writing_loads_nothing_unguarded(monkeypatch, mode, faults):
    """Also the AWS library's own late imports, the retry's among them."""
    with logs_endpoint() as endpoint:
        use_endpoint(monkeypatch, endpoint.url)
        endpoint.faults = list(faults)

        found = unguarded(
            f"""
            settings = EmitterSettings(mode={mode!r}, sink="cloudwatch")
            audit = AuditEmitter("Vera", settings=settings)
            sys.meta_path.insert(0, Finder())
            ask(audit, 1)
            ask(audit, 2)
            print("end")
            """
        )

    assert found == set()


def test_a_form_is_read_with_nothing_unguarded(monkeypatch):
    """Slack posts slash commands as forms, which are read on entry."""
    with logs_endpoint() as endpoint:
        use_endpoint(monkeypatch, endpoint.url)

        found = unguarded(
            """
            audit = AuditEmitter("Vera", settings=EmitterSettings(sink="cloudwatch"))
            sys.meta_path.insert(0, Finder())
            ask(audit, 1, "command=%2Fvera&text=hi&user_id=U1&team_id=T1")
            print("end")
            """
        )

    assert found == set()


@pytest.mark.parametrize(
    ("directory", "source"),
    [
        pytest.param(
            "SlackDirectory('xoxb-1', base_url={url!r})",
            {
                "type": "event_callback",
                "team_id": "T1",
                "event": {"type": "message", "user": "U1", "text": "a &amp; b"},
            },
            id="slack",
        ),
        pytest.param(
            "TeamsDirectory('token', base_url={url!r})",
            {
                "type": "message",
                "channelId": "msteams",
                "text": "<p>a &lt; b</p>",
                "textFormat": "xml",
                "from": {"aadObjectId": "3f2a9c0e-1d2b-4c5d-8e9f-0a1b2c3d4e5f"},
                "conversation": {"tenantId": "tid0"},
            },
            id="teams",
        ),
    ],
)
def test_looking_up_loads_nothing_unguarded(monkeypatch, directory, source):
    """The look-up's library, and what it loads at the first connection."""
    with logs_endpoint() as endpoint:
        use_endpoint(monkeypatch, endpoint.url)

        found = unguarded(
            f"""
            from emitter.identity import SlackDirectory, TeamsDirectory
            directory = {directory.format(url=endpoint.url)}
            settings = EmitterSettings(sink="cloudwatch")
            audit = AuditEmitter("Vera", settings=settings, directory=directory)
            sys.meta_path.insert(0, Finder())
            ask(audit, 1, {source!r})
            print("end")
            """
        )

    assert found == set()


def test_slow_credentials_hold_up_nothing_but_their_own_record(monkeypatch, tmp_path):
    """Once whoever asked for credentials held up each question, before its reply."""
    config = tmp_path / "config"
    sleeps = f"{sys.executable} -c 'import time; time.sleep(20)'"
    config.write_text(f"[default]\nregion = eu-west-1\ncredential_process = {sleeps}\n")
    with logs_endpoint() as endpoint:
        use_endpoint(monkeypatch, endpoint.url)
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("BOT_AUDIT_BUDGET_MS", "1000")
        code = """
            import os, time
            from emitter import AuditEmitter, EmitterSettings

            class Context:
                def get_remaining_time_in_millis(self):
                    return 60_000

            settings = EmitterSettings(sink="cloudwatch", budget_ms=1_000)
            audit = AuditEmitter("Vera", settings=settings)
            with audit.question(text="first") as q:
                q.reply("x")
            begun_s = time.monotonic()
            question = audit.question(text="second", lambda_context=Context())
            question.__enter__()
            question.set(attributes={"a": "b"})
            list(question.consume(iter([])))
            before_reply_s = time.monotonic() - begun_s
            question.__exit__(None, None, None)
            if not (child := os.fork()):
                os._exit(0)
            os.waitpid(child, 0)
            # Ten seconds before the credentials come: nothing has waited for them.
            print(before_reply_s < 5, time.monotonic() - begun_s < 10)
            print(audit.stats.fallback, flush=True)
            os._exit(0)
        """

        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )

    assert done.stdout.splitlines()[-2:] == ["True True", "2"]
