#!/usr/bin/env bash
# Apply the Splunk example to an AWS on the loopback (moto), print its outputs,
# destroy it again: one command, also in a clean checkout.
#
# Needs terraform and a terraform-provider-aws on the machine; see scripts/tf_local.py.
set -euo pipefail

cd "$(dirname "$0")/.."
make --no-print-directory setup build/transformer-arm64.zip
exec .venv/bin/python -m scripts.tf_apply_local
