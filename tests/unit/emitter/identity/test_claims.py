"""People of web front ends, machines, and names that the bot gives itself."""

from __future__ import annotations

import pytest

from emitter.identity import Home, from_claims, from_text

HOME = Home(domains=("example.com",), slack_team="T1", tenant="tid0")


def test_o1_claims_follow_the_rules_of_teams():
    """`preferred_username` stands for the UPN, oid and tid for the platform id."""
    claims = {
        "preferred_username": "Ada.Moss@example.com",
        "email": "ada@example.com",
        "oid": "o1",
        "tid": "TID0",
    }

    identity = from_claims(claims, HOME)

    assert identity.user_id == "ada.moss"
    assert identity.user_id_raw == "Ada.Moss@example.com"
    assert identity.user_email == "ada@example.com"
    assert identity.user_platform_id == "tid0/o1"
    assert identity.user_source == "web"
    assert identity.user_resolution == "resolved"


@pytest.mark.parametrize(
    ("claims", "user_id", "kind"),
    [
        pytest.param(
            {"preferred_username": "bob_partner.example#EXT#@x.onmicrosoft.com"},
            "bob@partner.example",
            "guest",
            id="O1-guest",
        ),
        pytest.param(
            {"email": "g1@example.onmicrosoft.com", "acct": 1},
            "g1@example.onmicrosoft.com",
            "guest",
            id="O1-acct",
        ),
        pytest.param(
            {"preferred_username": "bob@partner.example", "tid": "tidX"},
            "bob@partner.example",
            "external",
            id="O1-external",
        ),
        pytest.param(
            {"cognito:username": "ada.moss", "client_id": "c1", "sub": "s1"},
            "ada.moss",
            "member",
            id="O1-cognito",
        ),
        pytest.param(
            {"sub": "bob.smith@example.com", "cid": "c1"},
            "bob.smith",
            "member",
            id="O1-okta",
        ),
        pytest.param(
            {"preferred_username": " ", "upn": "bob@example.com"},
            "bob",
            "member",
            id="O1-blank-first",
        ),
        pytest.param(
            {"preferred_username": "@example.com", "username": "bob"},
            "bob",
            "member",
            id="O1-unusable-first",
        ),
        pytest.param(
            {"preferred_username": "\u200b", "sub": "bob@example.com", "cid": "c1"},
            "bob",
            "member",
            id="O1-okta-blank",
        ),
        pytest.param(
            {"preferred_username": "b\ud800ob@example.com"},
            "bob",
            "member",
            id="O1-surrogate",
        ),
        pytest.param({"client_id": "a\ud8001"}, "svc:a1", "service", id="O2-surrogate"),
        pytest.param({"clientId": "a1"}, "svc:a1", "service", id="O2-camel"),
        pytest.param({"client_id": " ", "azp": "a1"}, "svc:a1", "service", id="O2-azp"),
        pytest.param(
            {
                "preferred_username": "service-account-reports",
                "azp": "Reports",
                "sub": "s1",
            },
            "svc:reports",
            "service",
            id="O2-keycloak",
        ),
        pytest.param(
            {"preferred_username": "service-account-x", "azp": "web", "sub": "s1"},
            "service-account-x",
            "service",
            id="O1-somebody-named-so",
        ),
        pytest.param({"client_id": "Reports"}, "svc:reports", "service", id="O2"),
        pytest.param(
            {"appid": "a1", "sub": "o1", "oid": "o1"},
            "svc:a1",
            "service",
            id="O2-entra",
        ),
        pytest.param(
            {"azp": "a1", "sub": "a1@clients"}, "svc:a1", "service", id="O2-auth0"
        ),
    ],
)
def test_tells_people_and_machines_apart(claims, user_id, kind):
    """A token that names a client and no person is a machine's."""
    identity = from_claims(claims, HOME)

    assert (identity.user_id, identity.user_type) == (user_id, kind)


@pytest.mark.parametrize(
    ("tid", "platform_id"),
    [("tidX", "tidX/o1"), ("TID0", "tid0/o1"), ("", "o1"), (None, "o1")],
)
def test_the_tenant_is_kept_as_it_came(tid, platform_id):
    """Only our own tenant has a spelling that we know."""
    claims = {"preferred_username": "bob@example.com", "oid": "o1", "tid": tid}

    assert from_claims(claims, HOME).user_platform_id == platform_id


def test_machines_and_plain_names_are_resolved():
    """A client id and a bot's word are as sure as a token and a bot can be."""
    assert from_claims({"client_id": "a1"}, HOME).user_resolution == "resolved"
    assert from_text("bob", HOME).user_resolution == "resolved"


def test_a_raw_name_can_always_be_written():
    """What was given is kept, but for what UTF-8 has no bytes for."""
    identity = from_text("b\ud800ob", HOME)

    assert identity.user_id == "bob"
    identity.user_id_raw.encode()


def test_a_persons_token_without_a_name_is_not_a_machines():
    """A subject that is not the client may be anybody: nobody is named."""
    identity = from_claims({"sub": "auth0|123", "azp": "c1"}, HOME)

    assert identity.user_id == "unknown_user_id"
    assert identity.user_resolution == "partial"
    assert identity.user_platform_id == "auth0|123"


def test_an_unverified_email_names_nobody():
    """Anybody can claim an address that was never checked."""
    identity = from_claims(
        {"sub": "s1", "email": "bob@example.com", "email_verified": "false"}, HOME
    )

    assert identity.user_id == "unknown_user_id"


@pytest.mark.parametrize("claims", [None, {}, [], "bob", {"sub": 7}])
def test_no_claims_name_nobody(claims):
    """Without claims there is no id to look at."""
    identity = from_claims(claims, HOME)

    assert identity.user_resolution == "unresolved:no_id"


@pytest.mark.parametrize(
    ("text", "user_id", "kind", "email"),
    [
        pytest.param(
            " Bob.Smith@Example.com ",
            "bob.smith",
            "member",
            "bob.smith@example.com",
            id="O3",
        ),
        pytest.param("bob", "bob", "member", None, id="O3-login"),
        pytest.param(
            "bob@partner.example",
            "bob@partner.example",
            "member",
            "bob@partner.example",
            id="O3-foreign",
        ),
        pytest.param("svc-x@example.com", "svc-x", "service", "svc-x@example.com"),
        pytest.param("bot:deploy", "bot:deploy", "bot", None),
        pytest.param("svc:reports", "svc:reports", "service", None),
        pytest.param("bob#EXT#", "bob#ext#", "guest", None),
    ],
)
def test_a_plain_string_is_cleaned_and_split(text, user_id, kind, email):
    """Rules 1 to 3 hold for names that the bot gives."""
    identity = from_text(text, HOME)

    assert (identity.user_id, identity.user_type) == (user_id, kind)
    assert identity.user_email == email
    assert identity.user_id_raw == text
    assert identity.user_source == "api"


@pytest.mark.parametrize(
    ("text", "resolution"),
    [
        (None, "unresolved:no_id"),
        (7, "unresolved:no_id"),
        (" \u200b ", "unresolved:no_id"),
        ("@example.com", "partial"),
        ("EXAMPLE\\", "partial"),
        ("unknown_user_id", "partial"),
    ],
)
def test_a_string_without_a_name_names_nobody(text, resolution):
    """What is left of nothing is nothing."""
    identity = from_text(text, HOME)

    assert identity.user_id == "unknown_user_id"
    assert identity.user_type == "unknown"
    assert identity.user_resolution == resolution


@pytest.mark.parametrize(
    ("claims", "resolution"),
    [
        ({"client_id": " \u200b"}, "partial"),
        ({"idtyp": "app", "appid": "a1", "preferred_username": "x"}, "resolved"),
    ],
)
def test_machines_at_the_edge(claims, resolution):
    """An app-only token is a machine's whatever else it says."""
    identity = from_claims(claims, HOME)

    assert identity.user_resolution == resolution
    assert identity.user_id in ("svc:a1", "unknown_user_id")


def test_a_home_that_breaks_names_nobody():
    """Even a faulty setting gives an identity."""
    identity = from_claims({"email": "bob@example.com"}, None)

    assert identity.user_resolution == "unresolved:error"
    assert identity.user_source == "web"
