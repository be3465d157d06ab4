r"""Find the value behind a name that says it is a secret.

``password=hunter2``, ``"apiKey": ["a", "b"]``, ``{\"x.api.key\":\"abc\"}`` and the
like, in prose, code, settings files and JSON of any depth of quoting. The pattern
finds a telling word and a sign behind it; everything else is decided here, by
looking at the bytes around that place once.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from subscription_transformer.names import is_weak_name, names_a_secret

if TYPE_CHECKING:
    from subscription_transformer.scan import Span

REDACTED: Final = b"[redacted:"
_WORDS: Final = (
    r"password|passwort|kennwort|passwd|pwd|passphrase|passcode|secret|token"
    r"|(?:api|access|private|secret|signing|encryption|auth)[_.\- ]?key"
    r"|authorization|credential"
)
# A telling word, the rest of the name, and the sign; or a quoted short name.
ASSIGNMENT: Final = (
    rf"(?i)(?:(?:{_WORDS})[a-z0-9_.\-]{{0,16}}\\*[\"'`]?|(?:pin|pass|pw)\\*[\"'])"
    r"\s{0,16}(?:=>|:=|==?|:)"
)
XML_ELEMENT: Final = rf"(?i)<[a-z0-9_.\-:]{{0,32}}(?:{_WORDS})>([^<\s][^<\n]{{0,511}})<"
COMMAND_OPTION: Final = (
    r"(?i)(?:^|\s)--?[a-z0-9\-]{0,24}(?:password|passwd|passphrase|secret|token"
    r"|api-key|access-key|secret-key)[ \t]{1,4}([^\s\-][^\s]{0,511})"
)
_JSON_SPACE: Final = r"(?:\s|\\[nrtfb])"
ASSIGNMENT_HINT: Final = (
    rf"(?i)(?:(?:{_WORDS})[a-z0-9_.\-]{{0,16}}\\*[\"'`]?|(?:pin|pass|pw)\\*[\"'])"
    rf"{_JSON_SPACE}*(?:=|:)"
)
XML_ELEMENT_HINT: Final = rf"(?i)(?:{_WORDS})>"
COMMAND_OPTION_HINT: Final = (
    r"(?i)-(?:[a-z0-9\-]{0,24})(?:password|passwd|passphrase|secret|token|api-key"
    r"|access-key|secret-key)(?:[ \t]|\\t)"
)
CURL_USER: Final = (
    r"(?i)\bcurl\b[^\n]{0,256}\s(?:-u|--user)[ \t=]{0,4}[\"']?[^\s:\"']{1,64}"
    r":([^\s\"']{1,128})"
)

# Longest name that is read; longer ones are no names.
_MAX_NAME_BYTES: Final = 64
# Longest list or object that is redacted as the value of a name.
_MAX_CONTAINER_BYTES: Final = 65_536
_NAME_BYTES: Final = frozenset(
    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
)
_AFTER_NAME: Final = re.compile(
    rb"[A-Za-z0-9_.\- ]*?(\\*[\"'`]?)(\s{0,16})(=>|:=|==?|:)"
)
_SPACE: Final = re.compile(rb"[ \t]{0,16}")
_ANY_SPACE: Final = re.compile(rb"(?:\s|\\[nrt]){0,32}")
_OPENING: Final = re.compile(rb"\\*[\"'`]")
_CLOSED: Final = {
    b'"': re.compile(rb'(?:[^"\\\n]|\\[^\n])*'),
    b"'": re.compile(rb"(?:[^'\\\n]|\\[^\n])*"),
    b"`": re.compile(rb"[^`\n]*"),
}
# Inside a text that is itself quoted, a quote with as many backslashes ends a value.
_CLOSED_ESCAPED: Final = re.compile(rb"(?:[^\"'`\\\n]|\\+[^\"'`\\\n])*")
_SCHEME: Final = re.compile(rb"(?i)(?:bearer|basic|token)[ \t]{1,4}(?=[^\s])")
_UNQUOTED: Final = re.compile(rb"[^\s\"'`,;&<>(){}\[\]\\]+")
_TRAILING_MARKS: Final = b".,;:!?"
_VARIABLE: Final = re.compile(
    rb"\$[A-Za-z_][A-Za-z0-9_]*|\$[{(].*|%[A-Za-z_]+%?|%s|\*+|x{3,}|\.{2,}|_+|-+"
)
# What stands after a name in code and in questions without being a value.
_NOT_VALUES: Final = frozenset(
    b"null none nil undefined str string text int bool bytes any optional varchar char"
    b" required missing invalid wrong incorrect expired empty unset hidden encrypted"
    b" please what how why when where who which can could do does is are the a an and"
    b" or if in it i my you your we our this that there yes no not never always must"
    b" should may will would reset change changed forgot forgotten forget rotate see"
    b" use set get enter type field rules policy length minimum at for from with n/a"
    b" denied failed error unknown default example redacted masked removed".split()
)
_JSON_MARK: Final = re.compile(rb"\\*\"|[\[\]{}]")


def find_value(data: bytes, start: int, end: int) -> Span | None:
    """Return where the value is that the candidate at *start* names, if any.

    Args:
        data: The text.
        start: Where the telling word begins.
        end: Where the sign ends.
    """
    sign = _AFTER_NAME.fullmatch(data, start, end)
    if sign is None:
        return None
    left = _name_start(data, start)
    name = data[left : sign.start(1)].decode(errors="replace")
    is_quoted = bool(sign[1]) and _OPENING.match(data, max(left - 1, 0)) is not None
    if not names_a_secret(name, in_text=not is_quoted):
        return None
    space = _ANY_SPACE if is_quoted else _SPACE
    gap = space.match(data, end)
    value_start = gap.end() if gap else end
    if data[value_start : value_start + 1] in (b"[", b"{"):
        return _container(data, value_start) if is_quoted else None
    quote = _OPENING.match(data, value_start)
    if quote:
        return _quoted(data, quote)
    is_prose = sign[3] == b":" and value_start > end and not is_quoted
    is_doubtful = sign[3] == b"==" or (is_prose and is_weak_name(name))
    return _unquoted(data, value_start, is_doubtful=is_doubtful)


def _name_start(data: bytes, start: int) -> int:
    left = start
    lowest = max(start - _MAX_NAME_BYTES, 0)
    while left > lowest and data[left - 1] in _NAME_BYTES:
        left -= 1
    return left


def _quoted(data: bytes, quote: re.Match[bytes]) -> Span | None:
    is_escaped = quote.end() - quote.start() > 1
    pattern = _CLOSED_ESCAPED if is_escaped else _CLOSED[quote[0]]
    value = pattern.match(data, quote.end())
    if value is None or not value[0] or value[0].startswith(REDACTED):
        return None
    if _VARIABLE.fullmatch(value[0]) or value[0].startswith(b"{{"):
        return None
    return value.span()


def _unquoted(data: bytes, start: int, *, is_doubtful: bool) -> Span | None:
    if data.startswith(REDACTED, start):
        return None
    scheme = _SCHEME.match(data, start)
    value_start = scheme.end() if scheme else start
    value = _UNQUOTED.match(data, value_start)
    if value is None:
        return None
    text = value[0].rstrip(_TRAILING_MARKS)
    if scheme:
        return (value_start, value_start + len(text)) if text else None
    # A call or an index is code that fetches a secret, not the secret.
    is_code = data[value.end() : value.end() + 1] in (b"(", b"[")
    if is_code or not _may_be_secret(text) or (is_doubtful and text.isalpha()):
        return None
    return value_start, value_start + len(text)


def _may_be_secret(text: bytes) -> bool:
    return bool(text) and not (
        text.lower() in _NOT_VALUES or _VARIABLE.fullmatch(text) is not None
    )


def _container(data: bytes, start: int) -> Span | None:
    """Return the extent of the list or object at *start*, brackets included."""
    limit = min(len(data), start + _MAX_CONTAINER_BYTES)
    depth = 0
    open_quote: bytes | None = None
    end = limit
    for mark in _JSON_MARK.finditer(data, start, limit):
        token = mark[0]
        if token.endswith(b'"'):
            open_quote = _after_quote(open_quote, token)
        elif open_quote is None:
            depth += 1 if token in b"[{" else -1
            if depth == 0:
                end = mark.end()
                break
    is_redacted = data.startswith(REDACTED, start)
    is_empty = end - start <= 2  # noqa: PLR2004 - only the two brackets
    return None if is_empty or is_redacted else (start, end)


def _after_quote(open_quote: bytes | None, token: bytes) -> bytes | None:
    if open_quote is None:
        return token
    return None if token == open_quote else open_quote
