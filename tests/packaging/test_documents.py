"""Documents that say what the code says."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import importlib.util
import re
from pathlib import Path

import pytest

from emitter import settings, stats
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
