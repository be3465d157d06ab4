"""Where every record of the process goes instead, while a test says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emitter.sinks.entry import Sink


class Capture:
    """Holds the sink that takes the place of all others, if there is one."""

    def __init__(self) -> None:
        self.sink: Sink | None = None


capture = Capture()
