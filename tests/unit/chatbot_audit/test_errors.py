"""The error tree of the command."""

from __future__ import annotations

import pytest

from chatbot_audit import errors


def classes():
    found = (value for value in vars(errors).values() if isinstance(value, type))
    return [kind for kind in found if issubclass(kind, Exception)]


@pytest.mark.parametrize("kind", classes(), ids=lambda kind: kind.__name__)
def test_the_picture_names_every_error(kind):
    """Each class stands in the tree drawn at the top of the module."""
    assert kind.__name__ in (errors.__doc__ or "")


def test_the_picture_draws_the_real_tree():
    """What is drawn below another error derives from it."""
    for name in ("Missing", "Unreadable", "Write"):
        assert issubclass(getattr(errors, f"Store{name}Error"), errors.StoreError)
    for kind in (errors.ArgumentError, errors.SettingsError, errors.WhenError):
        assert issubclass(kind, errors.ChatbotAuditError)
        assert issubclass(kind, ValueError)
    assert issubclass(errors.StoreError, RuntimeError)
