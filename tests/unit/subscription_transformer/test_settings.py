"""Settings from the environment."""

from __future__ import annotations

import pytest

from subscription_transformer.errors import SettingsError
from subscription_transformer.settings import TransformerSettings


def test_defaults_hold_without_any_variable():
    """Unset and empty say the same."""
    assert TransformerSettings.from_env({}) == TransformerSettings()
    assert (
        TransformerSettings.from_env({"AUDIT_SPLUNK_INDEX": " "})
        == TransformerSettings()
    )


def test_every_setting_is_read():
    """Each variable reaches its field."""
    settings = TransformerSettings.from_env(
        {
            "AUDIT_DESTINATION": "opensearch",
            "AUDIT_SPLUNK_INDEX": "audit",
            "AUDIT_SPLUNK_CONTENT_INDEX": "audit_content",
            "AUDIT_SPLUNK_SOURCETYPE": "my:type",
            "AUDIT_MAX_TEXT_BYTES": "8192",
            "AUDIT_MAX_DOCUMENT_BYTES": "100000",
            "AUDIT_RESPONSE_BUDGET_BYTES": "5000000",
            "AUDIT_INVALID_RECORDS": "fail",
            "AUDIT_PUT_BACK": "off",
            "AUDIT_RULES": "/opt/rules.json",
        }
    )

    assert settings == TransformerSettings(
        "opensearch",
        "audit",
        "audit_content",
        "my:type",
        8_192,
        100_000,
        5_000_000,
        "fail",
        is_put_back_on=False,
        rules="/opt/rules.json",
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AUDIT_DESTINATION", "nowhere"),
        ("AUDIT_SPLUNK_INDEX", "Not An Index"),
        ("AUDIT_SPLUNK_SOURCETYPE", "a b"),
        ("AUDIT_MAX_TEXT_BYTES", "many"),
        ("AUDIT_MAX_TEXT_BYTES", "1023"),
        ("AUDIT_MAX_DOCUMENT_BYTES", "900001"),
        ("AUDIT_RESPONSE_BUDGET_BYTES", "6000001"),
        ("AUDIT_INVALID_RECORDS", "maybe"),
        ("AUDIT_PUT_BACK", "1"),
    ],
)
def test_faults_name_the_variable_and_not_its_value(name, value):
    """A value may be pasted by mistake; it is not repeated."""
    with pytest.raises(SettingsError) as caught:
        TransformerSettings.from_env({name: value})

    (fault,) = caught.value.faults
    assert fault.startswith(name)
    assert value not in fault.removeprefix(name).replace("from 1024", "")


def test_all_faults_are_told_together():
    """An operator mends an environment once."""
    with pytest.raises(SettingsError) as caught:
        TransformerSettings.from_env({"AUDIT_DESTINATION": "x", "AUDIT_PUT_BACK": "y"})

    assert len(caught.value.faults) == 2
