"""Run Terraform offline: provider found on this machine, AWS played by moto.

Used by ``scripts/tf_check.py``, ``scripts/tf_apply_local.py`` and
``tests/terraform``. Nothing is downloaded, and the checkout is never written to:
Terraform works in a copy.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parent.parent
INFRA: Final = Path("infra/terraform")
ZIP: Final = Path("build/transformer-arm64.zip")
REGION: Final = "eu-west-1"
SECRET_NAME: Final = "chatbot-audit-hec"  # noqa: S105 - a name
_BINARY: Final = "terraform-provider-aws_v*"
# A plugin directory holds {host}/{namespace}/aws/{version}/{platform}/{binary}.
_LEVELS: Final = 5
_SEARCHED: Final = ("/opt", "/usr/local", "/usr/lib", "/usr/share", "/var/lib")
_DEPTH: Final = 9
_LONGEST_RUN_S: Final = 300
_LONGEST_START_S: Final = 30

# Everything goes to moto, none of it to AWS. Arguments of a provider block that a
# configuration has already are replaced.
_OVERRIDE: Final = """
provider "aws" {{{alias}
  region                      = "eu-west-1"
  access_key                  = "test"
  secret_key                  = "test"
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
}}
"""


class TerraformError(RuntimeError):
    """Terraform ended with an error; the text is what it said."""


@dataclass(frozen=True)
class Tools:
    """What is needed, found on this machine.

    Attributes:
        terraform: The program.
        plugin_dir: Directory to give to ``terraform init -plugin-dir``.
    """

    terraform: Path
    plugin_dir: Path


def find_tools() -> Tools:
    """Return Terraform and its AWS provider.

    Raises:
        FileNotFoundError: One of them or the zip is not there; the text says which.
    """
    if not (ROOT / ZIP).exists():
        raise FileNotFoundError(f"{ZIP} is not built: run `make build`")
    terraform = shutil.which("terraform")
    if terraform is None:
        raise FileNotFoundError("terraform is not on the PATH")
    for folder in _plugin_dirs():
        if any(folder.glob(f"*/*/aws/*/*/{_BINARY}")):
            return Tools(Path(terraform), folder)
    raise FileNotFoundError(
        "no terraform-provider-aws was found: unpack one and set TF_PLUGIN_DIR"
    )


def _plugin_dirs() -> Iterator[Path]:
    """Yield candidates: the user's word, Terraform's own mirrors, then a search."""
    if named := os.environ.get("TF_PLUGIN_DIR"):
        yield Path(named)
        return
    home = Path.home()
    data = os.environ.get("XDG_DATA_HOME") or home / ".local/share"
    yield ROOT / "terraform.d/plugins"
    yield home / ".terraform.d/plugins"
    yield Path(data) / "terraform/plugins"
    yield Path("/usr/local/share/terraform/plugins")
    yield Path("/usr/share/terraform/plugins")
    for top in (*_SEARCHED, home):
        yield from _search(Path(top), _DEPTH)


def _search(folder: Path, depth: int) -> Iterator[Path]:
    try:
        children = sorted(folder.iterdir()) if depth else []
    except OSError:
        return
    for path in children:
        if path.match(_BINARY) and len(path.parents) > _LEVELS:
            yield path.parents[_LEVELS]
        elif path.is_dir() and not path.is_symlink():
            yield from _search(path, depth - 1)


class Workspace:
    """A copy of ``infra/terraform`` that Terraform may write to.

    Args:
        tools: Of `find_tools`.
        folder: An empty folder for the copy.
        endpoint_url: Where AWS is played; "" where no call is made.
    """

    def __init__(self, tools: Tools, folder: Path, endpoint_url: str = "") -> None:
        self._tools = tools
        self._folder = folder
        self._endpoint_url = endpoint_url
        left_out = shutil.ignore_patterns(".terraform*", "*.tfstate*", "*.tfplan")
        shutil.copytree(ROOT / INFRA, folder / INFRA, ignore=left_out)
        shutil.copytree(ROOT / "scripts", folder / "scripts")
        (folder / "build").symlink_to(ROOT / "build")
        (folder / "terraform.rc").touch()

    def path(self, root: str = "") -> Path:
        """Return the folder of a root, such as ``examples/splunk``."""
        return self._folder / INFRA / root

    def prepare(self, root: str = "") -> None:
        """Initialise *root*, with its calls turned to the endpoint."""
        if self._endpoint_url:
            is_central = "cross_account" in root
            text = _OVERRIDE.format(alias="")
            if is_central:
                text += _OVERRIDE.format(alias='\n  alias = "bots"')
            (self.path(root) / "local_override.tf").write_text(text)
        self.run(
            root,
            *("init", "-backend=false", "-input=false"),
            f"-plugin-dir={self._tools.plugin_dir}",
        )

    def run(self, root: str, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
        """Run terraform in *root*; return what it printed.

        Raises:
            TerraformError: It ended with a code that is not among *codes*.
        """
        done = self.try_run(root, *arguments)
        if done.returncode not in codes:
            start = max(done.stdout.find("Error:"), 0)
            raise TerraformError(f"terraform {arguments[0]}: {done.stdout[start:]}")
        return done.stdout

    def try_run(self, root: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run terraform in *root*, whatever becomes of it."""
        return subprocess.run(
            [str(self._tools.terraform), *arguments],
            cwd=self.path(root),
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_LONGEST_RUN_S,
            check=False,
        )

    def plan(self, root: str, *options: str) -> dict[str, Any]:
        """Plan *root*, which is prepared; return the plan as JSON."""
        self.run(root, "plan", "-input=false", "-no-color", "-out=it.tfplan", *options)
        return dict(json.loads(self.run(root, "show", "-json", "it.tfplan")))

    def _environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "TF_"))
        }
        kept |= {
            "TF_CLI_CONFIG_FILE": str(self._folder / "terraform.rc"),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        if self._endpoint_url:
            kept["AWS_ENDPOINT_URL"] = self._endpoint_url
        return kept


@contextmanager
def moto_server(log: Path) -> Iterator[str]:
    """Run moto on the loopback; give its URL.

    Args:
        log: File for what moto says.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "scripts.tf_moto", str(port)]
    with (
        log.open("w") as out,
        subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out) as process,
    ):
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url, process)
            yield url
        finally:
            process.terminate()
            process.wait(_LONGEST_START_S)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    end_s = time.monotonic() + _LONGEST_START_S
    while process.poll() is None and time.monotonic() < end_s:
        try:
            with urllib.request.urlopen(f"{url}/moto-api/data.json", timeout=2):  # noqa: S310
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("moto did not start")


def client(service: str, endpoint_url: str) -> Any:
    """Return a boto3 client that calls the endpoint."""
    import boto3  # noqa: PLC0415 - only those who read back need it

    return boto3.client(
        service,
        endpoint_url=endpoint_url,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - moto takes anything
    )
