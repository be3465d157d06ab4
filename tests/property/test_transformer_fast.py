"""The fast way and the step-by-step way make the same bytes."""

from __future__ import annotations

import base64
import json
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subscription_transformer.firehose import read_invocation
from subscription_transformer.metrics import Metrics
from subscription_transformer.rules import load_rules
from subscription_transformer.settings import TransformerSettings
from subscription_transformer.transform import Transformer
from tests.factories import make_envelope, make_invocation, make_values
from tests.strategies import record_values, texts

RULES = load_rules()


def pair(**changes):
    chosen = TransformerSettings(
        max_text_bytes=1_024, response_budget_bytes=6_000_000, **changes
    )
    fast, slow = (Transformer(chosen, RULES) for _ in range(2))
    slow.maker._finisher._fast._is_on = False
    return fast, slow


PAIRS = {name: pair(destination=name) for name in ("splunk", "opensearch", "elastic")}
SECRETS = [
    *("AKIAQ3EGRXVZT5BMJ7WD", "password=hunter2", "219-09-9999", "4111111111111111"),
    *("Bearer abcDEF0123456789abcDEF", "xoxb-123456789012-abc", "ssn 219099999"),
    *("DE89370400440532013000", "-----BEGIN PRIVATE KEY-----", "://a:b1@c", "&#65;"),
    *("basic Ym9iOmh1bnRlcjI=", "<token>abc</token>", " --token abc", "curl -u a:b c"),
    *("secret_access_key: " + "wJalrXUtnF" * 4, "ghp_" + "a1B2" * 9, '"pin": 4711'),
    *("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.x", "AKIAQ3EG\nRXVZT5BMJ7WD"),
    *("sk_live_" + "a1" * 9, "AIza" + "a1B2c" * 7, "glpat-a1B2c3D4e5F6g7H8i9J0"),
    *("sk-ant-api03-abcdefghij1234567890ABCDEFG", "password is hunter2", "xapp-1-abc"),
]
WORDS = [
    *("What", "is", "salary", "ignore", "previous", "instructions", "sick leave"),
    *("\u8a3c\u660e\u66f8", "\u043a\u043b\u044e\u0447", "p\u0430ssword", "\u200b"),
    *("\uff41", "\U0001f600", "\u00e9", "\t", "\n", '"', "\\", "/", "\x01", "\u2028"),
    *("\\u0041", "%41", "{", "}", "[", "]", ":", "=", "'", "ssn", "\u1fbe", "\u0345"),
    *("a" * 300, "b9+/" * 60, "1234 5678", "2026-11-24", "\xa0", "\x85", "\u0130"),
]


# What neither hides nor names anything: such records go the fast way.
TAME = [word for word in WORDS if word.isalnum() and word != "p\u0430ssword"]
TAME = [word for word in TAME if word not in ("ssn", "\uff41", "\u1fbe", "\u0130")]


def line_of(rng):
    """Return a record of random texts, written with random escapes."""
    is_tame = rng.random() < 0.5
    vocabulary = TAME if is_tame else WORDS

    def text():
        count = rng.choice([0, 1, 5, 20, 120])
        words = [rng.choice(vocabulary) for _ in range(count)]
        if rng.random() < (0.02 if is_tame else 0.3):
            words.insert(rng.randrange(count + 1), rng.choice(SECRETS))
        return rng.choice(["", " ", "  "]).join(words)

    values = make_values(
        user_query=text(), response=text(), full_conversation=text(), outcome="answered"
    )
    if rng.random() < 0.2:
        values |= rng.choice(
            [
                {"nonce": "0a" * 16},
                {"user_id": text()},
                {"duration_ms": 5, "seq": 1, "request_id": "8f3c0d1e"},
                {"session_id": "other"},
                {"timestamp": "2026-11-24T15:04:05.999Z"},
                {"timestamp": "2026-11-24T15:04:07.000Z"},
                {"department": "Fin\u00e4nce"},
                {"error_type": 'A"b'},
                {"tools": [{"name": "x"}]},
                {"feedback_comment": text()},
                {"log_group": "g", "aws_region": "eu-west-1"},
                {"signals": ["x"], "document_id": "ab" * 16},
                {"record_type": "feedback", "feedback": "up"},
                {"outcome": "splendid"},
                {"x": 1},
                {"record_id": None},
                {"user_id": None},
                {"seq": 0},
                {"input_tokens": 1.5},
            ]
        )
    written = json.dumps(values, ensure_ascii=rng.random() < 0.5)
    if rng.random() < 0.3:
        written = escaped(written, rng)
    return written


def escaped(written, rng):
    """Write some letters of a JSON text as escapes that mean the same."""
    parts = []
    is_escaped = False
    for char in written:
        is_plain = char.isalnum() and char.isascii() and not is_escaped
        # A letter behind a backslash, and the digits of an escape, must stay.
        is_escaped = char == "\\" and not is_escaped
        parts.append(char)
        if is_plain and rng.random() < 0.002 and "\\u" not in "".join(parts[-8:]):
            parts[-1] = f"\\u{ord(char):04x}"
    return "".join(parts)


def outputs(transformer, line):
    metrics = Metrics()
    data = base64.b64encode(json.dumps(make_envelope(line)).encode()).decode()
    (answer,) = transformer.transform(
        read_invocation(make_invocation(data)), metrics, None, lambda: 60.0
    )
    return answer, metrics.line(0, "x")


@pytest.mark.parametrize("seed", range(8))
def test_generated_records_come_out_the_same(seed):
    """Escapes, secrets, cuts, labels and strange fields: byte for byte the same."""
    rng = random.Random(seed)
    fast, slow = PAIRS[("splunk", "opensearch", "elastic")[seed % 3]]
    fast_count = 0
    inner = fast.maker._finisher._fast
    whole = inner.finish

    def counted(source, metrics):
        nonlocal fast_count
        document = whole(source, metrics)
        fast_count += document is not None
        return document

    inner.finish = counted
    try:
        for _ in range(150):
            line = line_of(rng)
            assert outputs(fast, line) == outputs(slow, line)
    finally:
        del inner.finish

    assert fast_count > 10


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.one_of(record_values.map(json.dumps), texts))
def test_any_line_comes_out_the_same(line):
    """For whatever Hypothesis can think of."""
    fast, slow = PAIRS["splunk"]

    assert outputs(fast, line) == outputs(slow, line)
