"""How a question ended: the first rule that matches."""

from __future__ import annotations

import sys
from typing import Final

# Stop reasons of Bedrock, Anthropic, OpenAI, Titan and Cohere that mean the answer was
# cut short; the last two write them in capitals.
PARTIAL: Final = frozenset(
    {
        "error_limit",
        "length",
        "max_output_tokens",
        "max_tokens",
        "model_context_window_exceeded",
    }
)
BLOCKED: Final = frozenset(
    {"guardrail_intervened", "content_filtered", "content_filter", "error_toxic"}
)


def outcome_of(
    error: BaseException | None,
    stop_reason: str | None,
    guardrail_action: str | None,
    response: str,
    *,
    is_complete: bool,
    has_failed: bool = False,
) -> str:
    """Return the outcome of a question.

    Args:
        error: What left the block, if anything.
        stop_reason: Of the last model answer.
        guardrail_action: The strongest over all calls.
        response: What the person was shown.
        is_complete: Whether the last answer reached its end.
        has_failed: Whether it broke off with an error.
    """
    if is_cancellation(error):
        return "cancelled"
    if error is not None or has_failed:
        return "error"
    reason = (stop_reason or "").lower()
    if reason in BLOCKED or guardrail_action == "blocked":
        return "blocked"
    if not is_complete or reason in PARTIAL:
        return "partial"
    return "answered" if response.strip() else "empty"


def is_cancellation(error: BaseException | None) -> bool:
    """Tell whether a task was cancelled, or nobody reads a generator any more."""
    # Loading asyncio costs more than this whole library; without it nothing of it
    # can have been raised.
    asyncio = sys.modules.get("asyncio")
    is_cancelled = asyncio is not None and isinstance(error, asyncio.CancelledError)
    return is_cancelled or isinstance(error, GeneratorExit)
