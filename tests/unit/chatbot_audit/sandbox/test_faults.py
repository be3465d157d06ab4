"""Knobs for what goes wrong."""

from __future__ import annotations

from chatbot_audit.sandbox.faults import Countdown, seeded_positions


def test_a_countdown_says_yes_so_often_and_then_no():
    """A fault ends, so that a run does."""
    countdown = Countdown(2)

    taken = [countdown.take() for _ in range(4)]

    assert taken == [True, True, False, False]


def test_a_countdown_can_be_set_again():
    """A test turns a knob as it goes."""
    countdown = Countdown()
    countdown.set(1)

    assert [countdown.take(), countdown.take()] == [True, False]


def test_a_countdown_can_choose_by_chance():
    """The same seed says yes to the same questions, and in the end no more."""
    one, two = (Countdown(5, share=0.3, seed=7) for _ in range(2))

    taken = [one.take() for _ in range(100)]

    assert taken == [two.take() for _ in range(100)]
    assert sum(taken) == 5
    assert taken[:5] != [True] * 5
    assert not any(Countdown(5, share=0).take() for _ in range(100))


def test_a_seed_chooses_the_same_victims():
    """The same seed fails the same positions, another one others."""
    first = seeded_positions(1, 500, 0.1)

    assert first == seeded_positions(1, 500, 0.1)
    assert first != seeded_positions(2, 500, 0.1)
    assert 20 < len(first) < 90
    assert seeded_positions(1, 500, 0) == frozenset()
    assert len(seeded_positions(1, 500, 1)) == 500
