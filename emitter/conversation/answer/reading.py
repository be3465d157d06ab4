"""The facts of a model's or agent's answer, whichever API gave it.

Only structure is read, never the wording of a text. Shapes that nobody here knows
give empty facts.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from emitter.conversation.answer import agents, bodies, guardrail, replies
from emitter.conversation.answer.errors import error_name
from emitter.conversation.answer.facts import AnswerFacts
from emitter.conversation.shape import (
    as_dict,
    dict_at,
    first_text,
    never_raises,
    parse_json,
)
from emitter.conversation.stream.collector import SPEAKERS, collect

if TYPE_CHECKING:
    from collections.abc import Callable

# Under which names botocore hands over a stream; reading it would take it away
# from the bot, so only a list of events already collected is read.
_STREAM_NAMES: Final = ("stream", "completion", "body", "events")


@never_raises(AnswerFacts)
def read_answer(response: Any) -> AnswerFacts:
    """Read a complete answer. Pure; never raises, never reads from a stream.

    Takes answers of Bedrock Converse, InvokeModel (the response with its body
    already read, or the body alone), ApplyGuardrail, Retrieve,
    RetrieveAndGenerate and InvokeAgent (a list of its events), of Anthropic and
    OpenAI (dictionaries, JSON or SDK objects), a Strands AgentResult, a plain
    text, and exceptions.
    """
    if isinstance(response, BaseException):
        return AnswerFacts(error_type=error_name(response), is_complete=False)
    if isinstance(response, (str, bytes, bytearray)):
        return _read_text(response)
    if isinstance(response, (list, tuple)):
        return collect(response)
    if agents.is_agent_result(response):
        return agents.read_agent_result(response)
    return _read_body(as_dict(response) or {})


def _read_text(response: str | bytes | bytearray) -> AnswerFacts:
    text = response if isinstance(response, str) else bytes(response)
    body = as_dict(parse_json(text))
    if body is not None:
        found = _read_body(body)
        if found != AnswerFacts():
            return found
    shown = text if isinstance(text, str) else text.decode("utf-8", "replace")
    return AnswerFacts(text=shown)


def _read_body(body: dict[str, Any]) -> AnswerFacts:
    for is_kind, read in _KINDS:
        if is_kind(body):
            return _with_headers(bodies.add_guardrail(read(body), body), body)
    return _with_headers(_read_collected(body), body)


def _read_collected(body: dict[str, Any]) -> AnswerFacts:
    """Read events that the bot has collected, or a body it has read."""
    for name in _STREAM_NAMES:
        inner = body.get(name)
        if isinstance(inner, (list, tuple)):
            return collect(inner, SPEAKERS.get(name))
        if isinstance(inner, (str, bytes, bytearray)):
            return _read_text(inner)
        if isinstance(inner, dict):
            return _read_body(inner)
    return AnswerFacts()


def _with_headers(facts: AnswerFacts, body: dict[str, Any]) -> AnswerFacts:
    """Add what botocore tells beside the body: request id and token counts."""
    metadata = dict_at(body, "ResponseMetadata")
    headers = dict_at(metadata, "HTTPHeaders")
    request_id = first_text(metadata, "RequestId") or first_text(
        headers, "x-amzn-requestid"
    )
    if request_id:
        facts = replace(facts, request_id=request_id)
    if facts.input_tokens is None and facts.output_tokens is None:
        facts = bodies.count_by_headers(facts, headers)
    return facts


_KINDS: Final[
    tuple[
        tuple[
            Callable[[dict[str, Any]], bool],
            Callable[[dict[str, Any]], AnswerFacts],
        ],
        ...,
    ]
] = (
    (replies.is_converse, replies.read_converse),
    (replies.is_anthropic, replies.read_anthropic),
    (replies.is_chat, replies.read_chat),
    (replies.is_responses, replies.read_responses),
    (replies.is_retrieval, replies.read_retrieval),
    (guardrail.is_apply_guardrail, replies.read_apply_guardrail),
    (replies.is_error, replies.read_error),
    (bodies.is_model_body, bodies.read_model_body),
)
