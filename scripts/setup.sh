#!/usr/bin/env bash
# Make the virtual environment and install the project with its tools into it.
#
# Usage: setup.sh VENV. Versions are those of constraints.txt.
set -euo pipefail

venv=$1
python=$(scripts/find_python.sh 3.13 3.11)
# The python3 that a shell finds is preferred: it is what its user works with.
if python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  python=$(python3 -c 'import sys; print(sys.executable)')
fi
echo "Setting up $venv with $("$python" --version) ..."
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
# Dependency groups need a pip of 25.1 or newer.
"$venv/bin/python" -m pip install --quiet --upgrade --constraint constraints.txt pip hatchling editables
"$venv/bin/python" -m pip install --quiet --constraint constraints.txt \
  --no-build-isolation --editable '.[sandbox]' --group dev
