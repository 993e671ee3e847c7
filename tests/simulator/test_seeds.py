"""A fixed set of simulations, and those that failed once; ``make simulate ARGS="--seeds 1..1000"`` plays many more."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from bridge.simulator.play import workshop
from bridge.simulator.run import Order, Outcome

FIXED = (1, 2, 3, 4, 5, 6, 7, 8)
DAYS, PEOPLE = 0.7, 4

FAILED_ONCE: tuple[tuple[str, Order], ...] = (
    ("a mail whose person wanted only new ones was written after a second look", Order(4, 0.5, 2)),
    ("a refused refresh counted as one that took effect", Order(104, 1.5, 4)),
)
"""What was at fault, and the order that showed it. Every later change of who does what makes another run of it."""


@pytest.fixture(scope="module")
def play() -> Iterator[Callable[[Order], Outcome]]:
    with workshop() as made:
        yield made


@pytest.mark.parametrize("seed", FIXED)
def test_nothing_is_lost_nothing_stands_twice_and_nobody_waits_in_silence(
    play: Callable[[Order], Outcome], seed: int
) -> None:
    outcome = play(Order(seed, DAYS, PEOPLE))
    assert [str(violation) for violation in outcome.violations] == []
    assert outcome.polls > 50


@pytest.mark.parametrize(("fault", "order"), FAILED_ONCE)
def test_what_failed_once_holds(play: Callable[[Order], Outcome], fault: str, order: Order) -> None:
    assert [str(violation) for violation in play(order).violations] == [], fault


def test_without_any_strike_all_is_well_too(play: Callable[[Order], Outcome]) -> None:
    outcome = play(Order(11, DAYS, PEOPLE, kinds=frozenset()))
    assert [str(violation) for violation in outcome.violations] == []
    assert (outcome.faults, outcome.crashes) == (0, 0)
