"""What the emitter costs a bot: import, hand-over, and all but the put; in one run.

Usage: ``python -m benchmarks.bench_emitter [--rounds 7] [--questions 400]``

* ``hand-over``: leaving the block in mode ``thread`` while the worker lives and
  sends: questions come 2 ms apart, as a server that waits for the network gets them.
* ``all but the put``: from `question()` to the end of the block in mode ``sync``,
  with a sink that takes the line and does nothing, against the naive function:
  ``json.dumps`` of ten fields and the same nothing. Back to back.
* ``with the put``: both with a real boto3 client whose connection is replaced by a
  ready answer, so that what botocore does itself is in both numbers.
* ``import``: ``import emitter`` in a fresh interpreter, with bytecode written.

Rounds go through all of them in turn; the medians of the rounds are compared with
the bars. Exits 1 where one is missed. Times are of this machine; ratios carry over.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.awsrequest import AWSResponse

from benchmarks.raw_response import RawResponse
from emitter import AuditEmitter, EmitterSettings
from emitter.sinks.cloudwatch_logs import CloudWatchLogsSink

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from emitter import Entry

# Bars. Spec of the emitter, acceptance 9, and of this benchmark.
MAX_HAND_OVER_P50_US: Final = 20.0
MAX_HAND_OVER_P99_US: Final = 60.0
MAX_BUT_PUT_US: Final = 300.0
MAX_IMPORT_MS: Final = 40.0
PAUSE_S: Final = 0.002
IMPORTS_COUNT: Final = 5
# 10 KB a record: three turns of 2 kB, an answer and a reply of 2 kB.
TEXT: Final = "word " * 400
EVENT: Final = {
    "type": "event_callback",
    "team_id": "T1",
    "event": {
        "type": "message",
        "user": "U1",
        "text": TEXT[:200],
        "ts": "1795600000.000100",
        "channel": "C1",
    },
}
MESSAGES: Final = [
    {"role": "user", "content": [{"text": TEXT}]},
    {"role": "assistant", "content": [{"text": TEXT}]},
    {"role": "user", "content": [{"text": TEXT}]},
]
ANSWER: Final = {
    "output": {"message": {"role": "assistant", "content": [{"text": TEXT}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 900, "outputTokens": 500, "totalTokens": 1400},
}


class NullSink:
    """Takes each line and does nothing with it."""

    line_bytes = 0

    def write(self, entry: Entry) -> None:
        """Take one line."""
        self.line_bytes = len(entry.line)

    def write_batch(self, entries: Sequence[Entry]) -> list[Any]:
        """Take several lines; none is refused."""
        self.line_bytes = len(entries[-1].line)
        return []


@dataclass(frozen=True, slots=True)
class Measure:
    """One round's figures, in microseconds."""

    p50: float
    p99: float


def main() -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--questions", type=int, default=400)
    options = parser.parse_args()
    client = _client()
    sink = NullSink()
    threaded = _emitter(sink, "thread")
    synchronous = _emitter(sink, "sync")
    putting = _emitter(CloudWatchLogsSink(client=client), "sync")
    runs: dict[str, Callable[[], Measure]] = {
        "hand-over": lambda: _paced(threaded, options.questions),
        "all but the put": lambda: _timed(lambda: _ask(synchronous), options.questions),
        "naive, no put": lambda: _timed(lambda: _naive(_nothing), options.questions),
        "with the put": lambda: _timed(lambda: _ask(putting), options.questions),
        "naive, with put": lambda: _timed(
            lambda: _naive(client.put_log_events), options.questions
        ),
    }
    rounds: dict[str, list[Measure]] = {name: [] for name in runs}
    for run in runs.values():
        run()
    for _ in range(options.rounds):
        for name, run in runs.items():
            rounds[name].append(run())
    threaded.close()
    return _report(rounds, _import_ms(options.rounds), sink.line_bytes)


def _report(rounds: dict[str, list[Measure]], import_ms: float, size: int) -> int:
    medians = {
        name: Measure(
            statistics.median(each.p50 for each in found),
            statistics.median(each.p99 for each in found),
        )
        for name, found in rounds.items()
    }
    print(f"record of {size:,} B; medians of {len(rounds['hand-over'])} rounds, us")
    for name, found in medians.items():
        print(f"  {name:18} p50 {found.p50:8.1f}   p99 {found.p99:8.1f}")
    for ours, naive in (
        ("all but the put", "naive, no put"),
        ("with the put", "naive, with put"),
    ):
        ratio = medians[ours].p50 / medians[naive].p50
        print(f"  {ours} against naive: {ratio:.2f} times")
    hand_over = medians["hand-over"]
    bars = (
        ("hand-over p50, us", hand_over.p50, MAX_HAND_OVER_P50_US),
        ("hand-over p99, us", hand_over.p99, MAX_HAND_OVER_P99_US),
        ("all but the put, us", medians["all but the put"].p50, MAX_BUT_PUT_US),
        ("import, ms", import_ms, MAX_IMPORT_MS),
    )
    for name, value, bar in bars:
        word = "ok" if value <= bar else "SHORT"
        print(f"  {name:20} {value:8.1f}   bar {bar:6.1f}   {word}")
    return int(any(value > bar for _, value, bar in bars))


def _emitter(sink: Any, mode: str) -> AuditEmitter:
    return AuditEmitter("bench", sinks=[sink], settings=EmitterSettings(mode=mode))


def _ask(audit: AuditEmitter) -> None:
    with audit.question(EVENT) as question:
        _tell(question)


def _tell(question: Any) -> None:
    question.conversation(MESSAGES)
    question.model_response(ANSWER)
    question.reply(TEXT)


def _paced(audit: AuditEmitter, count: int) -> Measure:
    """Time leaving the block alone, with pauses in which the worker works."""
    taken_ns = []
    for _ in range(count):
        question = audit.question(EVENT)
        question.__enter__()
        _tell(question)
        begun_ns = time.perf_counter_ns()
        question.__exit__(None, None, None)
        taken_ns.append(time.perf_counter_ns() - begun_ns)
        time.sleep(PAUSE_S)
    audit.flush()
    return _measure(taken_ns)


def _timed(run: Callable[[], object], count: int) -> Measure:
    taken_ns = []
    for _ in range(count):
        begun_ns = time.perf_counter_ns()
        run()
        taken_ns.append(time.perf_counter_ns() - begun_ns)
    return _measure(taken_ns)


def _measure(taken_ns: list[int]) -> Measure:
    ordered = sorted(taken_ns)
    return Measure(
        ordered[len(ordered) // 2] / 1_000, ordered[int(len(ordered) * 0.99)] / 1_000
    )


def _naive(put: Callable[..., object]) -> None:
    """Do what a bot does without us: ten fields, one dump, one call."""
    texts = [block["text"] for m in MESSAGES for block in m["content"]]
    record = {
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
        "bot_name": "bench",
        "aws_account_id": "123456789012",
        "user_id": "bob",
        "session_id": "s",
        "conversation_id": "C1",
        "model_used": "model",
        "response": TEXT,
        "user_query": EVENT["event"]["text"],
        "full_conversation": "\n".join(texts),
    }
    put(
        logGroupName="/aws/ai-bots/audit-logs",
        logStreamName="bench/s",
        logEvents=[
            {"timestamp": int(time.time() * 1000), "message": json.dumps(record)}
        ],
    )


def _nothing(**_: Any) -> None:
    """Stand for the put."""


def _client() -> Any:
    client = boto3.client(
        "logs",
        region_name="eu-west-1",
        aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key="invented",
        endpoint_url="http://127.0.0.1:9",
    )
    headers = {"Content-Type": "application/x-amz-json-1.1"}

    def respond(**_: Any) -> AWSResponse:
        return AWSResponse("http://127.0.0.1:9", 200, headers, RawResponse(b"{}"))

    client.meta.events.register("before-send.logs", respond)
    return client


def _import_ms(rounds: int) -> float:
    """Return the median time of importing the emitter, bytecode being there."""
    code = (
        "import time; begun = time.perf_counter(); import emitter;"
        "print((time.perf_counter() - begun) * 1_000)"
    )
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    times = [
        float(subprocess.check_output([sys.executable, "-c", code], env=environ))
        for _ in range(rounds * IMPORTS_COUNT)
    ]
    return statistics.median(times)


if __name__ == "__main__":
    sys.exit(main())
