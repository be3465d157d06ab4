"""Mask secrets in everything a person reads, whole, and say what kind they were.

Every text of a document is scanned; overlapping finds are united, so that dropping
one cannot bare a part of another. A value that is distinctive is then looked for in
all the other texts. If scanning fails, the text is withheld: never delivered raw.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from audit_record.codec import dumps, loads
from audit_record.errors import DecodeError
from audit_record.fields import FIELDS_BY_NAME
from subscription_transformer.scan import Pattern, PatternSet
from subscription_transformer.secrets import (
    REDACTED,
    USUAL_FINDERS,
    Finder,
    names_a_secret,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

WITHHELD: Final = "[withheld: redaction failed]"
WITHHELD_KIND: Final = "withheld"
TEXT_FIELDS: Final = (
    "user_query",
    "response",
    "full_conversation",
    "raw_text",
    "feedback_comment",
)
# Lists of objects, and the strings in them that carry content.
_LISTED_TEXTS: Final = (
    ("sources", ("title", "uri")),
    ("tools", ("name",)),
    ("attachments", ("name", "type")),
)
# Shorter values are too ordinary to be erased wherever they stand.
_MIN_SPREAD_BYTES: Final = 12


@dataclass(slots=True)
class _Text:
    """One text of a document while it is being redacted."""

    data: bytes
    put: Callable[[str], None]
    spans: list[tuple[int, int, str]] = field(default_factory=list)


class Redactor:
    """Redacts documents by a fixed choice of finders.

    Args:
        finders: Which kinds are looked for, and how.
    """

    def __init__(self, finders: Sequence[Finder] = USUAL_FINDERS) -> None:
        self._finders = tuple(finders)
        self._patterns = [Pattern(finder.pattern) for finder in finders]
        self._set = PatternSet([finder.pattern for finder in finders])

    def redact(self, values: dict[str, Any]) -> Counter[str]:
        """Redact every text of *values* in place; return what was found.

        `redactions` and `redaction_kinds` of the document are brought up to date.
        """
        found: Counter[str] = Counter()
        texts = list(_texts(values, found))
        secrets: set[bytes] = set()
        for text in texts:
            self._scan_or_withhold(text, secrets, found)
        for text in texts:
            _spread(text, secrets)
            _mask(text, found)
        _note(values, found)
        return found

    def redact_text(self, text: str) -> tuple[str, Counter[str]]:
        """Redact one text; return it with what was found."""
        holder = {"raw_text": text}
        found = self.redact(holder)
        return str(holder["raw_text"]), found

    def _scan_or_withhold(
        self, text: _Text, secrets: set[bytes], found: Counter[str]
    ) -> None:
        try:
            self._scan(text, secrets)
        except Exception:  # noqa: BLE001 - whatever went wrong, nothing leaks
            text.put(WITHHELD)
            text.data, text.spans = b"", []
            found[WITHHELD_KIND] += 1

    def _scan(self, text: _Text, secrets: set[bytes]) -> None:
        for index in self._set.hits(text.data):
            finder = self._finders[index]
            for start, end in self._patterns[index].spans(text.data):
                span = finder.check(text.data, start, end)
                if span is None:
                    continue
                text.spans.append((*span, finder.kind))
                value = text.data[slice(*span)]
                if finder.is_token or _is_distinctive(value):
                    secrets.add(value)


def _texts(values: dict[str, Any], found: Counter[str]) -> Iterator[_Text]:
    for name in TEXT_FIELDS:
        if isinstance(values.get(name), str):
            yield _text(values, name, found)
    for name, members in _LISTED_TEXTS:
        for item in values.get(name, ()):
            for member in members:
                if isinstance(item.get(member), str):
                    yield _text(item, member, found)
    attributes = values.get("attributes")
    if isinstance(attributes, dict):
        yield from _attribute_texts(attributes, found)


def _attribute_texts(
    attributes: dict[str, str], found: Counter[str]
) -> Iterator[_Text]:
    for name, value in attributes.items():
        if names_a_secret(name):
            if not value.encode().startswith(REDACTED):
                attributes[name] = "[redacted:password]"
                found["password"] += 1
        else:
            yield _text(attributes, name, found)


def _text(holder: dict[str, Any], key: str, found: Counter[str]) -> _Text:
    def put(text: str) -> None:
        holder[key] = text

    text = _redact_json(holder[key], found)
    holder[key] = text
    return _Text(text.encode(), put)


def _redact_json(text: str, found: Counter[str]) -> str:
    """Redact by field name where a whole text is a JSON object or list."""
    if not text.lstrip()[:1] in ("{", "["):  # noqa: E713 - reads as it is meant
        return text
    try:
        value = loads(text)
    except DecodeError:
        return text
    before = found.total()
    redacted = _redact_value(value, found, 0)
    return dumps(redacted).decode() if found.total() > before else text


# Deeper than any settings file; what lies below is found by the text patterns.
_MAX_DEPTH: Final = 32


def _redact_value(value: Any, found: Counter[str], depth: int) -> Any:
    if depth > _MAX_DEPTH:
        return value
    if isinstance(value, dict):
        return {
            key: _redact_member(key, item, found, depth) for key, item in value.items()
        }
    if isinstance(value, list):
        return [_redact_value(item, found, depth + 1) for item in value]
    if isinstance(value, str):
        return _redact_json(value, found)
    return value


def _redact_member(key: str, value: Any, found: Counter[str], depth: int) -> Any:
    if not names_a_secret(key) or value in (None, "", [], {}):
        return _redact_value(value, found, depth + 1)
    if isinstance(value, str) and value.encode().startswith(REDACTED):
        return value
    found["password"] += 1
    return "[redacted:password]"


def _is_distinctive(value: bytes) -> bool:
    return (
        len(value) >= _MIN_SPREAD_BYTES
        and re.search(rb"\d", value) is not None
        and re.search(rb"[A-Za-z]", value) is not None
    )


def _spread(text: _Text, secrets: set[bytes]) -> None:
    for secret in secrets:
        start = text.data.find(secret)
        while start >= 0:
            text.spans.append((start, start + len(secret), "secret"))
            start = text.data.find(secret, start + len(secret))


def _mask(text: _Text, found: Counter[str]) -> None:
    if not text.spans:
        return
    parts: list[bytes] = []
    position = 0
    for start, end, kind in _united(text.spans):
        parts += [text.data[position:start], b"[redacted:%s]" % kind.encode()]
        found[kind] += 1
        position = end
    parts.append(text.data[position:])
    text.put(b"".join(parts).decode(errors="replace"))


def _united(spans: list[tuple[int, int, str]]) -> Iterator[tuple[int, int, str]]:
    """Unite overlapping spans; a kind of its own names the union, not `secret`."""
    spans.sort(key=lambda span: (span[0], -span[1]))
    start, end, kind = spans[0]
    for next_start, next_end, next_kind in spans[1:]:
        if next_start >= end:
            yield start, end, kind
            start, end, kind = next_start, next_end, next_kind
            continue
        end = max(end, next_end)
        kind = next_kind if kind == "secret" else kind
    yield start, end, kind


def _note(values: dict[str, Any], found: Counter[str]) -> None:
    if not found:
        return
    before = values.get("redactions")
    counts = Counter(before if isinstance(before, dict) else {}) + found
    max_items = FIELDS_BY_NAME["redactions"].max_items
    kept = dict(sorted(counts.items())[:max_items])
    values["redactions"] = kept
    values["redaction_kinds"] = list(kept)
