"""Thousands of records, good and poisoned, and where each of them has to end."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterator

from audit_record.codec import dumps
from tests.factories import (
    CONTROL,
    LOG_GROUP,
    LOG_STREAM,
    make_envelope,
    make_line,
    pack,
)

# Stands in every poisoned record, and must stand in no log line.
CANARY = "c4n4ryMustNotBeLogged"
SECRET = "AKIAQ3EGRXVZT5BMJ7WD"
DELIVERED, QUARANTINED, DROPPED = "delivered", "quarantined", "dropped"
# How often each kind of poison occurs.
POISON_COUNT = 6
MULTI_SHARE = 0.3
_MOST_EVENTS = 8


def line(number, **changes):
    """Return a good line that is no other's."""
    values = {"record_id": f"{number:032x}", "user_query": f"q{number}"}
    return make_line(**values | changes)


def fallback_line(number):
    """Return a line as the library writes it to stdout."""
    inner = line(number, response=CANARY)
    value = {
        "log_group": LOG_GROUP,
        "log_stream": LOG_STREAM,
        "line_sha256": hashlib.sha256(inner.encode()).hexdigest(),
        "line": inner,
    }
    return "BOT_AUDIT_FALLBACK " + dumps(value).decode()


def edited(number, **changes):
    """Return a line that no library of ours would write."""
    return json.dumps(json.loads(line(number, response=CANARY)) | changes)


# Messages that spoil nothing around them, and their fate.
LINES: dict[str, tuple[str, Callable[[int], str]]] = {
    "no-json": (QUARANTINED, lambda n: f"{CANARY} {n}"),
    "fragment": (QUARANTINED, lambda n: line(n, response=CANARY)[:-40]),
    "no-object": (QUARANTINED, lambda n: f'["{CANARY}", {n}]'),
    "wrong-type": (QUARANTINED, lambda n: edited(n, user_id=[CANARY])),
    "repaired-type": (DELIVERED, lambda n: edited(n, aws_account_id=123456789012)),
    "missing-core": (QUARANTINED, lambda n: line(n, user_id=None, response=CANARY)),
    "blank": (DROPPED, lambda n: " \t" * (n % 3)),
    "oversize": (
        DELIVERED,
        lambda n: line(n, full_conversation=f"{CANARY} {n} " * 20_000),
    ),
    "surrogate": (
        DELIVERED,
        lambda n: line(n, response=CANARY + "half").replace("half", r"\ud83d"),
    ),
    "leaked-key": (
        DELIVERED,
        lambda n: line(n, response=f"{CANARY} aws_secret={SECRET} {SECRET}"),
    ),
    "reused-id": (DELIVERED, lambda n: line(n, record_id="a" * 32, response=CANARY)),
}
# Fallback lines come by a filter of their own, which vouches for the bot or not.
FILTERS = {
    "fallback": "chatbot-audit-fallback-VeraSlack",
    "fallback-wrong": "chatbot-audit-fallback-AnotherBot",
}


def _good(number):
    return pack(make_envelope(f"{CANARY} {number}"))


# Records of which nothing can be read: Firehose keeps them as they came.
BROKEN: dict[str, Callable[[int], bytes]] = {
    "broken-gzip": lambda n: b"\x1f\x8b%d " % n + CANARY.encode(),
    "cut-gzip": lambda n: _good(n)[: -9 - n % 40],
    "wrong-checksum": lambda n: _good(n)[:-8] + b"\0" * 8,
    "plain-text": lambda n: f"{CANARY} {n}".encode(),
    "not-utf-8": lambda n: b"\xff\xfe%d " % n + CANARY.encode(),
    "unknown-type": lambda n: pack(make_envelope(f"{CANARY} {n}", messageType="X")),
    "no-events": lambda n: pack(make_envelope(owner=f"{n}", logEvents=CANARY)),
}
KINDS = (*LINES, *FILTERS, *BROKEN, "control", "equal-lines", "bad-bytes")


class MixedLoad:
    """Makes the records one by one and remembers where each has to end.

    Args:
        count: Audit records in all, poison among them.
        seed: Makes the same again.

    Attributes:
        ids: Ids of events by their fate.
        kept: Digests of the records that have to stand in error objects.
        control_count: Control messages made.
        documents_count: Documents that the store has to have in the end.
    """

    def __init__(self, count: int, seed: int) -> None:
        self._count = count
        self._rng = random.Random(seed)
        self._number = 0
        self.ids: defaultdict[str, set[str]] = defaultdict(set)
        self.kept: set[str] = set()
        self.control_count = 0
        self.documents_count = 0

    def records(self) -> Iterator[bytes]:
        """Yield the bytes of each Firehose record."""
        for name, size in self._plan():
            if name == "good":
                yield self._envelope([(DELIVERED, line)] * size)
            else:
                yield from self._poison(name)

    def _plan(self) -> list[tuple[str, int]]:
        poison = [(name, 1) for name in KINDS for _ in range(POISON_COUNT)]
        together = []
        left = int(self._count * MULTI_SHARE)
        while left > 1:
            size = min(self._rng.randint(2, _MOST_EVENTS), left)
            together.append(("good", size))
            left -= size
        alone_count = self._count - int(self._count * MULTI_SHARE) - len(poison)
        plan = [*poison, *together, *[("good", 1)] * alone_count]
        self._rng.shuffle(plan)
        return plan

    def _poison(self, name: str) -> Iterator[bytes]:
        if name in LINES:
            # Between good neighbours, which must not notice.
            lines = [(DELIVERED, line)] * self._rng.randint(0, 3)
            lines.insert(self._rng.randint(0, len(lines)), LINES[name])
            yield self._envelope(lines)
        elif name in FILTERS:
            message = (DELIVERED, fallback_line)
            yield self._envelope([message], subscriptionFilters=[FILTERS[name]])
        elif name in BROKEN:
            data = BROKEN[name](self._next())
            self.kept.add(hashlib.sha256(data).hexdigest())
            yield data
        elif name == "control":
            self.control_count += 1
            yield pack(CONTROL | {"logStream": f"{CANARY} {self._next()}"})
        elif name == "bad-bytes":
            data = gzip.decompress(self._envelope([(DELIVERED, _with_mark)]))
            yield gzip.compress(data.replace(b"MARK", b"\xff"))
        else:
            # CloudWatch took it twice; it is one document.
            text = line(self._next(), response=CANARY)
            yield self._envelope([(DELIVERED, lambda _: text)] * 2)
            self.documents_count -= 1

    def _envelope(
        self, lines: list[tuple[str, Callable[[int], str]]], **changes: object
    ) -> bytes:
        fates, messages, ids = [], [], []
        for fate, make in lines:
            number = self._next()
            fates.append(fate)
            messages.append(make(number))
            ids.append(f"{number:056d}")
        envelope = make_envelope(*messages, **changes)
        for event, fate, name in zip(envelope["logEvents"], fates, ids, strict=True):
            event["id"] = name
            self.ids[fate].add(name)
            self.documents_count += fate != DROPPED
        return pack(envelope)

    def _next(self) -> int:
        self._number += 1
        return self._number


def _with_mark(number):
    return line(number, response=f"{CANARY} MARK")
