"""The embedded store."""

from __future__ import annotations

import datetime as dt
import sqlite3
from zoneinfo import ZoneInfo

import pytest

from chatbot_audit.errors import StoreError, StoreUnreadableError, StoreWriteError
from chatbot_audit.stores.model import DIMENSIONS, Search, StatsRow
from chatbot_audit.stores.sqlite import SqliteStore
from tests.factories import make_values

BERLIN = ZoneInfo("Europe/Berlin")


def document(number, **changes):
    """Return a delivered document; its number is its id and its second."""
    time = f"2026-11-24T15:04:{number:02d}.000Z"
    values = make_values(record_id=f"{number:032x}", timestamp=time)
    values |= {"document_id": f"{number:032x}", "@timestamp": time}
    return {k: v for k, v in (values | changes).items() if v is not None}


@pytest.fixture
def store(tmp_path):
    with SqliteStore(tmp_path / "audit.db") as opened:
        yield opened


def ids(store, **wanted):
    return [int(d["document_id"], 16) for d in store.search(Search(**wanted))]


def test_returns_documents_whole_and_in_time_order(store):
    """What comes out is what went in, the newest last."""
    documents = [document(2, attributes={"a": "b"}), document(1), document(3)]

    count = store.write(documents)

    assert count == 3
    assert list(store.search(Search())) == sorted(
        documents, key=lambda d: d["document_id"]
    )


def test_the_same_document_written_again_is_one(store):
    """Redelivery doubles nothing, neither rows nor words nor labels."""
    again = document(1, topics=["salary@query"])

    store.write([again])
    store.write([again, again])

    assert ids(store, text="certificates") == [1]
    assert store.stats(["topic"], Search())[0].count == 1


def test_overwriting_forgets_the_old_words_and_labels(store):
    """After a replay with new rules only the new text is found."""
    store.write([document(1, user_query="zebra", topics=["old@query"])])

    store.write([document(1, user_query="giraffe", topics=["new@query"])])

    assert ids(store, text="zebra") == []
    assert ids(store, text="giraffe") == [1]
    assert ids(store, topic="old") == []
    assert ids(store, topic="new") == [1]


def test_a_second_line_with_the_same_record_id_stays_visible(store):
    """A bot that reuses a record_id overwrites nothing."""
    store.write([document(1, record_id="a" * 32), document(2, record_id="a" * 32)])

    assert len(store.show("a" * 32)) == 2


def test_the_index_agrees_with_the_table_after_many_overwrites(store):
    """FTS5's own check finds no difference."""
    for round_number in range(5):
        store.write(
            document(n, user_query=f"word{n * round_number} same") for n in range(20)
        )

    store._connection.execute("INSERT INTO texts (texts) VALUES ('integrity-check')")

    assert len(ids(store, text="same")) == 20


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param("bob.smith", id="login"),
        pytest.param("  Bob.Smith ", id="case-and-space"),
        pytest.param("BOB.SMITH@example.com", id="e-mail"),
        pytest.param("T1/U1", id="platform-id"),
    ],
)
def test_finds_a_person_by_any_of_their_names(store, asked):
    """A login, an e-mail or the platform's id find the same person."""
    store.write(
        [
            document(1, user_email="bob.smith@example.com", user_platform_id="T1/U1"),
            document(2, user_id="bob", user_email="bob@example.com"),
            document(3, user_id="bob.smith@partner.com"),
        ]
    )

    assert ids(store, user=asked) == [1]


def test_a_part_of_a_name_is_another_person(store):
    """Searching bob does not find bob.smith, and a wildcard is a letter."""
    store.write([document(1)])

    for asked in ("bob", "bob.smit", "bob.%", "bob*", "b_b.smith", ""):
        assert ids(store, user=asked) == []


def test_the_interval_is_half_open(store):
    """Its first millisecond belongs to it, its last does not."""
    store.write([document(n) for n in (1, 2, 3)])
    second_ms = 1_795_532_642_000

    assert ids(store, since_ms=second_ms, until_ms=second_ms + 1_000) == [2]
    assert ids(store, until_ms=second_ms) == [1]


def test_the_limit_keeps_the_newest(store):
    """What is left out is the oldest; the order stays."""
    store.write([document(n) for n in (1, 2, 3)])

    assert ids(store, limit=2) == [2, 3]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        pytest.param({"bot": "verateams"}, [2], id="bot"),
        pytest.param({"outcome": "blocked"}, [2], id="outcome"),
        pytest.param({"department": "finance"}, [1], id="department"),
        pytest.param({"topic": "salary"}, [1, 2], id="topic-anywhere"),
        pytest.param({"topic": "salary@response"}, [2], id="topic-in-answers"),
        pytest.param({"topic": "sal"}, [], id="topic-part"),
        pytest.param({"signal": "injection"}, [1], id="signal-family"),
        pytest.param({"signal": "injection:role_play"}, [1], id="signal"),
        pytest.param({"signal": "injection:other"}, [], id="signal-other"),
        pytest.param({"bot": "VeraTeams", "outcome": "answered"}, [], id="and"),
    ],
)
def test_filters_by_equality(store, wanted, found):
    """Everything asked must hold, without regard to case."""
    store.write(
        [
            document(
                1,
                department="Finance",
                outcome="answered",
                topics=["salary@query"],
                signals=["injection:role_play"],
            ),
            document(
                2,
                bot_name="VeraTeams",
                outcome="blocked",
                topics=["salary@response", "health@query"],
            ),
        ]
    )

    assert ids(store, **wanted) == found


def test_types_that_no_person_asked_are_hidden_unless_named(store):
    """Canaries, accesses and quarantined records come only when asked for."""
    types = ["interaction", "feedback", "access", "canary", "invalid", None, "newer"]
    store.write([document(n, record_type=kind) for n, kind in enumerate(types)])

    assert ids(store) == [0, 1, 5, 6]
    assert ids(store, record_types=("invalid", "canary")) == [3, 4]


@pytest.mark.parametrize(
    ("text", "is_phrase", "is_found"),
    [
        pytest.param("certificates SSL", False, True, id="words-any-order"),
        pytest.param("certificates SSL", True, False, id="phrase-wrong-order"),
        pytest.param("ssl certificates", True, True, id="phrase"),
        pytest.param("ssl zebra", False, False, id="one-word-missing"),
        pytest.param("certificate", False, False, id="part-of-a-word"),
        pytest.param("portal process", False, True, id="words-in-two-fields"),
        pytest.param("SSL ?", False, True, id="signs-are-no-words"),
        pytest.param("r\u00e9nouveler", False, True, id="accents"),
        pytest.param("RENOUVELER", False, True, id="no-accents"),
        pytest.param("証明書", False, True, id="script-without-spaces"),
        pytest.param("証明 ssl", False, True, id="both-kinds-of-script"),
        pytest.param("証明X", False, False, id="script-without-spaces-missing"),
        pytest.param("?!", False, True, id="signs-alone"),
        pytest.param("\U0001f600", False, False, id="sign-that-is-not-there"),
        pytest.param("  ", False, True, id="blank-asks-nothing"),
    ],
)
def test_finds_texts(store, text, is_phrase, is_found):
    """Words are found whole, in any order and field; phrases as they stand."""
    store.write(
        [document(1, user_query="SSL certificates: re\u0301nouveler 新しい証明書 ok?!")]
    )
    store.write([document(2, user_query="other", full_conversation="other")])

    found = ids(store, text=text, phrase=is_phrase)

    assert (1 in found) == is_found


@pytest.mark.parametrize(
    "text",
    [
        '"',
        'a" OR "b',
        "NEAR(a b)",
        "user_query:a",
        "^a",
        "a*",
        "-a",
        "a AND NOT b",
        "'; DROP TABLE records; --",
        "(",
        "a\0b",
        "\ud800",
        "x " * 3_000,
        '"" "" ""',
    ],
    ids=lambda text: ascii(text)[:20],
)
def test_what_a_person_types_is_never_syntax(store, text):
    """Operators of the index and of SQL are letters and signs."""
    store.write([document(1, user_query="unrelated")])

    for is_phrase in (True, False):
        assert ids(store, text=text, phrase=is_phrase) == []
    for name in ("user", "bot", "topic", "signal", "department", "outcome"):
        assert ids(store, **{name: text}) == []
    assert store.show(text) == []
    assert store.conversation(text) == []
    assert ids(store) == [1]


def test_quarantined_text_and_comments_are_searched_too(store):
    """What stands in raw_text or a comment can be found as well."""
    store.write(
        [
            document(1, record_type="invalid", raw_text="zebra stripes"),
            document(2, record_type="feedback", feedback_comment="not a zebra"),
        ]
    )

    assert ids(store, text="zebra") == [2]
    assert ids(store, text="zebra", record_types=("invalid",)) == [1]


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param("0193abab-abab-abab-abab-abababababab", id="dashes"),
        pytest.param("0193ABABABABABABABABABABABABABAB", id="upper-case"),
        pytest.param("0193abab", id="beginning"),
        pytest.param(f"{7:032x}", id="document-id"),
    ],
)
def test_shows_a_record_by_its_id(store, asked):
    """Both ids and their beginnings name a record, of any type."""
    store.write(
        [document(7, record_id="0193" + "ab" * 14, record_type="canary"), document(8)]
    )

    assert [d["@timestamp"] for d in store.show(asked)] == ["2026-11-24T15:04:07.000Z"]


def test_a_short_beginning_of_an_id_names_nothing(store):
    """Seven characters would find strangers."""
    store.write([document(7)])

    assert store.show("0000000") == []
    assert store.show("") == []


def test_a_conversation_is_its_turns_in_time_order(store):
    """Other conversations, quarantined records and canaries are no turns."""
    store.write(
        [
            document(3, conversation_id="c1"),
            document(1, conversation_id="c1"),
            document(2, conversation_id="C1"),
            document(4, conversation_id="c1", record_type="invalid"),
            document(5, conversation_id="c1", record_type="feedback"),
        ]
    )

    turns = store.conversation("c1")

    assert [int(d["document_id"], 16) for d in turns] == [1, 3, 5]


def test_counts_questions_and_people_in_groups(store):
    """The biggest group comes first; unknown people are nobody."""
    store.write(
        [
            document(1),
            document(2, user_id="ada.moss"),
            document(3, user_id="unknown_user_id"),
            document(4, bot_name="VeraTeams"),
        ]
    )

    rows = store.stats(["bot"], Search())

    assert rows == [
        StatsRow(("VeraSlack",), 3, 2, 1_795_532_641_000, 1_795_532_643_000),
        StatsRow(("VeraTeams",), 1, 1, 1_795_532_644_000, 1_795_532_644_000),
    ]


def test_a_record_counts_once_in_its_topic(store):
    """A topic in question and answer is one record; no topic is no group."""
    store.write(
        [
            document(1, topics=["salary@query", "salary@response"]),
            document(2, topics=["health@query"], signals=["a:b"]),
            document(3),
        ]
    )

    rows = store.stats(["topic", "signal"], Search())
    topics = store.stats(["topic"], Search(limit=1))

    assert [row.key for row in rows] == [("health", "a:b")]
    assert [(row.key, row.count) for row in topics] == [
        (("health",), 1),
        (("salary",), 1),
    ]


@pytest.mark.parametrize(
    ("period", "names"),
    [
        pytest.param("day", ["2026-10-25", "2026-10-26"], id="day"),
        pytest.param(
            "hour",
            ["2026-10-25 02:00+0100", "2026-10-25 02:00+0200", "2026-10-26 00:00+0100"],
            id="hour-twice",
        ),
        pytest.param("week", ["2026-W43", "2026-W44"], id="week"),
        pytest.param("month", ["2026-10"], id="month"),
    ],
)
def test_periods_are_those_of_the_analysts_zone(store, period, names):
    """Days begin at local midnight; the doubled hour is two hours."""
    times = ("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T23:30:00Z")
    store.write([document(n, **{"@timestamp": t}) for n, t in enumerate(times)])

    rows = store.stats([period], Search(zone=BERLIN))

    assert [row.key[0] for row in rows] == names


@pytest.mark.parametrize("name", list(DIMENSIONS))
def test_every_dimension_can_be_counted_by(store, name):
    """What the table promises works, with the field it names."""
    field = DIMENSIONS[name]
    value = ["label"] if field in {"topics", "signals"} else "value"
    changes = {} if field == "@timestamp" else {field: value}
    store.write([document(1, **changes)])

    rows = store.stats([name], Search(record_types=("value", "interaction")))

    assert len(rows) == 1
    assert rows[0].count == 1


def test_nothing_found_is_no_group(store):
    """An empty store has no rows, also without dimensions."""
    assert store.stats([], Search()) == []
    assert store.stats(["bot"], Search()) == []


def test_missing_values_are_a_group_of_their_own(store):
    """Records without the field are counted, under an empty name."""
    store.write([document(1, department=None)])

    assert store.stats(["department"], Search())[0].key == ("",)


def test_more_documents_than_a_batch_are_all_written(store):
    """Batches are an inner matter; a generator is enough."""
    assert store.write({"document_id": f"{n:032x}"} for n in range(1_203)) == 1_203

    assert len(list(store.search(Search()))) == 1_203


def test_an_error_keeps_the_earlier_batches_and_undoes_its_own(store):
    """A batch is all or nothing."""

    def documents():
        for number in range(700):
            yield {"document_id": f"{number:032x}"}
        raise KeyError("the source broke")

    with pytest.raises(KeyError):
        store.write(documents())

    assert len(list(store.search(Search()))) == 500


def test_a_failing_batch_is_rolled_back(store, monkeypatch):
    """A fault in the middle leaves no half of a batch and no open transaction."""
    put, count = store._put, iter(range(10))

    def failing(row, labels):
        if next(count) == 2:
            raise sqlite3.OperationalError("database or disk is full")
        put(row, labels)

    monkeypatch.setattr(store, "_put", failing)
    with pytest.raises(StoreWriteError, match="cannot be written to"):
        store.write([document(n) for n in range(4)])
    monkeypatch.undo()

    assert ids(store) == []
    assert store.write([document(1)]) == 1


def test_reading_goes_on_while_another_writes(store, tmp_path):
    """A search sees what was there when its transaction began, and no error."""
    store.write([document(1)])

    with SqliteStore(tmp_path / "audit.db", is_read_only=True) as reader:
        store.write([document(2)])

        assert ids(reader) == [1, 2]


def test_a_read_only_store_refuses_to_write(store, tmp_path):
    """The analyst's tool can change no evidence."""
    with (
        SqliteStore(tmp_path / "audit.db", is_read_only=True) as reader,
        pytest.raises(StoreWriteError, match="READONLY"),
    ):
        reader.write([document(1)])


def test_a_damaged_document_is_a_clear_error_without_content(store):
    """What cannot be read is said so, and not repeated."""
    store.write([document(1)])
    store._connection.execute("UPDATE records SET document = 'secret {'")

    with pytest.raises(StoreUnreadableError, match="damaged") as caught:
        list(store.search(Search()))

    assert "secret" not in str(caught.value)


def test_a_damaged_file_is_a_clear_error(tmp_path):
    """Pages overwritten with noise end in one error, not in a crash."""
    path = tmp_path / "audit.db"
    with SqliteStore(path) as store:
        store.write(document(n) for n in range(50))
    content = path.read_bytes()
    path.write_bytes(content[:4_096] + b"\xaa" * (len(content) - 4_096))

    with (
        pytest.raises(StoreError),
        SqliteStore(path, is_read_only=True) as store,
    ):
        list(store.search(Search()))


def test_a_closed_store_says_so(store):
    """Use after the end is an error of ours; closing twice is none."""
    store.close()
    store.close()

    with pytest.raises(StoreUnreadableError):
        store.conversation("c1")


def test_a_number_beyond_64_bits_is_a_clear_error(store):
    """An absurd time is refused in a sentence."""
    with pytest.raises(StoreUnreadableError, match="OverflowError"):
        ids(store, since_ms=2**70)


def test_days_of_an_unknown_time_do_not_stop_a_count(store):
    """A document without any time is filed under 1970."""
    store.write([{"document_id": "x" * 32}])

    rows = store.stats(["day"], Search(zone=dt.UTC))

    assert rows[0].key == ("1970-01-01",)
