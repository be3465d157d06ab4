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
    normalise,
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
        if 0 < self._zero_width_count <= hidden_count(text):
            yield "obfuscation:zero_width"
        if has_mixed_scripts(text):
            yield "obfuscation:mixed_scripts"


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
