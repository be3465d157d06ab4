"""What went wrong, in the service's own word; never its message."""

from __future__ import annotations

from emitter.conversation.shape import attribute, dict_at, first_text


def error_name(error: BaseException) -> str:
    """Return a service's error code, else the class of the exception."""
    answer = attribute(error, "response")
    code = first_text(dict_at(answer, "Error"), "Code")
    return code or type(error).__name__
