"""The hash chain: one a process and stream, without holes, new after a fork."""

from __future__ import annotations

import hashlib
import json

from emitter import chain
from emitter.chain import PLACEHOLDER, ChainRegistry
from tests.factories import make_record


def seal(registry, stream="s", **changes):
    record = make_record(**PLACEHOLDER, **changes)
    return registry.seal(record, "/g", stream)


def test_each_line_names_the_one_before_it():
    """The hash is of the full line, the count goes up by one, the id stays."""
    registry = ChainRegistry()

    lines = [seal(registry, user_query=str(number)) for number in range(4)]

    records = [json.loads(line) for line in lines]
    assert "prev_sha256" not in records[0]
    assert [record["seq"] for record in records] == [1, 2, 3, 4]
    assert len({record["chain_id"] for record in records}) == 1
    for line, following in zip(lines, records[1:], strict=False):
        assert following["prev_sha256"] == hashlib.sha256(line).hexdigest()


def test_streams_have_chains_of_their_own():
    """Two sessions of one process do not share a count."""
    registry = ChainRegistry()

    one, two = seal(registry, "one"), seal(registry, "two")

    assert json.loads(one)["seq"] == json.loads(two)["seq"] == 1
    assert json.loads(one)["chain_id"] != json.loads(two)["chain_id"]


def test_a_forked_child_begins_anew():
    """Its first line is the first of another chain."""
    registry = ChainRegistry()
    before = json.loads(seal(registry))

    registry.begin_anew()

    after = json.loads(seal(registry))
    assert after["seq"] == 1
    assert after["chain_id"] != before["chain_id"]
    assert "prev_sha256" not in after


def test_the_registry_is_bounded(monkeypatch):
    """A bot that names every session itself does not fill the memory."""
    monkeypatch.setattr(chain, "MAX_CHAINS", 2)
    registry = ChainRegistry()
    for stream in ("one", "two", "one", "three"):
        seal(registry, stream)

    assert json.loads(seal(registry, "one"))["seq"] == 3
    assert json.loads(seal(registry, "two"))["seq"] == 1


def test_real_values_are_no_longer_than_their_placeholders():
    """A record fitted with placeholders fits with the real values too."""
    record = make_record(**PLACEHOLDER)
    registry = ChainRegistry()
    seal(registry)

    line = registry.seal(record, "/g", "s")

    assert len(line) <= len(json.dumps(dict(record), separators=(",", ":")))
