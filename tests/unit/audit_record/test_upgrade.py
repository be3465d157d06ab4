"""Upgrading older schema majors."""

from __future__ import annotations

import pytest

from audit_record.errors import UnknownSchemaError
from audit_record.upgrade import upgrade


@pytest.mark.parametrize("version", ["1.0", "1.7"])
def test_current_major_stays(version):
    """Any minor of the current major is read as it is."""
    values = {"schema_version": version, "later_field": 1}

    assert upgrade(values) == values


def test_missing_version_is_current():
    """A record that does not say its version is taken as current."""
    assert upgrade({"user_id": "a"}) == {"user_id": "a"}


@pytest.mark.parametrize("version", ["2.0", "0.9", "x", "", None, "-1.0", "9" * 9, []])
def test_unknown_majors_are_refused(version):
    """A major without a way to the current one raises, without its text."""
    with pytest.raises(UnknownSchemaError):
        upgrade({"schema_version": version})


def test_steps_are_taken_one_after_the_other():
    """A record two majors behind goes through both steps."""
    steps = {
        1: lambda values: values | {"b": values.pop("a")},
        2: lambda values: values | {"c": values.pop("b")},
    }
    values = {"schema_version": "1.4", "a": "kept"}

    upgraded = upgrade(values, steps, current_major=3)

    assert upgraded == {"schema_version": "3.0", "c": "kept"}
    assert values == {"schema_version": "1.4", "a": "kept"}
