"""Add up what several model answers of one question say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from audit_record.fields import GUARDRAIL_ACTIONS
from emitter.conversation.answer.facts import AnswerFacts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    _Content = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class CallFacts(AnswerFacts):
    """The facts of a call that was seen at the client that made it.

    Attributes:
        known_as: Ids under which the bot may hand over the same answer.
    """

    known_as: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WatchedCall(AnswerFacts):
    """A call that may still be under way.

    Attributes:
        settle: Gives what is known of it by now; can be asked again.
    """

    settle: Callable[[], CallFacts] = CallFacts


@dataclass
class Answers:
    """The sum of all answers of one question.

    Attributes:
        text: Of the last answer that had any.
        stop_reason: Of the last answer; None if that has none.
        is_complete: Whether the last answer reached its end.
        has_failed: Whether the last answer broke off with an error.
        error_type: Of the last answer that failed.
        fields: The record's fields.
    """

    text: str = ""
    stop_reason: str | None = None
    is_complete: bool = True
    has_failed: bool = False
    error_type: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    sources: list[dict[str, Any]] = field(default_factory=list)
    tools: list[dict[str, Any]] = field(default_factory=list)


# What a stream raises when its reader is gone.
_LEFT: Final = ("CancelledError", "GeneratorExit")


def add_up(answers: Iterable[AnswerFacts]) -> Answers:
    """Return the sum of *answers*; one that comes twice counts once."""
    total = Answers()
    sides: set[str] = set()
    policies: dict[str, None] = {}
    for answer in _distinct([_settled(each) for each in answers]):
        _add(total, answer)
        sides |= {answer.guardrail_side} if answer.guardrail_side else set()
        policies |= dict.fromkeys(answer.guardrail_policies)
    if sides:
        total.fields["guardrail_side"] = sides.pop() if len(sides) == 1 else "both"
    if policies:
        total.fields["guardrail_policies"] = list(policies)
    if total.stop_reason:
        total.fields["stop_reason"] = total.stop_reason
    return total


def _settled(answer: AnswerFacts) -> AnswerFacts:
    return answer.settle() if isinstance(answer, WatchedCall) else answer


def _distinct(answers: list[AnswerFacts]) -> Iterator[AnswerFacts]:
    """Give each answer once, in order.

    Calls seen at the client are distinct by themselves. What the bot hands over is
    dropped if it has the id of one that was counted or, where it has no id, as events
    and bodies without their response, if it says the same as a call that was seen.
    """
    watched = [answer for answer in answers if isinstance(answer, CallFacts)]
    ids: set[str | None] = set()
    for call in watched:
        ids |= {call.request_id, *call.known_as}
    contents = {content for call in watched for content in _contents(call)}
    for answer in answers:
        if isinstance(answer, CallFacts) or _is_new(answer, ids, contents):
            yield answer


def _is_new(answer: AnswerFacts, ids: set[str | None], contents: set[_Content]) -> bool:
    if answer.request_id is None:
        return _content(answer) not in contents
    is_new = answer.request_id not in ids
    ids.add(answer.request_id)
    return is_new


def _content(answer: AnswerFacts) -> _Content:
    return (
        answer.text,
        answer.stop_reason,
        answer.error_type,
        tuple(tool.get("name") for tool in answer.tools),
        answer.input_tokens,
        answer.output_tokens,
    )


def _contents(call: CallFacts) -> Iterator[_Content]:
    """Give what a bot may know of a call that it hands over once more."""
    content = _content(call)
    yield content
    # Some APIs tell the tokens beside the body only.
    yield (*content[:-2], None, None)
    # The text alone, and nothing at all: a stream that nobody has read yet.
    yield _content(AnswerFacts(text=call.text))
    # What was raised, of a stream that broke off after some text.
    yield _content(AnswerFacts(error_type=call.error_type))
    yield _content(AnswerFacts())


def _add(total: Answers, answer: AnswerFacts) -> None:
    fields = total.fields
    # The model that wrote the text counts, not one that ranked or embedded after it.
    if answer.model and (answer.text or not (total.text and "model_used" in fields)):
        fields["model_used"] = answer.model
    # Another text ends as it ends; the same one told again says no more than before.
    if answer.stop_reason or answer.text not in ("", total.text):
        total.stop_reason = answer.stop_reason
    total.text = answer.text or total.text
    if _is_ending(answer):
        total.is_complete = answer.is_complete
        total.has_failed = _has_failed(answer)
    total.error_type = answer.error_type or total.error_type
    total.sources += answer.sources
    total.tools += answer.tools
    fields["llm_calls"] = fields.get("llm_calls", 0) + answer.llm_calls
    for name in ("input_tokens", "output_tokens", "cache_read_tokens"):
        count = getattr(answer, name)
        if count is not None:
            fields[name] = fields.get(name, 0) + count
    action = answer.guardrail_action
    if action in GUARDRAIL_ACTIONS:
        before = fields.get("guardrail_action", "none")
        fields["guardrail_action"] = max(action, before, key=GUARDRAIL_ACTIONS.index)


def _is_ending(answer: AnswerFacts) -> bool:
    """Whether an answer may be the one that the question ended with.

    A model that is asked again makes good what was cut off or broke before. A call
    without words, such as an embedding, and one that was refused do not.
    """
    has_spoken = answer.text or answer.stop_reason or answer.tools
    return bool(has_spoken) or not answer.is_complete


def _has_failed(answer: AnswerFacts) -> bool:
    """Whether an answer broke off by an error, not because the bot left it."""
    has_error = answer.error_type not in (None, *_LEFT)
    return has_error and not answer.is_complete


def choose_model(asked: Any, answered: str | None) -> Any:
    """Return the model's id for the record.

    That which was asked for is the more exact one: answers name a model shortly.
    A router is asked for and another model answers; then that one counts.

    Args:
        asked: Model or inference profile that the bot has named, if it did.
        answered: What the last answer says, if it does.
    """
    if not answered or not isinstance(asked, str) or not asked:
        return answered or asked
    if "prompt-router" in asked:
        return answered
    is_same = answered in asked or asked in answered or asked.startswith("arn:")
    return asked if is_same else answered
