"""Slack people: every row of the identity rules, and what lies between the rows."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from emitter.identity import Home, LookupFailure, from_slack

HOME = Home(domains=("example.com",), slack_team="T1", tenant="tid0")
BOTH = Home(domains=("example.com", "newco.com"), slack_team="T1", tenant="tid0")


def make_event(user="U1", team="T1", **inner):
    event = {"type": "app_mention", "user": user, "channel": "C1", "ts": "1.2", **inner}
    return {"type": "event_callback", "team_id": team, "event": event}


def make_answer(name="bob", email=None, team="T1", **user):
    profile = {"display_name": "CEO Jane", "real_name": "Jane", "email": email}
    return {
        "ok": True,
        "user": {
            "id": "U1",
            "team_id": team,
            "name": name,
            "profile": profile,
            "is_app_user": True,
            **user,
        },
    }


def fields(identity):
    return (
        identity.user_id,
        identity.user_id_raw,
        identity.user_domain,
        identity.user_email,
        identity.user_type,
        identity.user_platform_id,
        identity.user_resolution,
    )


BOB = "Bob.Smith@example.com"
NOBODY = ("unknown_user_id", None, None, None, "unknown", "T1/U1")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(
            make_answer("ada.moss"),
            ("ada.moss", "ada.moss", None, None, "member", "T1/U1", "resolved:name"),
            id="S1",
        ),
        pytest.param(
            make_answer("ada.moss", "ada.moss@example.com"),
            (
                "ada.moss",
                "ada.moss@example.com",
                "example.com",
                "ada.moss@example.com",
                "member",
                "T1/U1",
                "resolved",
            ),
            id="S2",
        ),
        pytest.param(
            make_answer("bob", BOB),
            (
                "bob.smith",
                BOB,
                "example.com",
                "bob.smith@example.com",
                "member",
                "T1/U1",
                "resolved",
            ),
            id="S3",
        ),
        pytest.param(
            make_answer(" Bob.Smith "),
            (
                "bob.smith",
                " Bob.Smith ",
                None,
                None,
                "member",
                "T1/U1",
                "resolved:name",
            ),
            id="S5",
        ),
        pytest.param(
            make_answer("bsmith"),
            ("bsmith", "bsmith", None, None, "member", "T1/U1", "resolved:name"),
            id="S6",
        ),
        pytest.param(
            make_answer("", BOB),
            (
                "bob.smith",
                BOB,
                "example.com",
                "bob.smith@example.com",
                "member",
                "T1/U1",
                "resolved",
            ),
            id="S7",
        ),
        pytest.param(make_answer(None), (*NOBODY, "partial"), id="S8"),
        pytest.param(
            {"ok": False, "error": "user_not_found"},
            (*NOBODY, "unresolved:not_found"),
            id="S9",
        ),
        pytest.param(
            {"ok": False, "error": "missing_scope"},
            (*NOBODY, "unresolved:forbidden"),
            id="S10",
        ),
        pytest.param(
            {"ok": False, "error": "ratelimited"},
            (*NOBODY, "unresolved:throttled"),
            id="S11-body",
        ),
        pytest.param(
            LookupFailure("throttled"), (*NOBODY, "unresolved:throttled"), id="S11-429"
        ),
        pytest.param(
            {"ok": True, "user": None}, (*NOBODY, "unresolved:error"), id="S12"
        ),
        pytest.param(None, (*NOBODY, "unresolved:error"), id="S13-none"),
        pytest.param("<html>", (*NOBODY, "unresolved:error"), id="S13-text"),
        pytest.param(
            LookupFailure("timeout"), (*NOBODY, "unresolved:timeout"), id="S14"
        ),
        pytest.param(
            make_answer("carl", "carl@agency.com", is_restricted=True),
            (
                "carl@agency.com",
                "carl@agency.com",
                "agency.com",
                "carl@agency.com",
                "guest",
                "T1/U1",
                "resolved",
            ),
            id="S16",
        ),
        pytest.param(
            make_answer("carl", is_restricted=True, is_ultra_restricted=True),
            ("carl@t1.slack", "carl", None, None, "guest", "T1/U1", "resolved"),
            id="S17",
        ),
        pytest.param(
            make_answer("old.timer", "old.timer@example.com", deleted=True),
            (
                "old.timer",
                "old.timer@example.com",
                "example.com",
                "old.timer@example.com",
                "member",
                "T1/U1",
                "resolved:deactivated",
            ),
            id="S20",
        ),
        pytest.param(
            make_answer("svc-jenkins", "svc-jenkins@example.com"),
            (
                "svc-jenkins",
                "svc-jenkins@example.com",
                "example.com",
                "svc-jenkins@example.com",
                "service",
                "T1/U1",
                "resolved",
            ),
            id="S25",
        ),
        pytest.param(
            make_answer("dana.lee", "dana.lee@newco.com"),
            (
                "dana.lee@newco.com",
                "dana.lee@newco.com",
                "newco.com",
                "dana.lee@newco.com",
                "member",
                "T1/U1",
                "resolved",
            ),
            id="S26",
        ),
    ],
)
def test_names_the_slack_user(answer, expected):
    """The e-mail names a person before the name, and a failure names nobody."""
    identity = from_slack(answer, make_event(), HOME)

    assert fields(identity) == expected
    assert identity.user_source == "slack"


@pytest.mark.parametrize(
    ("answer", "event", "user_id", "kind", "platform_id", "resolution"),
    [
        pytest.param(
            make_answer(
                "ana.diaz",
                "ana.diaz@example.com",
                team="T7",
                enterprise_user={"id": "W9", "teams": ["T1", "T7"]},
            ),
            make_event("W9"),
            "ana.diaz",
            "member",
            "T7/W9",
            "resolved",
            id="S15",
        ),
        pytest.param(
            make_answer(
                "bob.smith", "bob.smith@partner.com", team="T99", is_stranger=True
            ),
            make_event("U77"),
            "bob.smith@partner.com",
            "external",
            "T99/U77",
            "resolved",
            id="S18",
        ),
        pytest.param(
            make_answer("deploybot", is_bot=True),
            make_event("U5"),
            "bot:deploybot",
            "bot",
            "T1/U5",
            "resolved",
            id="S21",
        ),
        pytest.param(
            make_answer("slackbot", id="USLACKBOT", is_bot=False),
            make_event("USLACKBOT"),
            "bot:slackbot",
            "bot",
            "T1/USLACKBOT",
            "resolved",
            id="S22",
        ),
        pytest.param(
            make_answer("onboarding-wf", is_bot=True, is_workflow_bot=True),
            make_event("U6"),
            "bot:onboarding-wf",
            "bot",
            "T1/U6",
            "resolved",
            id="S24",
        ),
        pytest.param(
            None,
            {"type": "event_callback", "event": {"type": "message", "text": "hi"}},
            "unknown_user_id",
            "unknown",
            None,
            "unresolved:no_id",
            id="S28",
        ),
    ],
)
def test_tells_colleagues_strangers_and_bots_apart(
    answer, event, user_id, kind, platform_id, resolution
):
    """Workspace and flags say who is ours, who is from outside and who is a bot."""
    identity = from_slack(answer, event, HOME)

    assert identity.user_id == user_id
    assert identity.user_type == kind
    assert identity.user_platform_id == platform_id
    assert identity.user_resolution == resolution


def test_s27_a_second_home_domain_shares_the_namespace():
    """Somebody of an acquired firm becomes short once its domain is home."""
    answer = make_answer("dana.lee", "dana.lee@newco.com")

    identity = from_slack(answer, make_event(), BOTH)

    assert identity.user_id == "dana.lee"


def test_another_workspace_is_external_without_the_stranger_flag():
    """Slack Connect drops `is_stranger` once a channel is shared with us."""
    answer = make_answer("bob.smith", "bob.smith@example.com", team="T99")

    identity = from_slack(answer, make_event("U77"), HOME)

    assert identity.user_type == "external"
    assert identity.user_id == "bob.smith@example.com"


def test_the_bots_own_workspace_is_home_if_none_is_configured():
    """The workspace that installed the bot tells strangers from colleagues."""
    event = make_event("U77") | {"authorizations": [{"team_id": "T1"}]}
    answer = make_answer("bob.smith", "bob.smith@partner.com", team="T99")

    identity = from_slack(answer, event, Home())

    assert identity.user_type == "external"


def test_the_same_organisation_is_no_stranger():
    """A user of another workspace of our Enterprise Grid is a member."""
    event = make_event("W9") | {
        "authorizations": [{"team_id": "T1", "enterprise_id": "E1"}]
    }
    answer = make_answer(
        "ana", "ana@example.com", team="T7", enterprise_user={"enterprise_id": "E1"}
    )

    identity = from_slack(answer, event, HOME)

    assert identity.user_type == "member"


def test_an_organisation_named_by_the_user_alone_counts():
    """Slack writes the organisation beside the user as well as inside."""
    answer = make_answer("ana", "ana@example.com", team="T7", enterprise_id="E1")

    identity = from_slack(answer, make_event("W9") | {"enterprise_id": "E1"}, HOME)

    assert (identity.user_id, identity.user_type) == ("ana", "member")


def test_an_external_without_email_is_named_by_the_workspace():
    """A stranger's bare name never becomes a colleague's."""
    answer = make_answer("bob.smith", team="T99", is_stranger=True)

    identity = from_slack(answer, make_event("U77"), HOME)

    assert identity.user_id == "bob.smith@t99.slack"


def test_a_bot_message_is_named_by_the_bots_profile():
    """A message without a user but with a bot id is the bot's."""
    inner = {"type": "message", "bot_id": "B1", "bot_profile": {"name": "Deploy Bot"}}
    event = {"team_id": "T1", "type": "event_callback", "event": inner}

    identity = from_slack(None, event, HOME)

    assert (identity.user_id, identity.user_type) == ("bot:deploy bot", "bot")
    assert identity.user_platform_id == "T1/B1"


@pytest.mark.parametrize(
    "name", ["bot:deploy", "svc:reports", "unknown_user_id", "bob@partner.com", "a\\b"]
)
def test_a_name_that_reads_as_somebody_elses_stays_in_full(name):
    """Nobody becomes a bot, a client or a stranger by choosing a name."""
    identity = from_slack(make_answer(name), make_event(), HOME)

    assert identity.user_id == f"{name}@t1.slack"


@pytest.mark.parametrize(
    "answer",
    [
        SimpleNamespace(data=make_answer("bob", BOB), status_code=200),
        make_answer("bob", BOB)["user"],
    ],
    ids=["sdk response", "user alone"],
)
def test_takes_other_forms_of_the_answer(answer):
    """The SDK's response object and the bare user are read like the body."""
    identity = from_slack(answer, make_event(), HOME)

    assert identity.user_id == "bob.smith"


@pytest.mark.parametrize(
    "event",
    [
        {"type": "message", "user": "U1", "team": "T1", "ts": "1.2"},
        {"command": "/vera", "user_id": "U1", "team_id": "T1", "text": "hi"},
        {"type": "block_actions", "user": {"id": "U1", "team_id": "T1"}},
        {"type": "view_submission", "user": {"id": "U1"}, "team": {"id": "T1"}},
        {
            "type": "event_callback",
            "team_id": "T1",
            "event": {
                "type": "message",
                "subtype": "message_changed",
                "message": {"type": "message", "user": "U1", "text": "hi"},
            },
        },
    ],
    ids=["inner", "command", "interaction", "view", "edit"],
)
def test_finds_the_person_in_every_payload(event):
    """Events, commands, interactions and edits all name their person."""
    identity = from_slack(make_answer("bob", BOB, team=None), event, HOME)

    assert identity.user_platform_id == "T1/U1"
    assert identity.user_id == "bob.smith"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("user_not_visible", "not_found"),
        ("users_not_found", "not_found"),
        ("invalid_token", "unauthorized"),
        ("two_factor_setup_required", "unauthorized"),
        ("no_scope", "forbidden"),
        ("restricted_action", "forbidden"),
        ("accesslimited", "forbidden"),
        ("message_limit_exceeded", "throttled"),
        ("token_revoked", "unauthorized"),
        ("invalid_auth", "unauthorized"),
        ("access_denied", "forbidden"),
        ("request_timeout", "timeout"),
        ("internal_error", "error"),
    ],
)
def test_slacks_error_codes_become_reasons(code, reason):
    """Each error code of Slack says why nobody was found."""
    identity = from_slack({"ok": False, "error": code}, make_event(), HOME)

    assert identity.user_resolution == f"unresolved:{reason}"


def test_a_failed_look_up_of_a_stranger_says_external():
    """The event's own workspace is proof enough that somebody is from outside."""
    identity = from_slack(
        LookupFailure("not_found"), make_event("U77", user_team="T99"), HOME
    )

    assert identity.user_type == "external"
    assert identity.user_platform_id == "T99/U77"


@pytest.mark.parametrize(
    ("home", "envelope"),
    [
        (HOME, {"authorizations": [{"team_id": "T1", "enterprise_id": "E1"}]}),
        (HOME, {"enterprise_id": "E1"}),
        (Home(slack_team="E1"), {}),
    ],
)
def test_a_failed_look_up_in_an_organisation_does_not_say_external(home, envelope):
    """Another workspace of our Enterprise Grid is no stranger's."""
    event = make_event("W9", user_team="T7") | envelope

    identity = from_slack(LookupFailure("timeout"), event, home)

    assert (identity.user_type, identity.user_platform_id) == ("unknown", "T7/W9")


@pytest.mark.parametrize(
    ("answer", "user_id"),
    [
        (make_answer("b\ud800ob"), "bob"),
        (make_answer("x", "b\udfffob@example.com"), "bob"),
        (make_answer("de\ud800ploy", is_bot=True), "bot:deploy"),
        (
            make_answer("x", "carl@ag\ud800ency.com", is_restricted=True),
            "carl@agency.com",
        ),
    ],
)
def test_surrogates_are_dropped_from_names(answer, user_id):
    """Half a character names nobody, and nothing that cannot be written is kept."""
    identity = from_slack(answer, make_event(), HOME)

    assert identity.user_id == user_id
    identity.user_id_raw.encode()


def test_surrogates_are_dropped_from_a_bots_profile():
    """The registered name of a bot is cleaned like any other."""
    inner = {"type": "message", "bot_id": "B1", "bot_profile": {"name": "De\ud800ploy"}}

    identity = from_slack(None, {"team_id": "T1", "event": inner}, HOME)

    assert identity.user_id == "bot:deploy"


def test_a_user_without_properties_is_partial():
    """The person was found; only a name is missing."""
    identity = from_slack({"ok": True, "user": {}}, make_event(), HOME)

    assert fields(identity) == (*NOBODY, "partial")


def test_an_email_without_a_dot_in_its_domain_is_foreign():
    """Only a NetBIOS name counts as unknown."""
    identity = from_slack(make_answer("bob", "bob@partner"), make_event(), HOME)

    assert identity.user_id == "bob@partner"


@pytest.mark.parametrize(
    ("answer", "event", "expected"),
    [
        pytest.param(
            make_answer(
                "ana.diaz",
                "ana.diaz@example.com",
                team="T7",
                enterprise_user={"id": "W9", "teams": ["T1", "T7"]},
            ),
            make_event("W9"),
            ("ana.diaz@example.com", "example.com", "ana.diaz@example.com"),
            id="S15",
        ),
        pytest.param(
            make_answer("bob.smith", "bob.smith@partner.com", team="T99"),
            make_event("U77"),
            ("bob.smith@partner.com", "partner.com", "bob.smith@partner.com"),
            id="S18",
        ),
        pytest.param(
            make_answer("deploybot", is_bot=True),
            make_event("U5"),
            ("deploybot", None, None),
            id="S21",
        ),
        pytest.param(
            make_answer("slackbot", id="USLACKBOT", is_bot=False),
            make_event("USLACKBOT"),
            ("slackbot", None, None),
            id="S22",
        ),
        pytest.param(
            make_answer("onboarding-wf", is_bot=True, is_workflow_bot=True),
            make_event("U6"),
            ("onboarding-wf", None, None),
            id="S24",
        ),
    ],
)
def test_raw_name_domain_and_email(answer, event, expected):
    """The remaining columns of the rows of colleagues, strangers and bots."""
    identity = from_slack(answer, event, HOME)

    assert expected == (
        identity.user_id_raw,
        identity.user_domain,
        identity.user_email,
    )


def test_a_bot_without_a_name_is_partial():
    """A bot id alone names nobody."""
    event = {"type": "message", "team": "T1", "bot_id": "B1"}

    identity = from_slack(None, event, HOME)

    assert (identity.user_id, identity.user_type) == ("unknown_user_id", "bot")
    assert identity.user_resolution == "partial"


def test_a_home_that_breaks_names_nobody():
    """Even a faulty setting gives an identity."""
    identity = from_slack(make_answer("bob", BOB), make_event(), None)

    assert identity.user_resolution == "unresolved:error"
    assert identity.user_source == "slack"
