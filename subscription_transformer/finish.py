"""One log event to one finished document: the journey of a record, step by step."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from audit_record import AuditRecord
from audit_record.fields import FIELDS_BY_NAME
from audit_record.shorten import TEXT_NAMES, fit
from subscription_transformer import fallback
from subscription_transformer.document import Document
from subscription_transformer.enrich import (
    Source,
    add_flat_copies,
    enrich,
    index_time_ms,
)
from subscription_transformer.fast import FastFinisher
from subscription_transformer.label import Labeller, label_secrets
from subscription_transformer.quarantine import quarantine
from subscription_transformer.redact import WITHHELD_KIND, Redactor
from subscription_transformer.validate import validate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from subscription_transformer.envelope import Event, SubscriptionMessage
    from subscription_transformer.metrics import Metrics
    from subscription_transformer.rules import Rules
    from subscription_transformer.settings import TransformerSettings

_MAX_PROBLEMS = FIELDS_BY_NAME["problems"].max_items
_MAX_PROBLEM_CHARS = FIELDS_BY_NAME["problems"].max_bytes


class Finisher:
    """Makes finished documents of log events.

    Args:
        settings: Sizes.
        rules: Labels and kinds of secrets.
    """

    def __init__(self, settings: TransformerSettings, rules: Rules) -> None:
        self._max_bytes = settings.max_document_bytes
        self._max_text_bytes = dict.fromkeys(TEXT_NAMES, settings.max_text_bytes)
        self._labeller = Labeller(rules)
        self._redactor = Redactor(rules.finders)
        self._fast = FastFinisher(settings, rules, self._labeller)

    def finish(self, source: Source, metrics: Metrics) -> Document:
        """Validate, enrich, label, redact and shorten one line."""
        try:
            document = self._fast.finish(source, metrics)
        except Exception:  # noqa: BLE001 - then the other way decides
            document = None
        return document or self.finish_slowly(source, metrics)

    def finish_slowly(self, source: Source, metrics: Metrics) -> Document:
        """Do the same for any line, step by step."""
        checked = validate(source.line)
        problems = [*source.problems, *checked.problems]
        if checked.is_valid:
            values = checked.values
            problems += enrich(values, source)
            self._labeller.label(values)
        else:
            values = quarantine(checked.values, problems, source)
            metrics.add("EventsQuarantined")
        if problems:
            values["problems"] = _bounded(problems)
        metrics.add("CanarySeen", int(values.get("record_type") == "canary"))
        finished = self._protect(values, metrics)
        return Document(finished, index_time_ms(values, source))

    def check_again(self, values: dict[str, Any], metrics: Metrics) -> dict[str, Any]:
        """Redact and shorten a finished document once more; nothing changes twice."""
        return self._protect(values, metrics)

    def _protect(self, values: dict[str, Any], metrics: Metrics) -> dict[str, Any]:
        """Redact every text whole, then shorten; the nonce ends here."""
        originals = {name: values[name] for name in TEXT_NAMES if name in values}
        self._redact(values, metrics)
        add_flat_copies(values)
        listed = _listed(values)
        shortened = fit(
            AuditRecord(values), self._max_bytes, max_text_bytes=self._max_text_bytes
        ).as_dict()
        nonce = str(shortened.pop("nonce", ""))
        if shortened.get("truncated") != values.get("truncated"):
            metrics.add("Shortened")
            _describe_originals(shortened["truncated"], listed, originals, nonce)
        return shortened

    def _redact(self, values: dict[str, Any], metrics: Metrics) -> None:
        places: dict[str, set[str]] = {}
        found = self._redactor.redact(values, places)
        if not found:
            return
        metrics.add_redactions(found)
        if found[WITHHELD_KIND]:
            metrics.add("RedactionFailures", found[WITHHELD_KIND])
            problems = [*values.get("problems", ()), "redaction:failed"]
            values["problems"] = _bounded(problems)
        if values.get("record_type") != "invalid":
            label_secrets(values, places)


def _listed(values: dict[str, Any]) -> set[str]:
    return {entry["field"] for entry in values.get("truncated", ())}


def _describe_originals(
    entries: list[dict[str, Any]],
    listed: set[str],
    originals: Mapping[Any, str],
    nonce: str,
) -> None:
    """Let new entries tell size and digest from before redaction.

    With the nonce, which is not delivered, a digest cannot be guessed from; who
    holds the original line can check it.
    """
    for entry in entries:
        original = originals.get(entry["field"])
        if original is None or entry["field"] in listed:
            continue
        data = original.encode()
        entry["bytes"] = len(data)
        entry["sha256"] = hashlib.sha256(nonce.encode() + data).hexdigest()


def sources(
    message: SubscriptionMessage, arrival_ms: int | None, region: str
) -> list[Source]:
    """Return where each event of *message* came from, blank events left out."""
    return [
        _source(message, event, arrival_ms, region)
        for event in message.log_events
        if event.message and not event.message.isspace()
    ]


def _source(
    message: SubscriptionMessage, event: Event, arrival_ms: int | None, region: str
) -> Source:
    unwrapped = fallback.unwrap(event, message)
    group, stream, line, problems = unwrapped or (
        message.log_group,
        message.log_stream,
        event.message,
        (),
    )
    return Source(
        message.owner,
        group,
        stream,
        event.event_id,
        event.timestamp_ms,
        arrival_ms,
        line,
        region,
        delivered_by="fallback" if unwrapped else "",
        problems=message.problems + problems,
    )


def _bounded(problems: Sequence[str]) -> list[str]:
    unique = dict.fromkeys(problem[:_MAX_PROBLEM_CHARS] for problem in problems)
    return list(unique)[:_MAX_PROBLEMS]
