"""What a bot has told about one question so far; keeps little, checks nothing.

Answers are read when the record is made, after the reply.
"""

from __future__ import annotations

import marshal
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from audit_record.limits import DEFAULT_MAX_RECORD_BYTES
from emitter.conversation.shape import as_json, as_plain
from emitter.loading import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from emitter.answers import Answers
    from emitter.conversation import AnswerFacts

# What may be listed for one question: far above the record's own limits, so that
# only memory is bounded here.
_MAX_LISTED: Final = 1_000
# Answers kept as they came; further ones are read at once, which makes them small.
_MAX_UNREAD: Final = 50
_FIELDS_BYTES: Final = 2_000
# A tool that took a year was measured wrongly.
_MAX_MS: Final = 365 * 24 * 3_600_000


class OpenStream(Protocol):
    """A stream that the audit reads along with."""

    def tell_facts(self) -> None:
        """Tell what has arrived, unless that was done."""

    def peek_facts(self) -> AnswerFacts | None:
        """Return what has arrived; None once that was told."""


class Gathered:
    """Lists of what was told.

    Attributes:
        response: What the person was shown; None until a reply is told.
    """

    def __init__(self, attachments: Sequence[dict[str, Any]] = ()) -> None:
        self._messages: Any = None
        self.response: str | None = None
        self._answers: list[Any] = []
        self._tools: list[dict[str, Any]] = []
        self._sources: list[dict[str, Any]] = []
        self._attachments = list(attachments)
        # Each with the number of answers that were there before it.
        self._streams: list[tuple[int, OpenStream]] = []

    def keep_messages(self, messages: Any) -> Any:
        """Keep the conversation as it is now; return it for the bot to use."""
        kept, for_bot = copied(messages)
        self._messages = _Frozen.of(kept)
        return for_bot

    @property
    def messages(self) -> Any:
        """The conversation as it was when it was told; None if it was not."""
        kept = self._messages
        return kept.thaw() if isinstance(kept, _Frozen) else kept

    def add_answer(self, answer: Any) -> None:
        """Keep an answer of a model, or the facts of one."""
        is_late = len(self._answers) >= _MAX_UNREAD
        for item in _read([answer]) if is_late else [answer]:
            _keep(self._answers, item)

    def add_stream(self, stream: OpenStream) -> None:
        """Keep a stream that tells its facts, should it not have ended."""
        _keep(self._streams, (len(self._answers), stream))

    def add_reply(self, text: Any) -> None:
        """Keep a text shown; further ones follow on lines of their own."""
        shown = shown_text(text)
        before = self.response
        self.response = shown if before is None else f"{before}\n{shown}"

    def add_tool(self, name: Any, status: Any, ms: Any) -> None:
        """Keep that a tool was called."""
        is_count = type(ms) in (int, float) and 0 <= ms < _MAX_MS
        entry = {
            "name": shown_text(name) or "unknown",
            "status": status if type(status) is str else None,
            "ms": int(ms) if is_count else None,
        }
        _keep(self._tools, entry)

    def add_source(self, uri: Any, title: Any, score: Any) -> None:
        """Keep that the answer drew on a document."""
        is_number = type(score) in (int, float) and math.isfinite(score)
        entry = {
            "uri": shown_text(uri) or "unknown",
            "title": shown_text(title) or None,
            "score": score if is_number else None,
        }
        _keep(self._sources, entry)

    def add_attachment(self, name: Any, kind: Any, data: Any, size: Any) -> None:
        """Keep the name, size and digest of a file, never what is in it."""
        content = _content_of(data)
        is_count = type(size) is int and size >= 0
        entry = {
            "name": shown_text(name) or "unknown",
            "type": shown_text(kind) or None,
            "bytes": size if is_count else None,
        }
        if content is not None:
            entry["bytes"] = len(content)
            load("hashlib")
            import hashlib  # noqa: PLC0415 - few questions come with a file

            entry["sha256"] = hashlib.sha256(content).hexdigest()
        _keep(self._attachments, entry)

    def end_streams(self) -> None:
        """Have every stream that the bot has not read to its end tell its facts.

        They stand where the stream began: what was asked after it came later.
        """
        for place, stream in reversed(self._streams):
            before = len(self._answers)
            stream.tell_facts()
            told = self._answers[before:]
            del self._answers[before:]
            self._answers[place:place] = told
        self._streams.clear()

    def totals(self, *, with_open: bool = False) -> Answers:
        """Read the answers and add them up.

        Args:
            with_open: Count what streams have brought that the bot still reads.
        """
        from emitter.answers import add_up  # noqa: PLC0415 - after the reply only

        answers = list(self._answers)
        if with_open:
            for place, stream in reversed(list(self._streams)):
                facts = stream.peek_facts()
                answers[place:place] = [] if facts is None else [facts]
        return add_up(_read(answers))

    def lists(self, answers: Answers) -> dict[str, list[dict[str, Any]]]:
        """Return tools, sources and attachments, of the bot and of the answers."""
        tools = [item | {"status": _status(item["status"])} for item in self._tools]
        lists = {
            "tools": tools + answers.tools,
            "sources": self._sources + answers.sources,
            "attachments": list(self._attachments),
        }
        return {
            name: [{k: v for k, v in item.items() if v is not None} for item in items]
            for name, items in lists.items()
        }

    def size_hint_bytes(self) -> int:
        """Return about what this takes in memory."""
        texts = (self._messages, self.response)
        sizes = [rough_size_bytes(text) for text in texts]
        sizes += [_size_bytes(answer) for answer in self._answers]
        return _FIELDS_BYTES + sum(sizes)


def _read(answers: Iterable[Any]) -> list[AnswerFacts]:
    from emitter.conversation import AnswerFacts, read_answer  # noqa: PLC0415 - as above

    return [
        answer if issubclass(type(answer), AnswerFacts) else read_answer(answer)
        for answer in answers
    ]


def shown_text(value: Any) -> str:
    """Return the text of anything a bot shows: a string, a message, a list.

    Slack's payloads and Teams' activities have a ``text``; other maps are written
    as JSON. None is "".
    """
    try:
        if value is None or isinstance(value, str):
            return value or ""
        text = value.get("text") if isinstance(value, Mapping) else value.text
    except Exception:  # noqa: BLE001 - a bot's own object may do anything
        text = None
    if issubclass(type(text), str):
        return cast("str", text)
    plain = as_plain(value)
    return plain if isinstance(plain, str) else as_json(plain)


def copied(messages: Any) -> tuple[Any, Any]:
    """Return messages for the audit and for the bot.

    An iterator can be read only once: both get its items. If it raises, the bot
    meets the same error at the same place.
    """
    if isinstance(messages, list | tuple):
        return [_held(message) for message in messages], messages
    if not isinstance(messages, Iterator):
        return messages, messages
    items: list[Any] = []
    try:
        for item in messages:
            items.append(item)
            if len(items) >= _MAX_ITEMS:
                return items, _after(list(items), messages, None)
    except Exception as error:  # noqa: BLE001 - it is the bot's to see
        return items, _after(list(items), iter(()), error)
    return list(items), items


def _held(message: Any) -> Any:
    """Return a message whose blocks can be read beside the bot's own reading.

    The bot's message gets an equal iterator in place of the one that was read.
    """
    if type(message) is not dict or not isinstance(message.get("content"), Iterator):
        return message
    blocks, again = copied(message["content"])
    message["content"] = iter(again)
    return {**message, "content": blocks}


# No model reads as many messages; an endless iterator ends here for the audit.
_MAX_ITEMS: Final = 100_000


def _after(
    items: list[Any], rest: Iterator[Any], error: Exception | None
) -> Iterator[Any]:
    yield from items
    yield from rest
    if error is not None:
        raise error


class _Frozen(bytes):
    """A plain value as it was at one moment, whatever its owner does to it later.

    Bots go on with the list they have shown the model, and a server may write
    records a second later: what was read then could be another person's.
    """

    __slots__ = ()

    @classmethod
    def of(cls, value: Any) -> Any:
        """Freeze *value*; one with objects in it comes back as it is.

        Writing Python's own format takes a fifth of the time of a deep copy, and
        reading it back is left to after the reply.
        """
        try:
            return cls(marshal.dumps(value))
        except Exception:  # noqa: BLE001 - an SDK's objects, or one that raises
            return value

    def thaw(self) -> Any:
        """Return the value, made anew."""
        return marshal.loads(self)  # noqa: S302 - our own bytes, of this process


def rough_size_bytes(value: Any) -> int:
    """Return about what *value* takes in memory; what is odd counts as largest."""
    if isinstance(value, _Frozen):
        return len(value)
    try:
        return len(marshal.dumps(value))
    except Exception:  # noqa: BLE001 - a bot's own object may do anything
        return DEFAULT_MAX_RECORD_BYTES


def _size_bytes(answer: Any) -> int:
    """Return about what an answer takes; of facts only the text is long."""
    text = getattr(answer, "text", None)
    return len(text) if isinstance(text, str) else rough_size_bytes(answer)


def _content_of(data: Any) -> bytes | None:
    if type(data) in (bytes, bytearray, memoryview):
        return bytes(data)
    return data.encode("utf-8", "surrogatepass") if type(data) is str else None


def _status(status: str | None) -> str:
    from audit_record.field import TOOL_STATUSES  # noqa: PLC0415 - after the reply

    return status if status in TOOL_STATUSES else "ok"


def _keep(into: list[Any], item: Any) -> None:
    if len(into) < _MAX_LISTED:
        into.append(item)
