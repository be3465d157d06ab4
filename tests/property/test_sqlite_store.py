"""Whatever people write or type: the store finds it, and never stumbles."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from audit_record.codec import dumps, loads
from chatbot_audit.stores.fold import fold_text
from chatbot_audit.stores.model import Search
from chatbot_audit.stores.sqlite import SqliteStore
from tests.factories import make_values
from tests.strategies import json_values, record_values, texts


def new_store():
    folder = tempfile.TemporaryDirectory()
    return folder, SqliteStore(Path(folder.name) / "audit.db")


@given(text=texts, other=texts)
def test_any_text_finds_the_record_it_came_from(text, other):
    """A record is found by its own question, as a phrase and by its words."""
    folder, store = new_store()
    with folder, store:
        store.write(
            [
                make_values(document_id="a" * 32, user_query=text),
                make_values(document_id="b" * 32, user_query=other),
            ]
        )

        found = {
            is_phrase: {
                d["document_id"]
                for d in store.search(Search(text=text, phrase=is_phrase))
            }
            for is_phrase in (True, False)
        }

    if fold_text(text).strip():
        assert "a" * 32 in found[True]
        assert "a" * 32 in found[False]


@given(typed=texts)
def test_no_input_of_a_person_raises_or_changes_anything(typed):
    """Whatever is typed into any option is only ever compared."""
    folder, store = new_store()
    with folder, store:
        store.write([make_values(document_id="a" * 32)])
        before = list(store.search(Search()))

        for name in ("user", "bot", "topic", "signal", "outcome", "department"):
            list(store.search(Search(**{name: typed})))
        list(store.search(Search(record_types=(typed,))))
        store.show(typed)
        store.conversation(typed)
        store.stats(["user", "day"], Search(text=typed))

        assert list(store.search(Search())) == before


@given(values=record_values, extra=json_values)
def test_any_document_is_kept_as_its_json_says(values, extra):
    """Whatever a document holds, its JSON comes back, and is stored once."""
    document = values | {"document_id": "a" * 32, "extra": extra}
    folder, store = new_store()
    with folder, store:
        store.write([document, document])

        found = list(store.show("a" * 32))

    assert found == [loads(dumps(document))]


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from(["ssl", "vpn", "tax", "ssl vpn"])),
        max_size=20,
    )
)
def test_the_word_index_says_what_a_scan_says(writes):
    """After any sequence of overwrites the index knows the last texts, no others."""
    folder, store = new_store()
    with folder, store:
        for number, text in writes:
            store.write(
                [
                    make_values(
                        document_id=f"{number:032x}",
                        user_query=text,
                        full_conversation="",
                    )
                ]
            )
        found = {d["document_id"] for d in store.search(Search(text="ssl"))}
        scanned = {
            d["document_id"]
            for d in store.search(Search())
            if "ssl" in d["user_query"].split()
        }

    assert found == scanned
