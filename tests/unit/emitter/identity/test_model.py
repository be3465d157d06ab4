"""The values of identity."""

from __future__ import annotations

import pytest

from audit_record.fields import FIELDS_BY_NAME
from emitter.identity import Home, Identity, LookupFailure


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


def test_a_faulty_service_pattern_is_refused():
    """A pattern that cannot be compiled is a mistake that shows at once."""
    with pytest.raises(ValueError, match="service_pattern"):
        Home(service_pattern="(")


def test_the_service_pattern_is_configurable():
    """Firms name their machines in their own way."""
    home = Home(service_pattern="robot_")

    assert home.is_service("robot_1")
    assert not home.is_service("svc-1")


@pytest.mark.parametrize("reason", ["nonsense", None, [], ""])
def test_an_unknown_reason_counts_as_error(reason):
    """The record's enum knows no other reasons."""
    assert LookupFailure(reason).resolution == "unresolved:error"
