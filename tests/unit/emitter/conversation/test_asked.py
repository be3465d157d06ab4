"""This turn's question, found in a conversation of any shape."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from emitter import AuditEmitter
from emitter.conversation import flatten
from emitter.conversation.asked import last_question, readable_twice
from emitter.testing import MemorySink


def user(*blocks):
    return {"role": "user", "content": list(blocks)}


EARLIER = [
    user({"text": "earlier?"}),
    {"role": "assistant", "content": [{"text": "answer"}]},
]
RESULT = {"toolResult": {"toolUseId": "t", "content": [{"text": "3 issues"}]}}
PNG = {"image": {"format": "png", "source": {"bytes": b"\x89PNG"}}}
PDF = {"document": {"format": "pdf", "name": "Q3", "source": {"bytes": b"%PDF"}}}


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        pytest.param([user({"text": "now?"})], "now?", id="text"),
        pytest.param(
            [user({"guardContent": {"text": {"text": "now?"}}})], "now?", id="guarded"
        ),
        pytest.param(
            [user(PNG)], "[image png 4 bytes sha256:0f4636c78f65]", id="image"
        ),
        pytest.param(
            [user(PDF)],
            '[document pdf "Q3" 4 bytes sha256:315d429b7714]',
            id="document",
        ),
        pytest.param(
            [user(PNG, {"text": "see"})],
            "[image png 4 bytes sha256:0f4636c78f65]\nsee",
            id="image-and-text",
        ),
        pytest.param([user(RESULT, {"text": "now?"})], "now?", id="result-and-text"),
        pytest.param([user(RESULT)], "earlier?", id="result"),
        pytest.param(
            [user({"type": "tool_result", "tool_use_id": "t", "content": "x"})],
            "earlier?",
            id="typed-result",
        ),
        pytest.param(
            [user({"type": "input_image", "image_url": "https://x/i.png"})],
            "[image https://x/i.png]",
            id="openai-image",
        ),
        pytest.param([user({"text": ""})], "", id="nothing-said"),
        pytest.param(
            [user({"hologram": 1})], "[unsupported block: hologram]", id="new"
        ),
        pytest.param([user({"cachePoint": {"type": "default"}})], "", id="cache-point"),
        pytest.param(
            [user({"text": "now?"}), user({"cachePoint": {"type": "default"}})],
            "now?",
            id="cache-point-behind",
        ),
        pytest.param(
            [user(RESULT, {"cachePoint": {}})], "earlier?", id="result-cached"
        ),
        pytest.param([{"role": "USER", "content": "now?"}], "now?", id="capitals"),
        pytest.param([{"role": "system", "content": "x"}], "earlier?", id="system"),
    ],
)
def test_the_question_is_of_the_last_turn(turns, expected):
    """Whatever blocks the last turn of a user has, no older question is taken."""
    assert last_question(EARLIER + turns) == expected


@pytest.mark.parametrize(
    "conversation",
    [
        pytest.param("hi", id="text"),
        pytest.param("[user] a\n[assistant] b\n[user] hi", id="flattened"),
        pytest.param(["a", "hi"], id="texts"),
        pytest.param({"messages": [user({"text": "hi"})]}, id="request"),
        pytest.param({"inputText": "hi"}, id="agent"),
        pytest.param({"input": {"text": "hi"}}, id="retrieval"),
        pytest.param(user({"text": "hi"}), id="single"),
        pytest.param([SimpleNamespace(role="user", content="hi")], id="object"),
        pytest.param(SimpleNamespace(messages=[user("hi")]), id="agent-object"),
        pytest.param([user("hi")], id="block-is-text"),
        pytest.param(
            [{"role": "user", "content": {"text": "hi"}}], id="content-is-map"
        ),
        pytest.param(("user", "hi"), id="pair"),
        pytest.param([("user", "hi")], id="pairs"),
        pytest.param([("human", "hi")], id="langchain-pairs"),
        pytest.param([SimpleNamespace(type="human", content="hi")], id="langchain"),
        pytest.param((each for each in [user("hi")]), id="iterator"),
        pytest.param([{"content": "hi"}], id="no-role"),
        pytest.param(
            {"messages": (each for each in [user("hi")])}, id="request-iterator"
        ),
        pytest.param(
            [{"role": "user", "content": (b for b in [{"text": "hi"}])}],
            id="content-iterator",
        ),
    ],
)
def test_every_shape_that_flatten_reads_has_its_question(conversation):
    """D17: without a source the question is taken from the conversation."""
    sink = MemorySink()

    with AuditEmitter("Vera", sinks=[sink]).question() as q:
        q.conversation(conversation)

    (record,) = sink.records
    assert record["user_query"] == "hi"
    assert record["full_conversation"].endswith("hi")


def test_blocks_of_an_iterator_are_the_bots_as_well():
    """F15: what the audit reads of a message's content the bot reads too."""
    blocks = [{"text": "hi"}, {"text": "ho"}]
    messages = [{"role": "user", "content": iter(blocks)}]
    sink = MemorySink()

    with AuditEmitter("Vera", sinks=[sink]).question() as q:
        kept = q.conversation(messages)
        read = list(messages[0]["content"])

    (record,) = sink.records
    assert kept is messages
    assert read == blocks
    assert record["user_query"] == "hi\nho"
    assert record["full_conversation"] == "[user] hi\nho"


def test_a_flattened_text_without_a_user_asks_nothing():
    """Only a user's turn is a question."""
    assert last_question("[assistant] hi") == ""


@pytest.mark.parametrize("value", [None, [], 7, {}, [None], object(), b"x"])
def test_any_input_gives_a_string(value):
    """The function is total."""
    assert isinstance(last_question(value), str)


def test_reading_twice_leaves_the_callers_messages():
    """Iterators become lists in a copy; the rest is the caller's own."""
    message = {"role": "user", "content": iter([{"text": "hi"}])}
    plain = user("ho")

    settled = readable_twice([message, plain])

    assert flatten(settled) == flatten(settled) == "[user] hi\n[user] ho"
    assert settled[1] is plain
    assert not isinstance(message["content"], list)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"inputText": "now?", "sessionId": "s"}, "[user] now?"),
        (
            {
                "inputText": "now?",
                "sessionId": "s",
                "sessionState": {"conversationHistory": {"messages": EARLIER}},
            },
            "[user] earlier?\n[assistant] answer\n[user] now?",
        ),
    ],
)
def test_g1_a_request_to_an_agent_is_its_own_conversation(request_, expected):
    """What was said before, and this question at the end."""
    sink = MemorySink()

    with AuditEmitter("Vera", sinks=[sink]).question(request_):
        pass

    (record,) = sink.records
    assert record["user_query"] == "now?"
    assert record["full_conversation"] == flatten(request_) == expected
