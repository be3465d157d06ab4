"""The values of identity."""

from __future__ import annotations

import pytest

from audit_record.fields import FIELDS_BY_NAME
from emitter.identity import Home, Identity, LookupFailure, from_text


def test_fields_leave_out_what_is_unknown():
    """A record gets no None and no empty string from an identity."""
    identity = Identity(user_id="bob", user_resolution="resolved", user_email=None)

    assert identity.as_fields() == {
        "user_id": "bob",
        "user_type": "unknown",
        "user_resolution": "resolved",
        "user_source": "api",
    }


def test_an_identity_has_the_records_field_names():
    """Every attribute is a field of the record."""
    names = set(Identity.__slots__)

    assert names <= FIELDS_BY_NAME.keys()


def test_domains_are_folded():
    """Home domains may be written in any case, with an @, or in one string."""
    assert Home(domains=(" Example.COM", "@newco.com", "")).domains == (
        "example.com",
        "newco.com",
    )
    assert Home(domains="a.example,b.example").domains == ("a.example", "b.example")


@pytest.mark.parametrize("pattern", ["(", None, 7])
def test_a_faulty_service_pattern_is_refused(pattern):
    """A pattern that cannot be compiled is a mistake that shows at once."""
    with pytest.raises(ValueError, match="service_pattern"):
        Home(service_pattern=pattern)


def test_the_service_pattern_is_configurable():
    """Firms name their machines in their own way."""
    home = Home(service_pattern="robot_")

    assert home.is_service("robot_1")
    assert not home.is_service("svc-1")


@pytest.mark.parametrize("reason", ["nonsense", None, [], ""])
def test_an_unknown_reason_counts_as_error(reason):
    """The record's enum knows no other reasons."""
    assert LookupFailure(reason).resolution == "unresolved:error"


@pytest.mark.parametrize(
    ("given", "domains"),
    [
        (("Example.com.", "@@x", "@newco.com"), ("example.com", "x", "newco.com")),
        ("a.example;b.example, ", ("a.example", "b.example")),
        (["b\u00fccher.example"], ("b\u00fccher.example",)),
        (["example\u3002com"], ("example.com",)),
        ([None, 7, "example.com"], ("example.com",)),
    ],
)
def test_domains_are_read_as_logins_are(given, domains):
    """A domain that can be used is used, whatever stands beside it."""
    home = Home(domains=given)

    assert home.domains == domains
    assert not home.is_closed


@pytest.mark.parametrize("given", [[None], 7, ("@",), ".", [b"example.com"]])
def test_home_domains_that_are_none_merge_nobody(given):
    """A mistake must not make everybody our own."""
    home = Home(domains=given)

    assert (home.domains, home.is_closed) == ((), True)
    assert from_text("bob@example.com", home).user_id == "bob@example.com"
    assert from_text("bob", home).user_id == "bob"


@pytest.mark.parametrize("given", [None, "", (), [], " , ", ("", " ")])
def test_without_home_domains_everybody_is_our_own(given):
    """Blanks are nothing, as a template leaves them."""
    assert Home(domains=given).takes_everybody
    assert from_text("bob@example.com", Home(domains=given)).user_id == "bob"


def test_ids_are_trimmed():
    """Settings come with blanks; Slack writes its ids in capitals."""
    home = Home(slack_team=" t01 ", tenant=" Tid0 ")

    assert (home.slack_team, home.tenant) == ("T01", "Tid0")
    assert (Home(slack_team=" ").slack_team, Home(tenant="").tenant) == (None, None)


@pytest.mark.parametrize(
    ("given", "order"),
    [
        ("mail", ("mail",)),
        ("Mail, userprincipalname", ("mail", "userPrincipalName")),
        ("", ("userPrincipalName", "mail")),
        (None, ("userPrincipalName", "mail")),
        ("employeeId", ("employeeId",)),
    ],
)
def test_the_order_may_be_one_text(given, order):
    """A text is a list by comma, never a list of letters."""
    assert Home(teams_order=given).teams_order == order


@pytest.mark.parametrize("prefix", ["svc", "srv", "sa", "service"])
@pytest.mark.parametrize("separator", ["-", "_", "."])
def test_service_accounts_are_told_by_their_start(prefix, separator):
    """Each of four words with each of three separators."""
    assert Home().is_service(f"{prefix}{separator}vera")
    assert not Home().is_service(f"{prefix}vera")
    assert not Home().is_service(f"x{prefix}{separator}vera")
