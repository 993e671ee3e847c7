from __future__ import annotations

import threading
from contextlib import ExitStack

import pytest

from bridge.clock import VirtualClock
from bridge.errors import PauseScope, RateLimited
from bridge.sync.budget import AT_ONCE, Budgets, SiteBudget

from support.sync import NOW


@pytest.mark.scenario("A5")
def test_a_sixth_request_waits_for_a_place() -> None:
    budget = SiteBudget(VirtualClock(NOW))
    inside, enough, leave = [0], threading.Event(), threading.Event()
    most = [0]
    lock = threading.Lock()

    def work() -> None:
        with budget.hold():
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                if inside[0] == 5:
                    enough.set()
            leave.wait(10)
            with lock:
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(12)]
    for one in threads:
        one.start()
    assert enough.wait(10)
    leave.set()
    for one in threads:
        one.join(10)
    assert (most[0], inside[0]) == (5, 0)


def test_in_a_pause_nothing_is_sent_and_the_rest_of_it_is_told() -> None:
    clock = VirtualClock(NOW)
    budget = SiteBudget(clock)
    budget.paused(30, "site")
    clock.advance(10)
    with pytest.raises(RateLimited) as raised, budget.hold():
        pass
    assert (raised.value.retry_after, raised.value.scope, raised.value.provider) == (20, "site", "atlassian")
    clock.advance(20)
    with budget.hold():
        pass
    assert budget.left() == 0


def test_a_shorter_pause_does_not_end_a_longer_one_and_none_is_longer_than_an_hour() -> None:
    clock = VirtualClock(NOW)
    budget = SiteBudget(clock)
    budget.paused(60, "site")
    budget.paused(5, "site")
    assert budget.left() == 60
    budget.paused(100_000, "app")
    assert budget.left() == 3600


def _hit(budget: SiteBudget, clock: VirtualClock) -> float:
    """A request whose answer is a rate limit without a length, as the client does it; return the pause."""
    with budget.hold():
        pass
    budget.paused(None, "site")
    left = budget.left()
    clock.advance(left)
    return left


def test_pauses_without_a_length_double_while_the_site_goes_on_refusing() -> None:
    clock = VirtualClock(NOW)
    budget = SiteBudget(clock)
    assert [_hit(budget, clock) for _ in range(12)] == [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]


def test_pauses_begin_anew_once_the_site_went_on_without_one() -> None:
    clock = VirtualClock(NOW)
    budget = SiteBudget(clock)
    assert [_hit(budget, clock) for _ in range(3)] == [5, 10, 20]
    clock.advance(21)
    assert _hit(budget, clock) == 5


def test_a_request_that_raises_gives_its_place_back() -> None:
    budget = SiteBudget(VirtualClock(NOW), at_once=1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), budget.hold():
            raise ZeroDivisionError


def test_each_person_has_one_budget_at_a_site() -> None:
    budgets = Budgets(VirtualClock(NOW))
    assert budgets.of("a", 1) is budgets.of("a", 1)
    assert budgets.of("a", 1) is not budgets.of("b", 1)


@pytest.mark.parametrize(
    ("scope", "resting"),
    [
        ("person", {("a", 1)}),
        ("site", {("a", 1), ("a", 2)}),
        ("app", {("a", 1), ("a", 2), ("b", 1), ("b", 2)}),
    ],
)
def test_a_pause_holds_for_whom_the_provider_named_and_for_nobody_else(
    scope: PauseScope, resting: set[tuple[str, int]]
) -> None:
    budgets = Budgets(VirtualClock(NOW))
    everybody = [(site, grant) for site in ("a", "b") for grant in (1, 2)]
    budgets.of("a", 1).paused(30, scope)
    assert {one for one in everybody if budgets.of(*one).left() == 30} == resting
    for one in everybody:
        if one in resting:
            with pytest.raises(RateLimited) as raised, budgets.of(*one).hold():
                pass
            assert (raised.value.scope, raised.value.retry_after) == (scope, 30)
        else:
            with budgets.of(*one).hold():
                pass


def test_a_sites_five_places_are_everybodys() -> None:
    budgets = Budgets(VirtualClock(NOW))
    with ExitStack() as held:
        for grant in range(AT_ONCE):
            held.enter_context(budgets.of("a", grant).hold())
        assert not budgets.of("a", 9)._places.acquire(blocking=False)
        assert budgets.of("b", 9)._places.acquire(blocking=False)
