"""Time as the emitter sees it; tests and replays bring their own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class Clock(NamedTuple):
    """Two clocks and a way to wait.

    Attributes:
        now_ms: Milliseconds since 1970: what records are dated with.
        monotonic_s: Seconds that never go back: what durations are made of.
        sleep_s: Waits so many seconds between attempts of the background sender.
    """

    now_ms: Callable[[], int] = _now_ms
    monotonic_s: Callable[[], float] = time.monotonic
    sleep_s: Callable[[float], object] = time.sleep
