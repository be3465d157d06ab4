"""Slack's format as a person reads it: every row of the rules for platform text."""

from __future__ import annotations

import pytest

from emitter.conversation import readable_slack

NAMES = {"U0BOB": "Bob", "U0BOT": "VeraSlack", "C012": "general"}


def rich_text(*elements):
    section = {"type": "rich_text_section", "elements": list(elements)}
    return [{"type": "rich_text", "elements": [section]}]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param("<@U0BOT> hello", "hello", id="Q1"),
        pytest.param("<@U0BOT|vera>: hello", "hello", id="Q1-label"),
        pytest.param("ask <@U0BOB> about it", "ask @U0BOB about it", id="Q2"),
        pytest.param("<@U0BOB> knows", "@U0BOB knows", id="Q2-first"),
        pytest.param("AT&amp;T &lt;b&gt;", "AT&T <b>", id="Q3"),
        pytest.param("&amp;lt; &nbsp;", "&lt; &nbsp;", id="Q3-once"),
        pytest.param("<https://x.io/a|the doc>", "the doc (https://x.io/a)", id="Q4"),
        pytest.param("<https://x.io/a>", "https://x.io/a", id="Q4-bare"),
        pytest.param(
            "<https://x.io/?a=1&amp;b=2|a &lt; b>",
            "a < b (https://x.io/?a=1&b=2)",
            id="Q4-entities",
        ),
        pytest.param("<#C012|general>", "#general", id="Q5"),
        pytest.param("<#C012>", "#C012", id="Q5-id"),
        pytest.param("<#C012|>", "#C012", id="Q5-empty"),
        pytest.param("<!here> <!channel|channel>", "@here @channel", id="Q6-special"),
        pytest.param(
            "<!subteam^S1|@admins> <!subteam^S2>", "@admins @S2", id="Q6-group"
        ),
        pytest.param("<!date^1732460645^{date}|24 Nov>", "24 Nov", id="Q6-date"),
        pytest.param("<mailto:bob@x.io|bob@x.io>", "bob@x.io", id="Q7"),
        pytest.param("<tel:+1|+1>", "+1", id="Q7-tel"),
        pytest.param("<tel:+1>", "+1", id="Q7-bare"),
        pytest.param(
            {"text": "", "files": [{"name": "report.pdf"}]},
            "[file: report.pdf]",
            id="Q8",
        ),
        pytest.param(
            {"text": "see", "files": [{"name": "a.pdf"}, {"id": "F1"}]},
            "see\n[file: a.pdf]\n[file: F1]",
            id="Q8-text",
        ),
        pytest.param(
            {
                "text": "",
                "blocks": rich_text(
                    {"type": "text", "text": "a < b & "},
                    {"type": "user", "user_id": "U0BOB"},
                    {"type": "link", "url": "https://x.io", "text": "doc"},
                    {"type": "emoji", "name": "wave"},
                ),
            },
            "a < b & @U0BOBdoc (https://x.io):wave:",
            id="Q9",
        ),
        pytest.param(
            {
                "blocks": [
                    {"type": "header", "text": {"type": "plain_text", "text": "A&B"}},
                    {"type": "section", "text": {"type": "mrkdwn", "text": "<#C1|g>"}},
                    {"type": "divider"},
                    {"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}]},
                    {"type": "image", "alt_text": "chart"},
                ]
            },
            "A&B\n#g\nx\n[image: chart]",
            id="Q9-kit",
        ),
        pytest.param(
            {
                "blocks": [
                    {
                        "type": "rich_text",
                        "elements": [
                            {
                                "type": "rich_text_list",
                                "elements": rich_text({"type": "text", "text": "one"})[
                                    0
                                ]["elements"],
                            }
                        ],
                    }
                ]
            },
            "- one",
            id="Q9-list",
        ),
        pytest.param(
            {
                "text": "<@U0BOT> look",
                "attachments": [{"text": "the &lt;old&gt; news", "fallback": "f"}],
            },
            "look\n[attachment: the <old> news]",
            id="Q10",
        ),
        pytest.param(
            {"command": "/vera", "text": "what is new"}, "/vera what is new", id="Q12"
        ),
        pytest.param({"command": "/vera", "text": ""}, "/vera", id="Q12-empty"),
        pytest.param("<@U0BOT> <@U0BOT> hi", "hi", id="Q1-twice"),
        pytest.param("<@U0BOT> <@U0BOB> hi", "@U0BOB hi", id="Q1-and-another"),
        pytest.param("see <|x> please", "see <|x> please", id="Q3-no-target"),
        pytest.param("a < b and c > d", "a < b and c > d", id="Q3-compared"),
        pytest.param("<>, <@>, <#>, <!>, <|>", "<>, <@>, <#>, <!>, <|>", id="Q3-empty"),
        pytest.param(
            "List<String> x <!= 5 > y", "List<String> x <!= 5 > y", id="Q3-code"
        ),
        pytest.param("<b@x.io> <x y|z>", "<b@x.io> <x y|z>", id="Q3-no-address"),
        pytest.param("<https://x|>", "https://x", id="Q4-no-label"),
        pytest.param(
            "<mailto:bob@x.io|Bob Smith>", "Bob Smith (bob@x.io)", id="Q7-name"
        ),
        pytest.param("<mailto:bob@x.io>", "bob@x.io", id="Q7-mail"),
        pytest.param("<tel:+1555|call us>", "call us (+1555)", id="Q7-call"),
        pytest.param("<tel:+49123|+49 123>", "+49 123", id="Q7-written"),
        pytest.param(b"hi <@U0BOB>", "hi @U0BOB", id="bytes"),
        pytest.param(
            {"type": "event_callback", "event": {"text": "<@U0BOT> hi"}},
            "hi",
            id="envelope",
        ),
        pytest.param(
            {"text": "see", "files": [{"name": "a\nb<c>.pdf"}]},
            "see\n[file: a b<c>.pdf]",
            id="Q8-name",
        ),
        pytest.param(
            {
                "subtype": "message_changed",
                "message": {"text": "new", "files": [{"name": "a.pdf"}]},
                "previous_message": {"text": "old"},
            },
            "new\n[file: a.pdf]",
            id="Q18",
        ),
        pytest.param(
            {"subtype": "message_changed", "message": {"files": [{"name": "a.pdf"}]}},
            "[file: a.pdf]",
            id="Q18-files",
        ),
        pytest.param(
            {"type": "message_action", "message": {"files": [{"name": "a.pdf"}]}},
            "[file: a.pdf]",
            id="shortcut-files",
        ),
        pytest.param("a\x00b\x1b[31m\tc\ud800", "ab[31m\tc\ufffd", id="Q17"),
        pytest.param("a\r\nb\u2028c", "a\nb\nc", id="Q17-breaks"),
    ],
)
def test_slack_text(event, expected):
    """Mentions, links, channels and blocks read as they look."""
    assert readable_slack(event, bot_user_id="U0BOT") == expected


def test_q2_names_are_resolved():
    """A resolver, as mapping or callable, gives people and channels their names."""
    text = "ask <@U0BOB> in <#C012> or <@U9>"

    assert readable_slack(text, names=NAMES) == "ask @Bob in #general or @U9"
    assert readable_slack(text, names=NAMES.get) == "ask @Bob in #general or @U9"


def test_a_resolver_that_raises_leaves_the_id():
    """Names are a comfort; without them ids stand."""

    def names(user):
        raise RuntimeError

    assert readable_slack("<@U9>", names=names) == "@U9"


def test_q11_the_bot_in_the_middle_stays():
    """Only the mention that addresses the bot is dropped."""
    text = "<@U0BOT> is <@U0BOT> up?"

    assert readable_slack(text, bot_user_id="U0BOT", names=NAMES) == "is @VeraSlack up?"


def test_an_app_mention_addresses_the_bot():
    """Without the bot's id the first mention of an app_mention is the bot."""
    event = {"type": "app_mention", "text": "<@U0XYZ> hello"}

    assert readable_slack(event) == "hello"
    assert readable_slack(event | {"type": "message"}) == "@U0XYZ hello"


def test_forwarded_messages_show_their_blocks():
    """A shared message without text is read from its blocks."""
    blocks = rich_text({"type": "text", "text": "old news"})
    event = {"attachments": [{"message_blocks": [{"message": {"blocks": blocks}}]}]}

    assert readable_slack(event) == "[attachment: old news]"


def test_every_forwarded_message_is_shown():
    """All messages of a forward, and their files."""
    shared = [
        {"message": {"blocks": rich_text({"type": "text", "text": text})}}
        for text in ("one", "two")
    ]
    event = {
        "text": "see",
        "attachments": [
            {"message_blocks": shared},
            {"files": [{"name": "f.pdf"}], "fallback": "[no preview]"},
        ],
    }

    assert readable_slack(event) == (
        "see\n[attachment: one\ntwo]\n[attachment: [file: f.pdf]]"
    )


@pytest.mark.parametrize(
    ("attachment", "shown"),
    [
        (
            {
                "pretext": "pre",
                "title": "head",
                "text": "body",
                "fields": [{"title": "State", "value": "open"}, {"value": "x"}],
            },
            "pre\nhead\nbody\nState: open\nx",
        ),
        ({"title": "same", "text": "same"}, "same"),
        ({"title": "t", "fallback": "f"}, "t"),
        ({"fallback": "f"}, "f"),
        ({"image_url": "https://x/i.png"}, "https://x/i.png"),
        ({"blocks": rich_text({"type": "text", "text": "b"}), "fallback": "f"}, "b"),
    ],
)
def test_attachments_show_all_they_say(attachment, shown):
    """Title, pretext and fields stand beside the text; the fallback only alone."""
    assert readable_slack({"attachments": [attachment]}) == f"[attachment: {shown}]"


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (
            {
                "type": "table",
                "rows": [
                    [
                        {"type": "raw_text", "text": "a<b>"},
                        *rich_text({"type": "text", "text": "c"}),
                    ],
                    [{"type": "raw_text", "text": "d"}],
                ],
            },
            "a<b> | c\nd",
        ),
        (
            {"type": "video", "title": {"type": "plain_text", "text": "Intro"}},
            "[video: Intro]",
        ),
        ({"type": "video", "alt_text": "Intro"}, "[video: Intro]"),
        ({"type": "video"}, ""),
        ({"type": "input", "label": {"type": "plain_text", "text": "Why"}}, "Why"),
        (
            {
                "type": "rich_text_list",
                "style": "ordered",
                "elements": rich_text({"type": "text", "text": "a"})[0]["elements"] * 2,
            },
            "1. a\n2. a",
        ),
        (
            {
                "type": "rich_text_list",
                "style": "ordered",
                "offset": 4,
                "elements": rich_text({"type": "text", "text": "a"})[0]["elements"],
            },
            "5. a",
        ),
        (rich_text({"type": "link", "url": "x.io", "text": "doc"})[0], "doc (x.io)"),
        (rich_text({"type": "link", "url": "x.io"})[0], "x.io"),
    ],
)
def test_rarer_blocks(block, expected):
    """Tables, films, inputs and numbered lists are read."""
    assert readable_slack({"blocks": [block]}) == expected


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (
            {
                "selected_options": [
                    {"text": {"text": "One"}},
                    {"text": {"text": "Two"}},
                ]
            },
            "One, Two",
        ),
        ({"selected_date": "2026-01-02"}, "2026-01-02"),
        ({"selected_time": "12:30"}, "12:30"),
        ({"selected_date_time": 0}, ""),
        ({"selected_date_time": 1_767_312_000}, "2026-01-02 00:00 UTC"),
        ({"selected_date_time": "soon"}, "soon"),
        ({"selected_user": "U0BOB"}, "@Bob"),
        ({"selected_users": ["U0BOB", "U2"]}, "@Bob, @U2"),
        ({"selected_channel": "C012"}, "#general"),
        ({"selected_conversations": ["C012", "C2"]}, "#general, #C2"),
        ({"rich_text_value": rich_text({"type": "text", "text": "rich"})[0]}, "rich"),
        ({"type": "file_input", "files": [{"name": "a.pdf"}]}, "[file: a.pdf]"),
        ({"type": "number_input", "value": "7"}, "7"),
    ],
)
def test_every_input_of_a_form_is_shown(choice, expected):
    """Menus, dates, people, places, rich text and files."""
    view = {"state": {"values": {"b": {"a": choice}}}}

    assert readable_slack({"type": "view_submission", "view": view}, names=NAMES) == (
        expected
    )


def test_hostile_markup_is_read_in_linear_time():
    """Unclosed brackets by the thousand do not hold the bot."""
    for text in ("<!a^" * 20_000, "<https://" * 20_000, "<@U1|" * 20_000):
        assert readable_slack(text) == text


def test_submitted_views_show_their_inputs():
    """The answers in a form are what the person said."""
    values = {
        "b1": {"a1": {"type": "plain_text_input", "value": "VPN is down"}},
        "b2": {"a2": {"selected_option": {"text": {"text": "Urgent"}}}},
        "b3": {"a3": {"value": None}},
    }

    text = readable_slack(
        {"type": "view_submission", "view": {"state": {"values": values}}}
    )

    assert text == "VPN is down\nUrgent"


@pytest.mark.parametrize("value", [None, 7, b"x", [], {}, {"text": 7}, {"blocks": [7]}])
def test_any_input_gives_a_string(value):
    """The function is total."""
    assert isinstance(readable_slack(value), str)


def test_deeply_nested_blocks_end():
    """A block that contains itself is read to a bounded depth."""
    block = {"type": "rich_text"}
    block["elements"] = [block]

    assert readable_slack({"blocks": [block]}) == ""


def test_rarer_elements_of_rich_text():
    """Groups, broadcasts, dates, colours and channels have their text."""
    blocks = rich_text(
        {"type": "usergroup", "usergroup_id": "S1"},
        {"type": "broadcast", "range": "here"},
        {"type": "date", "fallback": "24 Nov"},
        {"type": "color", "value": "#fff"},
        {"type": "channel", "channel_id": "C1"},
        {"type": "user"},
        {"type": "link", "text": "no address"},
        {"type": "new thing"},
    )

    assert readable_slack({"blocks": blocks}) == "@S1@here24 Nov#fff#C1no address"


def test_markdown_blocks_and_other_bots_commands():
    """Markdown is text; an unreadable attachment shows nothing."""
    event = {
        "blocks": [{"type": "markdown", "text": "a < b"}],
        "attachments": [{"color": "red"}],
    }

    assert readable_slack(event) == "a < b"
