"""Label questions and answers: sensitive topics, and signals of misuse.

Only `user_query` and `response` are looked at: the conversation repeats turns that
have records of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from audit_record.fields import FIELDS_BY_NAME
from subscription_transformer.normalise import (
    has_mixed_scripts,
    hidden_count,
    normalised_bytes,
)
from subscription_transformer.redact import WITHHELD_KIND
from subscription_transformer.rules import WHERE, Rules
from subscription_transformer.scan import Pattern, PatternSet
from subscription_transformer.secrets import PERSONAL_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MAX_LABELS: Final = FIELDS_BY_NAME["topics"].max_items


class Labeller:
    """Gives a document its `topics` and `signals`.

    Args:
        rules: Which labels there are.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules.rules
        self._set = PatternSet([rule.pattern for rule in rules.rules])
        self._zero_width_count = rules.zero_width_count
        self._base64_run_chars = run = rules.base64_run_chars
        self._base64_run = Pattern(rf"[A-Za-z0-9+/]{{{run}}}") if run else None

    def label(self, values: dict[str, Any], *, may_be_disguised: bool = True) -> None:
        """Add `topics` and `signals` to *values*, in place.

        Args:
            values: Fields of a document.
            may_be_disguised: False where `views.JSON_FOLDABLE` hit nothing: there
                are no invisible characters, and no look-alikes in Latin words.
        """
        topics: dict[str, None] = {}
        signals: dict[str, None] = {}
        for field, place in WHERE.items():
            text = values.get(field)
            if not isinstance(text, str) or not text:
                continue
            folded = normalised_bytes(text, may_be_disguised=may_be_disguised)
            for index in self._set.hits(folded):
                rule = self._rules[index]
                if field in rule.where:
                    into = topics if rule.is_topic else signals
                    into[f"{rule.name}@{place}" if rule.is_topic else rule.name] = None
        query = values.get("user_query")
        signals |= dict.fromkeys(self._disguises(query, may_be_disguised))
        _put(values, "topics", topics)
        _put(values, "signals", signals)

    def _disguises(self, text: Any, may_be_disguised: bool) -> Iterator[str]:
        if not isinstance(text, str):
            return
        if self._has_base64_run(text):
            yield "obfuscation:base64"
        if not may_be_disguised:
            return
        if 0 < self._zero_width_count <= hidden_count(text):
            yield "obfuscation:zero_width"
        if has_mixed_scripts(text):
            yield "obfuscation:mixed_scripts"

    def _has_base64_run(self, text: str) -> bool:
        if self._base64_run is None or len(text) < self._base64_run_chars:
            return False
        return self._base64_run.hits(text.encode())


def label_secrets(values: dict[str, Any], kinds: Mapping[str, set[str]]) -> None:
    """Add signals for what was redacted in question and answer.

    Each kind is one, as ``secret:aws_access_key`` or ``personal:us_ssn``, and so is
    where it stood, as ``secret_in:query``.

    Args:
        values: The document.
        kinds: Kinds that were redacted, by field.
    """
    places: dict[str, None] = {}
    names: dict[str, None] = {}
    for field, place in WHERE.items():
        for kind in sorted(kinds.get(field, set()) - {WITHHELD_KIND}):
            what = "personal" if kind in PERSONAL_KINDS else "secret"
            places[f"{what}_in:{place}"] = None
            names[f"{what}:{kind}"] = None
    # The places come first: they are what alarms look for where there is no room.
    _put(values, "signals", places | dict.fromkeys(values.get("signals", ())) | names)


def _put(values: dict[str, Any], name: str, labels: dict[str, None]) -> None:
    if labels:
        max_bytes = FIELDS_BY_NAME[name].max_bytes
        values[name] = [label[:max_bytes] for label in labels][:_MAX_LABELS]
