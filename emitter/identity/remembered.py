"""Answers of a directory, kept for a while and in bounded number."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

from emitter.conversation.shape import dict_at, never_raises
from emitter.identity.clean import split
from emitter.identity.model import LOGIN_PROPERTIES, LookupFailure

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = dict[str, Any] | LookupFailure

# Properties of Slack's and of Graph's users, the latter as its SDK has them as well.
_NAMES: Final = (
    "name",
    "email",
    *LOGIN_PROPERTIES,
    "user_principal_name",
    "mail_nickname",
    "on_premises_sam_account_name",
)

GOOD_FOR_S: Final = 3_600.0
BAD_FOR_S: Final = 300.0


class Remembered:
    """Least-recently-used cache; see `lifetime_s` for how long an answer stays.

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

    def put(self, platform_id: str, answer: Answer, stays_s: float) -> None:
        """Remember an answer; the least recently used one makes room."""
        self._answers[platform_id] = (self._clock() + stays_s, answer)
        self._answers.move_to_end(platform_id)
        while len(self._answers) > self._max_people:
            self._answers.popitem(last=False)


def lifetime_s(answer: Answer) -> float:
    """Return how long an answer is believed: one that names nobody not for long.

    Failures come as answers too, with status 200: ``{"ok": true, "user": null}``.
    """
    return GOOD_FOR_S if _names_somebody(answer) else BAD_FOR_S


@never_raises(lambda: False)
def _names_somebody(answer: Answer) -> bool:
    if isinstance(answer, LookupFailure):
        return False
    if answer.get("ok") is False or answer.get("error"):
        return False
    user = dict_at(answer, "user") or answer
    owners = (user, dict_at(user, "profile"))
    names = (split(owner.get(name)) for owner in owners for name in _NAMES)
    return any(name.local for name in names)
