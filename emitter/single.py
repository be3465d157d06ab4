"""A record in one call, without a question around it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from audit_record.fields import FIELDS_BY_NAME, TEXT_FIELDS
from audit_record.times import format_timestamp, parse_timestamp_ms
from emitter.conversation import flatten
from emitter.conversation.asked import last_question, readable_twice
from emitter.gathered import rough_size_bytes, shown_text
from emitter.identity import Identity, SourceFacts, read_source
from emitter.outcome import outcome_of
from emitter.runtime import read_runtime

if TYPE_CHECKING:
    from collections.abc import Mapping

    from emitter.writer import Writer

# Below this a number is seconds since 1970, from here on milliseconds: the one
# would be the year 5138, the other March 1973.
_FIRST_MS: Final = 100_000_000_000
_FIELDS_BYTES: Final = 2_000


class SingleRecipe:
    """How the record of one call comes about.

    Args:
        writer: Of the emitter.
        stated: Fields by name.
        user: Who asked: a name, an `Identity`, an event; None takes `user_id`.
        context: Lambda's context object, or None.

    Attributes:
        remaining_ms: Gives the time left; None where there is no limit.
        record_id: Of the record.
    """

    def __init__(
        self, writer: Writer, stated: dict[str, Any], user: Any, context: Any
    ) -> None:
        self._writer = writer
        self._facts, self._user = _who(user, stated.pop("user_id", None))
        runtime = read_runtime(context, event=self._facts.event)
        now_ms = writer.clock.now_ms()
        stated_ms = read_time_ms(stated.get("timestamp"))
        if stated_ms is not None:
            stated.pop("timestamp")
        self.asked_ms = now_ms if stated_ms is None else stated_ms
        self.record_id = _record_id(writer, stated, now_ms)
        self.remaining_ms = runtime.remaining_ms
        self._stated = stated
        self.core: dict[str, Any] = {
            "timestamp": format_timestamp(self.asked_ms),
            "bot_name": writer.bot_name,
            "record_id": self.record_id,
            "record_type": "interaction",
            "nonce": writer.new_nonce(),
            **runtime.as_fields(self.asked_ms),
        }

    def collect(self, identity: Identity) -> dict[str, Any]:
        """Return all fields."""
        filled = _filled(self._writer, self._facts, self._stated)
        return self.core | identity.as_fields() | filled

    def identify(self) -> Identity:
        """Return who asked; may ask a directory."""
        return self._writer.resolve(self._facts, self._user)

    def identify_now(self) -> Identity:
        """Return who asked as far as what was stated says it."""
        return self._writer.resolve_now(self._facts, self._user)

    def size_hint_bytes(self) -> int:
        """Return about what the fields take in memory."""
        return _FIELDS_BYTES + rough_size_bytes(list(self._stated.values()))


def read_time_ms(moment: Any) -> int | None:
    """Return milliseconds since 1970 of what bots date things with, else None.

    A timestamp of the record's own format, any ISO 8601 text with its zone (without
    one it is UTC), a datetime, or seconds or milliseconds since 1970.
    """
    if isinstance(moment, bool) or moment is None:
        return None
    try:
        if isinstance(moment, int | float):
            return int(moment if abs(moment) >= _FIRST_MS else moment * 1_000)
        if isinstance(moment, str):
            return _text_time_ms(moment)
        return _datetime_ms(moment) if isinstance(moment, dt.datetime) else None
    except (ValueError, OverflowError):
        return None


def _text_time_ms(text: str) -> int:
    try:
        return parse_timestamp_ms(text)
    except ValueError:
        return _datetime_ms(dt.datetime.fromisoformat(text.strip()))


def _datetime_ms(moment: dt.datetime) -> int:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return int((aware - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)).total_seconds() * 1_000)


def _who(user: Any, user_id: Any) -> tuple[SourceFacts, Any]:
    if user is None or isinstance(user, str | Identity):
        return read_source(None), user if user is not None else user_id
    facts = read_source(user)
    return facts, user_id


def _record_id(writer: Writer, stated: dict[str, Any], now_ms: int) -> str:
    pattern = FIELDS_BY_NAME["record_id"].pattern
    given = stated.pop("record_id", None)
    is_id = isinstance(given, str) and pattern is not None and pattern.fullmatch(given)
    return given if is_id else writer.new_record_id(now_ms)


def _filled(
    writer: Writer, facts: SourceFacts, stated: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what was stated, its texts as texts, with what follows from it."""
    fields: dict[str, Any] = {
        "channel_id": facts.channel_id,
        "channel_type": facts.channel_type,
        "conversation_id": facts.conversation_id,
    }
    fields |= {name: value for name, value in stated.items() if value is not None}
    talk = fields.get("full_conversation")
    if talk is not None and not isinstance(talk, str):
        talk = readable_twice(talk)
        fields["full_conversation"] = flatten(talk, style=writer.settings.style)
        fields.setdefault("user_query", last_question(talk))
    for name in TEXT_FIELDS:
        if name in fields:
            fields[name] = shown_text(fields[name])
    if fields.get("record_type", "interaction") == "interaction":
        fields.setdefault("outcome", _outcome(fields))
    return fields


def _outcome(fields: Mapping[str, Any]) -> str:
    if fields.get("error_type"):
        return "error"
    return outcome_of(
        None,
        fields.get("stop_reason"),
        fields.get("guardrail_action"),
        fields.get("response", ""),
        is_complete=True,
    )
