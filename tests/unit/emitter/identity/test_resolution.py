"""From facts to the one who asked, with every kind of directory."""

from __future__ import annotations

import warnings
from types import SimpleNamespace

import pytest

from emitter.identity import (
    Home,
    Identity,
    LookupFailure,
    SourceFacts,
    read_source,
    resolve,
)

HOME = Home(domains=("example.com",), slack_team="T1", tenant="tid0")
SLACK = read_source(
    {"type": "app_mention", "user": "U1", "team": "T1", "channel": "C1", "ts": "1.2"}
)
TEAMS = read_source(
    {
        "type": "message",
        "channelId": "msteams",
        "from": {"id": "29:x", "aadObjectId": "o1"},
        "conversation": {"id": "c1", "tenantId": "tid0"},
    }
)
BOB = {"ok": True, "user": {"name": "bob", "profile": {"email": "bob@example.com"}}}


def test_asks_the_directory_by_the_platforms_user_id():
    """A bot's callable gets what `users.info` or Graph wants."""
    asked = []

    def directory(user):
        asked.append(user)
        return BOB if user == "U1" else {"userPrincipalName": "ada@example.com"}

    names = [resolve(f, home=HOME, directory=directory).user_id for f in (SLACK, TEAMS)]

    assert asked == ["U1", "o1"]
    assert names == ["bob", "ada"]


def test_the_bots_own_word_wins():
    """An explicit user is named without a look-up; the platform id stays."""
    identity = resolve(SLACK, home=HOME, directory=pytest.fail, user="Ada@example.com")

    assert identity.user_id == "ada"
    assert identity.user_source == "api"
    assert identity.user_platform_id == "T1/U1"


@pytest.mark.parametrize("user", [None, "", " ", 7, object()])
def test_an_unusable_word_is_no_word(user):
    """Where the bot names nobody, the event does."""
    identity = resolve(SLACK, home=HOME, directory=lambda _: BOB, user=user)

    assert identity.user_id == "bob"
    assert identity.user_source == "slack"


def test_an_identity_is_taken_as_it_is():
    """A bot that has resolved its user already is believed."""
    known = Identity(
        user_id="bob", user_resolution="resolved", user_platform_id="T9/U9"
    )

    assert resolve(SLACK, home=HOME, user=known) is known


def test_an_identity_without_a_platform_id_takes_the_events():
    """The bot knows the name, the event where it came from."""
    known = Identity(user_id="bob", user_resolution="resolved")

    identity = resolve(SLACK, home=HOME, user=known)

    assert (identity.user_id, identity.user_platform_id) == ("bob", "T1/U1")


def test_an_events_tenant_is_written_as_we_write_our_own():
    """A name given by the bot does not change the platform id."""
    home = Home(tenant="TID0")

    assert resolve(TEAMS, home=home, user="bob").user_platform_id == "TID0/o1"
    assert resolve(TEAMS, home=home).user_platform_id == "TID0/o1"


@pytest.mark.parametrize("facts", [SLACK, TEAMS], ids=["slack", "teams"])
def test_without_a_directory_the_platform_id_is_kept(facts):
    """Nobody was asked, so nothing failed: the identity is partial."""
    identity = resolve(facts, home=HOME)

    assert identity.user_id == "unknown_user_id"
    assert identity.user_resolution == "partial"
    assert identity.user_platform_id is not None


def make_error(name, **attributes):
    return type(name, (Exception,), attributes)()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TimeoutError(), "timeout"),
        (make_error("ReadTimeout"), "timeout"),
        (ConnectionError(), "error"),
        (ValueError("secret"), "error"),
        (
            make_error("HTTPError", response=SimpleNamespace(status_code=429)),
            "throttled",
        ),
        (
            make_error(
                "SlackApiError",
                response=SimpleNamespace(data={"ok": False, "error": "missing_scope"}),
            ),
            "forbidden",
        ),
        (
            make_error("SlackApiError", response={"ok": False, "error": "ratelimited"}),
            "throttled",
        ),
    ],
)
def test_a_directory_that_raises_has_failed(error, reason):
    """What is raised says why nobody was found."""

    def directory(user):
        raise error

    identity = resolve(SLACK, home=HOME, directory=directory)

    assert identity.user_resolution == f"unresolved:{reason}"
    assert "secret" not in repr(identity)


def test_a_coroutine_is_closed_and_counts_as_failed():
    """There is no loop in which to await it, and no warning is left behind."""

    async def directory(user):
        return BOB

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        identity = resolve(SLACK, home=HOME, directory=directory)

    assert identity.user_resolution == "unresolved:error"


def test_a_failure_may_be_returned():
    """A directory may say itself what has failed."""
    identity = resolve(SLACK, home=HOME, directory=lambda _: LookupFailure("timeout"))

    assert identity.user_resolution == "unresolved:timeout"


@pytest.mark.parametrize(
    "event",
    [
        {"type": "message", "team": "T1", "bot_id": "B1", "channel": "C1"},
        {
            "type": "message",
            "channelId": "msteams",
            "from": {"id": "28:b", "name": "Other", "role": "bot"},
            "conversation": {"id": "c1"},
        },
        {
            "type": "message",
            "channelId": "webchat",
            "from": {"id": "29:x"},
            "conversation": {"id": "c1"},
        },
    ],
    ids=["slack bot", "teams bot", "no object id"],
)
def test_nobody_is_asked_without_an_id(event):
    """Bots name themselves, and without an id there is nothing to ask."""
    resolve(read_source(event), home=HOME, directory=pytest.fail)


def test_web_claims_need_no_look_up():
    """The token already says who it is."""
    event = {"requestContext": {"authorizer": {"claims": {"email": "bob@example.com"}}}}

    identity = resolve(read_source(event), home=HOME, directory=pytest.fail)

    assert (identity.user_id, identity.user_source) == ("bob", "web")


def test_nothing_names_nobody():
    """Without an event and a word there is no id."""
    identity = resolve(read_source(None), home=HOME)

    assert identity.user_id == "unknown_user_id"
    assert identity.user_resolution == "unresolved:no_id"
    assert identity.user_source == "api"


def test_never_raises():
    """Even facts of a wrong kind give an identity."""
    assert resolve(None, home=HOME).user_id == "unknown_user_id"


@pytest.mark.parametrize("kind", ["slack", "teams"])
def test_facts_without_an_actor_name_nobody(kind):
    """Facts that somebody put together by hand may lack who has asked."""
    identity = resolve(SourceFacts(kind=kind), home=HOME)

    assert identity.user_resolution == "unresolved:error"
