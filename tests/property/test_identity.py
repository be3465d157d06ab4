"""Properties of identity: total, idempotent, and never two people in one name."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from emitter.identity import (
    Home,
    from_claims,
    from_slack,
    from_teams,
    from_text,
    read_source,
    resolve,
)
from emitter.identity.clean import split

HOME = Home(domains=("example.com", "newco.com"), slack_team="T1", tenant="tid0")
ANYWHERE = Home()

DOMAINS = ("example.com", "newco.com", "partner.example", "agency.co.uk")
# Logins as mail systems know them; the rules say what an underscore and a mark
# mean, so both may stand in a login.
logins = st.from_regex(r"[A-Za-z0-9ßÉñ][A-Za-z0-9ßÉñ._+'-]{0,20}", fullmatch=True)
people = st.tuples(logins, st.sampled_from(DOMAINS))
# Logins as somebody would write them who wants to be taken for somebody else.
PIECES = (
    "bob", "B", "a", "@", "\\", "#", "#EXT#", ":", " ", "\u200b", "_", ".", "+x",
    "bot:", "svc:", "svc-", "DOMAIN\\", "example.com", "@example.com", "\u3002",
    "partner.example", "unknown_user_id", "t1.slack", "tid0.tenant", "\ud800",
)  # fmt: skip
wild = st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map("".join)
wild_people = st.tuples(
    wild.filter(lambda login: split(login).local and "#EXT#" not in login),
    st.sampled_from((*DOMAINS, "partner", "Example\uff61com")),
)
homes = st.sampled_from([HOME, ANYWHERE, Home(domains=("example.com",))])

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
    ),
    max_leaves=12,
)
# Objects that look like platform payloads, with anything in their members.
NAMES = [
    "ok",
    "user",
    "profile",
    "email",
    "name",
    "id",
    "team_id",
    "deleted",
    "is_bot",
    "is_restricted",
    "is_stranger",
    "userPrincipalName",
    "mail",
    "userType",
    "accountEnabled",
    "department",
    "mailNickname",
    "from",
    "aadObjectId",
    "role",
    "conversation",
    "tenantId",
    "channelData",
    "tenant",
    "type",
    "event",
    "text",
    "channel",
    "ts",
    "team",
    "bot_id",
    "authorizations",
    "requestContext",
    "authorizer",
    "claims",
    "jwt",
    "preferred_username",
    "oid",
    "tid",
    "sub",
    "client_id",
    "error",
    "body",
    "headers",
    "files",
    "blocks",
]
payloads = st.recursive(
    json_values,
    lambda inner: st.dictionaries(st.sampled_from(NAMES), inner, max_size=8),
    max_leaves=20,
)


def slack(email, **user):
    event = {"type": "message", "user": "U1", "team": "T1", "channel": "C1", "ts": "1"}
    profile = {"email": email}
    answer = {"ok": True, "user": {"name": "x", "profile": profile, **user}}
    return lambda home: from_slack(answer, event, home)


def teams(upn, mail=None, **user):
    activity = {
        "type": "message",
        "from": {"id": "29:x", "aadObjectId": "o1"},
        "conversation": {"id": "c", "tenantId": "tid0"},
    }
    answer = {"userPrincipalName": upn, "mail": mail, "userType": "Member", **user}
    return lambda home: from_teams(answer, activity, home)


def claims(address, **more):
    return lambda home: from_claims({"preferred_username": address, **more}, home)


def text(address):
    return lambda home: from_text(address, home)


def foreign_teams(address):
    activity = {
        "from": {"id": "29:x", "aadObjectId": "o9"},
        "conversation": {"id": "c", "tenantId": "tidX"},
    }
    answer = {"userPrincipalName": address}
    return lambda home: from_teams(answer, activity, home)


# Every way on which an address comes in.
WAYS = {
    "slack": slack,
    "slack guest": lambda address: slack(address, is_restricted=True),
    "slack stranger": lambda address: slack(address, is_stranger=True),
    "slack elsewhere": lambda address: slack(address, team_id="T99"),
    "teams": teams,
    "teams mail": lambda address: teams(None, address),
    "teams guest": lambda address: teams("g1@x.example", address, userType="Guest"),
    "teams elsewhere": foreign_teams,
    "claims": claims,
    "claims elsewhere": lambda address: claims(address, tid="tidX", oid="o9"),
    "text": text,
}  # fmt: skip
ways = st.sampled_from(sorted(WAYS))


def address_of(person):
    """Return login and domain as the rules compare them."""
    login = split("@".join(person))
    return login.local, login.domain


@given(wild_people, wild_people, homes, ways, ways)
def test_no_way_in_merges_two_people(one, other, home, first, second):
    """One name for two addresses means two home domains, wherever they came from."""
    names = [
        WAYS[way]("@".join(person))(home).user_id
        for way, person in ((first, one), (second, other))
    ]
    (login, domain), (other_login, other_domain) = address_of(one), address_of(other)

    if names[0] == names[1] != "unknown_user_id":
        assert login == other_login
        assert (
            domain == other_domain
            or not home.domains
            or ({domain, other_domain} <= set(home.domains))
        )


@given(wild, homes, ways)
def test_a_wild_name_is_clean_and_names_no_machine(name, home, way):
    """Whatever is written into a name, it cannot pass for a bot or hide a sign."""
    identity = WAYS[way](name)(home)

    identity.user_id.encode()
    (identity.user_id_raw or "").encode()
    assert identity.user_id == identity.user_id.strip() == identity.user_id.lower()
    assert "\u200b" not in identity.user_id
    assert (
        way == "text"
        or not identity.user_id.startswith("bot:")
        or ("@" in identity.user_id)
    )


@given(wild)
def test_a_wild_name_names_itself(name):
    """A name that was made is read back as itself, whatever it was made from."""
    once = from_text(name, HOME)

    again = from_text(once.user_id, HOME).user_id

    assert again == once.user_id or once.user_type == "guest"


@given(payloads, payloads, homes)
def test_every_answer_and_event_gives_an_identity(answer, event, home):
    """The functions are total, and every field is a string or absent."""
    for identity in (
        from_slack(answer, event, home),
        from_teams(answer, event, home),
        from_claims(answer, home),
        from_text(answer, home),
        resolve(read_source(event), home=home, directory=lambda _: answer),
    ):
        fields = identity.as_fields()
        assert fields["user_id"]
        assert all(isinstance(value, str) for value in fields.values())


@given(st.text(), homes)
def test_any_name_is_stable_and_printable(text, home):
    """A produced name can be written as UTF-8 and has no invisible character."""
    identity = from_text(text, home)

    identity.user_id.encode()
    assert identity.user_id == identity.user_id.strip()
    assert "\u200b" not in identity.user_id


@given(st.text())
def test_a_produced_name_names_itself(text):
    """Feeding a `user_id` back gives the same `user_id`."""
    once = from_text(text, HOME).user_id

    assert from_text(once, HOME).user_id == once


@given(people, st.sampled_from(["member", "guest", "stranger"]))
def test_platform_names_name_themselves(person, kind):
    """Names made by Slack and Teams are read back by the plain-string rules."""
    email = "@".join(person)
    flags = {"guest": {"is_restricted": True}, "stranger": {"is_stranger": True}}
    made = slack(email, **flags.get(kind, {}))(HOME).user_id

    again = from_text(made, HOME).user_id
    is_own_guest = kind != "member" and person[1] in HOME.domains

    assert again == made or is_own_guest


@given(people, people, homes, st.booleans(), st.booleans())
def test_two_people_never_merge_unless_both_are_home(one, other, home, first, second):
    """One name for two addresses means that both are of our own domains."""
    make = [slack if flag else teams for flag in (first, second)]
    names = [
        maker("@".join(person))(home)
        for maker, person in zip(make, (one, other), strict=True)
    ]
    addresses = {f"{login}@{domain}".lower() for login, domain in (one, other)}

    if names[0].user_id == names[1].user_id and len(addresses) > 1:
        domains = {one[1], other[1]}
        assert not home.domains or domains <= set(home.domains)
        assert one[0].lower() == other[0].lower()


@given(people, people, st.sampled_from(["guest", "external"]))
def test_nobody_from_outside_gets_a_short_name(insider, outsider, kind):
    """A guest or stranger is never taken for one of our own people."""
    flags = {"is_restricted": True} if kind == "guest" else {"is_stranger": True}

    ours = slack("@".join((insider[0], "example.com")))(HOME)
    theirs = slack("@".join(outsider), **flags)(HOME)

    assert theirs.user_type == kind
    assert ours.user_id != theirs.user_id


@given(people, homes)
def test_one_person_is_one_name_on_slack_and_teams(person, home):
    """The same address gives the same name and e-mail on both platforms."""
    email = "@".join(person)

    on_slack, on_teams = slack(email)(home), teams(email)(home)

    assert on_slack.user_id == on_teams.user_id
    assert on_slack.user_email == on_teams.user_email == email.lower()


@given(people, homes)
def test_one_guest_is_one_name_on_slack_and_teams(person, home):
    """A guest's UPN with the guest mark is the same as the address it was made of."""
    email = "@".join(person)
    upn = f"{person[0]}_{person[1]}#EXT#@example.onmicrosoft.com"

    on_slack = slack(email, is_restricted=True)(home)
    on_teams = teams(upn, userType="Guest")(home)

    assert on_slack.user_id == on_teams.user_id == email.lower()
    assert on_slack.user_email == on_teams.user_email


@given(logins, people, homes)
def test_the_mail_joins_whatever_the_upn_says(upn, person, home):
    """Platforms are joined by e-mail even where the UPN is a number."""
    email = "@".join(person)

    on_teams = teams(f"{upn}@example.com", email)(home)

    assert on_teams.user_email == slack(email)(home).user_email


@given(people, homes, st.sampled_from([str.upper, str.lower, str.title]))
def test_case_and_space_do_not_matter(person, home, change):
    """A person is one name, however the directory writes it."""
    email = "@".join(person)

    changed = teams(f" {change(email)}\t")(home)

    assert changed.user_id == teams(email.upper())(home).user_id or "ß" in email


@given(payloads, st.none() | st.text())
def test_every_source_gives_facts(source, text):
    """Reading is total, and every id is a string or absent."""
    facts = read_source(source, text=text)

    assert facts.kind in ("slack", "teams", "web", "api")
    assert isinstance(facts.user_query, str)
    for value in (
        facts.conversation_id,
        facts.message_id,
        facts.channel_id,
        facts.user_platform_id,
    ):
        assert value is None or (isinstance(value, str) and value)
