"""The committed shape of the deployment is that of the plans."""

from __future__ import annotations

import json

import pytest

from chatbot_audit.sandbox.settings import HANDLER
from scripts.tf_shape import EXAMPLES, SHAPE, shape_of

pytestmark = pytest.mark.terraform


@pytest.mark.parametrize("destination", EXAMPLES)
def test_the_snapshot_is_what_is_planned(planned, destination):
    """Environment, memory, times, buffers, retries and prefixes are the plan's."""
    snapshot = json.loads(SHAPE.read_text())[destination]

    planned_shape = shape_of(planned(f"examples/{EXAMPLES[destination]}"), destination)

    assert snapshot == planned_shape, "run scripts.tf_shape"


@pytest.mark.parametrize("destination", EXAMPLES)
def test_the_sandbox_runs_the_deployed_handler(destination):
    """The handler that the sandbox calls is the one that is deployed."""
    snapshot = json.loads(SHAPE.read_text())[destination]

    assert snapshot["function"]["handler"] == HANDLER
