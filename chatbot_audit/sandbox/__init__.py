"""The whole pipeline on one machine: a tool for trying, and the rig of the tests."""

from chatbot_audit.sandbox.accounting import Report
from chatbot_audit.sandbox.clock import Clock, DrivenClock, RealClock
from chatbot_audit.sandbox.errors import SandboxError
from chatbot_audit.sandbox.faults import Faults
from chatbot_audit.sandbox.pipeline import Sandbox
from chatbot_audit.sandbox.settings import (
    FirehoseSettings,
    LambdaSettings,
    SandboxSettings,
)

__all__ = [
    "Clock",
    "DrivenClock",
    "Faults",
    "FirehoseSettings",
    "LambdaSettings",
    "RealClock",
    "Report",
    "Sandbox",
    "SandboxError",
    "SandboxSettings",
]
