"""Answers of a directory, kept for a while and in bounded number."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

from emitter.identity.model import LookupFailure

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = dict[str, Any] | LookupFailure

GOOD_FOR_S: Final = 3_600.0
BAD_FOR_S: Final = 300.0


class Remembered:
    """Least-recently-used cache: good answers for 1 h, failures for 5 min.

    Not thread-safe: its owner holds a lock.
    """

    def __init__(self, *, max_people: int, clock: Callable[[], float]) -> None:
        self._max_people = max(1, max_people)
        self._clock = clock
        self._answers: OrderedDict[str, tuple[float, Answer]] = OrderedDict()

    def get(self, platform_id: str) -> Answer | None:
        """Return the answer, or None if there is none that is fresh enough."""
        found = self._answers.get(platform_id)
        if found is None:
            return None
        expires_at_s, answer = found
        if self._clock() >= expires_at_s:
            del self._answers[platform_id]
            return None
        self._answers.move_to_end(platform_id)
        return answer

    def put(self, platform_id: str, answer: Answer) -> None:
        """Remember an answer; the least recently used one makes room."""
        lifetime_s = BAD_FOR_S if _is_failure(answer) else GOOD_FOR_S
        self._answers[platform_id] = (self._clock() + lifetime_s, answer)
        self._answers.move_to_end(platform_id)
        while len(self._answers) > self._max_people:
            self._answers.popitem(last=False)


def _is_failure(answer: Answer) -> bool:
    return isinstance(answer, LookupFailure) or answer.get("ok") is False
