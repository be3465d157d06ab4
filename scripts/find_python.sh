#!/usr/bin/env bash
# Print the path of the newest Python interpreter of at most the wanted version.
#
# Usage: find_python.sh WANTED MINIMUM, for example: find_python.sh 3.13 3.11
# Looks on the PATH and among pyenv's versions; exits 1 when there is none.
set -euo pipefail

wanted=${1#3.}
minimum=${2#3.}
pyenv_root=${PYENV_ROOT:-$HOME/.pyenv}
for ((minor = wanted; minor >= minimum; minor--)); do
  for candidate in "$pyenv_root/versions/3.$minor."*/bin/"python3.$minor" \
    "$(command -v "python3.$minor" || true)" "$(command -v python3 || true)"; do
    [ -x "$candidate" ] || continue
    # A pyenv shim stands on the PATH also for versions that are not chosen.
    version=$("$candidate" -c 'import sys; print("3.%d" % sys.version_info[1])' 2>/dev/null) || continue
    if [ "$version" = "3.$minor" ]; then
      "$candidate" -c 'import sys; print(sys.executable)'
      exit 0
    fi
  done
done
echo "No Python from 3.$minimum to 3.$wanted was found. Install one and try again." >&2
exit 1
