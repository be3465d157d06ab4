"""Text that UTF-8 can write."""

from __future__ import annotations


def clean_text(text: str) -> str:
    """Return *text* with lone surrogates replaced by U+FFFD, one for one."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
