"""Read an ordinary envelope straight into typed values.

What differs in anything from what CloudWatch writes every day is left to
`envelope`, which reads it slowly and says what is wrong. Without msgspec everything
is left to it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any, Final

from audit_record.times import MAX_TIMESTAMP_MS

if TYPE_CHECKING:
    import msgspec
else:
    try:
        import msgspec
    except ImportError:  # the slow way does the same
        msgspec = None
HAS_MSGSPEC: Final[bool] = sys.modules.get("msgspec") is not None

if HAS_MSGSPEC:

    class TypedEvent(msgspec.Struct, gc=False):
        """One log event; stands in for `envelope.LogEvent`."""

        event_id: str = msgspec.field(name="id")
        timestamp_ms: Annotated[int, msgspec.Meta(ge=0, le=MAX_TIMESTAMP_MS)] = (
            msgspec.field(name="timestamp")
        )
        message: str = msgspec.field()

        @property
        def raw(self) -> dict[str, Any]:
            """The event as it stands in an envelope."""
            return {
                "id": self.event_id,
                "timestamp": self.timestamp_ms,
                "message": self.message,
            }

    class TypedEnvelope(msgspec.Struct, gc=False):
        """One envelope of a log stream."""

        message_type: str = msgspec.field(name="messageType")
        owner: str
        log_group: str = msgspec.field(name="logGroup")
        log_stream: str = msgspec.field(name="logStream")
        subscription_filters: list[str] = msgspec.field(name="subscriptionFilters")
        log_events: list[TypedEvent] = msgspec.field(name="logEvents")
        put_back: Any = msgspec.field(name="chatbot_audit_put_back", default=None)

    _DECODER: Final = msgspec.json.Decoder(TypedEnvelope)


def read_envelope(data: bytes) -> TypedEnvelope | None:
    """Return the envelope that *data* is, if it is an ordinary and complete one."""
    if not HAS_MSGSPEC:
        return None
    try:
        envelope = _DECODER.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    names = (envelope.owner, envelope.log_group, envelope.log_stream)
    is_ordinary = envelope.message_type == "DATA_MESSAGE" and all(names)
    return envelope if is_ordinary and envelope.put_back is None else None
