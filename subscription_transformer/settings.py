"""The transformer's settings, from the Lambda's environment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from audit_record import limits
from subscription_transformer.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DESTINATIONS: Final = ("splunk", "opensearch", "elastic")
DELIVER: Final = "deliver"
FAIL: Final = "fail"
SOURCETYPE: Final = "chatbot:audit"

_T = TypeVar("_T")
_INDEX: Final = re.compile(r"[a-z0-9_][a-z0-9_\-]{0,79}", re.ASCII)
_SOURCETYPE: Final = re.compile(r"[A-Za-z0-9_:.\-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class TransformerSettings:
    """What an operator can set; `docs/settings.md` has the table.

    Attributes:
        destination: ``splunk``, ``opensearch`` or ``elastic``.
        splunk_index: Index for HEC events; "" leaves it to the token.
        splunk_content_index: If set, texts go to this index as events of their own.
        splunk_sourcetype: Source type of records; others add a suffix.
        max_text_bytes: What is kept of one text.
        max_document_bytes: What is kept of one document.
        response_budget_bytes: The most that one response may take.
        invalid_records: ``deliver`` quarantines them, ``fail`` fails the envelope.
        is_put_back_on: Whether records may be put back into the stream.
        rules: Path of a rules file; "" takes the one in the zip.
    """

    destination: str = "splunk"
    splunk_index: str = ""
    splunk_content_index: str = ""
    splunk_sourcetype: str = SOURCETYPE
    max_text_bytes: int = limits.DEFAULT_MAX_TEXT_BYTES
    max_document_bytes: int = limits.DEFAULT_MAX_DOCUMENT_BYTES
    response_budget_bytes: int = limits.DEFAULT_RESPONSE_BUDGET_BYTES
    invalid_records: str = DELIVER
    is_put_back_on: bool = True
    rules: str = ""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> TransformerSettings:
        """Read ``AUDIT_*`` variables; unset and empty ones keep their default.

        Raises:
            SettingsError: With all faults together.
        """
        reader = _Reader(environ)
        settings = cls(
            destination=reader.choice("AUDIT_DESTINATION", DESTINATIONS),
            splunk_index=reader.name("AUDIT_SPLUNK_INDEX", _INDEX, ""),
            splunk_content_index=reader.name("AUDIT_SPLUNK_CONTENT_INDEX", _INDEX, ""),
            splunk_sourcetype=reader.name(
                "AUDIT_SPLUNK_SOURCETYPE", _SOURCETYPE, SOURCETYPE
            ),
            max_text_bytes=reader.size(
                "AUDIT_MAX_TEXT_BYTES",
                1_024,
                limits.MAX_FULL_CONVERSATION_BYTES,
                limits.DEFAULT_MAX_TEXT_BYTES,
            ),
            max_document_bytes=reader.size(
                "AUDIT_MAX_DOCUMENT_BYTES",
                limits.MIN_MAX_RECORD_BYTES,
                limits.DEFAULT_MAX_DOCUMENT_BYTES,
                limits.DEFAULT_MAX_DOCUMENT_BYTES,
            ),
            response_budget_bytes=reader.size(
                "AUDIT_RESPONSE_BUDGET_BYTES",
                65_536,
                6_000_000,
                limits.DEFAULT_RESPONSE_BUDGET_BYTES,
            ),
            invalid_records=reader.choice("AUDIT_INVALID_RECORDS", (DELIVER, FAIL)),
            is_put_back_on=reader.choice("AUDIT_PUT_BACK", ("on", "off")) == "on",
            rules=environ.get("AUDIT_RULES", ""),
        )
        if reader.faults:
            raise SettingsError(reader.faults)
        return settings


class _Reader:
    """Reads variables and collects what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.faults: list[str] = []

    def choice(self, name: str, allowed: tuple[str, ...]) -> str:
        """Return one of *allowed*, the first by default."""
        expected = "one of " + ", ".join(allowed)
        return self._read(name, allowed[0], expected, lambda v: v, allowed.__contains__)

    def name(self, name: str, pattern: re.Pattern[str], default: str) -> str:
        """Return a name that matches *pattern*."""
        return self._read(
            name,
            default,
            "a name of legal characters",
            str,
            lambda v: pattern.fullmatch(v) is not None,
        )

    def size(self, name: str, lowest: int, highest: int, default: int) -> int:
        """Return a number of bytes in a range."""
        expected = f"a whole number from {lowest} to {highest}"
        return self._read(
            name, default, expected, int, lambda v: lowest <= v <= highest
        )

    def _read(
        self,
        name: str,
        default: _T,
        expected: str,
        convert: Callable[[str], _T],
        is_legal: Callable[[_T], bool],
    ) -> _T:
        text = self._environ.get(name, "").strip()
        if not text:
            return default
        try:
            value = convert(text)
        except ValueError:
            value = None
        if value is None or not is_legal(value):
            self.faults.append(f"{name} must be {expected}")
            return default
        return value
