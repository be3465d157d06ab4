"""What the integration tests share."""

from __future__ import annotations

import threading

import pytest


@pytest.fixture
def threads_begun():
    """Tell which threads began in this test and still run; others' do not count."""
    before = set(threading.enumerate())

    def begun():
        return [t for t in threading.enumerate() if t not in before and t.is_alive()]

    return begun
