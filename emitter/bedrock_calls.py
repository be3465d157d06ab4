"""One call of a Bedrock client: what it asked for and what came back."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from emitter.answers import CallFacts
from emitter.bedrock_bodies import BodyReading, read_along
from emitter.bedrock_streams import EventReading, FlowEvents, WatchedStream
from emitter.conversation.answer.errors import error_name
from emitter.conversation.answer.facts import AnswerFacts
from emitter.conversation.answer.reading import read_answer
from emitter.conversation.shape import dict_at, first_text
from emitter.conversation.stream.collector import Collector, Speaker

if TYPE_CHECKING:
    from collections.abc import Callable

_CONFIGURATION: Final = "retrieveAndGenerateConfiguration"


@dataclass(frozen=True, slots=True)
class Operation:
    """What is special about an operation.

    Attributes:
        llm_calls: How many calls of a model it is at least.
        stream: Member of the response that holds an event stream.
        has_body: The response's ``body`` is for the bot to read.
        is_routed: A model that the answer names is the one that a prompt router or
            agent chose; else it only repeats what was asked, in the model's words.
        events: Reads the stream, where it takes to know the operation.
    """

    llm_calls: int = 1
    stream: str | None = None
    has_body: bool = False
    is_routed: bool = True
    events: Callable[[], Any] | None = None


def _agent_events() -> Collector:
    return Collector(Speaker.AGENT)


def _model_events() -> Collector:
    return Collector(Speaker.MODEL)


# Operations of bedrock-runtime and bedrock-agent-runtime, botocore 1.44.8.
OPERATIONS: Final = {
    "ApplyGuardrail": Operation(llm_calls=0),
    "Converse": Operation(),
    "ConverseStream": Operation(stream="stream"),
    "InvokeAgent": Operation(stream="completion", events=_agent_events),
    "InvokeFlow": Operation(llm_calls=0, stream="responseStream", events=FlowEvents),
    "InvokeInlineAgent": Operation(stream="completion", events=_agent_events),
    "InvokeModel": Operation(has_body=True, is_routed=False),
    "InvokeModelWithResponseStream": Operation(
        stream="body", is_routed=False, events=_model_events
    ),
    "Retrieve": Operation(llm_calls=0),
    "RetrieveAndGenerate": Operation(),
    "RetrieveAndGenerateStream": Operation(stream="stream"),
}


def requested_model(params: dict[str, Any]) -> str | None:
    """Return the model or inference profile that a request names."""
    named = first_text(params, "modelId", "foundationModel")
    for kind in ("knowledgeBaseConfiguration", "externalSourcesConfiguration"):
        named = named or first_text(dict_at(params, _CONFIGURATION, kind), "modelArn")
    return named or None


class Call:
    """A call from its start to its answer; can be asked for its facts at any time.

    Nothing is read from an answer before that, so that the bot gets it at once.
    """

    def __init__(self, operation: Operation, params: dict[str, Any]) -> None:
        self._operation = operation
        self._model = requested_model(params)
        self._side = first_text(params, "source").lower()
        self._metadata: dict[str, Any] = {}
        self._answer: dict[str, Any] = {}
        self._error_type: str | None = None
        self._events: EventReading | None = None
        self._body: BodyReading | None = None

    def answered(self, response: dict[str, Any]) -> None:
        """Take the response; a stream in it is replaced by one that reads along."""
        operation = self._operation
        self._metadata = dict_at(response, "ResponseMetadata")
        if operation.has_body:
            self._body = read_along(response.get("body"))
        elif operation.stream is None:
            # The dictionary is the bot's from now on.
            self._answer = dict(response)
        else:
            self._watch_stream(response, operation.stream)

    def _watch_stream(self, response: dict[str, Any], name: str) -> None:
        stream = response.get(name)
        make_events = self._operation.events
        self._events = EventReading(make_events() if make_events else None)
        if isinstance(stream, (list, tuple)):
            # A stand-in has all its events at once.
            for event in stream:
                self._events.read(event)
            self._events.end()
        elif hasattr(stream, "__iter__"):
            response[name] = WatchedStream(stream, self._events)

    def refused(self, response: dict[str, Any], code: str | None) -> None:
        """Take the service's refusal, after the last retry."""
        self._metadata = dict_at(response, "ResponseMetadata")
        named = first_text(dict_at(response, "Error"), "Code")
        self._error_type = code or named or "error"

    def failed(self, error: BaseException) -> None:
        """Take what kept the call from getting any answer, after the last retry."""
        self._error_type = error_name(error)

    def facts(self) -> CallFacts:
        """Return what is known by now; never raises."""
        try:
            return self._facts()
        except Exception:  # noqa: BLE001 - another thread may be reading on
            return CallFacts(model=self._model, llm_calls=self._operation.llm_calls)

    def _facts(self) -> CallFacts:
        said = self._said()
        beside = read_answer({"ResponseMetadata": self._metadata})
        if said.input_tokens is None and said.output_tokens is None:
            said = replace(
                said,
                input_tokens=beside.input_tokens,
                output_tokens=beside.output_tokens,
                cache_read_tokens=beside.cache_read_tokens,
            )
        routed = said.model if self._operation.is_routed else None
        told = self._events.model_calls if self._events else 0
        return _as_call(
            replace(
                said,
                model=routed or self._model,
                request_id=beside.request_id,
                llm_calls=max(told, self._operation.llm_calls),
            ),
            # A body or stream has its own id, by which the bot may hand it over.
            known_as=(said.request_id,) if said.request_id else (),
        )

    def _said(self) -> AnswerFacts:
        if self._error_type is not None:
            # No answer at all is not an answer cut short.
            return AnswerFacts(error_type=self._error_type)
        if self._events is not None:
            return self._events.facts()
        if self._body is not None:
            return self._body.facts()
        said = read_answer(self._answer)
        if self._side and said.guardrail_action not in (None, "none"):
            return replace(said, guardrail_side=self._side)
        return said


def _as_call(facts: AnswerFacts, **more: Any) -> CallFacts:
    names = (each.name for each in dataclasses.fields(facts))
    return CallFacts(**{name: getattr(facts, name) for name in names}, **more)
