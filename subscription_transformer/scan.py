r"""Linear-time search behind one interface: which patterns hit, and where.

RE2 does the work: its time is linear in the text, whatever text a person sends.
Where its wheel is missing the standard library's engine takes its place; our own
patterns are written so that it stays near linear too, and rules of users are
refused at build time unless RE2 takes them.

Patterns are bytes of UTF-8 in the syntax both engines share: no look-around, no
back-references; ``\\z`` is the end of the text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

try:
    import re2 as _re2
except ImportError:
    _re2 = None

# Whether time is linear for any pattern; without RE2 only for careful ones.
IS_LINEAR: Final = _re2 is not None
Span = tuple[int, int]
# One set holds every pattern; RE2 falls back to a slower way when it runs out.
_MAX_SET_BYTES: Final = 64 * 1024 * 1024


class Pattern:
    """One pattern, and where it hits.

    Args:
        pattern: The pattern; its first group, if it has one, is what counts.

    Raises:
        ValueError: It does not compile.
    """

    def __init__(self, pattern: str) -> None:
        self._compiled = _compile(pattern)
        self._group = 1 if self._compiled.groups else 0

    @property
    def program_size(self) -> int:
        """How many steps the pattern compiles to; 0 if the engine does not say."""
        return int(getattr(self._compiled, "programsize", 0))

    def spans(self, data: bytes) -> Iterator[Span]:
        """Yield where the pattern hits *data*, from left to right."""
        for match in self._compiled.finditer(data):
            yield match.span(self._group)

    def hits(self, data: bytes) -> bool:
        """Tell whether the pattern hits anywhere."""
        return self._compiled.search(data) is not None


class PatternSet:
    """Many patterns looked for in one pass.

    Args:
        patterns: In an order that the caller keeps.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = tuple(patterns)
        self._set = _compile_set(self._patterns)
        self._singles = () if self._set else tuple(Pattern(p) for p in patterns)

    def hits(self, data: bytes) -> list[int]:
        """Return the indices of the patterns that hit *data*, in order."""
        if not self._patterns:
            return []
        if self._set is not None:
            return sorted(self._set.Match(data) or ())
        return [n for n, single in enumerate(self._singles) if single.hits(data)]


def _compile(pattern: str) -> Any:
    if _re2 is None:
        return re.compile(pattern.replace(r"\z", r"\Z").encode())
    try:
        return _re2.compile(pattern, _options())
    except _re2.error as error:
        raise ValueError(f"RE2 refuses the pattern: {error}") from None


def _compile_set(patterns: Sequence[str]) -> Any:
    if _re2 is None or not patterns:
        return None
    compiled = _re2.Set.SearchSet(_options())
    for pattern in patterns:
        compiled.Add(pattern)
    compiled.Compile()
    return compiled


def _options() -> Any:
    options = _re2.Options()
    options.max_mem = _MAX_SET_BYTES
    options.log_errors = False
    return options
