"""Try rules on a text, outside AWS: what a rule author runs before a build.

``python -m subscription_transformer.rules_tool [--rules FILE] < TEXT`` prints one JSON
object: the labels that the text would get as a question and as an answer, the text as
it would be delivered, and what was masked.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from audit_record.codec import dumps
from subscription_transformer.errors import RulesError
from subscription_transformer.label import Labeller
from subscription_transformer.redact import Redactor
from subscription_transformer.rules import load_rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from subscription_transformer.rules import Rules


def try_text(rules: Rules, text: str) -> dict[str, Any]:
    """Return what *rules* make of *text*.

    Returns:
        ``topics`` and ``signals`` it gets, the ``redacted`` text, and the
        ``redactions`` by kind.
    """
    labelled: dict[str, Any] = {"user_query": text, "response": text}
    Labeller(rules).label(labelled)
    redacted, found = Redactor(rules.finders).redact_text(text)
    return {
        "topics": labelled.get("topics", []),
        "signals": labelled.get("signals", []),
        "redacted": redacted,
        "redactions": dict(found),
    }


def main(arguments: Sequence[str]) -> int:
    """Read a text from the standard input and print what the rules make of it."""
    parser = argparse.ArgumentParser(description="Try rules on a text.")
    parser.add_argument("--rules", default="", help="a rules file; else the shipped")
    options = parser.parse_args(arguments)
    try:
        rules = load_rules(options.rules)
    except RulesError as error:
        sys.stderr.write("\n".join(error.faults) + "\n")
        return 2
    text = sys.stdin.buffer.read().decode(errors="replace")
    sys.stdout.buffer.write(dumps(try_text(rules, text)) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
