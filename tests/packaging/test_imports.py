"""What loading the packages costs and brings along."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

PUBLIC = ["audit_record", "emitter", "emitter.identity", "emitter.conversation"]


def run(code: str) -> str:
    """Run *code* in a fresh interpreter and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize("module", ["boto3", "botocore", "requests", "socket", "ssl"])
def test_importing_the_emitter_loads_no_network(module):
    """A bot that imports the library pays for nothing that it may not need."""
    code = f"import sys, emitter; print({module!r} in sys.modules)"

    assert run(code) == "False"


# Each takes milliseconds of a cold start, and none is needed before the reply.
SLOW = [
    "asyncio",
    "dataclasses",
    "decimal",
    "hashlib",
    "inspect",
    "json",
    "orjson",
    "random",
    "urllib.parse",
    "uuid",
]
ASKED = """
with audit.question({source}) as q:
    q.conversation([{{"role": "user", "content": [{{"text": "hi"}}]}}])
    print([name for name in {slow} if name in sys.modules])
"""


@pytest.mark.parametrize("module", SLOW)
def test_importing_the_emitter_loads_nothing_slow(module):
    """The bar is 40 ms; modules are what a test can count on a busy machine."""
    code = f"import sys, emitter; print({module!r} in sys.modules)"

    assert run(code) == "False"


@pytest.mark.parametrize(
    "source",
    [
        pytest.param({"type": "message", "user": "U1", "text": "hi <@U2>"}, id="slack"),
        pytest.param(
            {"type": "message", "channelId": "msteams", "from": {"id": "29:1"},
             "text": "<p>hi</p>"},
            id="teams",
        ),
    ],
)  # fmt: skip
def test_a_question_loads_nothing_slow_before_its_reply(source):
    """Whoever waits for the answer does not wait for the audit's modules."""
    code = (
        "import sys; from emitter import AuditEmitter; audit = AuditEmitter('Vera')\n"
    )

    out = run(code + ASKED.format(source=source, slow=SLOW))

    assert out.splitlines()[0] == "[]"


def test_importing_the_emitter_starts_no_thread():
    """Nothing runs before a bot asks for something."""
    assert run("import threading, emitter; print(threading.active_count())") == "1"


def test_importing_the_handler_loads_no_aws_library():
    """The AWS library is loaded for put-backs only, not at a cold start."""
    code = (
        "import sys, subscription_transformer.handler;"
        "print('boto3' in sys.modules, 'botocore' in sys.modules)"
    )

    assert run(code) == "False False"


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_are_there(name):
    """`__all__` names each public thing once, and what it names exists."""
    module = importlib.import_module(name)

    # ruff's order: constants, classes, then functions.
    assert len(module.__all__) == len(set(module.__all__))
    for public in module.__all__:
        assert getattr(module, public) is not None


def test_testing_works_without_pytest():
    """A bot's production code may import the sinks."""
    code = (
        "import sys; sys.modules['pytest'] = None;"
        "from emitter.testing import MemorySink; print(MemorySink().records)"
    )

    assert run(code) == "[]"
