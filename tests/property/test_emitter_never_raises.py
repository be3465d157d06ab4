"""Whatever a bot hands over: nothing raises, and the record is valid."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit_record.fields import CORE_FIELDS, FIELDS_BY_NAME
from emitter import AuditEmitter, EmitterSettings
from emitter.testing import MemorySink, assert_valid
from tests.strategies import json_values, texts


class Raising:
    """Raises whenever it is looked at."""

    def __getattr__(self, name):
        raise RuntimeError(name)

    def __str__(self):
        raise RuntimeError

    def __len__(self):
        raise RuntimeError

    def __iter__(self):
        raise RuntimeError

    def __bool__(self):
        raise RuntimeError

    def __eq__(self, other):
        raise RuntimeError

    __hash__ = object.__hash__
    __repr__ = __str__


class RaisingDict(dict):
    """Is a map until somebody looks into it."""

    def __getitem__(self, key):
        raise RuntimeError

    def get(self, *_):
        raise RuntimeError

    def items(self):
        raise RuntimeError

    values = keys = items


@dataclass
class Point:
    x: Any


def itself():
    value = {"a": 1}
    value["self"] = [value]
    return value


def raising_generator():
    yield "first"
    raise RuntimeError


odd_values = st.one_of(
    st.builds(Raising),
    st.builds(lambda: RaisingDict(a=1)),
    st.builds(itself),
    st.builds(raising_generator),
    st.builds(object),
    st.binary(max_size=20),
    st.builds(Point, json_values),
    st.sets(st.integers(), max_size=3),
    st.dates(),
    st.decimals(),
)
anything = st.one_of(json_values, odd_values, st.lists(odd_values, max_size=2))
events = st.one_of(
    anything,
    st.fixed_dictionaries(
        {"type": st.just("event_callback"), "event": anything},
        optional={"team_id": anything},
    ),
    st.fixed_dictionaries(
        {"type": st.just("message"), "from": anything, "text": anything},
        optional={"channelData": anything, "conversation": anything},
    ),
)
names = st.sampled_from(sorted(FIELDS_BY_NAME))


def record_of(sink, index=-1):
    line = sink.entries[index].line
    record = json.loads(line)
    assert_valid(record)
    assert all(isinstance(record[name], str) for name in CORE_FIELDS)
    assert b"\n" not in line
    return record


@settings(max_examples=150)
@given(data=st.data())
def test_a_question_takes_anything(data):
    """Every public method, with anything, in any order."""
    sink = MemorySink()
    audit = AuditEmitter("Vera", sinks=[sink])
    draw = data.draw
    question = audit.question(
        draw(events),
        text=draw(st.one_of(st.none(), anything)),
        lambda_context=draw(anything),
        conversation=draw(anything),
        conversation_id=draw(anything),
        user=draw(anything),
        model=draw(anything),
        bot_version=draw(anything),
        attributes=draw(anything),
    )
    calls = [
        lambda q: q.conversation(draw(anything)),
        lambda q: q.model_response(draw(anything)),
        lambda q: q.consume(draw(anything)),
        lambda q: q.reply(draw(anything)),
        lambda q: q.tool(draw(anything), draw(anything), draw(anything)),
        lambda q: q.source(draw(anything), draw(anything), draw(anything)),
        lambda q: q.attachment(draw(anything), draw(anything), draw(anything)),
        lambda q: q.set(**draw(st.dictionaries(names, anything, max_size=4))),
        lambda q: q.bedrock_metadata(),
    ]

    with question as q:
        for call in draw(st.lists(st.sampled_from(calls), max_size=6)):
            call(q)

    assert len(sink.entries) == 1
    record_of(sink)
    assert audit.stats.failed == 0


@settings(max_examples=150)
@given(fields=st.dictionaries(names, anything, max_size=8), user=anything)
def test_write_takes_anything(fields, user):
    """Any field with any value is one valid record."""
    sink = MemorySink()
    audit = AuditEmitter("Vera", sinks=[sink])

    audit.write(**fields, user=user)

    assert len(sink.entries) == 1
    record_of(sink)


@given(record_id=anything, verdict=anything, comment=anything, user=anything)
def test_feedback_takes_anything(record_id, verdict, comment, user):
    """So does feedback."""
    sink = MemorySink()

    AuditEmitter("Vera", sinks=[sink]).feedback(record_id, verdict, comment, user)

    assert record_of(sink)["record_type"] == "feedback"


@given(text=texts, max_bytes=st.integers(32_768, 60_000), times=st.integers(1, 5_000))
def test_every_record_keeps_its_cap(text, max_bytes, times):
    """However long the conversation, the line is valid JSON under the cap."""
    sink = MemorySink()
    cap = EmitterSettings(max_record_bytes=max_bytes)
    audit = AuditEmitter("Vera", sinks=[sink], settings=cap)
    long_text = (text * times)[:200_000]

    with audit.question(text="why?") as q:
        q.conversation([{"role": "user", "content": long_text}])
        q.reply("because")

    record = record_of(sink)
    assert len(sink.entries[0].line) <= max_bytes
    assert record["user_query"] == "why?"
    assert record["response"] == "because"
    is_cut = {entry["field"] for entry in record.get("truncated", ())}
    assert is_cut <= {"full_conversation"}
    assert bool(is_cut) == (audit.stats.shortened == 1)


LONG = {
    "letters": "Lorem ipsum dolor sit amet. ",
    "chinese": "什么是SSL证书的申请流程",
    "emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea ",
    "controls": "\x00\x01\x1f \x85\u2028",
    "surrogates": "\ud83d \udc00 x",
    "quotes": '"\\" ',
}


@pytest.mark.parametrize("kind", LONG)
def test_two_megabytes_of_anything_become_a_valid_record(kind):
    """Question and answer stay whole, the conversation says what it lost."""
    sink = MemorySink()
    audit = AuditEmitter("Vera", sinks=[sink])
    piece = LONG[kind]
    text = piece * (2_000_000 // len(piece.encode("utf-8", "surrogatepass")))

    with audit.question(text="why?") as q:
        q.conversation([{"role": "user", "content": text}])
        q.reply("because")

    record = record_of(sink)
    assert len(sink.entries[0].line) <= 1_000_000
    assert (record["user_query"], record["response"]) == ("why?", "because")
    (cut,) = record["truncated"]
    assert cut["field"] == "full_conversation"
    assert cut["bytes"] > 1_000_000
    assert cut["kept_bytes"] == len(record["full_conversation"].encode())
