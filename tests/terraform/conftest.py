"""Terraform, its provider and a loopback AWS, for the tests in this folder."""

from __future__ import annotations

import os

import pytest

from scripts.tf_local import Workspace, find_tools, moto_server


@pytest.fixture(scope="session")
def tools():
    """What the tests need; without it they are skipped here, and fail in CI."""
    try:
        return find_tools()
    except FileNotFoundError as error:
        if os.environ.get("CI"):
            pytest.fail(f"CI has to run this: {error}")
        pytest.skip(f"not run: {error}")


@pytest.fixture(scope="session")
def aws_url(tmp_path_factory):
    """A moto server on the loopback that only looks-up of plans go to."""
    with moto_server(tmp_path_factory.mktemp("moto") / "moto.log") as url:
        yield url


@pytest.fixture(scope="session")
def planned(tools, aws_url, tmp_path_factory):
    """Plan a root with variables, once for each; return the plan as JSON."""
    workspace = Workspace(tools, tmp_path_factory.mktemp("plans"), aws_url)
    plans = {}
    prepared = set()

    def plan(root, *options):
        if root not in prepared:
            workspace.prepare(root)
            prepared.add(root)
        if (root, options) not in plans:
            plans[root, options] = workspace.plan(root, *options)
        return plans[root, options]

    plan.workspace = workspace
    return plan
