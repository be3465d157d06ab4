"""Teams people: every row of the identity rules, and what lies between the rows."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from emitter.identity import Home, LookupFailure, from_teams, from_text

OID = "3f2a9c0e-1d2b-4c5d-8e9f-0a1b2c3d4e5f"
HOME = Home(domains=("example.com",), slack_team="T1", tenant="tid0")
MAIL_FIRST = Home(domains=("example.com",), tenant="tid0", teams_order=("mail",))
ANYWHERE = Home()


def make_activity(tenant="tid0", **person):
    sender = {"id": "29:1abc", "name": "Bob Smith", "aadObjectId": OID} | person
    sender = {name: value for name, value in sender.items() if value is not None}
    return {
        "type": "message",
        "id": "1732460645123",
        "channelId": "msteams",
        "from": sender,
        "conversation": {"id": "19:x@thread.v2", "tenantId": tenant},
        "channelData": {"tenant": {"id": tenant}},
    }


def graph(upn=None, mail=None, **rest):
    return {"userPrincipalName": upn, "mail": mail, "userType": "Member"} | rest


GUEST = "bob_partner.example#EXT#@example.onmicrosoft.com"


@pytest.mark.parametrize(
    ("user", "home", "expected"),
    [
        pytest.param(
            graph("Ada.Moss@example.com"),
            HOME,
            (
                "ada.moss",
                "Ada.Moss@example.com",
                "example.com",
                "ada.moss@example.com",
                "member",
                "resolved",
            ),
            id="T1",
        ),
        pytest.param(
            graph(None, "Bob.Smith@example.com"),
            HOME,
            (
                "bob.smith",
                "Bob.Smith@example.com",
                "example.com",
                "bob.smith@example.com",
                "member",
                "resolved",
            ),
            id="T2",
        ),
        pytest.param(
            graph(GUEST, "bob@partner.example", userType="Guest"),
            HOME,
            (
                "bob@partner.example",
                GUEST,
                "partner.example",
                "bob@partner.example",
                "guest",
                "resolved",
            ),
            id="T6",
        ),
        pytest.param(
            graph("bob_smith_partner.co.uk#EXT#@example.onmicrosoft.com"),
            HOME,
            (
                "bob_smith@partner.co.uk",
                "bob_smith_partner.co.uk#EXT#@example.onmicrosoft.com",
                "partner.co.uk",
                "bob_smith@partner.co.uk",
                "guest",
                "resolved",
            ),
            id="T7",
        ),
        pytest.param(
            graph(GUEST.lower()),
            HOME,
            (
                "bob@partner.example",
                GUEST.lower(),
                "partner.example",
                "bob@partner.example",
                "guest",
                "resolved",
            ),
            id="T8",
        ),
        pytest.param(
            graph("g123@example.onmicrosoft.com", "lee@agency.com", userType="Guest"),
            HOME,
            (
                "lee@agency.com",
                "lee@agency.com",
                "agency.com",
                "lee@agency.com",
                "guest",
                "resolved",
            ),
            id="T10",
        ),
        pytest.param(
            graph("bob.smith@example.onmicrosoft.com"),
            HOME,
            (
                "bob.smith",
                "bob.smith@example.onmicrosoft.com",
                "example.onmicrosoft.com",
                "bob.smith@example.onmicrosoft.com",
                "member",
                "resolved",
            ),
            id="T11",
        ),
        pytest.param(
            graph("u123456@example.com", "bob.smith@example.com"),
            HOME,
            (
                "u123456",
                "u123456@example.com",
                "example.com",
                "bob.smith@example.com",
                "member",
                "resolved",
            ),
            id="T12-upn",
        ),
        pytest.param(
            graph("u123456@example.com", "bob.smith@example.com"),
            MAIL_FIRST,
            (
                "bob.smith",
                "bob.smith@example.com",
                "example.com",
                "bob.smith@example.com",
                "member",
                "resolved",
            ),
            id="T12-mail",
        ),
        pytest.param(
            graph("bob.smith@acquired.example"),
            HOME,
            (
                "bob.smith@acquired.example",
                "bob.smith@acquired.example",
                "acquired.example",
                "bob.smith@acquired.example",
                "member",
                "resolved",
            ),
            id="T13",
        ),
        pytest.param(
            graph(None, "bob+test@example.com"),
            HOME,
            (
                "bob+test",
                "bob+test@example.com",
                "example.com",
                "bob+test@example.com",
                "member",
                "resolved",
            ),
            id="T14",
        ),
        pytest.param(
            graph("BOB.SMITH@EXAMPLE.COM"),
            HOME,
            (
                "bob.smith",
                "BOB.SMITH@EXAMPLE.COM",
                "example.com",
                "bob.smith@example.com",
                "member",
                "resolved",
            ),
            id="T15",
        ),
        pytest.param(
            graph("  Bob.Smith @example.com\t"),
            HOME,
            (
                "bob.smith",
                "  Bob.Smith @example.com\t",
                "example.com",
                "bob.smith@example.com",
                "member",
                "resolved",
            ),
            id="T16",
        ),
        pytest.param(
            graph("bob.\u200bsmith\u00a0@example.com"),
            HOME,
            (
                "bob.smith",
                "bob.\u200bsmith\u00a0@example.com",
                "example.com",
                "bob.smith@example.com",
                "member",
                "resolved",
            ),
            id="T17",
        ),
        pytest.param(
            graph("Jose\u0301.Nu\u0301n\u0303ez@example.com"),
            HOME,
            (
                "jos\u00e9.n\u00fa\u00f1ez",
                "Jose\u0301.Nu\u0301n\u0303ez@example.com",
                "example.com",
                "jos\u00e9.n\u00fa\u00f1ez@example.com",
                "member",
                "resolved",
            ),
            id="T18",
        ),
        pytest.param(
            graph("Strauß@example.com"),
            HOME,
            (
                "strauß",
                "Strauß@example.com",
                "example.com",
                "strauß@example.com",
                "member",
                "resolved",
            ),
            id="T21",
        ),
        pytest.param(
            graph("Pat.O'Neil@example.com"),
            HOME,
            (
                "pat.o'neil",
                "Pat.O'Neil@example.com",
                "example.com",
                "pat.o'neil@example.com",
                "member",
                "resolved",
            ),
            id="T22",
        ),
        pytest.param(
            graph("bob"),
            HOME,
            (
                "bob",
                "bob",
                None,
                None,
                "member",
                "resolved",
            ),
            id="T23",
        ),
        pytest.param(
            graph("EXAMPLE\\Bob"),
            HOME,
            (
                "bob",
                "EXAMPLE\\Bob",
                "example",
                None,
                "member",
                "resolved",
            ),
            id="T24",
        ),
        pytest.param(
            graph("svc_vera@example.com"),
            HOME,
            (
                "svc_vera",
                "svc_vera@example.com",
                "example.com",
                "svc_vera@example.com",
                "service",
                "resolved",
            ),
            id="T29",
        ),
        pytest.param(
            graph(GUEST),
            ANYWHERE,
            (
                "bob@partner.example",
                GUEST,
                "partner.example",
                "bob@partner.example",
                "guest",
                "resolved",
            ),
            id="T42",
        ),
        pytest.param(
            graph("bob.smith@acquired.example"),
            ANYWHERE,
            (
                "bob.smith",
                "bob.smith@acquired.example",
                "acquired.example",
                "bob.smith@acquired.example",
                "member",
                "resolved",
            ),
            id="T43",
        ),
    ],
)
def test_names_the_teams_user(user, home, expected):
    """UPN, then mail, name a person; only our own people are named in short."""
    identity = from_teams(user, make_activity(), home)

    assert (
        identity.user_id,
        identity.user_id_raw,
        identity.user_domain,
        identity.user_email,
        identity.user_type,
        identity.user_resolution,
    ) == expected
    assert identity.user_platform_id == f"tid0/{OID}"
    assert identity.user_source == "teams"


@pytest.mark.parametrize(
    "user",
    [
        pytest.param(graph(None, None), id="T3"),
        pytest.param(graph("", ""), id="T4"),
        pytest.param({}, id="T5"),
        pytest.param(graph("@example.com"), id="T25"),
        pytest.param(graph(["bob"], 7), id="T28"),
    ],
)
def test_an_answer_without_a_usable_name_is_partial(user):
    """The platform id is kept where the answer names nobody."""
    identity = from_teams(user, make_activity(), HOME)

    assert identity.user_id == "unknown_user_id"
    assert identity.user_type == "unknown"
    assert identity.user_resolution == "partial"
    assert identity.user_platform_id == f"tid0/{OID}"


@pytest.mark.parametrize(
    ("activity", "user_id", "kind", "platform_id", "resolution"),
    [
        pytest.param(
            make_activity(aadObjectId=None),
            "unknown_user_id",
            "unknown",
            "29:1abc",
            "unresolved:no_id",
            id="T30",
        ),
        pytest.param(
            make_activity(aadObjectId=None, userRole="anonymous"),
            "unknown_user_id",
            "anonymous",
            "29:1abc",
            "unresolved:no_id",
            id="T31-role",
        ),
        pytest.param(
            make_activity(id="8:teamsvisitor:7f", aadObjectId=None),
            "unknown_user_id",
            "anonymous",
            "8:teamsvisitor:7f",
            "unresolved:no_id",
            id="T31-visitor",
        ),
        pytest.param(
            make_activity(aadObjectId=None)
            | {"channelData": {"tenant": {"id": "tid0"}, "meeting": {"id": "m1"}}},
            "unknown_user_id",
            "anonymous",
            "29:1abc",
            "unresolved:no_id",
            id="T31-meeting",
        ),
        pytest.param(
            make_activity(id="28:b1", name="Other-Bot", role="bot", aadObjectId=None),
            "bot:other-bot",
            "bot",
            "28:b1",
            "resolved",
            id="T32-bot",
        ),
        pytest.param(
            make_activity(id="28:b1", name="other-bot", role="skill"),
            "bot:other-bot",
            "bot",
            "28:b1",
            "resolved",
            id="T32-skill",
        ),
    ],
)
def test_activities_without_an_account_to_look_up(
    activity, user_id, kind, platform_id, resolution
):
    """Where there is no object id, nobody is looked up and nobody is guessed."""
    identity = from_teams(None, activity, HOME)

    assert identity.user_id == user_id
    assert identity.user_type == kind
    assert identity.user_platform_id == platform_id
    assert identity.user_resolution == resolution


@pytest.mark.parametrize(
    ("answer", "tenant", "kind", "reason"),
    [
        pytest.param(
            LookupFailure("not_found"), "tid0", "unknown", "not_found", id="T33"
        ),
        pytest.param(
            {"error": {"code": "Request_ResourceNotFound", "message": "x"}},
            "tid0",
            "unknown",
            "not_found",
            id="T33-body",
        ),
        pytest.param(
            LookupFailure("not_found"), "tidX", "external", "not_found", id="T34"
        ),
        pytest.param(
            LookupFailure("forbidden"), "tid0", "unknown", "forbidden", id="T35"
        ),
        pytest.param(
            LookupFailure("unauthorized"), "tid0", "unknown", "unauthorized", id="T36"
        ),
        pytest.param(
            {"error": {"code": "InvalidAuthenticationToken"}},
            "tid0",
            "unknown",
            "unauthorized",
            id="T36-body",
        ),
        pytest.param(
            LookupFailure("throttled"), "tid0", "unknown", "throttled", id="T37"
        ),
        pytest.param(LookupFailure("error"), "tid0", "unknown", "error", id="T38"),
        pytest.param(LookupFailure("timeout"), "tid0", "unknown", "timeout", id="T39"),
        pytest.param(LookupFailure("reset"), "tid0", "unknown", "error", id="T40"),
        pytest.param("<html>", "tid0", "unknown", "error", id="T41-html"),
        pytest.param([1], "tid0", "unknown", "error", id="T41-list"),
    ],
)
def test_a_failed_look_up_keeps_the_platform_id(answer, tenant, kind, reason):
    """A failure says why, and another tenant is told as external."""
    identity = from_teams(answer, make_activity(tenant), HOME)

    assert identity.user_id == "unknown_user_id"
    assert identity.user_type == kind
    assert identity.user_resolution == f"unresolved:{reason}"
    assert identity.user_platform_id == f"{tenant}/{OID}"


@pytest.mark.parametrize("tenant", ["TID0", "Tid0", " tid0 "])
def test_our_own_tenant_is_written_as_we_write_it(tenant):
    """Ids are compared without case, so one person has one platform id."""
    user = graph("bob@example.onmicrosoft.com")

    identity = from_teams(user, make_activity(tenant), HOME)

    assert identity.user_platform_id == f"tid0/{OID}"
    assert (identity.user_id, identity.user_type) == ("bob", "member")


def test_without_a_home_tenant_the_activitys_is_kept_as_it_came():
    """The platform id is what the platform has said."""
    identity = from_teams(LookupFailure("not_found"), make_activity("tidX"), ANYWHERE)

    assert identity.user_platform_id == f"tidX/{OID}"
    assert identity.user_type == "unknown"


@pytest.mark.parametrize(
    ("upn", "home", "user_id"),
    [
        ("bob@partner", HOME, "bob@partner"),
        ("bob@partner.", HOME, "bob@partner"),
        ("bob@partner", ANYWHERE, "bob"),
        ("bob@partner", Home(domains=("partner",)), "bob"),
        ("PARTNER\\bob", HOME, "bob"),
        ("bob@partner\u3002example", HOME, "bob@partner.example"),
        ("bob@partner\uff61example", HOME, "bob@partner.example"),
        ("bob@partner\uff0eexample", HOME, "bob@partner.example"),
        ("bob@example\u3002com", HOME, "bob"),
        ("bob@example.com\u3002", HOME, "bob"),
        ("x_partner\u3002example#EXT#@t.onmicrosoft.com", HOME, "x@partner.example"),
    ],
)
def test_only_a_netbios_name_is_an_unknown_domain(upn, home, user_id):
    """A mail domain is known, with a dot or without, however its dots are written."""
    identity = from_teams(graph(upn), make_activity(), home)

    assert identity.user_id == user_id
    assert from_text(user_id, home).user_id == user_id


def test_a_nickname_beside_a_mail_domain_without_a_dot_is_foreign():
    """A switch to another property takes the domain as the UPN has it."""
    home = Home(domains=("example.com",), teams_order="mailNickname")
    user = graph("b1@partner", mailNickname="bob")

    assert from_teams(user, make_activity(), home).user_id == "bob@partner"


@pytest.mark.parametrize(
    ("upn", "user_id"),
    [
        ("b\ud800ob@example.com", "bob"),
        ("bob@exam\udfffple.com", "bob"),
        ("BOB\udc80", "bob"),
    ],
)
def test_surrogates_are_dropped_from_names(upn, user_id):
    """Half a character names nobody, and nothing that cannot be written is kept."""
    identity = from_teams(graph(upn), make_activity(), HOME)

    assert identity.user_id == user_id
    identity.user_id_raw.encode()


def test_surrogates_are_dropped_from_a_bots_name():
    """Bots have names as well."""
    activity = make_activity(id="28:b1", name="Other\ud800-Bot", role="bot")

    identity = from_teams(None, activity, HOME)

    assert identity.user_id == "bot:other-bot"
    identity.user_id_raw.encode()


@pytest.mark.parametrize(
    ("person", "rest"),
    [
        ({"userRole": "anonymous"}, {}),
        ({"role": "Anonymous"}, {}),
        ({"properties": {"userRole": "anonymous"}}, {}),
        ({"id": "8:teamsvisitor:7f"}, {}),
        (
            {"aadObjectId": None},
            {"conversation": {"id": "19:meeting_Mx@thread.v2", "tenantId": "tid0"}},
        ),
        ({"aadObjectId": "  "}, {"channelData": {"meeting": {"id": "m1"}}}),
    ],
)
def test_t31_a_participant_without_an_account_is_anonymous(person, rest):
    """An object id says nothing about somebody who has not signed in."""
    activity = make_activity(**person) | rest

    identity = from_teams(graph("bob@example.com"), activity, HOME)

    assert (identity.user_id, identity.user_type) == ("unknown_user_id", "anonymous")
    assert identity.user_resolution == "unresolved:no_id"
    assert identity.user_platform_id == person.get("id", "29:1abc")


def test_somebody_with_an_account_in_a_meeting_is_named():
    """Colleagues ask in meetings too."""
    activity = make_activity() | {
        "conversation": {"id": "19:meeting_Mx@thread.v2", "tenantId": "tid0"}
    }

    identity = from_teams(graph("bob@example.com"), activity, HOME)

    assert (identity.user_id, identity.user_type) == ("bob", "member")


@pytest.mark.parametrize(
    "person",
    [
        {"aad_object_id": OID},
        {"objectId": OID},
        {"aadObjectId": f" {OID} "},
        {"aadObjectId": " ", "objectId": OID},
        {"additional_properties": {"aadObjectId": OID}},
    ],
)
def test_an_object_id_is_found_where_models_put_it(person):
    """SDK models misname it, or keep it beside what they know."""
    activity = make_activity(**({"aadObjectId": None} | person))

    identity = from_teams(graph("bob@example.com"), activity, HOME)

    assert identity.user_platform_id == f"tid0/{OID}"


@pytest.mark.parametrize("object_id", ["", "  ", "\t", None, 7, ["o1"]])
def test_t30_an_object_id_of_nothing_is_none(object_id):
    """Blanks identify nobody; the account of the chat is kept."""
    identity = from_teams(
        graph("bob@example.com"), make_activity(aadObjectId=object_id), HOME
    )

    assert identity.user_resolution == "unresolved:no_id"
    assert identity.user_platform_id == "29:1abc"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("gatewayTimeout", "error"),
        ("ServiceUnavailable", "error"),
        ("Authentication_ExpiredToken", "unauthorized"),
        ("InvalidAuthenticationToken", "unauthorized"),
        ("Authorization_IdentityNotFound", "not_found"),
        ("Directory_ObjectNotFound", "not_found"),
        ("Authorization_RequestDenied", "forbidden"),
        ("TooManyRequests", "throttled"),
        ("nonsense", "error"),
        (None, "error"),
    ],
)
def test_graphs_error_codes_become_reasons(code, reason):
    """Each error code says why nobody was found."""
    identity = from_teams({"error": {"code": code}}, make_activity(), HOME)

    assert identity.user_resolution == f"unresolved:{reason}"


def test_an_empty_error_is_none():
    """A body may say that there was no error."""
    user = graph("bob@example.com", error=None)

    assert from_teams(user, make_activity(), HOME).user_id == "bob"


def test_takes_a_user_of_graphs_own_library():
    """The SDK spells properties in snake case."""
    user = SimpleNamespace(
        user_principal_name="lee_agency.com#EXT#@example.onmicrosoft.com",
        mail=None,
        user_type="Guest",
        account_enabled=False,
    )

    identity = from_teams(user, make_activity(), HOME)

    assert (identity.user_id, identity.user_type) == ("lee@agency.com", "guest")
    assert identity.user_resolution == "resolved:deactivated"


def test_the_local_account_name_can_be_the_login():
    """`onPremisesSamAccountName` is one of the properties to switch to."""
    home = Home(
        domains=("example.com",),
        teams_order="onPremisesSamAccountName,userPrincipalName",
    )
    user = graph("u123@example.com", onPremisesSamAccountName="BSmith")

    identity = from_teams(user, make_activity(), home)

    assert (identity.user_id, identity.user_id_raw) == ("bsmith", "BSmith")


def test_a_user_of_another_tenant_is_external():
    """Multi-tenant bots name people of other tenants in full."""
    user = graph("bob.smith@partner.example")

    identity = from_teams(user, make_activity("tidX"), HOME)

    assert identity.user_id == "bob.smith@partner.example"
    assert identity.user_type == "external"


def test_a_login_without_domain_from_another_tenant_does_not_merge():
    """Such a login takes the tenant for its domain."""
    identity = from_teams(graph("bob"), make_activity("tidX"), HOME)

    assert identity.user_id == "bob@tidx.tenant"


def test_another_tenants_onmicrosoft_domain_is_not_ours():
    """The default domain is own only for the home tenant."""
    user = graph("bob.smith@other.onmicrosoft.com")

    identity = from_teams(user, make_activity(None), HOME)

    assert identity.user_id == "bob.smith@other.onmicrosoft.com"


def test_a_second_tenant_of_ours_is_home_by_its_verified_domain():
    """A domain can be verified in one tenant only, so its UPNs are ours."""
    identity = from_teams(graph("bob.smith@example.com"), make_activity("tidX"), HOME)

    assert (identity.user_id, identity.user_type) == ("bob.smith", "member")


def test_a_nickname_takes_its_domain_from_the_upn():
    """A switch to `mailNickname` does not make strangers our own."""
    home = Home(domains=("example.com",), teams_order=("mailNickname",))
    user = graph("bob@acquired.example", mailNickname="bob")

    identity = from_teams(user, make_activity(), home)

    assert identity.user_id == "bob@acquired.example"


def test_a_disabled_account_is_deactivated():
    """An account that is switched off still names its person."""
    user = graph("old.timer@example.com", accountEnabled=False)

    identity = from_teams(user, make_activity(), HOME)

    assert identity.user_resolution == "resolved:deactivated"
    assert identity.user_id == "old.timer"


def test_the_department_comes_along():
    """What Graph selects beside the name is kept as it is written."""
    user = graph("bob.smith@example.com", department=" Finance ")

    identity = from_teams(user, make_activity(), HOME)

    assert identity.department == "Finance"


def test_plus_tags_can_be_stripped_at_home_only():
    """The option never touches a foreign address."""
    home = Home(domains=("example.com",), strip_plus_tags=True)

    ours = from_teams(graph("bob+test@example.com"), make_activity(), home)
    theirs = from_teams(graph("bob+test@partner.example"), make_activity(), home)

    assert ours.user_id == "bob"
    assert theirs.user_id == "bob+test@partner.example"


def sdk_activity():
    return SimpleNamespace(
        type="message",
        from_property=SimpleNamespace(id="29:1abc", aad_object_id=OID, role=None),
        conversation=SimpleNamespace(id="19:x", tenant_id="tid0"),
        channel_data={"tenant": {"id": "tid0"}},
    )


@pytest.mark.parametrize(
    "activity",
    [json.dumps(make_activity()), json.dumps(make_activity()).encode(), sdk_activity()],
    ids=["text", "bytes", "object"],
)
def test_takes_every_form_of_the_activity(activity):
    """JSON and SDK objects are read like the dictionary."""
    identity = from_teams(graph("bob.smith@example.com"), activity, HOME)

    assert identity.user_platform_id == f"tid0/{OID}"
    assert identity.user_id == "bob.smith"


def test_a_bot_without_a_name_is_partial():
    """Nobody can be told by an id alone."""
    activity = make_activity(id="28:b1", name=None, role="bot")

    identity = from_teams(None, activity, HOME)

    assert (identity.user_type, identity.user_resolution) == ("bot", "partial")


def test_a_home_that_breaks_names_nobody():
    """Even a faulty setting gives an identity."""
    broken = Home(domains=("example.com",), teams_order=7)

    identity = from_teams(graph("bob@example.com"), make_activity(), broken)

    assert identity.user_resolution == "unresolved:error"
    assert identity.user_source == "teams"
