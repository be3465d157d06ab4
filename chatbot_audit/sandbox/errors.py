"""Errors of the sandbox.

::

    SandboxError (RuntimeError)
    ├── SandboxSettingsError  a setting that cannot be used (ValueError)
    ├── ZipMissingError       the Lambda's zip was not built, or is none
    ├── RuntimeMissingError   no interpreter with AWS's runtime client
    ├── PortTakenError        something else listens on a port
    ├── ServerError           a part of the sandbox did not start or answer
    └── DrainError            records were still on their way when time was up

Each message is one sentence that says what to do.
"""

from __future__ import annotations


class SandboxError(RuntimeError):
    """Base of every error that the sandbox raises."""


class SandboxSettingsError(SandboxError, ValueError):
    """A setting cannot be used; all faults are named together.

    Attributes:
        faults: Each a phrase that says what must be.
    """

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


class ZipMissingError(SandboxError):
    """The Lambda's zip is not there or cannot be opened."""


class RuntimeMissingError(SandboxError):
    """No interpreter here runs the zip.

    It is missing, lacks AWS's runtime client, or the zip was built for another one.
    """


class PortTakenError(SandboxError):
    """Another process listens on the port asked for."""


class ServerError(SandboxError):
    """A part of the sandbox did not start or does not answer."""


class DrainError(SandboxError):
    """The pipeline was not empty within the time allowed."""
