"""Recall and precision of redaction on a labelled corpus, made from a fixed seed.

All values are invented. `pytest -s` prints the table.
"""

# ruff: noqa: E501, RUF005, T201 - a table of generators, and its report
from __future__ import annotations

import base64
import hashlib
import json
import random
import string
import uuid
from collections import Counter

import pytest

from subscription_transformer.redact import Redactor

REDACTOR = Redactor()
LETTERS = string.ascii_letters + string.digits
UPPER = string.ascii_uppercase + "234567"


def chars(rng, alphabet, count):
    return "".join(rng.choice(alphabet) for _ in range(count))


def card(rng):
    digits = rng.choice(["4", "51", "55", "37"])
    digits += chars(rng, string.digits, (14 if digits == "37" else 15) - len(digits))
    for last in string.digits:
        number = digits + last
        double = [int(d) * (2 if n % 2 else 1) for n, d in enumerate(number[::-1])]
        if sum(d // 10 + d % 10 for d in double) % 10 == 0:
            return rng.choice(
                [number, " ".join(groups(number)), "-".join(groups(number))]
            )
    raise AssertionError


def groups(number):
    if len(number) == 15:
        return [number[:4], number[4:10], number[10:]]
    return [number[n : n + 4] for n in range(0, len(number), 4)]


def iban(rng):
    account = chars(rng, string.digits, 18)
    check = 98 - int(account + "131400") % 97
    compact = f"DE{check:02d}{account}"
    return rng.choice([compact, " ".join(compact[n : n + 4] for n in range(0, 22, 4))])


def jwt(rng):
    parts = [{"alg": "HS256"}, {"sub": chars(rng, string.digits, 10)}]
    encoded = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in parts
    ]
    return ".".join([*encoded, chars(rng, LETTERS + "-_", 43)])


def password(rng):
    return chars(rng, LETTERS, rng.randint(6, 20)) + rng.choice(["1", "7!", "#2"])


def named(rng):
    name = rng.choice(
        ["password", "PASSWORD", "db_password", "apiKey", "api-key", "x.api.key", "pwd"]
        + ["client_secret", "accessToken", "DBPASSWORD", "signing-key", "passphrase"]
    )
    form = rng.choice(
        ["{}={}", "{}: {}", '"{}": "{}"', "{} := '{}'", '{}="{}"', "'{}' => '{}'"]
    )
    return form.format(name, password(rng))


POSITIVES = {
    "aws_access_key": lambda r: r.choice(["AKIA", "ASIA"]) + chars(r, UPPER, 16),
    "aws_secret_key": lambda r: (
        r.choice(["aws_secret_access_key = ", "SecretAccessKey: ", "secret key is "])
        + chars(r, LETTERS, 20) + "/" + chars(r, LETTERS, 19)
    ),
    "github_token": lambda r: r.choice(["ghp_", "gho_", "ghs_"]) + chars(r, LETTERS, 36),
    "gitlab_token": lambda r: "glpat-" + chars(r, LETTERS + "-_", 20),
    "slack_token": lambda r: "xoxb-" + chars(r, string.digits, 12) + "-" + chars(r, LETTERS, 24),
    "google_key": lambda r: "AIza" + chars(r, LETTERS + "-_", 35),
    "stripe_key": lambda r: "sk_live_" + chars(r, LETTERS, 24),
    "jwt": jwt,
    "bearer_token": lambda r: "Bearer " + chars(r, LETTERS, 30) + "7",
    "basic_auth": lambda r: (
        "Basic " + base64.b64encode(f"bob:{password(r)}".encode()).decode()
    ),
    "private_key": lambda r: (
        "-----BEGIN RSA PRIVATE KEY-----\n" + chars(r, LETTERS + "+/", 200)
        + "\n-----END RSA PRIVATE KEY-----"
    ),
    "us_ssn": lambda r: f"{r.randint(1, 665):03d}-{r.randint(1, 99):02d}-{r.randint(1, 9999):04d}",
    "payment_card": card,
    "iban": iban,
    "password": named,
}  # fmt: skip
WRAPPINGS = {
    "plain": "{}",
    "prose": "Here it is: {} thanks",
    "code": "```\n{}\n```",
    "quoted": "> {}\n> bye",
    "json": None,
    "list": "- one\n- {}\n- two",
}
DISGUISES = ("aws_access_key", "github_token", "google_key", "jwt", "stripe_key")


def wrapped(value, wrapping):
    if wrapping == "json":
        return json.dumps({"note": f"see {value} there", "n": 1})
    return WRAPPINGS[wrapping].format(value)


def disguised(rng, value):
    """Hide a token as people and attackers do."""
    place = rng.randrange(5, len(value) - 2)
    return rng.choice(
        [
            value[:place] + "\u200b" + value[place:],
            value[:place] + "\u00ad" + value[place:],
            "".join(chr(ord(c) + 0xFEE0) for c in value),
            f"\\u{ord(value[0]):04x}{value[1:]}",
            f"%{ord(value[0]):02X}{value[1:]}",
        ]
    )


def core_of(kind, value):
    """Return what must not be left: the end of the secret."""
    if kind == "private_key":
        return value.split("\n")[1]
    return value.rstrip("\"'")[-5:]


def positives():
    rng = random.Random(1)
    for kind, make in POSITIVES.items():
        for wrapping in WRAPPINGS:
            for _ in range(4):
                value = make(rng)
                yield kind, wrapped(value, wrapping), core_of(kind, value)
    for kind in DISGUISES:
        for _ in range(10):
            value = POSITIVES[kind](rng)
            hidden = disguised(rng, value)
            yield kind, f"look: {hidden} end", hidden[-5:]


NEAR_MISSES = {
    "sha1": lambda r: hashlib.sha1(r.randbytes(4)).hexdigest(),
    "sha256": lambda r: "sha256:" + hashlib.sha256(r.randbytes(4)).hexdigest(),
    "short sha": lambda r: "commit " + hashlib.sha1(r.randbytes(4)).hexdigest()[:10],
    "uuid": lambda r: str(uuid.UUID(int=r.getrandbits(128), version=4)),
    "arn": lambda r: f"arn:aws:iam::{r.randint(10**11, 10**12)}:role/{chars(r, string.ascii_lowercase, 12)}",
    "stream": lambda r: f"2026/11/24/[$LATEST]{chars(r, '0123456789abcdef', 32)}",
    "order": lambda r: f"order {r.randint(10**9, 10**12)}",
    "event id": lambda r: chars(r, string.digits, 56),
    "phone": lambda r: f"call {r.randint(200, 999)} {r.randint(100, 999)} {r.randint(1000, 9999)}",
    "date": lambda r: f"2026-{r.randint(1, 12):02d}-{r.randint(1, 28):02d} {r.randint(0, 23):02d}:05:09.123",
    "epoch": lambda r: f"at {r.randint(1_600_000_000_000, 1_899_999_999_999)} ms",
    "version": lambda r: f"v{r.randint(0, 30)}.{r.randint(0, 99)}.{r.randint(0, 9999)}-rc{r.randint(1, 9)}",
    "float": lambda r: f"ratio {r.random()!r}",
    "image": lambda r: "data:image/png;base64," + base64.b64encode(r.randbytes(60)).decode(),
    "etag": lambda r: f'"{chars(r, "0123456789abcdef", 32)}-3"',
    "path": lambda r: f"/srv/data/{chars(r, string.digits, 14)}/{r.randint(1000, 9999)}-{r.randint(10, 99)}",
    "slack id": lambda r: f"C{chars(r, UPPER, 10)}:{r.randint(10**9, 2 * 10**9)}.{r.randint(10**5, 10**6)}",
    "words": lambda r: r.choice([
        "the password is required", "tokens: 15, token_count=3", "reset my password?",
        "password: how do I change it", "basic understanding of tokens", "secret santa",
        "bearer of bad news and good ones", "api keys are rotated by the team monthly",
        "password=os.environ['X']", "password: str = ''", "passwordless sign-in",
    ]),
}  # fmt: skip


def near_misses():
    rng = random.Random(2)
    for name, make in NEAR_MISSES.items():
        for _ in range(30):
            yield name, f"see {make(rng)} ok"


def test_recall_by_kind():
    """Of each kind, in every wrapping, at least 99 of 100 are masked."""
    total, missed = Counter(), Counter()
    for kind, text, core in positives():
        redacted, _ = REDACTOR.redact_text(text)
        total[kind] += 1
        missed[kind] += core in redacted

    for kind in total:
        print(f"{kind:16} {total[kind]:4} missed {missed[kind]}")
    assert total.total() >= 300
    assert all(missed[kind] <= total[kind] * 0.01 for kind in total), missed


def test_precision_by_look():
    """Of what only looks alike, at most one in a hundred is touched."""
    total, touched = Counter(), Counter()
    for name, text in near_misses():
        redacted, _ = REDACTOR.redact_text(text)
        total[name] += 1
        touched[name] += redacted != text

    for name in total:
        print(f"{name:16} {total[name]:4} touched {touched[name]}")
    assert total.total() >= 500
    assert touched.total() <= total.total() * 0.01, touched


@pytest.mark.parametrize("kind", POSITIVES)
def test_found_secrets_are_named(kind):
    """The mask says what kind it was."""
    value = POSITIVES[kind](random.Random(3))

    _, found = REDACTOR.redact_text(f"x {value} y")

    assert list(found) == [kind]
