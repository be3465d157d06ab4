"""Read what a look-up has answered, and say why it failed by what it has raised.

Everything is told by names, so that urllib, requests, httpx, aiohttp, slack_sdk and
Graph's SDK are understood without importing any of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from emitter.conversation.shape import as_dict, attribute, never_raises
from emitter.identity.model import LookupFailure

if TYPE_CHECKING:
    from collections.abc import Iterator

_REASONS_BY_STATUS: Final = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    408: "timeout",
    429: "throttled",
}
# Where errors and their responses keep the status: requests and httpx, Graph's SDK,
# aiohttp, urllib.
_STATUS_NAMES: Final = ("status_code", "response_status_code", "status", "code")
# Errors are wrapped a few times at most.
_MAX_CHAIN: Final = 8


def reason_for_status(status: int) -> str:
    """Return what an HTTP status says in words of `user_resolution`."""
    return _REASONS_BY_STATUS.get(status, "error")


@never_raises(lambda: "error")
def reason_for_error(error: BaseException) -> str:
    """Return what an exception of a look-up says in words of `user_resolution`.

    The first status in the chain of causes counts; else a time-out anywhere in it.
    """
    chain = list(_chain(error))
    for each in chain:
        status = _status_of(each)
        if status is not None:
            return reason_for_status(status)
    names = [type(each).__name__.lower() for each in chain]
    names += [type(each).__name__.lower() for each in error.args[:1]]
    return "timeout" if any("timeout" in name for name in names) else "error"


def body_of(answer: Any) -> dict[str, Any] | None:
    """Return the body of an answer; slack_sdk keeps it in ``data``."""
    if type(answer) is not dict:
        data = attribute(answer, "data")
        return data if isinstance(data, dict) else as_dict(answer)
    return answer


def _no_answer() -> dict[str, Any] | LookupFailure:
    return LookupFailure()


@never_raises(_no_answer)
def answer_in(error: BaseException) -> dict[str, Any] | LookupFailure:
    """Return Slack's answer inside slack_sdk's error, else why the call failed."""
    response = attribute(error, "response")
    body = as_dict(attribute(response, "data"))
    if body is None:
        body = response if isinstance(response, dict) else {}
    if body.get("ok") is False:
        return body
    return LookupFailure(reason_for_error(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    for _ in range(_MAX_CHAIN):
        if current is None:
            return
        yield current
        hidden = None if current.__suppress_context__ else current.__context__
        current = current.__cause__ or hidden


def _status_of(error: BaseException) -> int | None:
    for owner in (attribute(error, "response"), error):
        for name in _STATUS_NAMES:
            value = attribute(owner, name)
            if isinstance(value, int) and 100 <= value <= 599:  # noqa: PLR2004
                return int(value)
    return None
