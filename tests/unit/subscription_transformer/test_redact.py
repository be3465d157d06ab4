"""Redaction of secrets and personal data. All secrets here are invented."""

from __future__ import annotations

import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscription_transformer import redact as redact_module
from subscription_transformer.names import names_a_secret
from subscription_transformer.redact import WITHHELD, Redactor
from subscription_transformer.secrets import FINDERS
from tests.factories import make_values

REDACTOR = Redactor()
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9"
BASIC = base64.b64encode(b"bob:hunter22").decode()
KEY = (
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\nq1w2e3==\n"
    "-----END RSA PRIVATE KEY-----"
)
SECRETS = [
    ("private_key", KEY),
    ("private_key", KEY.replace("\n", "\\n")),
    ("private_key", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk cut off"),
    ("private_key", "-----BEGIN PGP PRIVATE KEY BLOCK-----\nxcLYBF\n"),
    ("aws_access_key", "AKIAQ3EGRXVZT5BMJ7WD"),
    ("aws_access_key", "ASIAQ3EGRXVZT5BMJ7WD"),
    ("github_token", "ghp_" + "a1B2" * 9),
    ("github_token", "github_pat_" + "a1B2" * 10),
    ("gitlab_token", "glpat-a1B2c3D4e5F6g7H8i9J0"),
    ("slack_token", "xoxb-123456789012-abcdefABCDEF"),
    ("slack_token", "https://hooks.slack.com/services/T0/B0/a1B2c3D4e5F6g7H8"),
    ("google_key", "AIza" + "a1B2c" * 7),
    ("stripe_key", "sk_live_" + "a1B2" * 6),
    ("jwt", JWT),
    ("bearer_token", "Bearer abcDEF0123456789abc"),
    ("basic_auth", f"Basic {BASIC}"),
    ("model_api_key", "sk-ant-api03-abcdefghij1234567890ABCDEFG"),
    ("us_ssn", "219-09-9999"),
    ("payment_card", "4111 1111 1111 1111"),
    ("payment_card", "5500-0000-0000-0004"),
    ("payment_card", "378282246310005"),
    ("iban", "DE89 3704 0044 0532 0130 00"),
    ("iban", "GB29NWBK60161331926819"),
    ("aws_secret_key", "secret_access_key: " + "wJalrXUtnF" * 4),
    ("aws_secret_key", "AKIAQ3EGRXVZT5BMJ7WD : " + "wJalrXUtnF" * 4),
    ("password", "password=hunter2"),
    ("password", "PASSWORD: hunter2"),
    ("password", '{"apiKey":"x"}'),
    ("password", '{"api-key" : "two words"}'),
    ("password", r"{\"x.api.key\":\"abc\"}"),
    ("password", "client_secret='it''s'"),
    ("password", "token: 12345"),
    ("password", "postgres://bob:s3cr3t@db.example.com/x"),
    ("password", "my password is hunter2"),
    ("password", "export DB_PASSWORD=hunter2"),
    ("password", "PGPASSWORD=hunter2 psql"),
    ("password", "<password>hunter2</password>"),
    ("password", "mysql --password hunter2"),
    ("password", "curl -u bob:hunter2 https://example.com"),
    ("password", '{"pin": 4711}'),
    ("password", '{"passwords": ["hunter2", "b"]}'),
    ("us_ssn", "SSN:219-09-9999"),
    ("us_ssn", "social security number is 219099999"),
    ("payment_card", "card:4111111111111111"),
    ("iban", "DE89-3704-0044-0532-0130-00"),
    ("aws_access_key", "AKIAQ3EG\u200bRXVZT5BMJ7WD"),
    ("aws_access_key", "\uff21\uff2bIAQ3EGRXVZT5BMJ7WD"),
    ("aws_access_key", "\\u0041KIAQ3EGRXVZT5BMJ7WD"),
    ("aws_access_key", "AKIAQ3EG\nRXVZT5BMJ7WD"),
    ("password", "p\u0430ssword=hunter2"),
    ("password", "password%3Dhunter2"),
    ("password", "&quot;password&quot;: &quot;hunter2&quot;"),
    (
        "slack_token",
        "https:\\/\\/hooks.slack.com\\/services\\/T0\\/B0\\/a1B2c3D4e5F6g7H8",
    ),
]
AROUND = ["{}", "see {} please", "```\n{}\n```", "({})", "\n{}\n", "x\t{}\ty", "«{}»"]


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize(("kind", "secret"), SECRETS)
def test_secrets_are_masked_wherever_they_stand(kind, secret, around):
    """Each kind is found in prose, in code blocks, in brackets and on its own."""
    text, found = REDACTOR.redact_text(around.format(secret))

    assert kind in found or found == {"password": 1}
    assert core_of(secret) not in text


CORES = {
    "hunter2": "hunter2",
    '"apiKey":"x"': ':"x"',
    "two words": "two words",
    r"\"abc": "abc",
    "it''s": "'it",
    "token: 12345": "12345",
    '"pin"': "4711",
    "is 219099999": "219099999",
    "SSN:219-09-9999": "219-09-9999",
    "card:4111": "4111111111111111",
    "&quot;": "hunter2",
    "AKIAQ3EG\n": "RXVZT5BMJ7WD",
    "s3cr3t": "s3cr3t",
}


def core_of(secret: str) -> str:
    """Return the part of an example that must be gone."""
    for mark, core in CORES.items():
        if mark in secret:
            return core
    return max(secret.replace("\\n", "\n").split(), key=len)


NEAR_MISSES = [
    "commit 0f4636c78f65aa0f4636c78f65aa0f4636c78f65",
    "3f2a9c0e-1d2b-4c5d-8e9f-0a1b2c3d4e5f",
    "arn:aws:iam::123456789012:role/audit-role",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "version 4.1.1.1111",
    "order 4111111111111112",
    "invoice 2024-0001-0002-0003",
    "call +49 30 1234567 or 030-1234567",
    "max_tokens: 500, token_count=12, tokens: 7",
    "passwordless login",
    "the password is required",
    "reset my password please",
    "bearer responsibilities and duties",
    "basic authentication is off",
    "000-12-3456 and 123-45-67890",
    "build 12-34-5678-9012",
    "[image png 4096 bytes sha256:0f4636c78f65]",
    "DE00 0000 0000 0000 0000 00",
    "tokenizer: fast, secretary: Ann",
    "password=$DB_PASSWORD",
    "password: how do I reset it?",
    "password: str = Field(min_length=8)",
    "token = request.headers.get('x-token')",
    "password=getpass()",
    "the secret: work hard",
    "Authorization: denied",
    "password_reset_url=https://example.com",
    "if password == other: pass",
    "password=None, token: null",
    "basic understanding of authentication",
    "the risk-assessment-management-process-for-teams",
    "2026-11-24 15:04:05 and 2026-11-25",
    "phone 555 123 4567 or 5551234567",
    "tracking 1Z999AA10123456784",
    "isbn 978-3-16-148410-0",
    "AKIA is a prefix, AKIAshort too",
    "eyJ is how a JWT begins",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAUA",
    "bob.smith@example.com from 192.0.2.1",
]


@pytest.mark.parametrize("text", NEAR_MISSES)
def test_what_only_looks_alike_stays(text):
    """Hashes, ids, versions, order numbers and ordinary words are evidence."""
    assert REDACTOR.redact_text(text) == (text, {})


def test_all_occurrences_are_masked():
    """Not only the first one of several."""
    text, found = REDACTOR.redact_text(
        "password=a1 then password=b2 AKIAQ3EGRXVZT5BMJ7WD"
    )

    assert found == {"password": 2, "aws_access_key": 1}
    assert "b2" not in text


def test_adjacent_secrets_are_both_masked():
    """Two secrets with one character between are two."""
    text, found = REDACTOR.redact_text("AKIAQ3EGRXVZT5BMJ7WD AKIAQ3EGRXVZT5BMJ7WE")

    assert found == {"aws_access_key": 2}
    assert "AKIA" not in text


def test_overlapping_finds_are_united():
    """A find that begins inside another one leaves no part of either."""
    text, _ = REDACTOR.redact_text(f"password=Bearer {JWT}tail")

    assert "eyJ" not in text
    assert "tail" not in text


def test_a_whole_token_does_not_swallow_the_next_line():
    """Only a token that is no token without its second line is joined with it."""
    whole = "xoxb-123456789012-abcdefABCDEF"

    assert REDACTOR.redact_text(f"{whole}\nplease check")[0] == (
        "[redacted:slack_token]\nplease check"
    )


def test_one_secret_is_masked_everywhere():
    """A distinctive value found once is masked in every other text."""
    values = make_values(
        user_query="password=Sup3rS3cretValue",
        response="I see Sup3rS3cretValue there",
        full_conversation="[user] Sup3rS3cretValue",
        attributes={"note": "Sup3rS3cretValue"},
    )

    REDACTOR.redact(values)

    assert "Sup3rS3cretValue" not in str(values)


def test_ordinary_values_and_ids_are_never_spread():
    """Typing password=bob.smith must not erase Bob."""
    values = make_values(user_query="password=bob.smith", response="hi bob.smith")

    REDACTOR.redact(values)

    assert values["user_id"] == "bob.smith"
    assert values["response"] == "hi bob.smith"


def test_names_of_attributes_redact_their_values():
    """An attribute that says it is a secret loses its value, whatever it is."""
    values = make_values(attributes={"apiKey": "12", "x.api.key": "y", "plain": "z"})

    found = REDACTOR.redact(values)

    assert values["attributes"] == {
        "apiKey": "[redacted:password]",
        "x.api.key": "[redacted:password]",
        "plain": "z",
    }
    assert found == {"password": 2}


def test_json_inside_a_text_is_redacted_by_its_names():
    """Deep inside JSON, and in JSON within JSON, names still count."""
    inner = '{"a":[{"password":{"x":1}}],"b":"{\\"token\\":true}","c":"kept  twice"}'
    values = make_values(attributes={"payload": inner})

    REDACTOR.redact(values)

    payload = values["attributes"]["payload"]
    assert payload.count("[redacted:password]") == 2
    assert "kept  twice" in payload


def test_counts_are_added_to_what_the_bot_redacted():
    """Counts by kind are kept together, with a list for searching."""
    values = make_values(user_query="AKIAQ3EGRXVZT5BMJ7WD", redactions={"email": 2})

    REDACTOR.redact(values)

    assert values["redactions"] == {"aws_access_key": 1, "email": 2}
    assert values["redaction_kinds"] == ["aws_access_key", "email"]


@given(st.sampled_from([secret for _, secret in SECRETS]), st.text(max_size=30))
def test_redacting_twice_changes_nothing_more(secret, text):
    """What was redacted once is not redacted, or counted, again."""
    once, _ = REDACTOR.redact_text(f"{text} {secret} {text}")

    assert REDACTOR.redact_text(once) == (once, {})


@given(st.text())
def test_any_text_survives(text):
    """Whatever a person types comes out as text, never as an error."""
    redacted, found = REDACTOR.redact_text(text.encode(errors="replace").decode())

    assert "withheld" not in found
    assert isinstance(redacted, str)


def test_fails_closed(monkeypatch):
    """A text that cannot be scanned is withheld, and that is counted."""

    def broken(*_):
        raise RuntimeError("CANARY")

    monkeypatch.setattr(redact_module.Redactor, "_scan", broken)
    values = make_values(user_query="AKIAQ3EGRXVZT5BMJ7WD")

    found = Redactor().redact(values)

    assert values["user_query"] == WITHHELD
    assert found["withheld"] == 3
    assert "AKIA" not in str(values)


@pytest.mark.parametrize(
    ("name", "is_secret"),
    [
        ("password", True),
        ("apiKey", True),
        ("api-key", True),
        ("x.api.key", True),
        ("API_KEY", True),
        ("AWSSecretAccessKey", True),
        ("dbPassword2", True),
        ("clientSecret", True),
        ("Authorization", True),
        ("token_count", False),
        ("tokens", False),
        ("keyboard", False),
        ("monkey", False),
        ("secretary", False),
        ("", False),
    ],
)
def test_names_are_read_by_their_words(name, is_secret):
    """A word of the name has to say it, in any style, at its end."""
    assert names_a_secret(name) == is_secret


HOSTILE = [
    *("password", "AKIA", "eyJ", "a@", "1 ", "-----BEGIN PRIVATE KEY-----"),
    *('password="', "DE89 3704 ", "://a:", "bearer ", "password is ", "4111-", "xoxb-"),
    *("secret key ", "[", '{"a":', "\\", "basic ", "AKIAQ3EGRXVZT5BMJ7WD "),
    *("password=password=", '"password":[', "password=$", "4111 1111 ", "DE12 ab "),
    *("\u200b", "\u0430", "%41", "eyJa\n", "<password>", " --token", "DE12 DE12 "),
    *("password='\"", "&#65;", 'pass":', "ssn ", "AKIAQ3EGRXVZT5BMJ\u200b"),
]


def cost_s(text):
    """Return the least of three times, of this process alone."""
    best = 9.0
    for _ in range(3):
        started = time.process_time()
        REDACTOR.redact_text(text)
        best = min(best, time.process_time() - started)
    return best


@pytest.mark.parametrize("piece", [*HOSTILE, "".join(HOSTILE), " ".join(HOSTILE)])
def test_hostile_text_takes_linear_time(piece):
    """Four times as many almost-secrets take about four times as long."""
    small = piece * (50_000 // len(piece))

    # Quadratic time would be sixteen times; the rest is the machine's noise.
    assert cost_s(small * 4) < max(cost_s(small) * 9, 0.02)


def test_many_distinct_secrets_take_linear_time():
    """A pasted list of keys is masked whole, and does not take its square in time."""
    keys = [f"AKIA{n * 7919 % 16**8:08X}{n:08X}" for n in range(8_000)]

    masked, found = REDACTOR.redact_text(" ".join(keys))

    assert found == {"aws_access_key": 8_000}
    assert "AKIA" not in masked
    assert cost_s(" ".join(keys)) < max(cost_s(" ".join(keys[:2_000])) * 9, 0.02)


def test_every_finder_is_tried_above():
    """A new kind needs a secret in the table."""
    usual = {finder.kind for finder in FINDERS if finder.is_on}

    assert usual <= {kind for kind, _ in SECRETS}
