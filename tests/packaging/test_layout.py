"""The shape of the tree: what a newcomer relies on."""

from __future__ import annotations

import ast
import re
import statistics
from pathlib import Path

import pytest

PACKAGES = ("audit_record", "chatbot_audit", "emitter", "subscription_transformer")
MODULES = sorted(
    path
    for package in (*PACKAGES, "examples", "scripts", "benchmarks")
    for path in Path(package).rglob("*.py")
)
BANNED = {"utils", "helpers", "common", "shared", "misc", "base", "manager"}
MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 40
TEXT_SUFFIXES = {".py", ".md", ".toml", ".txt", ".sh", ".json", ".yml", ".tf", ""}


def functions(path):
    """Yield name and length of each function, docstring and comments left out."""
    source = path.read_text(encoding="utf-8")
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            first = body[0].lineno if body else node.end_lineno
            code = [line for line in lines[first - 1 : node.end_lineno] if line.strip()]
            yield node.name, len(code)


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_modules_stay_small(path):
    """A module that grew beyond 400 lines no longer says one thing."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_MODULE_LINES


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_functions_stay_small(path):
    """No function has more than 40 lines of code."""
    too_long = {
        name: size for name, size in functions(path) if size > MAX_FUNCTION_LINES
    }

    assert too_long == {}


def test_most_functions_are_tiny():
    """Half of all functions have at most 8 lines, nine of ten fewer than 20."""
    sizes = sorted(size for path in MODULES for _, size in functions(path))

    assert statistics.median(sizes) <= 8
    assert sizes[len(sizes) * 9 // 10] < 20


def test_names_say_something():
    """No module or folder has a name that is only a drawer."""
    names = {part for path in MODULES for part in (*path.parts[:-1], path.stem)}

    assert not names & BANNED


def test_the_handler_is_wiring_only():
    """The Lambda's entry point stays under 100 lines."""
    handler = Path("subscription_transformer/handler.py")

    assert len(handler.read_text(encoding="utf-8").splitlines()) <= 100


def tracked_files():
    """Return the files of the project, without what is built or installed."""
    skipped = {".git", ".venv", "build", "dist", ".makecache", "__pycache__"}
    for path in Path().rglob("*"):
        hidden = any(part in skipped or part.endswith("cache") for part in path.parts)
        if path.is_file() and not hidden and path.suffix in TEXT_SUFFIXES:
            yield path


def test_no_path_of_a_machine_and_no_index_host():
    """Nothing in the project depends on where it was written."""
    forbidden = re.compile(
        r"/(?:root|home)/[a-z]|/work/ma" + r"in|pypi\.(?:org|io)|files\.pythonhosted"
    )
    found = []
    for path in tracked_files():
        if path.parts[0] in (".hypothesis", ".sandbox") or path.name == "LICENSE":
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path}: {match[0]}" for match in forbidden.finditer(text)]

    assert found == []
