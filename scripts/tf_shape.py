"""Read what is deployed out of a plan: the numbers that a sandbox has to run with.

Usage: ``python -m scripts.tf_shape``. Plans the examples against moto and writes
``infra/terraform/examples/shape.json``, which a test compares with the plans.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from scripts.tf_local import INFRA, ROOT, Workspace, find_tools, moto_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SHAPE: Final = ROOT / INFRA / "examples/shape.json"
# The example that shows each destination, and the block that configures it.
EXAMPLES: Final = {"splunk": "splunk", "opensearch": "opensearch", "elastic": "both"}
_BLOCKS: Final = {
    "splunk": "splunk_configuration",
    "opensearch": "opensearch_configuration",
    "elastic": "http_endpoint_configuration",
}
# Not set, because the service's own value is wanted: see Firehose's API reference.
_DEFAULT_LAMBDA_RETRY_COUNT: Final = 3


def shape_of(plan: Mapping[str, Any], destination: str) -> dict[str, Any]:
    """Return what a plan deploys for one destination; names say the units."""
    resources = list(_resources(plan["planned_values"]["root_module"]))
    function = _one(resources, "aws_lambda_function", "transformer", destination)
    stream = _one(resources, "aws_kinesis_firehose_delivery_stream", destination, 0)
    (block,) = stream[_BLOCKS[destination]]
    (bucket,) = block["s3_configuration"]
    return {
        "function": {
            "handler": function["handler"],
            "runtime": function["runtime"],
            "architecture": function["architectures"][0],
            "memory_mb": function["memory_size"],
            "timeout_s": function["timeout"],
            "environment": function["environment"][0]["variables"],
        },
        "processor": _processor(block),
        "delivery": {
            "buffer_mb": block["buffering_size"],
            "buffer_interval_s": block["buffering_interval"],
            "retry_duration_s": block["retry_duration"],
            "ack_timeout_s": block.get("hec_acknowledgment_timeout"),
            "backup_mode": block["s3_backup_mode"],
            "error_output_prefix": bucket["error_output_prefix"],
            "compression_format": bucket["compression_format"],
        },
    }


def _processor(block: Mapping[str, Any]) -> dict[str, Any]:
    (processor,) = block["processing_configuration"][0]["processors"]
    values = {
        item["parameter_name"]: item.get("parameter_value")
        for item in processor["parameters"]
    }
    retry_count = values.get("NumberOfRetries", _DEFAULT_LAMBDA_RETRY_COUNT)
    return {
        "buffer_mb": float(values["BufferSizeInMBs"]),
        "buffer_interval_s": int(values["BufferIntervalInSeconds"]),
        "retry_count": int(retry_count),
    }


def _resources(module: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from module.get("resources", ())
    for child in module.get("child_modules", ()):
        yield from _resources(child)


def _one(
    resources: list[Mapping[str, Any]], kind: str, name: str, index: str | int
) -> Any:
    for item in resources:
        if (item["type"], item["name"], item.get("index")) == (kind, name, index):
            return item["values"]
    raise LookupError(f"the plan has no {kind}.{name}[{index!r}]")


def main() -> int:
    """Plan the examples and write their shape; return the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        with moto_server(path / "moto.log") as endpoint_url:
            workspace = Workspace(find_tools(), path / "work", endpoint_url)
            shape = {}
            for destination, example in EXAMPLES.items():
                workspace.prepare(f"examples/{example}")
                plan = workspace.plan(f"examples/{example}")
                shape[destination] = shape_of(plan, destination)
    SHAPE.write_text(json.dumps(shape, indent=2) + "\n", encoding="utf-8")
    print(f"{SHAPE.relative_to(ROOT)} is written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
