"""Write the tables of inputs and outputs into the modules' READMEs.

Usage: ``python -m scripts.tf_readme [--check]``. The tables stand between
``<!-- inputs -->`` and ``<!-- /inputs -->``, and the same for outputs; with
``--check`` nothing is written, and stale tables are an error.
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parent.parent
MODULES: Final = ROOT / "infra/terraform/modules"
# `terraform fmt` puts a block's closing brace into the first column.
_BLOCK: Final = re.compile(
    r'^(variable|output) "(\w+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL
)
_LINE: Final = re.compile(r'^  description = "(.*)"$', re.MULTILINE)
_TEXT: Final = re.compile(
    r"^  description = <<-EOT\n(.*?)^  EOT$", re.MULTILINE | re.DOTALL
)
_TYPE: Final = re.compile(r"^  type += (\w+(?:\(\w+\))?)", re.MULTILINE)
_DEFAULT: Final = re.compile(r"^  default += (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Item:
    """A variable or an output, as the code declares it.

    Attributes:
        kind: ``variable`` or ``output``.
        name: Its name.
        type: Such as ``list(string)``; "" for an output.
        default: As written; None where there is none.
        meaning: Its description, on one line.
    """

    kind: str
    name: str
    type: str
    default: str | None
    meaning: str


def read_items(folder: Path) -> Iterator[Item]:
    """Yield the variables and outputs of a module, in the order of the code."""
    for name in ("variables.tf", "outputs.tf"):
        text = (folder / name).read_text(encoding="utf-8")
        for kind, item_name, body in _BLOCK.findall(text):
            kind_of = _TYPE.search(body)
            default = _DEFAULT.search(body)
            yield Item(
                kind,
                item_name,
                kind_of[1] if kind_of else "",
                default[1] if default else None,
                _meaning(body),
            )


def render(text: str, items: list[Item]) -> str:
    """Return a README with its tables made anew.

    Raises:
        ValueError: It has no place for a table.
    """
    inputs = [item for item in items if item.kind == "variable"]
    outputs = [item for item in items if item.kind == "output"]
    tables = {
        "inputs": [
            "| name | type | default | meaning |",
            "|---|---|---|---|",
            *(
                f"| `{i.name}` | {i.type} | {_default(i)} | {i.meaning} |"
                for i in inputs
            ),
        ],
        "outputs": [
            "| name | meaning |",
            "|---|---|",
            *(f"| `{i.name}` | {i.meaning} |" for i in outputs),
        ],
    }
    for name, lines in tables.items():
        begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not (found and closed):
            raise ValueError(f"no place for {name}")
        text = "\n".join([before + begin, *lines, end]) + after
    return text


def main() -> int:
    """Write or check every README; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    is_check = parser.parse_args().check
    stale = []
    for path in sorted(MODULES.glob("*/README.md")):
        text = path.read_text(encoding="utf-8")
        fresh = render(text, list(read_items(path.parent)))
        if fresh != text:
            stale.append(path)
        if not is_check:
            path.write_text(fresh, encoding="utf-8")
    for path in stale if is_check else []:
        print(f"{path.relative_to(ROOT)} is stale: run scripts.tf_readme")
    return 1 if is_check and stale else 0


def _meaning(body: str) -> str:
    line = _LINE.search(body)
    text = _TEXT.search(body)
    found = line[1] if line else text[1] if text else ""
    found = " ".join(found.split()).replace("$${", "${").replace('\\"', '"')
    return found.replace("|", "\\|")


def _default(item: Item) -> str:
    if item.default is None:
        return "required"
    return f"`{item.default}`"


if __name__ == "__main__":
    sys.exit(main())
