"""One record while it is being made: sealed once, whoever comes first.

The helper thread that looks the person up and the caller whose time is up may both
want the record; both get the same bytes.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from audit_record.ids import log_stream_name
from emitter.assemble import Redact, assemble
from emitter.chain import PLACEHOLDER, seal
from emitter.latch import Latch
from emitter.sinks.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from audit_record import AuditRecord
    from emitter.identity import Identity

_LOG: Final = logging.getLogger("emitter")
# What a caller whose time is up still waits for texts that are being made.
_GRACE_S: Final = 0.2


class Recipe(Protocol):
    """How one record comes about; may be asked by two threads at once."""

    @property
    def asked_ms(self) -> int:
        """The event's time, in ms since 1970."""

    @property
    def core(self) -> Mapping[str, Any]:
        """The few fields that are there if everything else fails."""

    def collect(self, identity: Identity) -> dict[str, Any]:
        """Return all fields, once it is known who asked."""

    def identify(self) -> Identity:
        """Tell who asked; may ask a directory."""

    def identify_now(self) -> Identity:
        """Tell who asked as far as the event alone says it."""

    def size_hint_bytes(self) -> int:
        """Return about what all this takes in memory."""


@dataclass(frozen=True, slots=True)
class Making:
    """What all records of one emitter are made with.

    Attributes:
        log_group: Where they go.
        max_bytes: Cap on one encoded record.
        redact: Runs on each text.
        on_overflow: Gets the untouched record when it had to be shortened.
        on_shortened: Counts that.
    """

    log_group: str
    max_bytes: int
    redact: Redact | None
    on_overflow: Callable[[AuditRecord], Any] | None
    on_shortened: Callable[[], None]


class Draft:
    """Makes one entry; thread-safe."""

    # Whether the bot's own code has raised what nobody expects: nothing to wait for.
    _is_broken = False

    def __init__(self, recipe: Recipe, making: Making) -> None:
        self.recipe = recipe
        self._making = making
        self._lock = threading.Lock()
        self._sealed = Latch()
        self._is_begun = False
        self._size_bytes: int | None = None
        self._entry: Entry | None = None
        self._untouched: AuditRecord | None = None

    def entry(self) -> Entry:
        """Return the record's line; asks who it was, so it may take time."""
        identity = self._identity()
        self._is_begun = True
        return self._made(identity)

    def _identity(self) -> Identity:
        try:
            return self.recipe.identify()
        except BaseException as error:  # noqa: BLE001 - a directory of the bot's own
            _LOG.warning("audit: look-up failed: %s", type(error).__name__)
            return self.recipe.identify_now()

    def _made(self, identity: Identity) -> Entry:
        try:
            return self._make(identity, self._making.redact)
        except BaseException:
            with self._lock:
                if self._entry is None and not self._is_broken:
                    self._is_broken = True
                    self._sealed.open()
            raise

    def entry_now(self, grace_s: float = _GRACE_S) -> Entry:
        """Return the record's line within a fraction of a second.

        A person who has not been found by now stays unresolved. A redact hook that
        has not ended by now has its texts withheld.

        Args:
            grace_s: What a hook still gets.
        """
        if self._entry is None and self._making.redact is not None and grace_s > 0:
            self._begin_beside()
        if self._is_begun:
            self._sealed.wait(grace_s)
        if self._entry is not None:
            return self._entry
        redact = None if self._making.redact is None else _withhold
        return self._make(self.recipe.identify_now(), redact)

    @property
    def size_bytes(self) -> int:
        """About what the draft takes in memory; worked out once."""
        if self._size_bytes is None:
            try:
                self._size_bytes = self.recipe.size_hint_bytes()
            except Exception:  # noqa: BLE001 - a bot's own object may do anything
                self._size_bytes = self._making.max_bytes
        return self._size_bytes

    def is_sealed_within(self, timeout_s: float) -> bool:
        """Wait until the line is made or cannot be; tell whether that came to be."""
        return self._sealed.wait(timeout_s)

    def tell_overflow(self) -> None:
        """Hand the untouched record to the hook, once, if it was shortened."""
        with self._lock:
            untouched, self._untouched = self._untouched, None
        hook = self._making.on_overflow
        if untouched is None or hook is None:
            return
        try:
            hook(untouched)
        except BaseException as error:  # noqa: BLE001 - the hook is the bot's own code
            _LOG.warning("audit: on_overflow failed: %s", type(error).__name__)

    @property
    def has_hook(self) -> bool:
        """Whether somebody wants to hear of shortened records."""
        return self._making.on_overflow is not None

    @property
    def has_overflow(self) -> bool:
        """Whether the hook still has to hear of this record."""
        return self._untouched is not None and self._making.on_overflow is not None

    def _begin_beside(self) -> None:
        """Run the hook on a thread, where it can hang without harm."""
        if self._is_begun:
            return
        self._is_begun = True

        def make() -> None:
            try:
                self._made(self.recipe.identify_now())
            except BaseException as error:  # noqa: BLE001 - its text may hold content
                _LOG.warning("audit: redact failed: %s", type(error).__name__)

        try:
            threading.Thread(target=make, name="audit-redact", daemon=True).start()
        except RuntimeError:  # no thread can be had: the texts are withheld
            self._is_begun = False

    def _make(self, identity: Identity, redact: Redact | None) -> Entry:
        before, record = assemble(
            self._collect(identity), redact, self._making.max_bytes, self.recipe.core
        )
        with self._lock:
            if self._entry is None:
                self._entry = self._seal(before, record)
                if not self._is_broken:
                    self._sealed.open()
            return self._entry

    def _collect(self, identity: Identity) -> Mapping[str, Any]:
        try:
            return self.recipe.collect(identity)
        except Exception as error:  # noqa: BLE001 - a record with little beats none
            note = {"audit_error": type(error).__name__}
            _LOG.warning("audit: collecting failed: %s", type(error).__name__)
            return {**self.recipe.core, **identity.as_fields(), "attributes": note}

    def _seal(self, before: AuditRecord, record: AuditRecord) -> Entry:
        if record is not before:
            self._making.on_shortened()
            self._untouched = before.replace(**dict.fromkeys(PLACEHOLDER))
        group = self._making.log_group
        stream = log_stream_name(record.bot_name, record.session_id)
        line = seal(record, group, stream)
        return Entry(group, stream, self.recipe.asked_ms, line)


def _withhold(_: str) -> str:
    raise TimeoutError
