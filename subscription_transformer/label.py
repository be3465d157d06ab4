"""Label questions and answers: sensitive topics, and signals of misuse.

Only `user_query` and `response` are looked at: the conversation repeats turns that
have records of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from audit_record.fields import FIELDS_BY_NAME
from subscription_transformer.normalise import (
    has_mixed_scripts,
    normalise,
    zero_width_count,
)
from subscription_transformer.rules import WHERE, Rules
from subscription_transformer.scan import Pattern, PatternSet

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        run = rules.base64_run_chars
        self._base64_run = Pattern(rf"[A-Za-z0-9+/]{{{run}}}") if run else None

    def label(self, values: dict[str, Any]) -> None:
        """Add `topics` and `signals` to *values*, in place."""
        topics: dict[str, None] = {}
        signals: dict[str, None] = {}
        for field, place in WHERE.items():
            text = values.get(field)
            if not isinstance(text, str) or not text:
                continue
            for index in self._set.hits(normalise(text).encode()):
                rule = self._rules[index]
                if field in rule.where:
                    into = topics if rule.is_topic else signals
                    into[f"{rule.name}@{place}" if rule.is_topic else rule.name] = None
        signals |= dict.fromkeys(self._disguises(values.get("user_query")))
        _put(values, "topics", topics)
        _put(values, "signals", signals)

    def _disguises(self, text: Any) -> Iterator[str]:
        if not isinstance(text, str):
            return
        if self._base64_run is not None and self._base64_run.hits(text.encode()):
            yield "obfuscation:base64"
        if 0 < self._zero_width_count <= zero_width_count(text):
            yield "obfuscation:zero_width"
        if has_mixed_scripts(text):
            yield "obfuscation:mixed_scripts"


def label_secrets(values: dict[str, Any], kinds: Iterator[tuple[str, str]]) -> None:
    """Add a signal for each secret found, as ``secret:kind``.

    Args:
        values: The document.
        kinds: Kinds of secrets that were redacted.
    """
    signals = dict.fromkeys(values.get("signals", ()))
    signals |= dict.fromkeys(f"{prefix}:{kind}" for prefix, kind in kinds)
    _put(values, "signals", signals)


def _put(values: dict[str, Any], name: str, labels: dict[str, None]) -> None:
    if labels:
        max_bytes = FIELDS_BY_NAME[name].max_bytes
        values[name] = [label[:max_bytes] for label in labels][:_MAX_LABELS]
