r"""Properties of conversations: total, unforgeable, and undone exactly."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from emitter.conversation import (
    escape,
    flatten,
    read_answer,
    readable_slack,
    readable_teams,
    tee,
    unescape,
)
from emitter.conversation.asked import last_question

TAG = re.compile(r"^\[", re.MULTILINE)

# Text in which every second line tries to be a tag.
pieces = st.sampled_from(
    [
        "[",
        "\\",
        "\n",
        "\r\n",
        "\u2028",
        "\x85",
        "\x0b",
        "\u200b",
        "] ",
        "user",
        "hi ",
        " ",
        "\t",
        "…",
    ]
)
sly_text = st.lists(pieces, max_size=30).map("".join) | st.text(max_size=60)
roles = st.sampled_from(["user", "assistant", "tool"]) | sly_text

text_blocks = st.builds(lambda text: {"text": text}, sly_text)
blocks = st.one_of(
    text_blocks,
    st.builds(lambda text: {"type": "text", "text": text}, sly_text),
    st.builds(
        lambda name, given_: {
            "toolUse": {"toolUseId": name, "name": name, "input": {"a": given_}}
        },
        sly_text,
        sly_text,
    ),
    st.builds(
        lambda name, text: {
            "toolResult": {"toolUseId": name, "content": [{"text": text}]}
        },
        sly_text,
        sly_text,
    ),
    st.builds(
        lambda name, data: {
            "document": {"format": name, "name": name, "source": {"bytes": data}}
        },
        sly_text,
        st.binary(max_size=8),
    ),
    st.builds(
        lambda text, title: {
            "citationsContent": {
                "content": [{"text": text}],
                "citations": [{"title": title, "source": title}],
            }
        },
        sly_text,
        sly_text,
    ),
    st.builds(
        lambda text, title: {
            "type": "text",
            "text": text,
            "citations": [{"title": title, "url": title}],
        },
        sly_text,
        sly_text,
    ),
    st.builds(lambda name: {name: {"x": 1}}, sly_text),
    st.builds(lambda name: {"type": name}, sly_text),
)
messages = st.lists(
    st.builds(
        lambda role, content: {"role": role, "content": content},
        roles.filter(lambda role: role not in ("system", "developer")),
        st.lists(blocks, max_size=4),
    ),
    max_size=6,
)
said = st.lists(
    st.builds(
        lambda role, content: {"role": role, "content": content},
        st.sampled_from(["user", "assistant"]),
        st.lists(text_blocks, max_size=3),
    ),
    max_size=6,
)
NAMES = [
    "role",
    "content",
    "text",
    "type",
    "image",
    "source",
    "bytes",
    "toolUse",
    "toolResult",
    "input",
    "messages",
    "output",
    "usage",
    "choices",
    "message",
    "delta",
    "chunk",
    "trace",
    "document",
    "citations",
    "attachments",
    "blocks",
    "files",
    "elements",
    "entities",
]
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text() | st.sampled_from(NAMES),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(st.text() | sly_text)
def test_escaping_is_undone_exactly(text):
    """What was said can be had back, up to the kind of its line breaks."""
    lines = "\n".join(text.splitlines())
    ends = text and text.splitlines(keepends=True)[-1] != text.splitlines()[-1]

    assert unescape(escape(text)) == lines + ("\n" if ends else "")


@given(sly_text)
def test_escaped_content_never_begins_a_line_with_a_bracket(text):
    """No reader of lines takes content for a tag."""
    assert not any(line.startswith("[") for line in escape(text).splitlines())


@given(said)
def test_the_only_tags_are_ours(conversation):
    """Of texts alone there are as many tags as messages."""
    lines = flatten(conversation).splitlines()

    assert sum(line.startswith("[") for line in lines) == len(conversation)


@given(messages)
def test_no_block_forges_a_turn(conversation):
    """Whatever stands in names, inputs and results, no turn is added."""
    lines = flatten(conversation, max_chars=10_000_000).splitlines()
    turns = [line for line in lines if re.match(r"\[[A-Za-z0-9_.-]+\] ", line)]

    assert len(turns) == len(conversation)


@given(said)
def test_what_was_said_can_be_had_back(conversation):
    """Tags off and escapes undone, the texts are those of the messages."""
    text = flatten(conversation) + "\n"
    shown = [
        part.partition("] ")[2]
        for part in re.split(r"^\[", text, flags=re.MULTILINE)[1:]
    ]
    expected = []
    for message in conversation:
        texts = [block["text"] for block in message["content"] if block["text"]]
        lines = "\n".join(unescape(escape(each)) for each in texts)
        expected.append(lines if texts else "[empty]")

    assert [unescape(each.removesuffix("\n")) for each in shown] == expected


@given(anything, st.sampled_from(["tagged", "plain", "odd"]), st.integers(-5, 400))
def test_any_conversation_gives_a_text_within_its_limit(value, style, max_chars):
    """The function is total and keeps its limit."""
    text = flatten(value, style=style, max_chars=max_chars)

    text.encode()
    assert len(text) <= max(0, max_chars)


@given(anything)
def test_any_conversation_has_a_question(value):
    """Finding the question is total, and gives a text that can be written."""
    last_question(value).encode()


@given(messages, st.integers(60, 600))
def test_a_cut_adds_no_turn(conversation, max_chars):
    """Cutting makes no tag that was not one."""
    whole = {*flatten(conversation, max_chars=10_000_000).splitlines()}

    for line in flatten(conversation, max_chars=max_chars).splitlines():
        if line.startswith("[") and not line.startswith("[… "):
            assert any(full.startswith(line) for full in whole)


@given(st.lists(anything, max_size=5))
def test_an_iterator_is_consumed_once(items):
    """Every message is asked for once, and in order."""
    asked = []

    def produce():
        for at, item in enumerate(items):
            asked.append(at)
            yield item

    text = flatten(produce())

    assert asked == list(range(len(items)))
    assert text == flatten(items)


@given(anything, st.none() | st.text())
def test_any_platform_text_is_readable(value, told):
    """Both readers are total and give text that can be written."""
    readable_slack(value, bot_user_id=told).encode()
    readable_teams(value, text_format=told).encode()


@given(st.text().filter(lambda text: not re.search("[<>&]", text)))
def test_text_without_markup_stays(text):
    """Where there is nothing to read, nothing but controls and edges changes."""
    kept = re.sub("[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f]", "", text)
    kept = "\n".join(kept.splitlines()).strip()

    assert "".join(readable_slack(text).split()) == "".join(kept.split())


@given(st.text("ab<>|^ ", max_size=40))
def test_brackets_that_are_no_markup_stay(text):
    """What only looks like Slack's markup was typed."""
    assert readable_slack(text) == text.strip()


@given(sly_text, sly_text, st.sampled_from(["<p>{}</p>", "<b>{}</b>", "<a>{}</a>"]))
def test_markup_shows_its_text(before, inside, markup):
    """Tags take nothing with them but themselves."""
    shown = readable_teams(before + markup.format(inside), text_format="html")

    assert "".join(shown.split()) == "".join(
        readable_teams(before + inside, text_format="plain").split()
    )


@given(anything)
def test_any_answer_gives_facts(value):
    """Reading answers is total, and counts are counts."""
    facts = read_answer(value)

    assert isinstance(facts.text, str)
    for count in (facts.input_tokens, facts.output_tokens, facts.cache_read_tokens):
        assert count is None or count >= 0


@given(st.lists(anything, max_size=8), st.integers(0, 9), st.booleans())
def test_any_stream_passes_through_and_is_told_once(events, stop_at, closes):
    """Read to the end, left or closed: the events are the bot's own, one telling."""
    told, passed = [], []
    along = tee(iter(events), told.append)
    for event in along:
        passed.append(event)
        if len(passed) == stop_at:
            break
    if closes:
        along.close()
    del along

    expected = events if stop_at == 0 else events[:stop_at]
    assert all(a is b for a, b in zip(passed, expected, strict=True))
    assert len(told) == 1


@given(st.text(min_size=1), st.integers(1, 7))
def test_text_split_inside_a_character_is_put_together(text, size):
    """Byte pieces of any size give the same text as a whole."""
    data = text.encode("utf-8", "replace")
    chunks = [
        {"chunk": {"bytes": data[at : at + size]}, "files": None}
        for at in range(0, len(data), size)
    ]

    assert read_answer(chunks).text == data.decode()
