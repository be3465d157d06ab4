"""What `AuditEmitter.watch` adds to a call: hooks on against off, in one run.

Real boto3 clients; the connection is replaced by a ready answer, so that everything
botocore does itself is in both numbers. Rounds alternate, so that a busy machine
slows both. Prints the medians, their ratio and the overhead in µs a call.

Run: python -m benchmarks.bench_watch [--calls 2000]
"""

from __future__ import annotations

import argparse
import json
import statistics
import struct
import sys
import time
import zlib
from typing import TYPE_CHECKING, Any

import boto3
from botocore.awsrequest import AWSResponse

from benchmarks.raw_response import RawResponse
from emitter import AuditEmitter
from emitter.testing import MemorySink

if TYPE_CHECKING:
    from collections.abc import Callable

MODEL = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
MAX_OVERHEAD_US = 100.0
_ROUND_CALLS = 20  # a question makes dozens; short, so that noise spoils one pair only
# 2 kB, about 500 tokens, as a usual answer has.
_TEXT = "word " * 400
_CONVERSE = {
    "output": {"message": {"role": "assistant", "content": [{"text": _TEXT}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 900, "outputTokens": 500, "totalTokens": 1400},
    "metrics": {"latencyMs": 5},
}
_INVOKED = {"results": [{"outputText": _TEXT, "tokenCount": 500}]}
_RETRIEVED = {
    "retrievalResults": [
        {
            "content": {"text": _TEXT},
            "location": {"type": "S3", "s3Location": {"uri": f"s3://docs/{n}.pdf"}},
            "score": 0.5,
        }
        for n in range(5)
    ]
}


def _encode(name: str, payload: dict[str, Any]) -> bytes:
    """Encode one message of AWS's event-stream format."""
    named = {":event-type": name, ":content-type": "application/json"}
    headers = b"".join(
        bytes([len(key)])
        + key.encode()
        + struct.pack("!BH", 7, len(value))
        # The value itself; 7 is the type of a string.
        + value.encode()
        for key, value in (named | {":message-type": "event"}).items()
    )
    body = json.dumps(payload).encode()
    prelude = struct.pack("!II", 16 + len(headers) + len(body), len(headers))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + body
    return message + struct.pack("!I", zlib.crc32(message))


def _stream() -> bytes:
    """Return ConverseStream's answer in 50 pieces."""
    piece = {"contentBlockIndex": 0, "delta": {"text": _TEXT[:40]}}
    return b"".join(
        [
            _encode("messageStart", {"role": "assistant"}),
            *[_encode("contentBlockDelta", piece)] * 50,
            _encode("messageStop", {"stopReason": "end_turn"}),
        ]
    )


def _client(service: str, answer: dict[str, Any] | bytes) -> Any:
    client = boto3.client(
        service,
        region_name="eu-west-1",
        aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key="invented",
        endpoint_url="http://127.0.0.1:9",
    )
    is_stream = isinstance(answer, bytes)
    body = answer if is_stream else json.dumps(answer).encode()
    kind = "vnd.amazon.eventstream" if is_stream else "json"
    headers = {
        "Content-Type": f"application/{kind}",
        "x-amzn-RequestId": "00000000-0000-4000-8000-000000000000",
    }

    def respond(**_: Any) -> AWSResponse:
        return AWSResponse("http://127.0.0.1:9", 200, headers, RawResponse(body))

    client.meta.events.register(f"before-send.{service}", respond)
    return client


_MESSAGES = [{"role": "user", "content": [{"text": "How much leave?"}]}]


def _converse(client: Any) -> None:
    client.converse(modelId=MODEL, messages=_MESSAGES)


def _converse_stream(client: Any) -> None:
    for _ in client.converse_stream(modelId=MODEL, messages=_MESSAGES)["stream"]:
        pass


def _invoke(client: Any) -> None:
    client.invoke_model(modelId=MODEL, body=b"{}")["body"].read()


def _retrieve(client: Any) -> None:
    client.retrieve(knowledgeBaseId="KB12345678", retrievalQuery={"text": "leave"})


CASES = {
    "Converse": ("bedrock-runtime", _CONVERSE, _converse),
    "ConverseStream": ("bedrock-runtime", _stream(), _converse_stream),
    "InvokeModel": ("bedrock-runtime", _INVOKED, _invoke),
    "Retrieve": ("bedrock-agent-runtime", _RETRIEVED, _retrieve),
}


def _round_us(audit: AuditEmitter, call: Callable[[Any], None], client: Any) -> float:
    """Return µs a call; the record itself is written outside of the measure."""
    with audit.question(text="How much leave?"):
        begun_ns = time.perf_counter_ns()
        for _ in range(_ROUND_CALLS):
            call(client)
        return (time.perf_counter_ns() - begun_ns) / _ROUND_CALLS / 1_000


def measure(name: str, calls: int) -> tuple[float, float, float]:
    """Return medians in µs a call: without hooks, with hooks, the difference."""
    service, answer, call = CASES[name]
    audit = AuditEmitter("bench", sinks=[MemorySink()])
    plain = _client(service, answer)
    watched = audit.watch(_client(service, answer))
    for client in (plain, watched):
        _round_us(audit, call, client)
    off, on = [], []
    for _ in range(max(calls // _ROUND_CALLS, 3)):
        off.append(_round_us(audit, call, plain))
        on.append(_round_us(audit, call, watched))
    added = statistics.median(b - a for a, b in zip(off, on, strict=True))
    return statistics.median(off), statistics.median(on), added


def main() -> int:
    """Print one line a case; fail where a call costs more than allowed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=2_000)
    calls = parser.parse_args().calls
    is_slow = False
    for name in CASES:
        off_us, on_us, added_us = measure(name, calls)
        print(
            f"{name:<15} off {off_us:8.1f} us  on {on_us:8.1f} us  "
            f"ratio {on_us / off_us:5.3f}  overhead {added_us:6.1f} us a call"
        )
        is_slow = is_slow or added_us > MAX_OVERHEAD_US
    print(f"limit: overhead <= {MAX_OVERHEAD_US:.0f} us a call")
    return int(is_slow)


if __name__ == "__main__":
    sys.exit(main())
