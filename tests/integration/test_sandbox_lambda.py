"""A handler's zip, run by AWS's own client in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from audit_record.limits import MAX_LAMBDA_PAYLOAD_BYTES
from chatbot_audit.sandbox.errors import RuntimeMissingError, ZipMissingError
from chatbot_audit.sandbox.faults import FunctionFaults
from chatbot_audit.sandbox.function.contract import ContractError
from chatbot_audit.sandbox.function.process import FunctionError
from chatbot_audit.sandbox.lambda_runtime import LambdaRuntime
from chatbot_audit.sandbox.settings import LambdaSettings
from tests.unit.chatbot_audit.sandbox.rig import make_zip

SOURCE = """
import os, subprocess, sys, time

def do(event, context):
    what = event.get("do")
    if what == "raise":
        raise ValueError("canary")
    if what == "exit":
        os._exit(3)
    if what == "sys.exit":
        sys.exit(3)
    if what == "sleep":
        time.sleep(60)
    if what == "bytes":
        return b"{}"
    if what == "child":
        # It keeps the output open, as a forgotten helper process would.
        return [event, subprocess.Popen(["sleep", "600"]).pid]
    if what == "answer":
        return "x" * (event["bytes"] - 2)
    if what == "environ":
        return dict(os.environ)
    if what == "context":
        return [context.aws_request_id, context.invoked_function_arn,
                context.get_remaining_time_in_millis(), os.getcwd(), sys.path[:2]]
    if what == "print":
        print("a line")
        print("y" * 200_000)
    return [event, os.getpid()]
"""


@pytest.fixture
def faults():
    return FunctionFaults()


@pytest.fixture
def make(tmp_path, faults):
    made = []

    def start(source=SOURCE, handler="app.do", **changes):
        settings = LambdaSettings(
            zip_path=make_zip(tmp_path / "t.zip", source),
            python=sys.executable,
            handler=handler,
            **{"timeout_s": 20, "process_count": 1, **changes},
        )
        made.append(LambdaRuntime(settings, {"FROM_SANDBOX": "1"}, faults))
        return made[-1]

    yield start
    for runtime in made:
        runtime.close()


def call(runtime, **event):
    return json.loads(runtime.invoke(json.dumps(event).encode()))


def error_of(runtime, **event):
    with pytest.raises(FunctionError) as caught:
        call(runtime, **event)
    return caught.value.error_type


def is_alive(process_id):
    """Tell whether a process runs; one that only waits to be buried does not."""
    try:
        status = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_the_event_goes_in_and_the_answer_comes_out(make):
    """A warm process serves one invocation after the other."""
    runtime = make()

    answers = [call(runtime, number=n) for n in range(3)]

    assert [event for event, _ in answers] == [{"number": n} for n in range(3)]
    assert len({process_id for _, process_id in answers}) == 1
    assert runtime.process_ids() == [answers[0][1]]


def test_the_context_is_lambdas(make):
    """Request id, ARN and deadline are told; the folder is the unpacked zip."""
    runtime = make(timeout_s=20)

    request_id, arn, left_ms, folder, path = call(runtime, do="context")

    assert len(request_id) == 36
    assert arn.startswith("arn:aws:lambda:eu-west-1:123456789012:function:")
    assert 0 < left_ms <= 20_000
    assert folder in path


def test_nothing_of_this_process_is_inherited(make, monkeypatch):
    """No secret of who runs the sandbox reaches the function."""
    monkeypatch.setenv("MY_SECRET", "canary")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    runtime = make(environ={"AUDIT_DESTINATION": "splunk"})

    environ = call(runtime, do="environ")

    assert "canary" not in environ.values()
    assert environ["FROM_SANDBOX"] == "1"
    assert environ["AUDIT_DESTINATION"] == "splunk"
    assert environ["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert environ["_HANDLER"] == "app.do"
    assert environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "512"


def test_an_exception_is_a_function_error(make):
    """Its class is told, its message is not; the process goes on."""
    runtime = make()
    _, before = call(runtime)

    assert error_of(runtime, do="raise") == "ValueError"
    assert call(runtime)[1] == before


@pytest.mark.parametrize("do", ["exit", "sys.exit"])
def test_a_process_that_ends_is_started_anew(make, do):
    """Its invocation fails, the next one finds a new process."""
    runtime = make()
    _, before = call(runtime)

    assert error_of(runtime, do=do) == "Runtime.ExitError"
    assert call(runtime)[1] != before


def test_a_process_that_is_killed_is_started_anew(make):
    """Killed while it waits: at most one invocation fails."""
    runtime = make()
    _, before = call(runtime)
    os.kill(before, 9)
    os.waitpid(before, os.WNOHANG)

    with contextlib.suppress(FunctionError):
        call(runtime)

    assert call(runtime)[1] != before


def test_a_process_can_be_killed_on_purpose(make, faults):
    """It has done its work, and its answer never comes."""
    runtime = make()
    faults.killed_calls.set(1)

    assert error_of(runtime) == "Runtime.ExitError"
    assert call(runtime, fine=True)[0] == {"fine": True}


def test_lambda_can_want_for_capacity(make, faults):
    """A throttled invocation has a code of its own."""
    runtime = make()
    faults.throttled_calls.set(1)

    with pytest.raises(FunctionError) as caught:
        call(runtime)

    assert caught.value.code == "Lambda.InvokeLimitExceeded"


def test_an_invocation_that_takes_too_long_is_ended(make):
    """Its process dies with it, and the next one works."""
    runtime = make(timeout_s=0.5)
    _, before = call(runtime)

    assert error_of(runtime, do="sleep") == "Sandbox.Timedout"
    assert not is_alive(before)
    assert call(runtime)[1] != before


def test_what_a_process_started_ends_with_it(make):
    """A forgotten child does not hold up the end, nor live on."""
    runtime = make()
    _, child = call(runtime, do="child")
    before = is_alive(child)

    runtime.close()

    assert (before, is_alive(child)) == (True, False)


def test_the_answers_limit_is_exact(make):
    """6,291,456 bytes pass, one more does not, and the next invocation works."""
    runtime = make()

    whole = runtime.invoke(
        json.dumps({"do": "answer", "bytes": MAX_LAMBDA_PAYLOAD_BYTES}).encode()
    )

    assert len(whole) == MAX_LAMBDA_PAYLOAD_BYTES
    too_large = MAX_LAMBDA_PAYLOAD_BYTES + 1
    assert error_of(runtime, do="answer", bytes=too_large) == (
        "Function.ResponseSizeTooLarge"
    )
    assert call(runtime, fine=True)[0] == {"fine": True}


def test_the_events_limit_is_exact(make):
    """An event over the limit never reaches the function."""
    runtime = make()
    frame = len(b'{"a":""}')
    largest = b'{"a":"%s"}' % (b"x" * (MAX_LAMBDA_PAYLOAD_BYTES - frame - 40))

    assert runtime.invoke(largest)
    with pytest.raises(FunctionError, match="RequestEntityTooLarge"):
        runtime.invoke(b"x" * (MAX_LAMBDA_PAYLOAD_BYTES + 1))


def test_bytes_are_no_answer(make):
    """What is not sent as JSON is not known to work on AWS."""
    with pytest.raises(ContractError, match="application/json"):
        call(make(), do="bytes")


def test_what_the_function_writes_is_kept(make):
    """Lines are there to be searched; a line without end is cut, not hoarded."""
    runtime = make()

    call(runtime, do="print")
    runtime.close()

    assert "a line" in runtime.log_lines
    lengths = [len(line) for line in runtime.log_lines if line.startswith("yyy")]
    assert sum(lengths) == 200_000
    assert max(lengths) <= 65_536


def test_as_many_run_at_once_as_there_are_processes(make):
    """Two environments serve two invocations at the same time."""
    source = (
        "import os, time\n"
        "def do(event, context):\n"
        "    open(event['mine'], 'w').close()\n"
        "    while not os.path.exists(event['other']):\n"
        "        time.sleep(0.01)\n"
        "    return [1, 1]\n"
    )
    runtime = make(source, process_count=2)
    one, two = "/proc/self/cwd/one", "/proc/self/cwd/two"
    answers = []

    def invoke(mine, other):
        answers.append(call(runtime, mine=mine, other=other))

    threads = [
        threading.Thread(target=invoke, args=pair) for pair in ((one, two), (two, one))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert answers == [[1, 1], [1, 1]]


@pytest.mark.parametrize(
    ("source", "handler"),
    [
        ("raise ValueError('canary')", "app.do"),
        ("this is no Python", "app.do"),
        ("do = 1", "app.missing"),
        ("import not_in_the_zip", "app.do"),
        ("import os; os._exit(1)", "app.do"),
    ],
)
def test_a_function_that_does_not_load_fails_each_time(make, source, handler):
    """Every invocation fails, bounded in time, and none hangs."""
    runtime = make(source, handler)

    kinds = [error_of(runtime) for _ in range(2)]

    assert kinds[0] == kinds[1]
    assert "canary" not in kinds[0]


def test_a_missing_zip_is_said(tmp_path):
    """One sentence says what to run."""
    settings = LambdaSettings(zip_path=tmp_path / "t.zip", python=sys.executable)

    with pytest.raises(ZipMissingError, match="is missing; run: make build"):
        LambdaRuntime(settings, {})


def test_a_damaged_zip_is_said(tmp_path):
    """A file of another kind, and a zip with a broken member."""
    path = make_zip(tmp_path / "t.zip", "x = '" + "y" * 5_000 + "'")
    data = path.read_bytes()
    settings = LambdaSettings(zip_path=path, python=sys.executable)
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("app.py").header_offset + 40

    path.write_bytes(data[:start] + b"\0" * 200 + data[start + 200 :])
    with pytest.raises(ZipMissingError, match="cannot be unpacked"):
        LambdaRuntime(settings, {})
    path.write_bytes(b"no zip")
    with pytest.raises(ZipMissingError, match="no readable zip"):
        LambdaRuntime(settings, {})


def test_a_missing_interpreter_is_said(tmp_path):
    """No interpreter there, or one without AWS's client: one sentence each."""
    path = make_zip(tmp_path / "t.zip")
    bare = tmp_path / "python"
    bare.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    bare.chmod(0o755)

    with pytest.raises(RuntimeMissingError, match="cannot be run"):
        LambdaRuntime(LambdaSettings(zip_path=path, python="/nowhere/python"), {})
    with pytest.raises(RuntimeMissingError, match="lacks AWS's runtime client"):
        LambdaRuntime(LambdaSettings(zip_path=path, python=str(bare)), {})


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"runtime": "python3.2"}, "was built for python3.2, but .* is python3"),
        ({"architecture": "m68k"}, "was built for m68k, but this machine is"),
    ],
)
def test_a_zip_of_another_machine_is_said(tmp_path, facts, words, threads_begun):
    """Its compiled parts would fail every record; nothing is started."""
    path = make_zip(tmp_path / "t.zip", SOURCE)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("build.json", json.dumps(facts))

    with pytest.raises(RuntimeMissingError, match=words):
        LambdaRuntime(LambdaSettings(zip_path=path, python=sys.executable), {})

    assert threads_begun() == []


@pytest.mark.parametrize("content", [b"", b"no JSON", b"[]", b'{"handler": "app.do"}'])
def test_a_zip_that_names_no_machine_is_tried(tmp_path, content):
    """Facts of the build are a help, not a demand."""
    path = make_zip(tmp_path / "t.zip", SOURCE)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("build.json", content)
    settings = LambdaSettings(
        zip_path=path, python=sys.executable, handler="app.do", process_count=1
    )

    runtime = LambdaRuntime(settings, {})
    event, _ = call(runtime, number=1)
    runtime.close()

    assert event == {"number": 1}


def test_a_change_of_folder_changes_nothing(tmp_path, monkeypatch):
    """A process that is started anew is started with the same interpreter."""
    monkeypatch.chdir(tmp_path)
    prepared = tmp_path / "lambda-runtime" / "bin" / "python"
    prepared.parent.mkdir(parents=True)
    prepared.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n', encoding="utf-8")
    prepared.chmod(0o755)
    path = make_zip(Path("t.zip"), SOURCE)
    settings = LambdaSettings(zip_path=path, handler="app.do", process_count=1)
    runtime = LambdaRuntime(settings, {})

    monkeypatch.chdir("/")
    event, _ = call(runtime, number=1)
    runtime.close()

    assert event == {"number": 1}


def test_nothing_is_left_behind(make, threads_begun):
    """Processes, threads and the unpacked folder go with the runtime."""
    runtime = make(process_count=2)
    folder = call(runtime, do="context")[3]
    processes = runtime.process_ids()

    runtime.close()

    assert not any(is_alive(process_id) for process_id in processes)
    assert not Path(folder).exists()
    assert threads_begun() == []
