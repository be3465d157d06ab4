"""How fast the transformer is, as ratios within one run.

Usage: ``python -m benchmarks.bench_transformer [--rounds 5] [--scale 1.0]``

Each variant runs in a process of its own, on one core, with the malloc settings of
the Lambda; rounds go through the variants in turn, and medians are compared. Prints
a table with the bars and exits 1 where one is missed.

Variants: ``join`` only joins messages on the standard library, as AWS's own blueprint
does; ``stdlib`` is our work without any native package but the JSON codec; ``bytes``
is our work with the pre-serialised response, ``dict`` with a plain one; ``default``
the same with the default text cap; ``limit`` is base64, inflate, one copy and base64.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.transformer_workloads import make_workload

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT: Final = Path(__file__).resolve().parent.parent
WORKLOADS: Final = ("chat", "batch", "huge")
VARIANTS: Final = ("join", "stdlib", "bytes", "dict", "default", "limit")
NATIVE: Final = ("isal", "msgspec", "pybase64", "re2")
# As Terraform sets them for the Lambda.
MALLOC: Final = {
    "MALLOC_MMAP_THRESHOLD_": "33554432",
    "MALLOC_TRIM_THRESHOLD_": "268435456",
}
# The measurements that the bars come from were made with this cap.
TEXT_CAP_BYTES: Final = 8_192
# What is faster, than what, by how much: chat, batch, huge.
BARS: Final = (
    ("stdlib", "bytes", (8.0, 10.0, 1.7)),
    ("join", "bytes", (1.25, 1.2, 1.5)),
    ("join", "dict", (1.0, 1.0, 1.5)),
)
# How far from the limit at most.
LIMIT_BARS: Final = (5.0, 8.0, 6.0)
MAX_RSS_MB: Final = 110
MAX_GROWTH: Final = 1.5
_RUNS: Final = 5


def main() -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--child", nargs=2, metavar=("VARIANT", "WORKLOAD"))
    options = parser.parse_args()
    if options.child:
        print(json.dumps(_measure(*options.child, options.scale)))
        return 0
    is_met = [_compare(name, options) for name in WORKLOADS]
    is_met.append(_grow())
    return 0 if all(is_met) else 1


def _compare(workload: str, options: argparse.Namespace) -> bool:
    times: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
    peak_mb = 0.0
    for _ in range(options.rounds):
        for variant in VARIANTS:
            result = _run_child(variant, workload, options.scale)
            times[variant].append(result["ms"])
            peak_mb = max(peak_mb, result["rss_mb"] if variant == "bytes" else 0)
    medians = {variant: statistics.median(found) for variant, found in times.items()}
    print(
        f"\n{workload}: " + ", ".join(f"{v} {ms:.1f} ms" for v, ms in medians.items())
    )
    column = WORKLOADS.index(workload)
    is_met = True
    for slow, fast, bars in BARS:
        ratio = medians[slow] / medians[fast]
        is_met &= _tell(f"{fast} against {slow}", ratio, bars[column], ratio)
    distance = medians["bytes"] / medians["limit"]
    is_met &= _tell("from the limit, x", distance, LIMIT_BARS[column], -distance)
    return is_met & _tell("peak RSS, MB", peak_mb, MAX_RSS_MB, -peak_mb)


def _tell(name: str, value: float, bar: float, better: float) -> bool:
    is_met = better >= (bar if better > 0 else -bar)
    print(f"  {name:24} {value:7.2f}   bar {bar:6.2f}   {'ok' if is_met else 'SHORT'}")
    return is_met


def _grow() -> bool:
    """Measure that four times the input takes about four times the time."""
    is_met = True
    print("\ngrowth: time for four times the input, divided by four")
    for name, small, large in (
        ("records 16 to 64", "growth:16:8000", "growth:64:8000"),
        ("events 250 KB to 1 MB", "growth:4:250000", "growth:4:1000000"),
    ):
        first, second = (_run_child("bytes", w, 1.0)["ms"] for w in (small, large))
        growth = second / first / 4
        is_met &= _tell(name, growth, MAX_GROWTH, -growth)
    return is_met


def _run_child(variant: str, workload: str, scale: float) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.bench_transformer"]
    command += ["--scale", str(scale), "--child", variant, workload]
    cap = {} if variant == "default" else {"AUDIT_MAX_TEXT_BYTES": str(TEXT_CAP_BYTES)}
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={"PATH": os.environ.get("PATH", ""), **MALLOC, **cap},
        stdout=subprocess.PIPE,
        check=True,
    )
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def _measure(variant: str, workload: str, scale: float) -> dict[str, float]:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    request = make_workload(workload, scale)
    work = {"join": _join, "limit": _limit}.get(variant) or _ours(variant)
    times = []
    for _ in range(_RUNS + 1):
        # The runtime's own reading of the event counts like its writing.
        started = time.perf_counter()
        work(json.loads(request))
        times.append((time.perf_counter() - started) * 1_000)
    rss_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    return {"ms": statistics.median(times[1:]), "rss_mb": rss_mb}


def _ours(variant: str) -> Callable[[Any], Any]:
    if variant == "stdlib":
        for name in NATIVE:
            sys.modules[name] = None  # type: ignore[assignment]
    # The budget of a response is lifted: the workloads are larger than it.
    from subscription_transformer import settings  # noqa: PLC0415
    from subscription_transformer.firehose import read_invocation  # noqa: PLC0415
    from subscription_transformer.metrics import Metrics  # noqa: PLC0415
    from subscription_transformer.response import Response  # noqa: PLC0415
    from subscription_transformer.rules import load_rules  # noqa: PLC0415
    from subscription_transformer.transform import Transformer  # noqa: PLC0415

    chosen = settings.TransformerSettings(
        max_text_bytes=int(os.environ.get("AUDIT_MAX_TEXT_BYTES", "131072")),
        response_budget_bytes=10**9,
    )
    transformer = Transformer(chosen, load_rules())
    write = _write_dict if variant in ("dict", "stdlib") else Response.text

    def work(event: Any) -> Any:
        answers = transformer.transform(
            read_invocation(event), Metrics(), None, lambda: 300.0
        )
        return write(Response(answers)).encode()

    return work


def _write_dict(response: Any) -> str:
    import simplejson  # noqa: PLC0415 - what AWS's runtime client writes with

    text: str = simplejson.dumps(response, ensure_ascii=False, use_decimal=False)
    return text


def _join(event: Any) -> Any:
    records = []
    for record in event["records"]:
        payload = json.loads(gzip.decompress(base64.b64decode(record["data"])))
        joined = "".join(item["message"] + "\n" for item in payload["logEvents"])
        data = base64.b64encode(joined.encode()).decode()
        records.append({"recordId": record["recordId"], "result": "Ok", "data": data})
    return _write_dict({"records": records}).encode()


def _limit(event: Any) -> Any:
    import pybase64  # noqa: PLC0415
    from isal import isal_zlib  # noqa: PLC0415

    parts = []
    for record in event["records"]:
        data = pybase64.b64decode(record["data"], validate=True)
        inflated = isal_zlib.decompress(data, 31)
        parts.append(pybase64.b64encode(bytes(bytearray(inflated))))
    return b"".join(parts)


if __name__ == "__main__":
    sys.exit(main())
