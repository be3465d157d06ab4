"""Apply the Splunk example to moto, print its outputs and destroy it again.

Usage: ``python -m scripts.tf_apply_local``. Real Terraform with the real AWS
provider; nothing leaves this machine. `scripts/tf_apply_local.sh` builds what is
needed first.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from scripts.tf_local import (
    SECRET_NAME,
    TerraformError,
    Workspace,
    client,
    find_tools,
    moto_server,
)

EXAMPLE: Final = "examples/splunk"
# A log group that is protected could not be destroyed again.
OPTIONS: Final = ("-input=false", "-no-color", "-var=protect_log_group=false")


def main() -> int:
    """Apply, print, destroy; return the exit code."""
    try:
        tools = find_tools()
    except FileNotFoundError as error:
        print(f"Cannot apply: {error}.", file=sys.stderr)
        return 1
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder)
            with moto_server(path / "moto.log") as endpoint_url:
                _apply(Workspace(tools, path / "work", endpoint_url), endpoint_url)
    except (TerraformError, TimeoutError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _apply(workspace: Workspace, endpoint_url: str) -> None:
    client("secretsmanager", endpoint_url).create_secret(
        Name=SECRET_NAME, SecretString='{"hec_token": "made-out-of-band"}'
    )
    workspace.prepare(EXAMPLE)
    # The provider waits a minute to be sure of a bucket's lifecycle.
    _step("Applying, about 75 s", workspace, "apply", "-auto-approve", *OPTIONS)
    print(workspace.run(EXAMPLE, "output", "-no-color").strip())
    _step("Planning again", workspace, "plan", "-detailed-exitcode", *OPTIONS)
    print("... nothing to change.")
    _step("Destroying", workspace, "destroy", "-auto-approve", *OPTIONS)
    print("Applied, unchanged in a second plan, destroyed.")


def _step(text: str, workspace: Workspace, *arguments: str) -> None:
    print(f"{text} ...", flush=True)
    started_s = time.monotonic()
    workspace.run(EXAMPLE, *arguments)
    print(f"... {time.monotonic() - started_s:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
