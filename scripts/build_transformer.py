"""Build the Lambda's zip, byte for byte the same from the same sources.

Usage: ``python scripts/build_transformer.py --python 3.13 --machine x86_64
--output build/transformer-x86_64.zip [--rules my-rules.json]``

The zip holds `subscription_transformer`, `audit_record`, the pinned native
packages for one Python version and CPU, and `build.json`, which says which.
Times, owners and order are fixed, so that two builds can be compared.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "scripts/transformer-requirements.txt"
OUR_PACKAGES = ("audit_record", "subscription_transformer")
# What a wheel carries and a running Lambda never reads.
LEFT_OUT = ("*.pyi", "*.pyx", "*.pxd", "*.h", "*.c", "tests", "__pycache__", "bin")
# The Lambda quota for an upload is 50 MB; ours keeps the cold start short.
MAX_ZIP_BYTES = 4 * 1024 * 1024
# 1980-01-01, the earliest time a zip can say.
ZIP_TIME = (1980, 1, 1, 0, 0, 0)
# Amazon Linux 2023 has glibc 2.34; wheels for any older one run on it.
GLIBC_TAGS = ("2_34", "2_28", "2_27", "2_26", "2_17")
MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}


def main() -> int:
    """Build one zip; return the exit code."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        rules = _as_json(options.rules, Path(folder) / "rules.json")
        if not _are_rules_right(rules):
            return 1
        tree = Path(folder) / "tree"
        tree.mkdir()
        _install_wheels(tree, options.python, options.machine)
        _copy_sources(tree, rules)
        _write_build_facts(tree, options.python, options.machine)
        _write_zip(tree, options.output)
        # Terraform cannot look into a zip: it compares what stands beside it.
        shutil.copyfile(tree / "build.json", options.output.with_suffix(".json"))
    size_bytes = options.output.stat().st_size
    digest = hashlib.sha256(options.output.read_bytes()).hexdigest()
    print(f"{options.output}: {size_bytes:,} bytes, sha256 {digest[:16]}")
    if size_bytes > MAX_ZIP_BYTES:
        print(f"the zip is over {MAX_ZIP_BYTES:,} bytes", file=sys.stderr)
        return 1
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    local = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
    parser.add_argument("--python", default="3.13", help="Lambda's version, as 3.13")
    parser.add_argument("--machine", default=local, choices=sorted(MACHINES))
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--rules", type=Path, help="rules in place of the shipped ones")
    return parser.parse_args()


def _as_json(rules: Path | None, path: Path) -> Path | None:
    """Write rules that are YAML as JSON: what the Lambda can read."""
    if rules is None or rules.suffix.lower() not in (".yaml", ".yml"):
        return rules
    import yaml  # noqa: PLC0415 - only for rules written in YAML

    path.write_text(json.dumps(yaml.safe_load(rules.read_text(encoding="utf-8"))))
    return path


def _are_rules_right(rules: Path | None) -> bool:
    """Try every rule on its own examples; the faults are printed."""
    command = [sys.executable, "-m", "subscription_transformer.rules"]
    command += [str(rules.absolute())] if rules else []
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def _install_wheels(tree: Path, python: str, machine: str) -> None:
    tags = [f"manylinux_{glibc}_{MACHINES[machine]}" for glibc in GLIBC_TAGS]
    tags.append(f"manylinux2014_{MACHINES[machine]}")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--no-compile"]
    command += ["--only-binary=:all:", "--implementation=cp"]
    command += [f"--python-version={python}", f"--target={tree}"]
    command += [f"--platform={tag}" for tag in tags]
    command += ["--requirement", str(REQUIREMENTS)]
    subprocess.run(command, check=True)
    for pattern in LEFT_OUT:
        for path in sorted(tree.rglob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in tree.glob("*.dist-info"):
        _keep_licences(path)


def _keep_licences(info: Path) -> None:
    """Keep a package's name and licence; RECORD differs from build to build."""
    for path in sorted(info.rglob("*"), reverse=True):
        is_kept = path.name == "METADATA" or "LICENSE" in path.name.upper()
        if path.is_file() and not is_kept:
            path.unlink()


def _copy_sources(tree: Path, rules: Path | None) -> None:
    ignored = shutil.ignore_patterns("__pycache__", "py.typed", "schema.json")
    for package in OUR_PACKAGES:
        shutil.copytree(ROOT / package, tree / package, ignore=ignored)
    if rules is not None:
        shutil.copyfile(rules, tree / "subscription_transformer/rules.json")


def _write_build_facts(tree: Path, python: str, machine: str) -> None:
    digest = hashlib.sha256()
    for path in _files(tree):
        digest.update(str(path.relative_to(tree)).encode() + b"\0" + path.read_bytes())
    facts = {
        "handler": "subscription_transformer.handler.lambda_handler",
        "runtime": f"python{python}",
        "architecture": machine,
        "content_sha256": digest.hexdigest(),
    }
    (tree / "build.json").write_text(json.dumps(facts, indent=1) + "\n")


def _write_zip(tree: Path, output: Path) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    unfinished = output.with_suffix(".unfinished")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for path in _files(tree):
            entry = zipfile.ZipInfo(str(path.relative_to(tree)), ZIP_TIME)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            out.writestr(entry, path.read_bytes())
    unfinished.replace(output)


def _files(tree: Path) -> list[Path]:
    return sorted(path for path in tree.rglob("*") if path.is_file())


if __name__ == "__main__":
    sys.exit(main())
