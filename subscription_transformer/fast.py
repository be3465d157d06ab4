r"""Finish an ordinary record in one go, without taking its texts apart.

Most records are valid, hold no secret and fit. For those the three texts are never
turned into Python strings: one pass over their JSON says that no finder and no
disguise is in them (`Finder.hint`), and they are spliced into the document as they
stand. Whatever is unusual in anything is left to `finish`; the result is the same
byte for byte, which a test holds on generated records.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from audit_record.checks import MAX_INTEGER, is_over
from audit_record.cut import shorten_text
from audit_record.fields import (
    FIELDS,
    FIELDS_BY_NAME,
    TEXT_FIELDS,
    TRANSFORMER_FIELDS,
    Field,
    Kind,
)
from audit_record.times import format_timestamp, parse_timestamp_ms
from subscription_transformer.document import Document
from subscription_transformer.enrich import MAX_CLOCK_DIFFERENCE_MS
from subscription_transformer.scan import PatternSet
from subscription_transformer.typed import HAS_MSGSPEC
from subscription_transformer.views import ESCAPES, JSON_BROKEN, JSON_FOLDABLE

if TYPE_CHECKING:
    import msgspec

    from subscription_transformer.enrich import Source
    from subscription_transformer.label import Labeller
    from subscription_transformer.metrics import Metrics
    from subscription_transformer.rules import Rules
    from subscription_transformer.settings import TransformerSettings
else:
    try:
        import msgspec
    except ImportError:  # everything goes the slow way
        msgspec = None

_PLAIN_KINDS: Final = frozenset({Kind.STRING, Kind.INTEGER})
# Of the transformer's lists, those that an ordinary record can get.
_GIVEN_LISTS: Final = frozenset({"signals", "topics", "truncated"})
_OTHER_TEXTS: Final = frozenset({"raw_text", "feedback_comment"})
# Checked by hand below, because they are compared with what AWS says.
_COMPARED: Final = frozenset(
    {"timestamp", "bot_name", "session_id", "aws_account_id", "record_type"}
)
_ORDINARY_TYPES: Final = frozenset({"interaction", "feedback"})
# What names a document beside its JSON.
_NAMING: Final = (
    *("bot_name", "record_id", "document_id", "user_id", "conversation_id"),
    *("record_type", "outcome", "event_id", "source_log_group", "source_log_stream"),
)
_TEXTS_BEGIN: Final = b',"response":'
_HEAD_SHARES: Final = {"full_conversation": 0.1}
_USUAL_HEAD_SHARE: Final = 0.7


class FastFinisher:
    """Finishes what is ordinary.

    Args:
        settings: Destination and sizes.
        rules: Kinds of secrets.
        labeller: Gives labels.
    """

    def __init__(
        self, settings: TransformerSettings, rules: Rules, labeller: Labeller
    ) -> None:
        hints = [finder.hint for finder in rules.finders]
        self._is_on = HAS_MSGSPEC and all(hints) and not settings.splunk_content_index
        self._max_bytes = settings.max_document_bytes
        self._max_text_bytes = settings.max_text_bytes
        self._labeller = labeller
        if self._is_on:
            self._hints = PatternSet([*hints, ESCAPES, JSON_FOLDABLE, JSON_BROKEN])
            self._decoder = msgspec.json.Decoder(_line_type())
            self._encoder = msgspec.json.Encoder()
            self._text_decoder = msgspec.json.Decoder(str)

    def finish(self, source: Source, metrics: Metrics) -> Document | None:
        """Return the document of an ordinary line, None for any other."""
        if not self._is_on or source.problems or source.delivered_by:
            return None
        line = source.line.encode()
        try:
            record = self._decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        raws = [bytes(getattr(record, name)) for name in TEXT_FIELDS]
        is_text = all(raw.startswith(b'"') for raw in raws)
        if not is_text or self._hints.hits(b"\n".join(raws)):
            return None
        if not _is_ordinary(record, source):
            return None
        return self._finished(record, raws, line, source, metrics)

    def _finished(
        self,
        record: Any,
        raws: list[bytes],
        line: bytes,
        source: Source,
        metrics: Metrics,
    ) -> Document | None:
        self._set_texts(record, raws)
        self._set_labels(record, raws)
        _set_source(record, source, line)
        record.nonce = msgspec.UNSET
        encoded = self._encoder.encode(record)
        if len(encoded) > self._max_bytes or source.event_ms is None:
            return None
        head = encoded[: encoded.index(_TEXTS_BEGIN)]
        if not head.isascii() or b"\\" in head:
            # Short values may take more bytes than they have characters.
            return None
        if record.truncated is not msgspec.UNSET:
            metrics.add("Shortened")
        values = {name: getattr(record, name) for name in _NAMING}
        if values["outcome"] is msgspec.UNSET:
            del values["outcome"]
        return Document(values, source.event_ms, encoded)

    def _set_texts(self, record: Any, raws: list[bytes]) -> None:
        entries: list[dict[str, Any]] = []
        for name, raw in zip(TEXT_FIELDS, raws, strict=True):
            limit = min(self._max_text_bytes, FIELDS_BY_NAME[name].max_bytes)
            # A text takes no more bytes than its JSON.
            if len(raw) - 2 <= limit and b"\\u" not in raw:
                continue
            text = self._text_decoder.decode(raw)
            data = text.encode()
            if len(data) > limit:
                share = _HEAD_SHARES.get(name, _USUAL_HEAD_SHARE)
                text = shorten_text(text, limit, head_share=share)
                entries.append(_entry(name, data, len(text.encode()), record.nonce))
            setattr(record, name, text)
        if entries:
            record.truncated = entries

    def _set_labels(self, record: Any, raws: list[bytes]) -> None:
        # Labels are of the whole texts, also where `_set_texts` has cut them.
        response, query = (self._text_decoder.decode(raw) for raw in raws[:2])
        labels: dict[str, Any] = {"user_query": query, "response": response}
        self._labeller.label(labels, may_be_disguised=False)
        for name in ("topics", "signals"):
            if name in labels:
                setattr(record, name, labels[name])


def _entry(name: str, data: bytes, kept_bytes: int, nonce: Any) -> dict[str, Any]:
    digest = hashlib.sha256(b"" if nonce is msgspec.UNSET else nonce.encode())
    digest.update(data)
    return {
        "field": name,
        "bytes": len(data),
        "kept_bytes": kept_bytes,
        "sha256": digest.hexdigest(),
    }


def _set_source(record: Any, source: Source, line: bytes) -> None:
    digest = _place_digest(source.owner, source.log_group, source.log_stream).copy()
    digest.update(line)
    record.document_id = digest.hexdigest()[:32]
    record.source_sha256 = hashlib.sha256(line).hexdigest()
    record.record_type = _or_default(record.record_type, "interaction")
    record.event_id = source.event_id
    record.source_log_group = source.log_group
    record.source_log_stream = source.log_stream
    record.source_account = source.owner
    if source.arrival_ms is not None:
        record.ingested_at = _format_ms(source.arrival_ms)


def _or_default(value: Any, default: str) -> Any:
    return default if value is msgspec.UNSET else value


@lru_cache(maxsize=64)
def _place_digest(*names: str) -> Any:
    """Return the beginning of `audit_record.ids.document_id` for one log stream."""
    digest = hashlib.sha256()
    for name in names:
        digest.update(name.encode() + b"\0")
    return digest


@lru_cache(maxsize=256)
def _format_ms(epoch_ms: int) -> str:
    return format_timestamp(epoch_ms)


def _is_ordinary(record: Any, source: Source) -> bool:
    is_linked = record.log_group is msgspec.UNSET or record.log_url is not msgspec.UNSET
    return is_linked and _is_as_claimed(record, source) and _is_placed(source)


def _is_as_claimed(record: Any, source: Source) -> bool:
    """Tell whether AWS says what the bot says, and both say it in the right form."""
    if f"{record.bot_name}/{record.session_id}" != source.log_stream:
        return False
    if record.aws_account_id not in (source.owner, "unknown"):
        return False
    if record.record_type not in _ORDINARY_TYPES and (
        record.record_type is not msgspec.UNSET
    ):
        return False
    return _is_on_time(record.timestamp, source.event_ms)


def _is_on_time(timestamp: str, event_ms: int | None) -> bool:
    if event_ms is None:
        return False
    if timestamp == format_timestamp(event_ms):
        return True
    try:
        claimed_ms = parse_timestamp_ms(timestamp)
    except ValueError:
        return False
    return abs(claimed_ms - event_ms) <= MAX_CLOCK_DIFFERENCE_MS


def _is_placed(source: Source) -> bool:
    return _fits("event_id", source.event_id) and _are_names(
        source.owner, source.log_group, source.log_stream
    )


@lru_cache(maxsize=64)
def _are_names(owner: str, log_group: str, log_stream: str) -> bool:
    bot_name, _, session_id = log_stream.partition("/")
    names = {
        "source_account": owner,
        "source_log_group": log_group,
        "source_log_stream": log_stream,
        "bot_name": bot_name,
        "session_id": session_id,
    }
    is_clean = ":" not in log_stream and "*" not in log_stream
    return is_clean and all(_fits(name, value) for name, value in names.items())


def _fits(name: str, value: str) -> bool:
    field = FIELDS_BY_NAME[name]
    if not value or is_over(value, field.max_bytes, is_encoded=field.is_filter):
        return False
    return field.pattern is None or field.pattern.fullmatch(value) is not None


def _line_type() -> Any:
    """Return the type of an ordinary line: the field table's plain fields, in order.

    The decoder holds types, enums and patterns; bytes are counted afterwards.
    """
    return msgspec.defstruct(
        "Line",
        [_line_field(field) for field in FIELDS if _is_known(field)],
        kw_only=True,
        forbid_unknown_fields=True,
        gc=False,
    )


def _is_known(field: Field) -> bool:
    is_plain = field.kind in _PLAIN_KINDS and field.name not in _OTHER_TEXTS
    return is_plain or field.name in _GIVEN_LISTS


def _line_field(field: Field) -> Any:
    if field.name in TEXT_FIELDS:
        return field.name, msgspec.Raw
    if field.name in TRANSFORMER_FIELDS or field.name in _GIVEN_LISTS:
        # Only we may say these: no value from outside has this type.
        never = Annotated[int, msgspec.Meta(ge=1, le=0)]
        return field.name, never | msgspec.UnsetType, msgspec.UNSET
    if field.is_core or field.name == "record_id":
        return field.name, _value_type(field)
    return field.name, _value_type(field) | msgspec.UnsetType, msgspec.UNSET


def _value_type(field: Field) -> Any:
    if field.kind is Kind.INTEGER:
        least = int(field.name == "seq")
        return Annotated[int, msgspec.Meta(ge=least, le=MAX_INTEGER)]
    if field.enum:
        return Literal[field.enum]
    limits: dict[str, Any] = {"min_length": 1, "max_length": field.max_bytes}
    if field.pattern is not None and field.name not in _COMPARED:
        limits["pattern"] = rf"\A(?:{field.pattern.pattern})\Z"
    return Annotated[str, msgspec.Meta(**limits)]
