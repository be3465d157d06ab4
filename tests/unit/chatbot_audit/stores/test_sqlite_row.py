"""A document as rows."""

from __future__ import annotations

import pytest

from chatbot_audit.stores.sqlite_row import make_labels, make_row


@pytest.mark.parametrize(
    ("times", "epoch_ms"),
    [
        pytest.param({"@timestamp": "1970-01-01T00:00:01.500Z"}, 1_500, id="index"),
        pytest.param(
            {
                "@timestamp": "1970-01-01T00:00:01.000Z",
                "timestamp": "1970-01-01T00:00:09.000Z",
            },
            1_000,
            id="index-before-claim",
        ),
        pytest.param({"timestamp": "1970-01-01T00:00:02Z"}, 2_000, id="claim"),
        pytest.param({"@timestamp": "1970-01-01T02:00:00+02:00"}, 0, id="other-offset"),
        pytest.param({"@timestamp": "1970-01-01T00:00:03"}, 3_000, id="no-offset"),
        pytest.param({"@timestamp": "soon"}, 0, id="unreadable"),
        pytest.param({"@timestamp": 12}, 0, id="no-text"),
        pytest.param({}, 0, id="none"),
    ],
)
def test_files_a_document_under_its_index_time(times, epoch_ms):
    """CloudWatch's time counts before the bot's own claim."""
    assert make_row(times)["ts"] == epoch_ms


def test_a_document_without_id_is_known_by_its_bytes():
    """Two equal documents are one, two different ones are two."""
    first, again = make_row({"a": 1}), make_row({"a": 1})

    assert first["document_id"] == again["document_id"]
    assert first["document_id"] != make_row({"a": 2})["document_id"]


def test_a_field_of_a_wrong_type_is_no_column_but_stays_in_the_document():
    """Quarantined records hold anything; nothing of it is lost or fatal."""
    row = make_row({"user_id": 5, "bot_name": ["x"], "record_type": None})

    assert row["user_id"] is None
    assert row["record_type"] == "interaction"
    assert row["document"] == b'{"user_id":5,"bot_name":["x"],"record_type":null}'


def test_labels_have_the_stem_of_their_family():
    """Topics lose their place, signals what follows the colon."""
    document = {
        "topics": ["Salary@query", "salary@query", 5, "", "plain"],
        "signals": ["injection:role_play"],
    }

    assert list(make_labels(document)) == [
        ("topic", "salary@query", "salary"),
        ("topic", "plain", "plain"),
        ("signal", "injection:role_play", "injection"),
    ]


def test_labels_of_a_wrong_type_are_none():
    """A text in place of a list is no list of letters."""
    assert list(make_labels({"topics": "salary"})) == []
