"""Whether a thread is writing a record just now, so that it begins no other within."""

from __future__ import annotations

import threading
from typing import Final


class _Delivering(threading.local):
    """Marks the thread while a ``with`` block runs; can be nested."""

    depth = 0

    def __enter__(self) -> None:
        self.depth += 1

    def __exit__(self, *_: object) -> None:
        self.depth -= 1


delivering: Final = _Delivering()


def is_delivering() -> bool:
    """Tell whether this code runs inside a delivery, as a logging handler may."""
    return delivering.depth > 0
