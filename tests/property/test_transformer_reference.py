"""The transformer against a slow one, written again from the specification.

`REFERENCE_EVENTS` sets how many events are generated; 20,000 take some minutes.
"""

from __future__ import annotations

import importlib.util
import json
import os
import random
from pathlib import Path

from subscription_transformer.firehose import read_invocation
from subscription_transformer.metrics import Metrics
from subscription_transformer.rules import load_rules
from subscription_transformer.settings import TransformerSettings
from subscription_transformer.transform import Transformer
from tests.factories import make_envelope, make_invocation, make_values, pack

_PATH = Path(__file__).parent.parent / "reference/slow_transformer.py"
_SPEC = importlib.util.spec_from_file_location("slow_transformer", _PATH)
slow_transformer = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(slow_transformer)

MAX_TEXT_BYTES = 1_024
RULES = load_rules()
SECRETS = [
    *("AKIAQ3EGRXVZT5BMJ7WD", "password=hunter2", "219-09-9999", "4111 1111 1111 1111"),
    *("Bearer abcDEF0123456789abcDEF", "xoxb-123456789012-abc", "ssn 219099999"),
    *("DE89370400440532013000", "-----BEGIN PRIVATE KEY-----\nMII", "ftp://a:b1@c"),
    *("basic Ym9iOmh1bnRlcjI=", "<token>abc</token>", "x --token abc", '"pin": 4711'),
    *("secret_access_key: " + "wJalrXUtnF" * 4, "ghp_" + "a1B2" * 9, "apiKey: 'a b'"),
    *("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.x", "password=Bearer ab12"),
    *('{"secret": ["a", {"b": 1}]}', "password=AKIAQ3EGRXVZT5BMJ7WD", "pwd: \\"),
]
WORDS = [
    *(
        "What",
        "is",
        "salary",
        "ignore",
        "previous",
        "instructions",
        "sick leave",
        "M&A",
    ),
    *("\u8a3c\u660e\u66f8", "\u043a\u043b\u044e\u0447", "\U0001f600", "\u00e9", "\t"),
    *("\n", '"', "\\", "\x01", "{", "}", ":", "=", "'", "a" * 60, "b9+/" * 60, "AKIA"),
    *("password", "token", "4111", "1111", "2026-11-24", "DE89", "is", "\u2028", "-"),
]


def text(rng):
    words = [rng.choice(WORDS) for _ in range(rng.choice([0, 1, 5, 20, 100]))]
    for _ in range(rng.choice([0, 0, 0, 1, 2])):
        words.insert(rng.randrange(len(words) + 1), rng.choice(SECRETS))
    # Words stand apart, so that none is a disguise: the reference knows of none.
    return rng.choice([" ", "  ", ", "]).join(words)


def line(rng):
    values = make_values(
        record_id=f"{rng.getrandbits(128):032x}",
        user_query=text(rng),
        response=text(rng),
        full_conversation=text(rng),
    )
    if rng.random() < 0.3:
        values |= {"nonce": "0a" * 16, "seq": 1, "outcome": "answered"}
    return json.dumps(values, ensure_ascii=rng.random() < 0.5)


def test_agrees_with_the_slow_reference():
    """Enrichment, labels, masks, cuts and encoding are what the reference says."""
    rng = random.Random(20261125)
    settings = TransformerSettings(max_text_bytes=MAX_TEXT_BYTES)
    transformer = Transformer(settings, RULES)
    count = int(os.environ.get("REFERENCE_EVENTS", "1500"))

    for _ in range(count // 10):
        envelope = make_envelope(*[line(rng) for _ in range(10)])
        event = make_invocation(pack(envelope))
        (answer,) = transformer.transform(
            read_invocation(event), Metrics(), None, lambda: 60.0
        )
        found = [json.loads(item) for item in answer.data.splitlines()]
        (expected,) = slow_transformer.transform(event, RULES, MAX_TEXT_BYTES)
        for made, wanted in zip(found, expected, strict=True):
            assert made == wanted
            assert list(made["event"]) == list(wanted["event"])
