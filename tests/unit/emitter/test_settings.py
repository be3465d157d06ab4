"""Settings: argument beats environment beats default; faults are told together."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest

from emitter import AuditEmitter, EmitterSettings, SettingsError
from emitter.testing import MemorySink

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
    (
        "BOT_AUDIT_TEAMS_ORDER",
        "mail, mailnickname",
        "teams_order",
        ("mail", "mailNickname"),
    ),
    ("BOT_AUDIT_SERVICE_PATTERN", "robot-", "service_pattern", "robot-"),
    ("BOT_AUDIT_STRIP_PLUS_TAGS", "on", "strip_plus_tags", True),
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
    ("BOT_AUDIT_TEAMS_ORDER", "mail,displayName"),
    ("BOT_AUDIT_SERVICE_PATTERN", "(svc"),
    ("BOT_AUDIT_STRIP_PLUS_TAGS", "perhaps"),
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

    assert len(settings.problems) == len(BAD) == len(GOOD) == 16


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


class Trap:
    """An object that raises whatever is asked of it."""

    def __eq__(self, other):
        raise RuntimeError("secret")

    __hash__ = None
    __iter__ = __int__ = __fspath__ = __str__ = __len__ = __eq__


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("home_domains", [None]),
        ("home_domains", 7),
        ("home_domains", {7}),
        ("budget_ms", math.inf),
        ("budget_ms", math.nan),
        ("budget_ms", "9" * 5_000),
        ("max_queue_bytes", 1e400),
        ("max_spool_bytes", -math.inf),
        ("max_record_bytes", None),
        ("log_group", None),
        ("log_group", b"/mine"),
        ("spool_dir", 7),
        ("is_enabled", "perhaps"),
        ("teams_order", [None]),
        ("teams_order", " , "),
        ("service_pattern", None),
        ("service_pattern", "svc|"),
        ("strip_plus_tags", 3),
        *[(each, Trap()) for each in ("mode", "budget_ms", "home_domains", "tenant")],
    ],
)
def test_no_argument_makes_settings_raise(name, value):
    """Whatever is given, faults are told and defaults stand for them."""
    checked = EmitterSettings(**{name: value}).checked()

    (problem,) = checked.problems
    assert problem.startswith(f"{name} must be ")
    assert getattr(checked, name) == default(name)
    assert "secret" not in problem


@pytest.mark.parametrize(
    ("text", "domains", "is_faulty"),
    [
        ("example.com,not a domain", ("example.com",), True),
        ("https://x.example;example.com", ("example.com",), True),
        ("*.example.com,example.org,-x.com", ("example.org",), True),
        ("@example.com, Example.ORG.", ("example.com", "example.org"), False),
        ("example.com;example.org", ("example.com", "example.org"), False),
        ("b\u00fccher.example", ("b\u00fccher.example",), False),
        ("xn--bcher-kva.example", ("xn--bcher-kva.example",), False),
        ("example\u3002com", ("example.com",), False),
        (" , ", (), False),
    ],
)
def test_one_faulty_domain_does_not_spoil_the_others(text, domains, is_faulty):
    """A typing mistake is told, and what can be used is used."""
    settings = EmitterSettings.from_env({"BOT_AUDIT_HOME_DOMAINS": text})

    assert settings.home_domains == domains
    assert bool(settings.problems) is is_faulty
    assert not settings.is_home_closed


FOREIGN = "bob@partner.example"


@pytest.mark.parametrize(
    ("settings", "user_id"),
    [
        ({}, "bob"),
        ({"home_domains": ()}, "bob"),
        ({"home_domains": "not a domain"}, FOREIGN),
        ({"home_domains": [None]}, FOREIGN),
        ({"home_domains": "exa mple.com,partner.example"}, "bob"),
    ],
)
def test_home_domains_that_are_none_merge_nobody(settings, user_id):
    """Where none of those given is a domain, everybody is named in full."""
    sink = MemorySink()
    audit = AuditEmitter("Vera", settings=EmitterSettings(**settings), sinks=[sink])

    audit.write(user="bob@partner.example")

    assert [record.user_id for record in sink.records] == [user_id]


def test_faulty_home_domains_of_the_environment_merge_nobody(monkeypatch):
    """The same for a variable."""
    monkeypatch.setenv("BOT_AUDIT_HOME_DOMAINS", "https://example.com/")
    sink = MemorySink()

    AuditEmitter("Vera", sinks=[sink]).write(user="bob@example.com")

    assert [record.user_id for record in sink.records] == ["bob@example.com"]


def test_all_rules_of_naming_can_be_set(monkeypatch):
    """Order of properties, pattern and tags reach the person who asks."""
    monkeypatch.setenv("BOT_AUDIT_TEAMS_ORDER", "mail")
    monkeypatch.setenv("BOT_AUDIT_SERVICE_PATTERN", "robot-")
    monkeypatch.setenv("BOT_AUDIT_STRIP_PLUS_TAGS", "on")
    monkeypatch.setenv("BOT_AUDIT_HOME_DOMAINS", "example.com")
    activity = {
        "type": "message",
        "channelId": "msteams",
        "from": {"id": "29:x", "aadObjectId": "o1"},
        "conversation": {"id": "c1", "tenantId": "tid0"},
    }
    user = {"userPrincipalName": "u1@example.com", "mail": "robot-1+x@example.com"}
    sink = MemorySink()
    audit = AuditEmitter("Vera", sinks=[sink], directory=lambda _: user)

    with audit.question(activity):
        pass

    (record,) = sink.records
    assert (record.user_id, record.get("user_type")) == ("robot-1", "service")


@pytest.mark.parametrize(
    "region", ["eusc-de-east-1", "cn-north-1", "us-isob-east-1", "ap-southeast-7"]
)
def test_regions_of_every_partition_are_known(region):
    """Sovereign clouds name their regions in their own way."""
    settings = EmitterSettings.from_env({"BOT_AUDIT_REGION": region})

    assert (settings.region, settings.problems) == (region, ())


@pytest.mark.parametrize("given", [{"log_group": "/mine"}, "x", 7, EmitterSettings])
def test_settings_that_are_none_lose_no_record(given):
    """Something else in their place is told; the bot is audited all the same."""
    sink = MemorySink()
    audit = AuditEmitter("Vera", settings=given, sinks=[sink])

    with audit.question() as q:
        q.reply("hi")

    assert [record.response for record in sink.records] == ["hi"]
    assert audit.problems == ("settings must be an EmitterSettings",)
    with pytest.raises(SettingsError):
        AuditEmitter("Vera", settings=given, strict=True)


def test_a_sink_without_a_list_takes_the_records():
    """Forgotten brackets are told, and cost no record."""
    sink = MemorySink()
    audit = AuditEmitter("Vera", sinks=sink)

    with audit.question() as q:
        q.reply("hi")

    assert [record.response for record in sink.records] == ["hi"]
    assert audit.problems == ("sinks must be a list of sinks",)
    with pytest.raises(SettingsError):
        AuditEmitter("Vera", sinks=sink, strict=True)


@pytest.mark.parametrize("sinks", [7, "stdout", [None], MemorySink, [MemorySink]])
def test_sinks_that_are_none_lose_no_record(sinks, capsys):
    """What cannot take a line is left out; the settings choose instead."""
    audit = AuditEmitter("Vera", sinks=sinks)

    with audit.question() as q:
        q.reply("good morning")

    assert "good morning" in capsys.readouterr().out
    assert audit.problems == ("sinks must be a list of sinks",)


def test_sinks_of_any_container_are_taken():
    """Tuples and generators are as good as lists."""
    first, second = MemorySink(), MemorySink()
    audit = AuditEmitter("Vera", sinks=(each for each in (first, second)))

    audit.write(response="hi")

    assert (len(first.records), len(second.records)) == (1, 0)
    assert audit.problems == ()


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
        (EmitterSettings(log_group="/aws/ai-bots/audit-logs"), True),
        (EmitterSettings(log_group="/aws/ai-bots/audit-logs").checked(), True),
        (dataclasses.replace(EmitterSettings(), style="plain").checked(), False),
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
