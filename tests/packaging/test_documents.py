"""Documents that say what the code says."""

from __future__ import annotations

import ast
import asyncio
import dataclasses
import functools
import importlib
import importlib.util
import json
import re
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

import emitter
from emitter import AuditEmitter, settings, stats
from subscription_transformer import metrics
from subscription_transformer.settings import TransformerSettings

DOCS = sorted([*Path().glob("*.md"), *Path("docs").rglob("*.md")])
ERROR_MODULES = [
    *sorted(Path().glob("*/errors.py")),
    Path("chatbot_audit/sandbox/errors.py"),
]


def table(path, heading):
    """Return the rows of the first table under a heading, as lists of cells."""
    text = Path(path).read_text(encoding="utf-8")
    section = text.split(heading, 1)[1].split("\n## ", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [
        [cell.strip(" `") for cell in row.strip("|").split("|")] for row in rows[2:]
    ]


def test_generated_files_are_current():
    """The schema and the tables are what the field table makes."""
    spec = importlib.util.spec_from_file_location("generate", "scripts/generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    assert module.main(["--check"]) == 0


def test_the_transformers_metrics_are_documented():
    """Alarms rely on these names: the page has each, with its unit."""
    rows = table("docs/metrics.md", "`ChatbotAudit/Transformer`")

    assert {row[0]: row[1] for row in rows} == metrics.METRICS


def test_the_emitters_metrics_are_documented():
    """The same for the library."""
    rows = table("docs/metrics.md", "`ChatbotAudit/Emitter`")

    assert tuple(row[0] for row in rows) == stats.METRICS


def test_the_emitters_settings_are_documented():
    """Every variable that is read has a row, and no other."""
    rows = table("docs/settings.md", "## The emitter")
    read = {rule.variable or name for name, rule in settings._RULES.items()}

    assert {row[0] for row in rows} == read
    # Two fields are no settings but say where others came from.
    assert len(rows) == len(dataclasses.fields(settings.EmitterSettings)) - 2


def test_the_transformers_settings_are_documented():
    """Every variable that is read has a row, with the default that is in force."""
    rows = table("docs/settings.md", "## The transformer")
    source = Path("subscription_transformer/settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r'"(AUDIT_[A-Z_]+)"', source))
    defaults = {row[0]: row[1] for row in rows}

    assert set(defaults) == read
    assert len(rows) == len(dataclasses.fields(TransformerSettings))
    in_force = TransformerSettings.from_env({})
    assert defaults["AUDIT_MAX_TEXT_BYTES"] == str(in_force.max_text_bytes)
    assert defaults["AUDIT_DESTINATION"] == in_force.destination


@pytest.mark.parametrize("path", ERROR_MODULES, ids=str)
def test_error_trees_are_the_classes(path):
    """The tree drawn in the module and on the page is what the classes are."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    classes = {node.name for node in module.body if isinstance(node, ast.ClassDef)}
    drawing = ast.get_docstring(module).split("::", 1)[1].split("\n\n", 2)[1]
    drawn = re.findall(r"^[\s│├└─]*([A-Z]\w+)", drawing, re.MULTILINE)

    assert set(drawn) == classes
    page = Path("docs/errors.md").read_text(encoding="utf-8")
    for name in classes:
        assert name in page


def test_readme_is_short_and_its_commands_exist():
    """A user reads 150 lines at most; every make target in them is there."""
    readme = Path("README.md").read_text(encoding="utf-8")
    makefile = Path("Makefile").read_text(encoding="utf-8")

    assert len(readme.splitlines()) <= 150
    for target in set(re.findall(r"make ([a-z][a-z-]+)", readme)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_ci_runs_the_readmes_commands():
    """What is checked on a clean checkout is what users are told to run."""
    run = Path(".ci/run").read_text(encoding="utf-8")

    commands = [line for line in run.splitlines() if line.startswith("make ")]
    assert commands == ["make demo", "make check", "make check-all"]


@pytest.mark.parametrize("path", DOCS, ids=str)
def test_files_named_in_documents_exist(path):
    """A page that names a file of the project names one that is there."""
    text = path.read_text(encoding="utf-8")
    names = re.findall(r"`((?:[a-z_]+/)+[\w.-]*\.(?:py|md|json|txt|sh))`", text)

    assert [name for name in names if not Path(name).exists()] == []


def test_every_commands_recipe_is_short():
    """Logic of more than three lines belongs into a script."""
    makefile = Path("Makefile").read_text(encoding="utf-8")
    recipes = re.findall(r"^[\w./%-]+:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)

    assert max(len(recipe.splitlines()) for recipe in recipes) <= 3


@pytest.mark.parametrize("path", DOCS, ids=str)
def test_python_in_documents_is_python(path):
    """Examples are code that can be read, and name what the library has."""
    text = path.read_text(encoding="utf-8")
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and "emitter" in str(node.module):
                module = importlib.import_module(node.module)
                assert all(hasattr(module, alias.name) for alias in node.names)


ANSWER = {
    "output": {"message": {"role": "assistant", "content": [{"text": "hi there"}]}},
    "usage": {"inputTokens": 1, "outputTokens": 2},
    "stopReason": "end_turn",
}
MESSAGES = [{"role": "user", "content": [{"text": "hello"}]}]
SLACK_EVENT = {
    "headers": {},
    "requestContext": {"http": {"method": "POST"}},
    "body": json.dumps(
        {
            "type": "event_callback",
            "team_id": "T1",
            "event": {
                "type": "app_mention",
                "user": "U1",
                "channel": "C1",
                "ts": "1.2",
                "text": "hello",
            },
        }
    ),
}
TEAMS_TURN = {
    "type": "message",
    "id": "1",
    "text": "hello",
    "channelId": "msteams",
    "from": {"id": "29:1", "aadObjectId": "o1"},
    "conversation": {"id": "a:1", "tenantId": "tid0"},
}


class Stubs(dict):
    """What a page leaves to the bot: clients, the framework, its own functions."""

    def __init__(self, records):
        super().__init__(
            MODEL="m",
            messages=MESSAGES,
            slack_token="token",
            get_graph_token=lambda: "token",
            verify_signature=lambda _: None,
            build_messages=lambda _: MESSAGES,
            bedrock=SimpleNamespace(converse=lambda **_: ANSWER),
            slack=SimpleNamespace(chat_postMessage=lambda **_: self.reply()),
            say=lambda *_: self.reply(),
            ask_model=self.ask,
            text_of=lambda answer: answer["output"]["message"]["content"][0]["text"],
            app=SimpleNamespace(entrypoint=lambda f: f, post=lambda _: lambda f: f),
            agent=lambda _: "hi there",
            claims_of=lambda _: {"preferred_username": "bob@example.com"},
            AskRequest=SimpleNamespace,
            Depends=lambda _: None,
            verified_claims=None,
            SLACK_EVENT=SLACK_EVENT,
            audit_records=records,
        )
        self.records = records
        self.replied_after = None

    def reply(self):
        """Show the answer; remember how many records had been written before."""
        self.replied_after = len(self.records)

    async def reply_async(self, text):
        self.reply()

    async def ask(self, messages):
        return ANSWER


def use_handler(page):
    page["handler"](SLACK_EVENT, None)


def use_teams(page):
    turn = SimpleNamespace(activity=TEAMS_TURN, send_activity=page.reply_async)
    asyncio.run(page["on_message_activity"](turn))


def use_agentcore(page):
    context = SimpleNamespace(session_id="s1")

    assert page["invoke"]({"prompt": "hello"}, context) == {"result": "hi there"}


def use_fastapi(page):
    request = SimpleNamespace(question="hello", messages=MESSAGES)
    claims = {"preferred_username": "bob@example.com"}

    assert asyncio.run(page["ask"](request, claims)) == {"answer": "hi there"}


def use_test(page):
    # The page's test is for the bot of its first example.
    exec(blocks_under("docs/add-auditing.md", "## Slack, on Lambda"), page)
    page["test_my_bot_is_audited"](page.records)


def use_write(page):
    page["write_audit_log"]("bob", "hello", MESSAGES, "hi there", "m")


# Page, heading, what uses the block, who has asked, and whether the bot posts its reply
# itself. Other blocks with Python belong to frameworks, whose own tests have them.
EXAMPLES = [
    ("README.md", "## Ten lines in your bot", use_handler, "T1/U1", True),
    ("docs/add-auditing.md", "## Slack, on Lambda", use_handler, "T1/U1", True),
    ("docs/add-auditing.md", "## Teams", use_teams, "tid0/o1", True),
    ("docs/add-auditing.md", "## AgentCore", use_agentcore, None, False),
    ("docs/add-auditing.md", "## FastAPI", use_fastapi, None, False),
    ("docs/add-auditing.md", "## Test it", use_test, "T1/U1", True),
    ("docs/migrate.md", "# From a hand-written", use_write, None, False),
]


def blocks_under(path, heading):
    """Return the Python under one heading of a page."""
    text = Path(path).read_text(encoding="utf-8")
    section = re.split(r"^#+ ", text.split(heading, 1)[1], flags=re.MULTILINE)[0]
    return "\n".join(re.findall(r"```python\n(.*?)```", section, re.DOTALL))


@pytest.mark.parametrize(
    ("path", "heading", "use", "platform_id", "posts"),
    EXAMPLES,
    ids=[f"{each[0]} {each[1]}" for each in EXAMPLES],
)
def test_documented_bots_run(audit_records, path, heading, use, platform_id, posts):
    """What a page tells people to copy runs, names who asked, and replies first."""
    page = Stubs(audit_records)

    exec(blocks_under(path, heading), page)
    use(page)

    assert [record["response"] for record in audit_records] == ["hi there"]
    assert audit_records[0]["user_query"] == "hello"
    assert audit_records[0].get("user_platform_id") == platform_id
    if platform_id is None:
        assert audit_records[0]["user_id"] == "bob"
    assert page.replied_after == (0 if posts else None)


def test_every_block_that_runs_by_itself_is_run():
    """A page of bots to copy has no block that nothing tries."""
    for path in {each[0] for each in EXAMPLES}:
        run = [blocks_under(each[0], each[1]) for each in EXAMPLES if each[0] == path]
        text = Path(path).read_text(encoding="utf-8")

        blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        assert sorted(run) == sorted(blocks)


class SlowSink:
    """Takes its time, as CloudWatch may."""

    def __init__(self):
        self.is_written = threading.Event()
        self.may_write = threading.Event()

    def write(self, entry):
        self.may_write.wait(5)
        self.is_written.set()


@pytest.mark.parametrize(
    ("heading", "use"), [("## AgentCore", use_agentcore), ("## FastAPI", use_fastapi)]
)
def test_a_returned_reply_does_not_wait_for_the_record(monkeypatch, heading, use):
    """Where the function's result is the reply, the page's bot writes later."""
    sink = SlowSink()
    monkeypatch.setattr(
        emitter, "AuditEmitter", functools.partial(AuditEmitter, sinks=[sink])
    )
    page = Stubs([])
    exec(blocks_under("docs/add-auditing.md", heading), page)

    use(page)

    assert not sink.is_written.is_set()
    sink.may_write.set()
    assert page["audit"].flush(5)
    page["audit"].close()
