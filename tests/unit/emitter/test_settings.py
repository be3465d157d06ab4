"""Settings: argument beats environment beats default; faults are told together."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from emitter import AuditEmitter, EmitterSettings, SettingsError

GOOD = [
    ("BOT_AUDIT_LOG_GROUP", "/bots/audit", "log_group", "/bots/audit"),
    ("BOT_AUDIT_SINK", "Stdout", "sink", "stdout"),
    ("BOT_AUDIT_REGION", "us-gov-west-1", "region", "us-gov-west-1"),
    ("BOT_AUDIT_MODE", "thread", "mode", "thread"),
    (
        "BOT_AUDIT_HOME_DOMAINS",
        "example.com, example.org,",
        "home_domains",
        ("example.com", "example.org"),
    ),
    ("BOT_AUDIT_SLACK_TEAM", "T01", "slack_team", "T01"),
    ("BOT_AUDIT_TENANT", "tid0-1", "tenant", "tid0-1"),
    ("BOT_AUDIT_MAX_RECORD_BYTES", "262118", "max_record_bytes", 262118),
    ("BOT_AUDIT_BUDGET_MS", " 250 ", "budget_ms", 250),
    ("BOT_AUDIT_FALLBACK", "metadata", "fallback", "metadata"),
    ("BOT_AUDIT_SPOOL_DIR", "/var/spool/audit", "spool_dir", "/var/spool/audit"),
    ("BOT_AUDIT_STYLE", "plain", "style", "plain"),
    ("BOT_AUDIT_ENABLED", "off", "is_enabled", False),
]
BAD = [
    ("BOT_AUDIT_LOG_GROUP", "a group"),
    ("BOT_AUDIT_SINK", "kafka"),
    ("BOT_AUDIT_REGION", "europe"),
    ("BOT_AUDIT_MODE", "async"),
    ("BOT_AUDIT_HOME_DOMAINS", "not a domain"),
    ("BOT_AUDIT_SLACK_TEAM", "T 1"),
    ("BOT_AUDIT_TENANT", "tid/0"),
    ("BOT_AUDIT_MAX_RECORD_BYTES", "999"),
    ("BOT_AUDIT_BUDGET_MS", "fast"),
    ("BOT_AUDIT_FALLBACK", "some"),
    ("BOT_AUDIT_SPOOL_DIR", "a\0b"),
    ("BOT_AUDIT_STYLE", "xml"),
    ("BOT_AUDIT_ENABLED", "maybe"),
]


def default(name):
    return getattr(EmitterSettings(), name)


@pytest.mark.parametrize(("variable", "text", "name", "value"), GOOD)
def test_each_variable_is_read(variable, text, name, value):
    """A variable sets its attribute, blanks around it do not count."""
    settings = EmitterSettings.from_env({variable: text})

    assert getattr(settings, name) == value
    assert settings.problems == ()


@pytest.mark.parametrize(("variable", "text"), BAD)
def test_a_faulty_variable_has_its_default(variable, text):
    """What cannot be used is named in a sentence, and the default is used."""
    settings = EmitterSettings.from_env({variable: text})

    (problem,) = settings.problems
    assert problem.startswith(f"{variable} must be ")
    assert text not in problem
    assert dataclasses.replace(settings, problems=()) == EmitterSettings()


def test_all_faults_are_told_together():
    """An operator mends everything at once."""
    settings = EmitterSettings.from_env(dict(BAD))

    assert len(settings.problems) == len(BAD) == len(GOOD) == 13


@pytest.mark.parametrize("name", [row[0] for row in GOOD])
def test_a_blank_variable_is_not_set(name):
    """An empty value in a template means the default."""
    assert EmitterSettings.from_env({name: "  "}) == EmitterSettings()


def test_an_argument_beats_the_environment():
    """What the code says wins; the environment fills the rest."""
    environ = {"BOT_AUDIT_BUDGET_MS": "1000", "BOT_AUDIT_STYLE": "plain"}

    settings = EmitterSettings.from_env(environ, budget_ms=2_000)

    assert settings.budget_ms == 2_000
    assert settings.style == "plain"


def test_an_unknown_argument_is_a_mistake():
    """A misspelt name shows at the first run."""
    with pytest.raises(TypeError):
        EmitterSettings.from_env({}, budget_s=2)


def test_faulty_arguments_have_their_default():
    """Values given in code are held to the same rules."""
    settings = EmitterSettings(
        budget_ms=-1, mode=7, home_domains="x y", max_queue_count=True
    )

    checked = settings.checked()

    assert dataclasses.replace(checked, problems=()) == EmitterSettings()
    assert [problem.split()[0] for problem in checked.problems] == [
        "mode",
        "home_domains",
        "budget_ms",
        "max_queue_count",
    ]


def test_paths_and_lists_are_taken_as_they_are_meant():
    """A path object and a list of domains are as good as texts."""
    settings = EmitterSettings(spool_dir=Path("/spool"), home_domains=["example.com"])

    checked = settings.checked()

    assert checked.spool_dir == "/spool"
    assert checked.home_domains == ("example.com",)
    assert checked.problems == ()


@pytest.mark.parametrize(
    ("settings", "is_named"),
    [
        (EmitterSettings(), False),
        (EmitterSettings(log_group="/mine"), True),
        (EmitterSettings.from_env({"BOT_AUDIT_LOG_GROUP": "/mine"}), True),
        (
            EmitterSettings.from_env(
                {"BOT_AUDIT_LOG_GROUP": "/aws/ai-bots/audit-logs"}
            ),
            True,
        ),
        (EmitterSettings.from_env({"BOT_AUDIT_LOG_GROUP": "no good"}), False),
    ],
)
def test_it_is_known_whether_somebody_chose_the_group(settings, is_named):
    """`auto` means CloudWatch where a group was named, the default one included."""
    assert settings.is_log_group_named is is_named


def test_an_emitter_uses_defaults_and_says_so_once(monkeypatch, caplog):
    """One error line tells all faults; the bot runs on."""
    monkeypatch.setenv("BOT_AUDIT_MODE", "async")
    monkeypatch.setenv("BOT_AUDIT_BUDGET_MS", "soon")

    audit = AuditEmitter("Vera")

    assert audit.settings.mode == "sync"
    assert len(audit.problems) == 2
    (record,) = [each for each in caplog.records if each.levelname == "ERROR"]
    assert "BOT_AUDIT_MODE" in record.getMessage()
    assert "soon" not in record.getMessage()


def test_strict_raises_all_faults(monkeypatch):
    """In CI a faulty setting stops the build, with every fault in the error."""
    monkeypatch.setenv("BOT_AUDIT_MODE", "async")
    monkeypatch.setenv("BOT_AUDIT_SINK", "kafka")

    with pytest.raises(SettingsError) as raised:
        AuditEmitter("Vera", strict=True)

    assert len(raised.value.faults) == 2


def test_the_environment_is_read_when_first_used(monkeypatch):
    """An emitter at module level sees what is set before the first question."""
    audit = AuditEmitter("Vera")

    monkeypatch.setenv("BOT_AUDIT_STYLE", "plain")

    assert audit.settings.style == "plain"


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("Vera Slack!", "Vera_Slack_"),
        ("", "unknown"),
        (None, "unknown"),
        ("x" * 70, "x" * 64),
    ],
)
def test_an_odd_bot_name_is_a_problem(name, cleaned):
    """A name that streams cannot carry is mended and told."""
    audit = AuditEmitter(name)

    assert audit.bot_name == cleaned
    assert audit.problems[0].startswith("bot_name must be")
