"""Read along while a bot reads an event stream of a Bedrock client.

Nothing is read before the bot reads it, nothing is held back or changed. What has
arrived can be asked for at any time and again, since a question may end first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from emitter.conversation.answer.errors import error_name
from emitter.conversation.shape import as_dict, dict_at, dicts_in, first_text
from emitter.conversation.stream.collector import Collector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emitter.conversation.answer.facts import AnswerFacts

_MODEL_OUTPUT: Final = "modelInvocationOutput"
# Of events that were put aside; about 1 MB.
_MAX_WAITING_COUNT: Final = 1_000
# Events of agents and flows that may tell of a model's call.
_TRACES: Final = frozenset({"trace", "flowTraceEvent"})


class Events(Protocol):
    """Understands the events of one stream."""

    def feed(self, event: Any) -> None:
        """Take one event."""

    def facts(self, *, ended: bool, error_type: str | None = None) -> AnswerFacts:
        """Return what has arrived."""


class EventReading:
    """What has arrived of an event stream; understood only when it is asked for.

    While the bot waits for its stream, events are just put aside, up to 1,000.
    """

    def __init__(self, events: Events | None = None) -> None:
        self._events: Events = events or Collector()
        self._waiting: list[Any] = []
        self._is_ended = False
        self._error_type: str | None = None
        self._model_calls = 0

    def read(self, event: Any) -> None:
        """Take one event as the bot gets it."""
        self._waiting.append(_put_aside(event))
        if len(self._waiting) >= _MAX_WAITING_COUNT:
            self._understand()

    def end(self, error: BaseException | None = None) -> None:
        """Note that nothing more comes, or why."""
        self._is_ended = error is None
        self._error_type = None if error is None else error_name(error)

    def facts(self) -> AnswerFacts:
        """Return what has arrived so far."""
        self._understand()
        return self._events.facts(ended=self._is_ended, error_type=self._error_type)

    @property
    def model_calls(self) -> int:
        """How many calls of a model an agent's traces tell."""
        self._understand()
        return self._model_calls

    def _understand(self) -> None:
        waiting, self._waiting = self._waiting, []
        for item in waiting:
            try:
                event = _taken_back(item)
                self._events.feed(event)
                if isinstance(event, dict) and not event.keys().isdisjoint(_TRACES):
                    self._model_calls += _count_model_calls(event)
            except Exception:  # noqa: BLE001, S112 - the other events still count
                continue


def _put_aside(event: Any) -> Any:
    """Keep an event while the bot may change it; Converse's text as a mere pair.

    Thousands of dictionaries that stay would keep the garbage collector busy.
    """
    try:
        block = event["contentBlockDelta"]
        if len(event) == len(block["delta"]) == 1:
            return (block["contentBlockIndex"], block["delta"]["text"])
    except Exception:  # noqa: BLE001, S110 - a stand-in's event may be anything
        pass
    return dict(event) if type(event) is dict else event


def _taken_back(item: Any) -> Any:
    if type(item) is not tuple:
        return item
    block, text = item
    delta = {"contentBlockIndex": block, "delta": {"text": text}}
    return {"contentBlockDelta": delta}


def _count_model_calls(event: dict[str, Any]) -> int:
    """Count the model's outputs in one trace event of an agent or a flow."""
    steps = dict_at(event, "trace", "trace").values()
    count = sum(_MODEL_OUTPUT in (as_dict(step) or {}) for step in steps)
    return count + sum(map(_count_model_calls, _agent_traces(event)))


def _agent_traces(event: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the traces of agents that a flow has asked, as an agent gives them."""
    found = dict_at(event, "flowTraceEvent", "trace", "nodeDependencyTrace")
    parts = dict_at(found, "traceElements").get("agentTraces")
    return [{"trace": part} for part in dicts_in(parts)]


class FlowEvents:
    """Reads InvokeFlow's stream: outputs of its nodes, agents it has asked, its end.

    Page: Amazon Bedrock API reference, FlowResponseStream.
    """

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._reason: str | None = None
        # Knows the exception members of any stream.
        self._own = Collector()
        self._agents = Collector()

    def feed(self, event: Any) -> None:
        """Take one event; of a document that is no text nothing is kept."""
        self._own.feed(event)
        for name in ("flowOutputEvent", "flowMultiTurnInputRequestEvent"):
            if text := first_text(dict_at(event, name, "content"), "document"):
                self._texts.append(text)
        if end := dict_at(event, "flowCompletionEvent"):
            self._reason = first_text(end, "completionReason") or None
        for trace in _agent_traces(event):
            self._agents.feed(trace)

    def facts(self, *, ended: bool, error_type: str | None = None) -> AnswerFacts:
        """Return what has arrived; the agents' own words are no output."""
        told = self._own.facts(ended=ended, error_type=error_type)
        return replace(
            self._agents.facts(ended=ended),
            text="\n".join(self._texts),
            stop_reason=self._reason,
            error_type=told.error_type,
            is_complete=self._reason is not None and told.error_type is None,
        )


class WatchedStream:
    """An event stream that gives every event through, unchanged and once.

    As with botocore's own, a bot that stopped reading can go on later. Everything
    else (``close``, ``get_initial_response``, …) is the original's. Not thread-safe,
    as streams are not.
    """

    def __init__(self, stream: Any, reading: EventReading) -> None:
        self._stream = stream
        self._reading = reading

    def __iter__(self) -> Iterator[Any]:
        read = self._reading.read
        try:
            for event in self._stream:
                read(event)
                yield event
        except GeneratorExit:
            raise  # the bot reads no further, for now
        except BaseException as error:
            self._reading.end(error)
            raise
        self._reading.end()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
