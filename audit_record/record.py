"""`AuditRecord`: the fields of one record, in the contractual order, unchanging."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from audit_record.fields import CORE_DEFAULTS, FIELDS, FIELDS_BY_NAME, TEXT_FIELDS

JsonScalar: TypeAlias = str | int | float | bool | None
JsonValue: TypeAlias = "JsonScalar | list[JsonValue] | dict[str, JsonValue]"

# Keys the table does not know stand before the texts, wherever those begin.
_LAST: Final = ("feedback_comment", "raw_text", *TEXT_FIELDS)
_FIRST: Final = tuple(field.name for field in FIELDS if field.name not in _LAST)


class AuditRecord(Mapping[str, Any]):
    """One question a person asked a bot, as an unchanging mapping.

    Keys stand in the order of the field table, whatever order they came in;
    keys the table does not know are kept, just before the long texts. Nothing
    is checked here: `audit_record.checks` says what is wrong with a record.

    Args:
        values: Field names to values. The mapping is copied; lists and maps in
            it are not, and must not be changed afterwards.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        ordered = {name: values[name] for name in _FIRST if name in values}
        if len(ordered) != len(values):
            ordered |= {k: v for k, v in values.items() if k not in FIELDS_BY_NAME}
            ordered |= {name: values[name] for name in _LAST if name in values}
        self._values = ordered

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(tuple(self._values))

    def __repr__(self) -> str:
        """Name the fields but not what they hold: content must not reach a log."""
        return f"AuditRecord({', '.join(self._values)})"

    def replace(self, **changes: Any) -> AuditRecord:
        """Return a copy with *changes*; a field set to None is left out."""
        merged = self._values | changes
        return AuditRecord({k: v for k, v in merged.items() if v is not None})

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as a new dict, in the contractual order."""
        return dict(self._values)

    @property
    def record_id(self) -> str | None:
        """The record's own id, 32 hex digits, if it has one."""
        value = self._values.get("record_id")
        return value if isinstance(value, str) else None

    @property
    def timestamp(self) -> str:
        """When the question reached the bot, RFC 3339 in UTC."""
        return self._core("timestamp")

    @property
    def bot_name(self) -> str:
        """Which bot was asked."""
        return self._core("bot_name")

    @property
    def aws_account_id(self) -> str:
        """The account that runs the bot, or ``unknown``."""
        return self._core("aws_account_id")

    @property
    def user_id(self) -> str:
        """Who asked, or ``unknown_user_id``."""
        return self._core("user_id")

    @property
    def session_id(self) -> str:
        """The execution environment that answered."""
        return self._core("session_id")

    @property
    def conversation_id(self) -> str:
        """The thread the question belongs to."""
        return self._core("conversation_id")

    @property
    def model_used(self) -> str:
        """The model asked for, or ``none``."""
        return self._core("model_used")

    @property
    def response(self) -> str:
        """What the person was shown; may be empty."""
        return self._core("response")

    @property
    def user_query(self) -> str:
        """This turn's question; may be empty."""
        return self._core("user_query")

    @property
    def full_conversation(self) -> str:
        """The conversation up to this question; may be empty."""
        return self._core("full_conversation")

    def _core(self, name: str) -> str:
        value = self._values.get(name)
        return value if isinstance(value, str) else CORE_DEFAULTS[name]
