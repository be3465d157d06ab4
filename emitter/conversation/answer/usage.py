"""Token counts of every API, with cached input counted once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from emitter.conversation.shape import as_dict, dict_at, only_count

if TYPE_CHECKING:
    from emitter.conversation.answer.facts import AnswerFacts


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one or more calls; None means that nobody counted.

    Attributes:
        input: All input, cache included.
        output: All output.
        cache_read: Part of the input that came from the cache.
    """

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None

    def plus(self, other: Usage) -> Usage:
        """Add the tokens of another call."""
        return Usage(
            _sum(self.input, other.input),
            _sum(self.output, other.output),
            _sum(self.cache_read, other.cache_read),
        )

    def over(self, earlier: Usage) -> Usage:
        """Return these counts, and the earlier ones where nothing was counted."""
        return Usage(
            earlier.input if self.input is None else self.input,
            earlier.output if self.output is None else self.output,
            earlier.cache_read if self.cache_read is None else self.cache_read,
        )

    def put(self, facts: AnswerFacts) -> AnswerFacts:
        """Return *facts* with these counts."""
        return replace(
            facts,
            input_tokens=self.input,
            output_tokens=self.output,
            cache_read_tokens=self.cache_read,
        )


def _sum(*counts: int | None) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _first_count(counts: dict[str, Any], *names: str) -> int | None:
    found = (only_count(counts.get(name)) for name in names)
    return next((count for count in found if count is not None), None)


def of_converse(usage: Any) -> Usage:
    """Read Converse's usage; also that of agents, Nova and Strands.

    `inputTokens` leaves cached tokens out; InvokeModel's Nova names those otherwise.
    Page: Amazon Bedrock user guide, "Prompt caching".
    """
    found = as_dict(usage) or {}
    read = _first_count(found, "cacheReadInputTokens", "cacheReadInputTokenCount")
    written = _first_count(found, "cacheWriteInputTokens", "cacheWriteInputTokenCount")
    fresh = only_count(found.get("inputTokens"))
    return Usage(
        _sum(fresh, read, written), only_count(found.get("outputTokens")), read
    )


def of_metrics(metrics: dict[str, Any]) -> Usage:
    """Read the counts that Bedrock adds to the last event of any model."""
    read = only_count(metrics.get("cacheReadInputTokenCount"))
    written = only_count(metrics.get("cacheWriteInputTokenCount"))
    fresh = only_count(metrics.get("inputTokenCount"))
    output = only_count(metrics.get("outputTokenCount"))
    return Usage(_sum(fresh, read, written), output, read)


def of_anthropic(usage: Any) -> Usage:
    """Read Anthropic's usage; `input_tokens` leaves cached tokens out."""
    found = as_dict(usage) or {}
    read = only_count(found.get("cache_read_input_tokens"))
    written = only_count(found.get("cache_creation_input_tokens"))
    fresh = only_count(found.get("input_tokens"))
    return Usage(
        _sum(fresh, read, written), only_count(found.get("output_tokens")), read
    )


def of_openai(usage: Any) -> Usage:
    """Read OpenAI's usage, chat or responses; its input includes cached tokens."""
    found = as_dict(usage) or {}
    details = dict_at(found, "prompt_tokens_details") or dict_at(
        found, "input_tokens_details"
    )
    return Usage(
        only_count(found.get("prompt_tokens", found.get("input_tokens"))),
        only_count(found.get("completion_tokens", found.get("output_tokens"))),
        only_count(details.get("cached_tokens")),
    )
