"""Rules for topics and signals, read from ``rules.json``.

The file has one object::

    {"version": "2026.11.1",
     "topics":  [{"name", "words": [...], "hit": [...], "miss": [...]}],
     "signals": [{"name", "words": [...] or "patterns": [...],
                  "where": ["user_query", "response"], "hit", "miss"}],
     "disguise": {"base64_run_chars": 200, "zero_width_count": 3},
     "redact": {"on": ["email"], "off": ["iban"],
                "custom": [{"kind", "pattern", "hit", "miss"}]}}

``words`` are matched as whole words on the normalised text (see `normalise`);
``patterns`` are RE2 expressions on it: no look-around, no back-references.
``where`` is question and answer unless a rule says otherwise. ``hit`` and ``miss``
are examples. A rule that fails its own examples, that RE2 refuses or that compiles to
more than `_MAX_PROGRAM_SIZE` steps fails the build:
``python -m subscription_transformer.rules FILE`` prints a sentence for each fault.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from audit_record.codec import loads
from audit_record.errors import DecodeError
from audit_record.fields import FIELDS_BY_NAME
from subscription_transformer.errors import RulesError
from subscription_transformer.normalise import normalise
from subscription_transformer.scan import IS_LINEAR, Pattern
from subscription_transformer.secrets import FINDERS, KINDS, Finder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

SHIPPED: Final = __file__.removesuffix("rules.py") + "rules.json"
WHERE: Final = {"user_query": "query", "response": "response"}
_LISTS: Final = ("words", "patterns", "where", "hit", "miss")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*(?::[a-z0-9_]+)?", re.ASCII)
# A label with its place has to fit the field: 48 bytes less "@response".
_MAX_NAME_CHARS: Final = FIELDS_BY_NAME["topics"].max_bytes - len("@response")
_MAX_RULES_COUNT: Final = 500
# RE2's own limit for a counted repetition.
_MAX_REPEAT: Final = 1_000
# Steps of a compiled pattern: shipped rules have up to 500, finders of secrets 6,000.
# A repetition of a repetition reaches millions, and pays for them at every text.
_MAX_PROGRAM_SIZE: Final = 20_000
# What RE2 has no notion of; the standard library would take it and may hang.
_NOT_LINEAR: Final = re.compile(r"\(\?(?:[=!]|<[=!])|\\[1-9]|\(\?P=")


@dataclass(frozen=True, slots=True)
class Rule:
    """One label and when it is given.

    Attributes:
        name: The label.
        pattern: Matched on the normalised text.
        where: Fields that are looked at.
        is_topic: Whether the label goes to `topics`, with its place.
        hit: Texts that must get the label.
        miss: Texts that must not.
    """

    name: str
    pattern: str
    where: tuple[str, ...]
    is_topic: bool
    hit: tuple[str, ...] = ()
    miss: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of one file.

    Attributes:
        version: The file's own version.
        rules: Topics and signals.
        finders: The kinds that are redacted.
        base64_run_chars: A run of that many base64 characters in a question is a
            signal; 0 switches it off.
        zero_width_count: So many zero-width characters in a question are one.
        custom: The file's own kinds of secrets, with their examples.
    """

    version: str
    rules: tuple[Rule, ...]
    finders: tuple[Finder, ...]
    base64_run_chars: int = 200
    zero_width_count: int = 3
    custom: tuple[Rule, ...] = ()


def load_rules(path: str = "") -> Rules:
    """Read and check the rules of a file; the shipped ones by default.

    Raises:
        RulesError: The file is missing or faulty; all faults are named.
    """
    try:
        # pathlib costs 12 ms of a cold start.
        with open(path or SHIPPED, "rb") as file:  # noqa: PTH123
            value = loads(file.read())
    except (OSError, DecodeError):
        raise RulesError(["the rules file cannot be read as JSON"]) from None
    return parse_rules(value)


def parse_rules(value: Any) -> Rules:
    """Make rules of a decoded file.

    Raises:
        RulesError: All faults, a sentence each.
    """
    if not isinstance(value, dict):
        raise RulesError(["the rules file must hold one JSON object"])
    faults = list(_shape_faults(value))
    if faults:
        raise RulesError(faults)
    rules = [_rule(item, is_topic=True) for item in value.get("topics", ())]
    rules += [_rule(item, is_topic=False) for item in value.get("signals", ())]
    disguise = value.get("disguise", {})
    return Rules(
        str(value.get("version", "")),
        tuple(rules),
        tuple(_finders(value.get("redact", {}))),
        int(disguise.get("base64_run_chars", 200)),
        int(disguise.get("zero_width_count", 3)),
        tuple(_custom(item) for item in value.get("redact", {}).get("custom", ())),
    )


def check_rules(rules: Rules) -> list[str]:
    """Try every rule on its own examples; return a sentence for each failure."""
    faults: list[str] = []
    if not IS_LINEAR:
        faults.append("RE2 is not installed, so that patterns cannot be checked")
    for rule in rules.rules:
        faults += _example_faults(f"rule {rule.name}", rule, normalise)
        if not rule.hit or not rule.miss:
            faults.append(f"rule {rule.name} needs examples under hit and miss")
    for rule in rules.custom:
        faults += _example_faults(f"kind {rule.name}", rule, str)
    return faults


def _example_faults(
    label: str, rule: Rule, prepare: Callable[[str], str]
) -> Iterator[str]:
    pattern = Pattern(rule.pattern)
    if pattern.program_size > _MAX_PROGRAM_SIZE:
        yield f"{label} costs too much: more than {_MAX_PROGRAM_SIZE} compiled steps"
    for number, text in enumerate(rule.hit, 1):
        if not pattern.hits(prepare(text).encode()):
            yield f"{label} misses its hit example {number}"
    for number, text in enumerate(rule.miss, 1):
        if pattern.hits(prepare(text).encode()):
            yield f"{label} hits its miss example {number}"


def _shape_faults(value: Mapping[str, Any]) -> Iterator[str]:
    names: set[str] = set()
    for section in ("topics", "signals"):
        items = value.get(section, [])
        if not isinstance(items, list) or len(items) > _MAX_RULES_COUNT:
            yield f"{section} must be a list of at most {_MAX_RULES_COUNT} rules"
            continue
        for number, item in enumerate(items, 1):
            yield from _rule_faults(f"{section} rule {number}", item, names)
    yield from _disguise_faults(value.get("disguise", {}))
    yield from _redact_faults(value.get("redact", {}))


def _disguise_faults(disguise: Any) -> Iterator[str]:
    numbers = disguise.values() if isinstance(disguise, dict) else [None]
    if not all(type(n) is int and 0 <= n <= _MAX_REPEAT for n in numbers):
        yield f"disguise must hold whole numbers from 0 to {_MAX_REPEAT}"


def _rule_faults(label: str, item: Any, names: set[str]) -> Iterator[str]:
    if not isinstance(item, dict) or not isinstance(item.get("name"), str):
        yield f"{label} has no name"
        return
    name = item["name"]
    if not _NAME.fullmatch(name) or len(name) > _MAX_NAME_CHARS:
        yield f"{label} has a name that is no label of {_MAX_NAME_CHARS} characters"
        return
    if name in names:
        yield f"rule {name} stands twice"
    names.add(name)
    yield from _text_list_faults(f"rule {name}", item, _LISTS)
    if not set(_texts_of(item, "where")) <= set(WHERE):
        yield f"rule {name} looks where rules cannot: use user_query and response"
    if not (_texts_of(item, "words") or _texts_of(item, "patterns")):
        yield f"rule {name} has neither words nor patterns"
    if any(not normalise(word) for word in _texts_of(item, "words")):
        yield f"rule {name} has a word without letters"
    for pattern in _texts_of(item, "patterns"):
        yield from _pattern_faults(f"rule {name}", pattern)


def _text_list_faults(
    label: str, item: Mapping[str, Any], names: Iterable[str]
) -> Iterator[str]:
    for name in names:
        value = item.get(name, [])
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            yield f"{label} has a {name} that is no list of texts"


def _texts_of(item: Mapping[str, Any], name: str) -> list[str]:
    value = item.get(name)
    return [v for v in value if isinstance(v, str)] if isinstance(value, list) else []


def _redact_faults(redact: Any) -> Iterator[str]:
    if not isinstance(redact, dict):
        yield "redact must be an object"
        return
    yield from _text_list_faults("redact", redact, ("on", "off"))
    for kind in (*_texts_of(redact, "on"), *_texts_of(redact, "off")):
        if kind not in KINDS:
            yield "redact names a kind that does not exist; see the finders"
    custom = redact.get("custom", [])
    if not isinstance(custom, list):
        yield "redact has a custom that is no list"
        return
    for item in custom:
        if not isinstance(item, dict) or not _NAME.fullmatch(str(item.get("kind"))):
            yield "a custom pattern has no kind"
        else:
            yield from _text_list_faults(f"kind {item['kind']}", item, ("hit", "miss"))
            yield from _pattern_faults(f"kind {item['kind']}", item.get("pattern"))


def _pattern_faults(label: str, pattern: Any) -> Iterator[str]:
    if not isinstance(pattern, str) or not pattern:
        yield f"{label} has a pattern that is no text"
        return
    if _NOT_LINEAR.search(pattern):
        yield f"{label} uses look-around or back-references, which are not linear"
        return
    try:
        compiled = Pattern(pattern)
    except (ValueError, re.error):
        yield f"{label} has a pattern that does not compile in RE2"
        return
    if compiled.hits(b""):
        yield f"{label} has a pattern that matches nothing at all"


def _rule(item: Mapping[str, Any], *, is_topic: bool) -> Rule:
    words = [normalise(word) for word in item.get("words", ())]
    patterns = list(item.get("patterns", ()))
    if words:
        patterns.append(_words_pattern(words))
    return Rule(
        item["name"],
        "|".join(f"(?:{pattern})" for pattern in patterns),
        tuple(item.get("where", WHERE)),
        is_topic,
        tuple(item.get("hit", ())),
        tuple(item.get("miss", ())),
    )


def _custom(item: Mapping[str, Any]) -> Rule:
    examples = [tuple(item.get(name, ())) for name in ("hit", "miss")]
    return Rule(item["kind"], item["pattern"], (), False, *examples)


def _words_pattern(words: list[str]) -> str:
    r"""Match any of *words* between characters that are no letters or digits.

    ``\\b`` knows ASCII only; every byte above it counts as part of a word here.
    """
    inner = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    other = r"[\x00-\x2f\x3a-\x60\x7b-\x7f]"
    return rf"(?:^|{other})(?:{inner})(?:{other}|\z)"


def _finders(redact: Mapping[str, Any]) -> Iterator[Finder]:
    switched_on, switched_off = set(redact.get("on", ())), set(redact.get("off", ()))
    for finder in FINDERS:
        if (finder.is_on or finder.kind in switched_on) and (
            finder.kind not in switched_off
        ):
            yield finder
    for item in redact.get("custom", ()):
        yield Finder(item["kind"], item["pattern"], is_token=False)


def main(arguments: list[str]) -> int:
    """Check one rules file; print a sentence for each fault."""
    try:
        rules = load_rules(arguments[0] if arguments else "")
        faults = check_rules(rules)
    except RulesError as error:
        faults = list(error.faults)
    for fault in faults:
        print(fault, file=sys.stderr)  # noqa: T201 - a command's output
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
