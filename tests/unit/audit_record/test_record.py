"""`AuditRecord`."""

from __future__ import annotations

import pytest

from audit_record import AuditRecord
from audit_record.fields import KEY_ORDER
from tests.factories import make_record, make_values


def test_keys_stand_in_table_order_whatever_order_they_came_in():
    """The order of the field table is kept, also after a change."""
    backwards = dict(reversed(make_values(outcome="answered").items()))

    record = AuditRecord(backwards).replace(department="Finance")

    assert list(record) == [name for name in KEY_ORDER if name in record]


def test_unknown_keys_stay_before_the_texts():
    """What the table does not know is kept, just before the long texts."""
    record = make_record(zzz="1", raw_text="r")

    names = list(record)

    assert names[names.index("zzz") + 1 :] == [
        "raw_text",
        "response",
        "user_query",
        "full_conversation",
    ]


def test_replace_leaves_out_what_is_none():
    """A change to None removes the field; the original keeps it."""
    record = make_record(outcome="answered")

    changed = record.replace(outcome=None)

    assert "outcome" not in changed
    assert record["outcome"] == "answered"


def test_does_not_see_later_changes_of_its_source():
    """A record is a copy of what it was made from."""
    values = make_values()
    record = AuditRecord(values)

    values["user_id"] = "someone.else"

    assert record.user_id == "bob.smith"


def test_repr_holds_no_content():
    """Printing a record tells its field names and nothing of what they hold."""
    record = make_record(user_query="CANARY", attributes={"CANARY": "CANARY"})

    assert "CANARY" not in repr(record)
    assert "user_query" in repr(record)


@pytest.mark.parametrize(
    ("name", "default"),
    [("user_id", "unknown_user_id"), ("model_used", "none"), ("response", "")],
)
def test_core_properties_have_defaults(name, default):
    """A core field that is missing or no string reads as its default."""
    assert getattr(AuditRecord({}), name) == default
    assert getattr(AuditRecord({name: 7}), name) == default


def test_every_core_field_has_a_property():
    """The ten core fields and the record's id are attributes."""
    record = make_record()

    for name in make_values():
        if name != "schema_version":
            assert getattr(record, name) == record[name]
    assert AuditRecord({"record_id": 5}).record_id is None


def test_equal_records_are_equal_and_hash_alike():
    """Two records with the same fields are the same value."""
    assert make_record() == make_record()
    assert len({make_record(), make_record()}) == 1
