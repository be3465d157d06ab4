"""The facts of a model's or agent's answer: `read_answer` gives `AnswerFacts`."""

from emitter.conversation.answer.facts import AnswerFacts
from emitter.conversation.answer.reading import read_answer

__all__ = ["AnswerFacts", "read_answer"]
