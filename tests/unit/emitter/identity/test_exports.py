"""The public names of both packages, which are loaded when first used."""

from __future__ import annotations

import importlib

import pytest

PACKAGES = ["emitter.identity", "emitter.conversation"]


@pytest.mark.parametrize("name", PACKAGES)
def test_every_public_name_is_there(name):
    """What `__all__` promises can be had, and `dir` shows it."""
    package = importlib.import_module(name)

    assert set(package.__all__) <= set(dir(package))
    assert all(getattr(package, each) is not None for each in package.__all__)


@pytest.mark.parametrize("name", PACKAGES)
def test_other_names_are_not(name):
    """A typing mistake is told as in any module."""
    package = importlib.import_module(name)

    with pytest.raises(AttributeError, match="no_such_name"):
        package.no_such_name  # noqa: B018 - the access is the test
