"""The entry point; what it needs beyond the bare install is looked for first."""

from __future__ import annotations

import importlib
import sys


def main() -> None:
    """Run the command `chatbot-audit` and end the process with its exit code."""
    try:
        group = importlib.import_module("chatbot_audit.cli.group")
    except ModuleNotFoundError as error:
        sys.stderr.write(
            f"chatbot-audit: {error.name} is not installed;"
            ' run pip install "chatbot-audit[cli]"\n'
        )
        sys.exit(2)
    group.cli()


if __name__ == "__main__":
    main()
