"""Readers for the event streams of Bedrock Agents and RetrieveAndGenerate.

Page: Amazon Bedrock API reference, InvokeAgent, Trace.
"""

from __future__ import annotations

import codecs
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from emitter.conversation.answer import guardrail, sources, usage
from emitter.conversation.answer.facts import AnswerFacts
from emitter.conversation.answer.usage import Usage
from emitter.conversation.shape import as_dict, dict_at, dicts_in, first_text
from emitter.conversation.stream.halves import as_came, join_pieces

if TYPE_CHECKING:
    from emitter.conversation.answer.guardrail import Finding

_STEPS: Final = (
    "preProcessingTrace",
    "orchestrationTrace",
    "routingClassifierTrace",
    "postProcessingTrace",
)
# Invocation inputs that are calls of a tool, and what names the tool there.
_CALLS: Final = {
    "actionGroupInvocationInput": ("function", "apiPath", "actionGroupName"),
    "knowledgeBaseLookupInput": ("knowledgeBaseId",),
    "agentCollaboratorInvocationInput": ("agentCollaboratorName",),
    "codeInterpreterInvocationInput": (),
}
# Observations that say that a call has ended.
_ENDS: Final = frozenset(
    {
        "actionGroupInvocationOutput",
        "agentCollaboratorInvocationOutput",
        "codeInterpreterInvocationOutput",
        "knowledgeBaseLookupOutput",
    }
)
_CODE_INTERPRETER: Final = "code_interpreter"


class AgentReader:
    """InvokeAgent and InvokeInlineAgent: text in byte pieces, and traces."""

    is_done = None

    def __init__(self) -> None:
        # A piece may end inside a character.
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._pieces: list[str] = []
        self._sources: list[dict[str, Any]] = []
        self._tools: list[dict[str, Any]] = []
        # Calls that have not ended; an agent's own stand inside of it.
        self._open: list[dict[str, Any]] = []
        self._returned: set[str] = set()
        self._model_calls = 0
        self._usage = Usage()
        self._model: str | None = None
        self._findings: list[Finding] = []
        self._guardrail_actions: list[str] = []

    def feed(self, event: dict[str, Any]) -> None:
        """Take one event."""
        if chunk := dict_at(event, "chunk"):
            self._add_chunk(chunk)
        if control := dict_at(event, "returnControl"):
            self._return_control(control)
        if trace := dict_at(event, "trace", "trace"):
            self._add_trace(trace)

    def _add_chunk(self, chunk: dict[str, Any]) -> None:
        data = chunk.get("bytes")
        if isinstance(data, (bytes, bytearray)):
            self._pieces.append(self._decoder.decode(bytes(data)))
        elif isinstance(data, str):
            self._pieces.append(as_came(data))
        self._sources += sources.cited(dict_at(chunk, "attribution").get("citations"))

    def _return_control(self, control: dict[str, Any]) -> None:
        """Note tools that the bot itself is asked to run."""
        for item in dicts_in(control.get("invocationInputs")):
            call = dict_at(item, "functionInvocationInput") or dict_at(
                item, "apiInvocationInput"
            )
            name = first_text(call, "function", "apiPath", "actionGroup") or "unnamed"
            self._returned.add(name)
            self._tools.append({"name": name, "status": "returned"})

    def _add_trace(self, trace: dict[str, Any]) -> None:
        for name in _STEPS:
            if step := dict_at(trace, name):
                self._add_step(step)
        if found := dict_at(trace, "guardrailTrace"):
            self._guardrail_actions.append(first_text(found, "action"))
            self._findings += guardrail.read_trace(found)
        if "failureTrace" in trace:
            self._close_tool(failed=True)

    def _add_step(self, step: dict[str, Any]) -> None:
        self._model_calls += "modelInvocationOutput" in step
        metadata = dict_at(step, "modelInvocationOutput", "metadata")
        self._usage = self._usage.plus(usage.of_converse(metadata.get("usage")))
        asked = first_text(dict_at(step, "modelInvocationInput"), "foundationModel")
        self._model = asked or self._model
        for kind, naming in _CALLS.items():
            if call := dict_at(step, "invocationInput", kind):
                self._open_tool(call, naming)
        if observation := dict_at(step, "observation"):
            self._observe(observation)

    def _open_tool(self, call: dict[str, Any], naming: tuple[str, ...]) -> None:
        if call.get("executionType") == "RETURN_CONTROL":
            return  # the returnControl event tells it
        name = first_text(call, *naming) or _CODE_INTERPRETER
        self._open.append({"name": name, "status": "ok"})
        self._tools.append(self._open[-1])

    def _observe(self, observation: dict[str, Any]) -> None:
        """Note how the open tool ended."""
        output = dict_at(observation, "codeInterpreterInvocationOutput")
        reprompt = dict_at(observation, "repromptResponse")
        failed = (
            bool(first_text(output, "executionError"))
            or output.get("executionTimeout") is True
            or reprompt.get("source") in ("ACTION_GROUP", "KNOWLEDGE_BASE")
        )
        if failed or not _ENDS.isdisjoint(observation):
            self._close_tool(failed=failed)

    def _close_tool(self, *, failed: bool) -> None:
        ended = self._open.pop() if self._open else {}
        if failed and ended:
            ended["status"] = "error"

    def facts(self) -> AnswerFacts:
        """Return what has arrived so far; control returned is no full answer."""
        text = join_pieces(self._pieces)
        facts = AnswerFacts(
            text=text,
            model=self._model,
            sources=sources.unique(self._sources),
            tools=tuple(self._tools),
            is_complete=bool(text) or not self._returned,
            llm_calls=max(self._model_calls, 1),
        )
        intervened = "INTERVENED" in self._guardrail_actions
        return guardrail.add_findings(
            self._usage.put(facts),
            self._findings,
            reported=bool(self._guardrail_actions),
            intervened=intervened,
        )


class RetrievalReader:
    """RetrieveAndGenerateStream."""

    is_done = None

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._sources: list[dict[str, Any]] = []
        self._actions: list[str] = []

    def feed(self, event: dict[str, Any]) -> None:
        """Take one event."""
        self._pieces.append(as_came(dict_at(event, "output").get("text")))
        if cited := dict_at(event, "citation"):
            nested = as_dict(cited.get("citation")) or {}
            for each in (cited, nested):
                self._sources += sources.retrieved(each.get("retrievedReferences"))
        if action := first_text(dict_at(event, "guardrail"), "action"):
            self._actions.append(action)

    def facts(self) -> AnswerFacts:
        """Return what has arrived so far."""
        facts = AnswerFacts(
            text=join_pieces(self._pieces), sources=sources.unique(self._sources)
        )
        return guardrail.add_findings(
            replace(facts),
            (),
            reported=bool(self._actions),
            intervened="INTERVENED" in self._actions,
        )
