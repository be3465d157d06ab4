"""The hash chain: each line of a process and stream names the one before it.

`seq`, `prev_sha256` and the final bytes are made together, under one lock, in one
registry for the whole process, whatever emitters and threads there are. A process
that was forked begins chains of its own.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from audit_record.codec import encode
from audit_record.ids import new_random_hex
from emitter.forks import tell_after_fork

if TYPE_CHECKING:
    from audit_record import AuditRecord

_CHAIN_ID_DIGITS: Final = 16
# A process has one stream, or a few where the bot names sessions itself; the one
# used longest ago begins a new chain if it comes back.
MAX_CHAINS: Final = 1_024
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


class ChainRegistry:
    """All chains of one process, by log group and stream."""

    def __init__(self) -> None:
        self.begin_anew()
        tell_after_fork(self)

    def begin_anew(self) -> None:
        """Forget the parent's chains and its lock."""
        self._lock = threading.Lock()
        self._chains: OrderedDict[tuple[str, str], _Chain] = OrderedDict()

    def seal(self, record: AuditRecord, log_group: str, log_stream: str) -> bytes:
        """Give *record* its place in the chain and return its line, final to the byte.

        Args:
            record: Fitted with `PLACEHOLDER` in it, so that the line fits too.
            log_group: Where the line will go.
            log_stream: The same.
        """
        with self._lock:
            chain = self._chain((log_group, log_stream))
            line = encode(
                record.replace(
                    chain_id=chain.chain_id,
                    seq=chain.seq + 1,
                    prev_sha256=chain.last_sha256 or None,
                )
            )
            chain.seq += 1
            chain.last_sha256 = hashlib.sha256(line).hexdigest()
            return line

    def _chain(self, stream: tuple[str, str]) -> _Chain:
        chain = self._chains.get(stream)
        if chain is None:
            chain = self._chains[stream] = _Chain()
        self._chains.move_to_end(stream)
        if len(self._chains) > MAX_CHAINS:
            self._chains.popitem(last=False)
        return chain


seal: Final = ChainRegistry().seal
