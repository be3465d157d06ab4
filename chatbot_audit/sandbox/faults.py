"""What goes wrong on purpose: knobs that a test, or a curious user, turns.

All are counters that run down, so that a run always ends; `seeded_positions`
chooses the same victims again for the same seed.
"""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field


class Countdown:
    """So many times yes, then no; safe to ask from many threads.

    Args:
        count: How often `take` says yes.
        share: Part of the questions that it says yes to until then, 0 to 1.
        seed: Chooses which, where the share is not 1.
    """

    def __init__(self, count: int = 0, share: float = 1.0, seed: int = 1) -> None:
        self._left = count
        self._share = share
        self._rng = random.Random(seed)  # noqa: S311 - nothing secret is chosen
        self._lock = threading.Lock()

    def set(self, count: int) -> None:
        """Say yes *count* times more."""
        with self._lock:
            self._left = count

    def take(self) -> bool:
        """Tell whether it happens this time."""
        with self._lock:
            if self._left <= 0 or self._rng.random() >= self._share:
                return False
            self._left -= 1
            return True


@dataclass
class PutFaults:
    """What Firehose's API does wrong.

    Attributes:
        throttled_calls: Whole calls that are answered ServiceUnavailableException.
        partial_calls: Batches of which `failed_positions` are not taken.
        failed_positions: Positions in those batches.
        refusal_code: If set, every call is refused with it, for good.
        killed_callers: Calls that are carried out and answered, and whose process is
            killed then, before it can answer its own invocation.
    """

    throttled_calls: Countdown = field(default_factory=Countdown)
    partial_calls: Countdown = field(default_factory=Countdown)
    failed_positions: frozenset[int] = frozenset()
    refusal_code: str = ""
    killed_callers: Countdown = field(default_factory=Countdown)


@dataclass
class FunctionFaults:
    """What happens to invocations.

    Attributes:
        throttled_calls: Invocations that Lambda refuses for want of capacity.
        killed_calls: Invocations whose process is killed while it works.
    """

    throttled_calls: Countdown = field(default_factory=Countdown)
    killed_calls: Countdown = field(default_factory=Countdown)


@dataclass
class HecFaults:
    """What the HTTP Event Collector does wrong.

    Attributes:
        refused_calls: Event requests that are answered with `refusal_code`.
        refusal_code: HEC's code: 9 is a busy server.
        cut_calls: Event requests that are indexed and then never answered.
        lost_acks: Acknowledgements that never become true.
        slow_ack_polls: So many questions are answered "not yet" before "yes".
        unhealthy_code: 18, 19 or 20 while the collector is not healthy.
        is_sticky: Whether only the indexer that took events, which a cookie names,
            acknowledges them, as behind a load balancer.
    """

    refused_calls: Countdown = field(default_factory=Countdown)
    refusal_code: int = 9
    cut_calls: Countdown = field(default_factory=Countdown)
    lost_acks: Countdown = field(default_factory=Countdown)
    slow_ack_polls: int = 0
    unhealthy_code: int = 0
    is_sticky: bool = True


@dataclass
class Faults:
    """All knobs of one sandbox."""

    put: PutFaults = field(default_factory=PutFaults)
    function: FunctionFaults = field(default_factory=FunctionFaults)
    hec: HecFaults = field(default_factory=HecFaults)


def seeded_positions(seed: int, count: int, share: float) -> frozenset[int]:
    """Return the positions below *count* that fail; the same for the same *seed*.

    Args:
        seed: Any whole number.
        count: Positions there are.
        share: Part of them that fails, 0 to 1.
    """
    rng = random.Random(seed)  # noqa: S311 - nothing secret is chosen
    return frozenset(n for n in range(count) if rng.random() < share)
