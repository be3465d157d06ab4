"""Fuzz the transformer with bytes that nobody would send, guided by coverage.

``python -m tests.fuzz.fuzz_transformer -max_total_time=60`` ends with an error only if
an input breaks the contract: a record that is not answered exactly once with a word
that Firehose knows, data that is not what the destination takes, or an exception that
leaves the handler.
"""

from __future__ import annotations

import gzip
import json
import logging
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["subscription_transformer", "audit_record"]):
    from subscription_transformer.firehose import Result, read_invocation
    from subscription_transformer.metrics import Metrics
    from subscription_transformer.rules import load_rules
    from subscription_transformer.settings import TransformerSettings
    from subscription_transformer.transform import Transformer

from tests.factories import CONTROL, make_envelope, make_invocation, make_line, pack

TRANSFORMERS = [
    Transformer(TransformerSettings(destination=destination), load_rules())
    for destination in ("splunk", "elastic")
]
SEEDS = [
    pack(make_envelope(make_line())),
    pack(CONTROL),
    json.dumps(make_envelope("text", "")).encode(),
    make_line().encode(),
    json.dumps(make_envelope('BOT_AUDIT_FALLBACK {"log_group":"g"}')).encode(),
]


def inputs(data: bytes) -> list[bytes]:
    """Return what is put before the transformer for one fuzzed input.

    The bytes as they are reach the decoder; inside an envelope they reach the rest.
    """
    message = data.decode("utf-8", "surrogateescape").encode(errors="replace").decode()
    return [data, gzip.compress(data, 1), pack(make_envelope(message))]


def check(data: bytes) -> None:
    """Transform one input and hold the answer against the contract."""
    event = make_invocation(*inputs(data))
    for transformer in TRANSFORMERS:
        invocation = read_invocation(event)
        answers = transformer.transform(invocation, Metrics(), None, lambda: 60.0)
        wanted = [record["recordId"] for record in event["records"]]
        assert [answer.firehose_record_id for answer in answers] == wanted
        for answer in answers:
            assert isinstance(answer.result, Result)
            assert (answer.data is not None) == (answer.result is Result.OK)
            if transformer.settings.destination == "splunk" and answer.data:
                for line in answer.data.splitlines():
                    assert "event" in json.loads(line)


def main() -> None:
    """Run the fuzzer with libFuzzer's options."""
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(SEEDS):
            Path(corpus, str(number)).write_bytes(seed)
        atheris.Setup([*sys.argv, corpus], check)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
