"""Mask secrets in everything a person reads, whole, and say what kind they were.

Every text of a document is scanned, as it stands and with its disguises taken off;
overlapping finds are united, so that dropping one cannot bare a part of another. A
value that is distinctive is then looked for in all the other texts. If anything of
that fails, the text is withheld: never delivered raw.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from audit_record.fields import FIELDS_BY_NAME
from subscription_transformer.assignments import REDACTED
from subscription_transformer.names import names_a_secret
from subscription_transformer.scan import Pattern, PatternSet
from subscription_transformer.secrets import USUAL_FINDERS, Finder
from subscription_transformer.views import (
    BROKEN_OVER_LINES,
    ESCAPES,
    View,
    is_foldable,
    joined_view,
    plain_view,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from subscription_transformer.scan import Span

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
_NAMED_KIND: Final = "password"
# Shorter values are too ordinary to be erased wherever they stand.
_MIN_SPREAD_BYTES: Final = 12
# So many values are looked for one by one. Someone who pastes more has pasted a
# list: the rest of it is looked for as whole words only, which costs the same for
# any number of them.
_MAX_SEARCHED_COUNT: Final = 128
_WHOLE_WORD: Final = re.compile(rb"[A-Za-z0-9_\-+/=.~]{12,}")
# What stands before a value of JSON that has no quotes of its own.
_BARE_VALUE: Final = re.compile(rb"(\\*\")\s{0,16}:\s{0,16}\Z")
_MAX_KEY_TAIL_BYTES: Final = 48

_Found = tuple[int, int, str]


@dataclass(slots=True)
class _Text:
    """One text of a document while it is being redacted."""

    name: str
    holder: dict[str, Any]
    key: str
    data: bytes = b""
    spans: list[_Found] = field(default_factory=list)


class Redactor:
    """Redacts documents by a fixed choice of finders.

    Args:
        finders: Which kinds are looked for, and how.
    """

    def __init__(self, finders: Sequence[Finder] = USUAL_FINDERS) -> None:
        self._finders = tuple(finders)
        self._patterns = [Pattern(finder.pattern) for finder in finders]
        patterns = [finder.pattern for finder in finders]
        # One pass over a text answers for all finders and for both disguises.
        self._escapes, self._broken = len(patterns), len(patterns) + 1
        self._set = PatternSet([*patterns, ESCAPES, BROKEN_OVER_LINES])

    def redact(
        self, values: dict[str, Any], places: dict[str, set[str]] | None = None
    ) -> Counter[str]:
        """Redact every text of *values* in place; return what was found.

        `redactions` and `redaction_kinds` of the document are brought up to date.

        Args:
            values: Fields of a document.
            places: If given, gets the kinds that were found in each field.
        """
        found: Counter[str] = Counter()
        places = {} if places is None else places
        texts = list(_texts(values, found))
        secrets: dict[bytes, str] = {}
        for text in texts:
            _guarded(text, found, lambda text: self._scan(text, secrets))
        for text in texts:
            _guarded(text, found, lambda text: _spread(text, secrets))
            _guarded(text, found, lambda text: _mask(text, found, places))
        _note(values, found)
        return found

    def redact_text(self, text: str) -> tuple[str, Counter[str]]:
        """Redact one text; return it with what was found."""
        holder = {"raw_text": text}
        found = self.redact(holder)
        return str(holder["raw_text"]), found

    def _scan(self, text: _Text, secrets: dict[bytes, str]) -> None:
        value: str = text.holder[text.key]
        text.data = value.encode()
        hits = self._set.hits(text.data)
        is_disguised = self._escapes in hits or is_foldable(value)
        if not hits and not is_disguised:
            return
        self._find(text.data, hits, text.spans, secrets)
        if is_disguised:
            self._scan_view(text, plain_view(value), secrets, only_tokens=False)
        if self._broken in hits:
            self._scan_view(text, joined_view(value), secrets, only_tokens=True)

    def _scan_view(
        self, text: _Text, view: View, secrets: dict[bytes, str], *, only_tokens: bool
    ) -> None:
        """Look at *text* in another form; what is found counts in its own form too."""
        spans: list[_Found] = []
        hits = self._set.hits(view.data)
        if only_tokens:
            hits = [n for n in hits if n < self._escapes and self._is_token(n)]
        self._find(view.data, hits, spans, secrets)
        originals = view.original_spans([(start, end) for start, end, _ in spans])
        # A token that is whole on its line does not go on in the next one.
        taken = {start for start, _, _ in text.spans} if only_tokens else set()
        for (start, end), (_, _, kind) in zip(originals, spans, strict=True):
            if start in taken:
                continue
            text.spans.append((start, end, kind))
            value = text.data[start:end]
            if _is_distinctive(value):
                secrets.setdefault(value, kind)

    def _is_token(self, index: int) -> bool:
        finder = self._finders[index]
        return finder.is_token and not finder.is_personal

    def _find(
        self,
        data: bytes,
        hits: Sequence[int],
        spans: list[_Found],
        secrets: dict[bytes, str],
    ) -> None:
        for index in hits:
            if index >= self._escapes:
                continue
            finder = self._finders[index]
            for start, end in _checked(self._patterns[index], finder, data):
                spans.append((start, end, finder.kind))
                value = data[start:end]
                if finder.is_token or _is_distinctive(value):
                    secrets.setdefault(value, finder.kind)


def _checked(pattern: Pattern, finder: Finder, data: bytes) -> Iterator[Span]:
    """Yield each span that a finder stands by, from left to right."""
    done = 0
    for candidate_start, end in pattern.spans(data):
        # What lies inside a value that is masked already costs no second look.
        start = max(candidate_start, done)
        while start < end:
            span = finder.check(data, start, end)
            if span is None:
                break
            yield span
            start = done = span[1]


def _guarded(text: _Text, found: Counter[str], work: Callable[[_Text], None]) -> None:
    try:
        work(text)
    except Exception:  # noqa: BLE001 - whatever went wrong, nothing leaks
        text.holder[text.key] = WITHHELD
        text.data, text.spans = b"", []
        found[WITHHELD_KIND] += 1


def _texts(values: dict[str, Any], found: Counter[str]) -> Iterator[_Text]:
    for name in TEXT_FIELDS:
        if isinstance(values.get(name), str):
            yield _Text(name, values, name)
    for name, members in _LISTED_TEXTS:
        for item in values.get(name, ()):
            for member in members:
                if isinstance(item.get(member), str):
                    yield _Text(name, item, member)
    attributes = values.get("attributes")
    if isinstance(attributes, dict):
        yield from _attribute_texts(attributes, found)


def _attribute_texts(
    attributes: dict[str, str], found: Counter[str]
) -> Iterator[_Text]:
    for name, value in attributes.items():
        if not names_a_secret(name):
            yield _Text("attributes", attributes, name)
        elif not value.encode(errors="replace").startswith(REDACTED):
            attributes[name] = f"[redacted:{_NAMED_KIND}]"
            found[_NAMED_KIND] += 1


def _is_distinctive(value: bytes) -> bool:
    return (
        len(value) >= _MIN_SPREAD_BYTES
        and re.search(rb"\d", value) is not None
        and re.search(rb"[A-Za-z]", value) is not None
    )


def _spread(text: _Text, secrets: dict[bytes, str]) -> None:
    searched = list(secrets)[:_MAX_SEARCHED_COUNT]
    for secret in searched:
        start = text.data.find(secret)
        while start >= 0:
            text.spans.append((start, start + len(secret), secrets[secret]))
            start = text.data.find(secret, start + len(secret))
    if len(secrets) > _MAX_SEARCHED_COUNT:
        for word in _WHOLE_WORD.finditer(text.data):
            if word[0] in secrets:
                text.spans.append((*word.span(), secrets[word[0]]))


def _mask(text: _Text, found: Counter[str], places: dict[str, set[str]]) -> None:
    if not text.spans:
        return
    parts: list[bytes] = []
    position = 0
    kinds: Counter[str] = Counter()
    for start, end, kind in _united(text.spans):
        parts += [text.data[position:start], _mark(text.data, start, kind)]
        kinds[kind] += 1
        position = end
    parts.append(text.data[position:])
    text.holder[text.key] = b"".join(parts).decode(errors="replace")
    found.update(kinds)
    places.setdefault(text.name, set()).update(kinds)


def _mark(data: bytes, start: int, kind: str) -> bytes:
    """Return the replacement; in quotes where it stands for a bare JSON value."""
    key = _BARE_VALUE.search(data, max(start - _MAX_KEY_TAIL_BYTES, 0), start)
    quote = key[1] if key else b""
    return b"%b[redacted:%b]%b" % (quote, kind.encode(), quote)


def _united(spans: list[_Found]) -> Iterator[_Found]:
    """Unite overlapping spans; a kind that says more than `password` names them."""
    spans.sort(key=lambda span: (span[0], -span[1]))
    start, end, kind = spans[0]
    for next_start, next_end, next_kind in spans[1:]:
        if next_start >= end:
            yield start, end, kind
            start, end, kind = next_start, next_end, next_kind
        else:
            end = max(end, next_end)
            kind = next_kind if kind == _NAMED_KIND else kind
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
