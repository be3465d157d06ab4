"""Acknowledgements."""

from __future__ import annotations

from chatbot_audit.sandbox.faults import HecFaults
from chatbot_audit.sandbox.hec.acks import AckBook


def test_a_true_is_told_once():
    """Who asks again for what was acknowledged hears no."""
    book = AckBook(HecFaults())
    ack_id = book.add("c", "i")

    assert [book.ask("c", ack_id, "i") for _ in range(3)] == [True, False, False]


def test_each_channel_counts_for_itself():
    """Ids begin at 0 in each channel, and one channel's are not another's."""
    book = AckBook(HecFaults())

    ids = [book.add(channel, "i") for channel in ("a", "a", "b")]

    assert ids == [0, 1, 0]
    assert book.ask("b", 1, "i") is False


def test_a_slow_one_takes_its_time():
    """An acknowledgement comes after so many questions."""
    book = AckBook(HecFaults(slow_ack_polls=2))
    ack_id = book.add("c", "i")

    assert [book.ask("c", ack_id, "i") for _ in range(3)] == [False, False, True]


def test_a_lost_one_never_comes():
    """One acknowledgement is lost, the next is not."""
    faults = HecFaults()
    faults.lost_acks.set(1)
    book = AckBook(faults)
    lost, fine = book.add("c", "i"), book.add("c", "i")

    assert not any(book.ask("c", lost, "i") for _ in range(5))
    assert book.ask("c", fine, "i")


def test_only_the_indexer_that_took_the_events_knows():
    """A question that reaches another indexer is answered no, and not used up."""
    book = AckBook(HecFaults())
    ack_id = book.add("c", "first")

    assert book.ask("c", ack_id, "second") is False
    assert book.ask("c", ack_id, "first") is True


def test_without_a_balancer_any_indexer_knows():
    """A single server needs no cookie."""
    book = AckBook(HecFaults(is_sticky=False))

    assert book.ask("c", book.add("c", "first"), "second")
