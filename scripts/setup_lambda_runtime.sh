#!/usr/bin/env bash
# Make the environment that runs the Lambda's zip: AWS's own runtime client.
#
# Usage: setup_lambda_runtime.sh WANTED FOLDER. Where the Lambda's Python is not
# on this machine, the newest one below it is used, and the screen says so.
set -euo pipefail

wanted=$1
folder=$2
python=$(scripts/find_python.sh "$wanted" 3.11)
version=$("$python" -c 'import sys; print("3.%d" % sys.version_info[1])')
if [ "$version" != "$wanted" ]; then
  echo "NOTE: no Python $wanted on this machine; the zip is built for and run by $version."
fi
echo "Setting up the Lambda runtime with Python $version ..."
rm -rf "$folder"
"$python" -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check \
  --constraint constraints.txt awslambdaric boto3
echo "$version" > "$folder/version"
