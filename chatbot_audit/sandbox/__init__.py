"""The whole pipeline on one machine: a tool for trying, and the rig of the tests."""

from chatbot_audit.sandbox.errors import SandboxError
from chatbot_audit.sandbox.pipeline import Sandbox
from chatbot_audit.sandbox.settings import (
    FirehoseSettings,
    LambdaSettings,
    SandboxSettings,
)

__all__ = [
    "FirehoseSettings",
    "LambdaSettings",
    "Sandbox",
    "SandboxError",
    "SandboxSettings",
]
