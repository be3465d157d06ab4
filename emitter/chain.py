"""The hash chain: each line of a process and stream names the one before it.

`seq`, `prev_sha256` and the final bytes are made together, under one lock, in one
registry for the whole process, whatever emitters and threads there are. A process
that was forked begins chains of its own.
"""

from __future__ import annotations

import hashlib
import os
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from audit_record.codec import encode
from audit_record.ids import new_random_hex

if TYPE_CHECKING:
    from audit_record import AuditRecord

_CHAIN_ID_DIGITS: Final = 16
# Takes the place of chain fields while a record is fitted under its cap: no real
# value is longer.
PLACEHOLDER: Final = {
    "chain_id": "f" * _CHAIN_ID_DIGITS,
    "seq": 2**63 - 1,
    "prev_sha256": "f" * 64,
}


@dataclass
class _Chain:
    chain_id: str = field(default_factory=lambda: new_random_hex(_CHAIN_ID_DIGITS))
    seq: int = 0
    last_sha256: str = ""


class _Registry:
    """All chains of this process, by log group and stream."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.chains: dict[tuple[str, str], _Chain] = {}


_registry = _Registry()


def seal(record: AuditRecord, log_group: str, log_stream: str) -> bytes:
    """Give *record* its place in the chain and return its line, final to the byte.

    Args:
        record: Fitted with `PLACEHOLDER` in it, so that the line fits too.
        log_group: Where the line will go.
        log_stream: The same.
    """
    with _registry.lock:
        chain = _registry.chains.setdefault((log_group, log_stream), _Chain())
        chain.seq += 1
        line = encode(
            record.replace(
                chain_id=chain.chain_id,
                seq=chain.seq,
                prev_sha256=chain.last_sha256 or None,
            )
        )
        chain.last_sha256 = hashlib.sha256(line).hexdigest()
        return line


def _begin_anew() -> None:
    """Forget the parent's chains; its lock may be held by a thread not copied."""
    global _registry  # noqa: PLW0603 - one registry a process is the point
    _registry = _Registry()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
