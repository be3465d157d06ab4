"""``chatbot-audit rules``: check a rules file, and try it on a text.

The rules are the transformer's, and only it knows how they match: it runs in a process
of its own here, as everywhere.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from chatbot_audit.cli.group import NONE_FOUND, OK
from chatbot_audit.errors import ArgumentError
from chatbot_audit.query.clean import clean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_TIMEOUT_S: Final = 60.0
_YAML: Final = (".yaml", ".yml")


@click.group()
def rules() -> None:
    """Check rules for topics, signals and redaction."""


@rules.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
def test(file: Path | None) -> int:
    """Try every rule of FILE on its own examples; without FILE the shipped ones."""
    with _as_json(file) as path:
        done = _run("subscription_transformer.rules", [str(path)] if path else [])
    faults = done.stderr.decode(errors="replace").strip()
    if done.returncode:
        click.echo(clean(faults), err=True)
        return NONE_FOUND
    click.echo("every rule hits and misses what it should")
    return OK


@rules.command(name="try")
@click.argument("text")
@click.option("--rules", "file", type=click.Path(path_type=Path), help="A rules file.")
@click.option("--json", "is_json", is_flag=True, help="Print JSON.")
def try_(text: str, file: Path | None, *, is_json: bool) -> int:
    """Show which labels TEXT gets and what of it would be masked; - reads it."""
    given = sys.stdin.buffer.read() if text == "-" else text.encode(errors="replace")
    with _as_json(file) as path:
        options = ["--rules", str(path)] if path else []
        done = _run("subscription_transformer.rules_tool", options, given)
    if done.returncode:
        raise ArgumentError(clean(done.stderr.decode(errors="replace").strip()))
    found: dict[str, Any] = json.loads(done.stdout)
    if is_json:
        click.echo(json.dumps(found, ensure_ascii=False))
    else:
        for name in ("topics", "signals"):
            click.echo(f"{name + ':':12}{', '.join(found[name]) or '-'}")
        kinds = ", ".join(f"{k} x{n}" for k, n in found["redactions"].items())
        click.echo(f"{'redactions:':12}{kinds or '-'}")
        click.echo(f"{'delivered:':12}{clean(found['redacted'])}")
    is_found = any(found[name] for name in ("topics", "signals", "redactions"))
    return OK if is_found else NONE_FOUND


@contextmanager
def _as_json(file: Path | None) -> Iterator[Path | None]:
    """Yield *file* as a JSON file; YAML is turned into one."""
    if file is None:
        yield None
        return
    if not file.is_file():
        raise ArgumentError(f"there is no rules file at {file}")
    if file.suffix.lower() not in _YAML:
        yield file.absolute()
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rules.json"
        path.write_text(json.dumps(_read_yaml(file)), encoding="utf-8")
        yield path


def _read_yaml(file: Path) -> Any:
    import yaml  # noqa: PLC0415 - only for rules written in YAML

    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise ArgumentError(f"{file} cannot be read as YAML") from error


def _run(
    module: str, arguments: Sequence[str], given: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", module, *arguments]
    try:
        return subprocess.run(  # noqa: S603 - our own module
            command, input=given, capture_output=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ArgumentError(
            f"the rules were not done within {_TIMEOUT_S:.0f} s"
        ) from error
