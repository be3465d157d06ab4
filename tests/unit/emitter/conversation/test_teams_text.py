"""Teams messages as a person reads them: every row of the rules."""

from __future__ import annotations

import json

import pytest
from botbuilder.schema import TokenResponse

from emitter.conversation import readable_teams

FILE = "application/vnd.microsoft.teams.file.download.info"
ADAPTIVE = "application/vnd.microsoft.card.adaptive"


@pytest.mark.parametrize(
    ("text", "text_format", "expected"),
    [
        pytest.param("<at>Vera</at> hi&nbsp;there", None, "hi there", id="Q13"),
        pytest.param(
            "<at>Vera</at> hi&nbsp;there", "plain", "hi there", id="Q13-plain"
        ),
        pytest.param(
            '<p><at id="0">Vera</at>&nbsp;hi</p>', "xhtml", "hi", id="Q13-html"
        ),
        pytest.param(
            "<at>Vera</at> ask <at>Bob Smith</at>",
            None,
            "ask @Bob Smith",
            id="Q13-other",
        ),
        pytest.param(
            "<p>a &lt; b &amp;&amp; c &gt; d</p>", None, "a < b && c > d", id="Q14"
        ),
        pytest.param(
            "<p>a &lt; b &amp;&amp; c &gt; d</p>",
            "html",
            "a < b && c > d",
            id="Q14-told",
        ),
        pytest.param("&lt;p&gt;x&lt;/p&gt;", None, "<p>x</p>", id="Q14-escaped"),
        pytest.param("a <b and c> d", "plain", "a <b and c> d", id="Q14-plain"),
        pytest.param("see ?a=1&copy=2", None, "see ?a=1&copy=2", id="Q14-no-entity"),
        pytest.param("&#39;x&#x27; &amp;lt;", None, "'x' &lt;", id="Q14-numeric"),
        pytest.param(
            "<div>one<br/>two</div><ul><li>three</li></ul>",
            None,
            "one\ntwo\nthree",
            id="Q15-blocks",
        ),
        pytest.param(
            '<p>hi <img alt="smile" src="x"/></p>', None, "hi smile", id="Q15-picture"
        ),
        pytest.param("a\x00b\ud800", None, "ab\ufffd", id="Q17"),
        pytest.param(
            '<a href="https://x?a=1&amp;b=2" title="t"><b>doc</b></a>',
            None,
            "doc (https://x?a=1&b=2)",
            id="Q15-link",
        ),
        pytest.param(
            "<a href='https://x/'>https://x</a> <a href='mailto:b@x.io'>b@x.io</a>",
            None,
            "https://x b@x.io",
            id="Q15-link-itself",
        ),
        pytest.param(
            "<a href='mailto:b@x.io'>Bob</a>", None, "Bob (b@x.io)", id="Q15-mail"
        ),
        pytest.param(
            "<a>x</a><a href='#top'>y</a><a href='javascript:z()'>z</a></a>",
            None,
            "xyz",
            id="Q15-no-address",
        ),
        pytest.param("<a href=https://x></a>", None, "https://x", id="Q15-no-label"),
        pytest.param(
            "<table><tr><th>a</th> <th>b</th></tr><tr><td>c</td><td>d</td></tr>",
            None,
            "a | b\nc | d",
            id="Q15-table",
        ),
        pytest.param("<p>x <!-- c > d <b> -->y</p>", None, "x y", id="Q15-comment"),
        pytest.param("<p>x <!-- y</p>", None, "x <!-- y", id="Q15-open-comment"),
        pytest.param(
            "<p>hi <img alt='smile' src='x'/></p>", None, "hi smile", id="Q15-quote"
        ),
        pytest.param(b"<p>hi</p>", None, "hi", id="bytes"),
    ],
)
def test_teams_text(text, text_format, expected):
    """Mentions first, then tags, then entities."""
    assert readable_teams(text, text_format=text_format) == expected


@pytest.mark.parametrize(
    ("activity", "expected"),
    [
        pytest.param(
            {"attachments": [{"contentType": FILE, "name": "x.docx"}]},
            "[file: x.docx]",
            id="Q16",
        ),
        pytest.param(
            {
                "text": "see",
                "attachments": [
                    {"contentType": "text/html", "content": "<p>see</p>"},
                    {"contentType": FILE, "name": "x.docx"},
                    {"contentType": "image/png"},
                ],
            },
            "see\n[file: x.docx]\n[file: image/png]",
            id="Q16-text",
        ),
        pytest.param(
            {
                "text": "",
                "attachments": [
                    {"contentType": "text/html", "content": "<p>a &amp; b</p>"}
                ],
            },
            "a & b",
            id="Q16-html",
        ),
        pytest.param(
            {
                "attachments": [
                    {
                        "contentType": ADAPTIVE,
                        "content": {
                            "body": [
                                {"type": "TextBlock", "text": "Ticket"},
                                {"facts": [{"title": "No", "value": "7"}]},
                            ]
                        },
                    }
                ]
            },
            "[attachment: Ticket No 7]",
            id="Q16-card",
        ),
        pytest.param(
            {
                "attachments": [
                    {
                        "contentType": "messageReference",
                        "content": json.dumps({"messagePreview": "old news"}),
                    }
                ]
            },
            "[attachment: old news]",
            id="Q16-reply",
        ),
        pytest.param(
            {"text": "", "value": {"choice": "yes"}},
            '[submitted: {"choice":"yes"}]',
            id="Q16-submit",
        ),
        pytest.param(
            {"text": "<p>a</p>", "textFormat": "plain"}, "<p>a</p>", id="Q14-activity"
        ),
    ],
)
def test_teams_activities(activity, expected):
    """Text, else markup; files and cards on lines of their own."""
    assert readable_teams({"type": "message"} | activity) == expected


def make_mentions(*people):
    return [
        {
            "type": "mention",
            "mentioned": {"id": person, "name": name},
            "text": f"<at>{name}</at>",
        }
        for person, name in people
    ]


def test_a_first_mention_of_somebody_else_stays():
    """Entities tell whether a mention names the bot."""
    activity = {
        "type": "message",
        "text": "<at>Bob</at> said <at>Vera</at> knows",
        "recipient": {"id": "28:bot"},
        "entities": make_mentions(("29:bob", "Bob"), ("28:bot", "Vera")),
    }

    assert readable_teams(activity) == "@Bob said @Vera knows"


def test_json_text_of_an_activity_is_read():
    """An activity may arrive as JSON; other text in braces is text."""
    assert readable_teams('{"type": "message", "text": "hi"}') == "hi"
    assert readable_teams(' \n{"type": "message", "text": "hi"}') == "hi"
    assert readable_teams(b'{"type": "message", "text": "hi"}') == "hi"
    assert readable_teams("{not json") == "{not json"


@pytest.mark.parametrize(
    "value", [None, 7, b"x", [], {}, {"text": 7}, {"entities": [7]}]
)
def test_any_input_gives_a_string(value):
    """The function is total."""
    assert isinstance(readable_teams(value), str)


@pytest.mark.parametrize(
    "text",
    [
        "<at>" * 20_000,
        '<img alt="' * 20_000,
        "<!--" * 20_000,
        '<a href="' * 20_000,
        "<a href='x:'>" * 20_000,
        "</td>" * 20_000,
        "&" * 60_000,
        " " * 60_000,
    ],
    ids=["at", "img", "comment", "href", "link", "cell", "ampersand", "space"],
)
def test_hostile_markup_is_read_in_linear_time(text):
    """Unclosed tags by the thousand do not hold the bot."""
    assert isinstance(readable_teams(text, text_format="html"), str)


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (
            {
                "body": [
                    {
                        "type": "RichTextBlock",
                        "inlines": ["a", {"type": "TextRun", "text": "b"}, 7],
                    }
                ]
            },
            "a b",
        ),
        (
            {
                "title": "Build",
                "sections": [
                    {
                        "activityTitle": "Main",
                        "activitySubtitle": "broken",
                        "activityText": "again",
                        "facts": [{"name": "Since", "value": "Monday"}],
                        "text": "Look.",
                    }
                ],
            },
            "Build Main broken again Look. Since Monday",
        ),
    ],
)
def test_cards_of_every_kind_show_their_text(content, shown):
    """Bare runs of rich text, and the sections of a connector's card."""
    card = {
        "contentType": "application/vnd.microsoft.teams.card.o365connector",
        "content": content,
    }

    assert readable_teams({"type": "message", "attachments": [card]}) == (
        f"[attachment: {shown}]"
    )


def test_rarer_attachments():
    """Cards without text show their name, markup beside text nothing."""
    cards = [
        {"contentType": ADAPTIVE, "content": {}, "name": "Form"},
        {"contentType": ADAPTIVE, "content": "not json"},
        {"content": "no type"},
    ]

    assert (
        readable_teams({"type": "message", "attachments": cards})
        == "[attachment: Form]"
    )


def test_a_card_that_contains_itself_ends():
    """Cards are read to a bounded depth."""
    card = {"text": "x"}
    card["body"] = [card]

    text = readable_teams(
        {"type": "message", "attachments": [{"contentType": ADAPTIVE, "content": card}]}
    )

    assert text.startswith("[attachment: x x")
    assert len(text) < 100


def test_mentions_that_say_nothing_are_passed_over():
    """Entities of other kinds do not tell who is mentioned."""
    activity = {
        "type": "message",
        "text": "<at>Vera</at> hi",
        "recipient": {"id": "28:bot"},
        "entities": [{"type": "clientInfo"}, *make_mentions(("29:bob", "Bob"))],
    }

    assert readable_teams(activity) == "hi"


def test_submitted_text_is_shown():
    """A card may submit a plain string."""
    assert readable_teams({"type": "message", "value": "yes"}) == "[submitted: yes]"


@pytest.mark.parametrize(
    "activity",
    [
        pytest.param(
            {
                "type": "invoke",
                "name": "signin/tokenExchange",
                "value": {"id": "1", "connectionName": "graph", "token": "canary"},
            },
            id="token exchange",
        ),
        pytest.param(
            {
                "type": "invoke",
                "name": "signin/verifyState",
                "value": {"state": "canary"},
            },
            id="magic code",
        ),
        pytest.param(
            {"type": "invoke", "name": "SignIn/verifyState", "value": "canary"},
            id="any case, plain value",
        ),
        pytest.param(
            {
                "type": "event",
                "name": "tokens/response",
                "value": {"connectionName": "graph", "token": "canary"},
            },
            id="token response",
        ),
        pytest.param(
            {
                "type": "invoke",
                "name": "composeExtension/query",
                "value": {"commandId": "find", "state": "canary"},
            },
            id="extension continues after sign-in",
        ),
        pytest.param(
            {
                "type": "invoke",
                "name": "adaptiveCard/action",
                "value": {
                    "action": {"verb": "a"},
                    "authentication": {"token": "canary"},
                },
            },
            id="card continues after sign-in",
        ),
        pytest.param(
            {"type": "invoke", "value": '{"id":"1","token":"canary"}'}, id="JSON text"
        ),
        pytest.param({"type": "message", "value": {"token": "canary"}}, id="message"),
        pytest.param(
            {
                "type": "message",
                "value": TokenResponse(connection_name="graph", token="canary"),
            },
            id="SDK object",
        ),
        pytest.param(
            {"type": "event", "value": {"code": "canary", "state": "canary"}},
            id="OAuth code",
        ),
    ],
)
def test_a_sign_in_is_no_question(activity):
    """Tokens, magic codes and OAuth codes never become the text of a question."""
    assert readable_teams(activity) == ""
    assert readable_teams(json.dumps(activity, default=vars)) == ""


@pytest.mark.parametrize(
    "secret",
    [
        {"token": "canary"},
        {"accessToken": "canary"},
        {"refresh_token": "canary"},
        {"magic-code": "canary"},
        {"state": "canary"},
        {"nested": [{"id_token": "canary"}]},
        {"clientSecret": {"inner": "canary"}},
        {"text": '{"token":"canary"}'},
    ],
    ids=lambda secret: next(iter(secret)),
)
def test_a_form_is_shown_without_its_secrets(secret):
    """What else a person has submitted with a card stays readable."""
    value = {"city": "Bonn"} | secret

    shown = readable_teams({"type": "message", "value": value})

    assert "Bonn" in shown
    assert "canary" not in shown


def test_words_like_secrets_are_shown_where_they_are_none():
    """Only members with the very names of secrets are left out."""
    value = {"tokens_used": 3, "statement": "x", "postcode": "53113"}

    shown = readable_teams({"type": "message", "value": value})

    assert shown == (
        '[submitted: {"tokens_used":3,"statement":"x","postcode":"53113"}]'
    )


@pytest.mark.parametrize("opening", ['{"a":', "["], ids=["objects", "lists"])
def test_a_value_of_any_depth_gives_a_string(opening):
    """A form nested without end is cut short, not an error of the bot."""
    value = opening * 2_000 + '{"token":"canary"}'

    shown = readable_teams({"type": "message", "value": value})

    assert isinstance(shown, str)
