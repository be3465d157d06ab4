"""Settings of the sandbox."""

from __future__ import annotations

import sys

import pytest

from chatbot_audit.sandbox.errors import SandboxSettingsError
from chatbot_audit.sandbox.settings import (
    FirehoseSettings,
    LambdaSettings,
    SandboxSettings,
)


def test_the_defaults_are_valid():
    """A sandbox runs without any setting."""
    SandboxSettings().require_valid()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (SandboxSettings(destination="tape"), "sqlite, splunk"),
        (SandboxSettings(hec_url="ftp://x"), "http://"),
        (SandboxSettings(aws_port=65_536), "aws_port"),
        (SandboxSettings(firehose_port=-1), "firehose_port"),
        (SandboxSettings(drain_timeout_s=0), "drain_timeout_s"),
        (SandboxSettings(function=LambdaSettings(process_count=11)), "1 to 10"),
        (SandboxSettings(function=LambdaSettings(timeout_s=301)), "timeout_s"),
        (SandboxSettings(firehose=FirehoseSettings(buffer_bytes=1)), "buffer_bytes"),
        (
            SandboxSettings(firehose=FirehoseSettings(retry_duration_s=7_201)),
            "retry_duration_s",
        ),
    ],
)
def test_a_faulty_setting_is_named(settings, words):
    """What AWS would refuse is refused, with the legal range."""
    with pytest.raises(SandboxSettingsError, match=words):
        settings.require_valid()


def test_all_faults_are_reported_together():
    """Nobody has to start it twice to learn of the second fault."""
    settings = SandboxSettings(destination="tape", hec_port=-1)

    with pytest.raises(SandboxSettingsError) as caught:
        settings.require_valid()

    assert len(caught.value.faults) == 2


def test_the_interpreter_is_looked_for_beside_the_zip(tmp_path, monkeypatch):
    """Wherever the command is run; without one there, this interpreter runs it."""
    prepared = tmp_path / "build" / "lambda-runtime" / "bin" / "python"
    prepared.parent.mkdir(parents=True)
    prepared.touch()
    beside, alone = tmp_path / "build" / "t.zip", tmp_path / "t.zip"
    monkeypatch.chdir(tmp_path)

    found = [LambdaSettings(zip_path=path).interpreter for path in (beside, alone)]

    assert found == [str(prepared), sys.executable]
    assert LambdaSettings().interpreter == "build/lambda-runtime/bin/python"
    assert LambdaSettings(zip_path=beside, python="python3").interpreter == "python3"
