"""The question that code runs for, as contextvars carry it through calls and tasks."""

from __future__ import annotations

import contextvars
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emitter.question import Question

current: contextvars.ContextVar[Question | None] = contextvars.ContextVar(
    "audit_question", default=None
)


def current_question() -> Question | None:
    """Return the question that this code runs for, if there is one."""
    return current.get()


@contextmanager
def running_for(question: Question) -> Iterator[None]:
    """Have the code inside run for *question*, in this context alone."""
    token = current.set(question)
    try:
        yield
    finally:
        current.reset(token)
