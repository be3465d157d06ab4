"""Fuzz the emitter's public calls with whatever a bot might hand over.

``python -m tests.fuzz.fuzz_emitter -max_total_time=60`` has libFuzzer's coverage
guide the very strategies and rules of `tests/property/test_emitter_never_raises.py`:
it ends with an error only if a public call raises or a record is not valid.
"""

from __future__ import annotations

import logging
import random
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import atheris

with atheris.instrument_imports(include=["emitter", "audit_record"]):
    from emitter.loading import AFTER_REPLY, load
    from tests.property import test_emitter_never_raises as rules

    load(*AFTER_REPLY, "emitter.single")

if TYPE_CHECKING:
    from collections.abc import Callable

# Inputs to begin with: choices enough for a whole question. Always the same.
SEEDS_COUNT = 50
SEED_BYTES = 4_096
RULES: list[Callable[[bytes], object]] = [
    rules.test_a_question_takes_anything.hypothesis.fuzz_one_input,
    rules.test_write_takes_anything.hypothesis.fuzz_one_input,
    rules.test_feedback_takes_anything.hypothesis.fuzz_one_input,
]


def check(data: bytes) -> None:
    """Hold one rule for the values that *data* stands for; its first byte chooses."""
    if data:
        RULES[data[0] % len(RULES)](data[1:])


def main() -> None:
    """Run the fuzzer with libFuzzer's options."""
    logging.disable(logging.CRITICAL)
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as corpus:
        for number in range(SEEDS_COUNT):
            Path(corpus, str(number)).write_bytes(chance.randbytes(SEED_BYTES))
        atheris.Setup([*sys.argv, corpus], check)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
