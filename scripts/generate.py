"""Write the files that are made from the field table and the limits.

Usage: ``python scripts/generate.py [--check]``. With ``--check`` nothing is
written, and the exit code is 1 when a file differs from what would be.
"""

from __future__ import annotations

import io
import re
import sys
import tokenize
from pathlib import Path

from audit_record import limits
from audit_record.codec import dumps
from audit_record.fields import FIELDS, Field
from audit_record.schema import json_schema

ROOT = Path(__file__).resolve().parent.parent
TABLE_START = "<!-- generated: table -->"
TABLE_END = "<!-- end of table -->"


def main(arguments: list[str]) -> int:
    """Write or compare every generated file; return the exit code."""
    wanted = {
        ROOT / "audit_record/schema.json": _schema_text(),
        **_with_table("docs/record.md", record_table()),
        **_with_table("docs/limits.md", limits_table()),
    }
    differing = [path for path, text in wanted.items() if _current(path) != text]
    for path in differing:
        print(f"{path.relative_to(ROOT)} differs from its source")
        if "--check" not in arguments:
            path.write_text(wanted[path], encoding="utf-8")
    return 1 if differing and "--check" in arguments else 0


def record_table() -> list[str]:
    """Return the field table as lines of Markdown."""
    rows = [
        "| field | by | type and limit in bytes | meaning | example |",
        "|---|---|---|---|---|",
    ]
    return rows + [_row(field) for field in FIELDS]


def limits_table() -> list[str]:
    """Return the limits as lines of Markdown, with their comments as reasons."""
    rows = ["| limit | value | why, and where it is from |", "|---|---|---|"]
    reasons = _reasons()
    for name, value in vars(limits).items():
        if name.isupper():
            rows.append(f"| `{name}` | {value:,} | {reasons[name]} |")
    return rows


def _row(field: Field) -> str:
    mark = " **F**" if field.is_filter else ""
    core = " core" if field.is_core else ""
    shape = field.kind.value
    if field.enum:
        shape = ", ".join(f"`{value}`" for value in field.enum)
    elif field.max_items:
        shape += f" ≤ {field.max_items}" + (
            f" × {field.max_bytes:,}" if field.max_bytes else ""
        )
    elif field.max_bytes:
        shape += f" ≤ {field.max_bytes:,}"
    if field.members:
        shape += " of `" + "`, `".join(m.name for m in field.members) + "`"
    return (
        f"| `{field.name}`{mark} | {field.tier}{core} | {shape} | "
        f"{field.meaning} | `{field.example}` |"
    )


def _reasons() -> dict[str, str]:
    """Read the comment above each limit; neighbours may share one."""
    source = Path(limits.__file__).read_text(encoding="utf-8")
    reasons: dict[str, str] = {}
    comment: list[str] = []
    is_open = False
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            comment = [*comment, token.string[2:]] if is_open else [token.string[2:]]
            is_open = True
        elif token.type == tokenize.NAME and re.fullmatch(
            "[A-Z_0-9]{4,}", token.string
        ):
            reasons.setdefault(token.string, " ".join(comment))
            is_open = False
    return reasons


def _with_table(name: str, table: list[str]) -> dict[Path, str]:
    path = ROOT / name
    before, _, rest = _current(path).partition(TABLE_START)
    after = rest.partition(TABLE_END)[2]
    text = "\n".join([before + TABLE_START, "", *table, "", TABLE_END]) + after
    return {path: text}


def _schema_text() -> str:
    import json  # noqa: PLC0415 - for people to read: indented, unlike our codec

    return json.dumps(json.loads(dumps(json_schema())), indent=1) + "\n"


def _current(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
