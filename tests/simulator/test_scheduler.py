from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from bridge.clock import VirtualClock
from bridge.simulator.scheduler import NEVER, Scheduler, Stopped, Worker

START = datetime(2026, 4, 20, tzinfo=UTC)


def made(seed: int = 1) -> Scheduler:
    return Scheduler(Random(seed), VirtualClock(START))


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    one = made()
    yield one
    one.close()


def interleaved(seed: int) -> list[str]:
    scheduler, said = made(seed), list[str]()

    def walk(name: str) -> None:
        for step in range(5):
            said.append(f"{name}{step}")
            scheduler.point("step")

    for name in "abc":
        scheduler.start(name, lambda name=name: walk(name))  # type: ignore[misc]
    scheduler.run_until(1.0)
    scheduler.close()
    return said


def test_the_seed_alone_decides_who_goes_on() -> None:
    assert interleaved(7) == interleaved(7)
    assert len({tuple(interleaved(seed)) for seed in range(10)}) > 5
    for name in "abc":
        assert [step for step in interleaved(7) if step[0] == name] == [f"{name}{step}" for step in range(5)]


def test_time_passes_only_while_nobody_can_go_on(scheduler: Scheduler) -> None:
    said = []

    def slow() -> None:
        scheduler.point("wait", 30.0)
        said.append(("slow", scheduler.now))

    def quick() -> None:
        scheduler.point("wait", 1.5)
        said.append(("quick", scheduler.now))

    scheduler.start("slow", slow)
    scheduler.start("quick", quick, delay=2.0)
    scheduler.run_until(10.0)
    assert said == [("quick", 3.5)]
    assert scheduler.clock.now() == START + timedelta(seconds=10)
    scheduler.run_until(60.0)
    assert said == [("quick", 3.5), ("slow", 30.0)]
    assert (scheduler.busy(), scheduler.soonest()) == (0, NEVER)


def test_outside_of_a_worker_time_just_passes(scheduler: Scheduler) -> None:
    scheduler.point("a request", 2.5)
    assert (scheduler.now, scheduler.points) == (2.5, 0)


def test_what_a_worker_raises_comes_out(scheduler: Scheduler) -> None:
    def fails() -> None:
        raise ValueError("mine")

    scheduler.start("fails", fails)
    with pytest.raises(ValueError, match="mine"):
        scheduler.run_until(1.0)


def test_nobody_stands_at_a_point_inside_of_a_transaction(scheduler: Scheduler) -> None:
    def writes() -> None:
        assert scheduler.current is not None
        scheduler.current.writing = True
        try:
            scheduler.point("before GET")
        except Exception:
            pytest.fail("the product must not be able to catch it")

    scheduler.start("writer", writes)
    with pytest.raises(RuntimeError, match=r"writer would wait \(before GET\) inside of an open transaction"):
        scheduler.run_until(1.0)


def test_a_kill_ends_a_program_where_it_stands_and_nothing_of_it_runs_any_more(scheduler: Scheduler) -> None:
    said = list[str]()

    def lives(name: str) -> None:
        try:
            scheduler.point("wait", 5.0)
            said.append(f"{name} went on")
        except Exception:
            said.append("caught")
        finally:
            said.append(f"{name} unwinds")
            scheduler.point("before commit")
            said.append(f"{name} committed")

    for name in ("one", "two"):
        scheduler.start(name, lambda name=name: lives(name), group="left")  # type: ignore[misc]
    scheduler.start("other", lambda: lives("other"), group="right")
    scheduler.start("late", lambda: said.append("late"), group="left", delay=3.0)
    scheduler.run_until(1.0)
    scheduler.kill("left")
    assert sorted(said) == ["one unwinds", "two unwinds"]
    assert (scheduler.busy("left"), scheduler.busy("right")) == (0, 1)
    scheduler.run_until(10.0)
    assert said[2:] == ["other went on", "other unwinds", "other committed"]


def test_a_worker_can_be_killed_at_its_own_point(scheduler: Scheduler) -> None:
    said = list[str]()

    def at_point(worker: Worker, what: str) -> None:
        if what == "here":
            scheduler.kill(worker.group)

    def lives() -> None:
        scheduler.point("there")
        said.append("there")
        with pytest.raises(Stopped):
            scheduler.point("here")
        raise Stopped

    scheduler.at_point = at_point
    scheduler.start("one", lives, group="left")
    scheduler.run_until(1.0)
    assert (said, scheduler.busy()) == (["there"], 0)


def test_a_stopped_program_stands_still_but_what_it_has_sent_arrives(scheduler: Scheduler) -> None:
    said = list[tuple[str, float]]()

    def sends() -> None:
        scheduler.point("before POST", 1.0, sent=True)
        said.append(("arrived", scheduler.now))
        scheduler.point("after POST", 1.0)
        said.append(("answered", scheduler.now))

    def thinks() -> None:
        scheduler.point("before commit", 1.0)
        said.append(("thought", scheduler.now))

    scheduler.start("sends", sends, group="left")
    scheduler.start("thinks", thinks, group="left")
    scheduler.run_until(0.5)
    scheduler.hold("left", 100.0)
    scheduler.start("begins", lambda: said.append(("begun", scheduler.now)), group="left")
    scheduler.run_until(200.0)
    assert said[0] == ("arrived", 1.0)
    assert sorted(said[1:]) == [("answered", 100.5), ("begun", 100.5), ("thought", 100.5)]


def test_a_lock_lets_others_go_on_while_its_holder_waits(scheduler: Scheduler) -> None:
    lock, said = scheduler.lock(), list[str]()

    def holds(name: str) -> None:
        with lock:
            said.append(f"{name} has it")
            scheduler.point("before POST", 5.0)
            said.append(f"{name} gives it")

    for name in ("one", "two"):
        scheduler.start(name, lambda name=name: holds(name))  # type: ignore[misc]
    scheduler.start("other", lambda: said.append("other"), delay=1.0)
    scheduler.run_until(20.0)
    first = said[0][:3]
    second = "two" if first == "one" else "one"
    assert said == [f"{first} has it", "other", f"{first} gives it", f"{second} has it", f"{second} gives it"]


def test_a_lock_is_free_after_its_holder_was_killed(scheduler: Scheduler) -> None:
    lock, said = scheduler.lock(), list[str]()

    def holds() -> None:
        with lock:
            scheduler.point("before POST", 5.0)

    scheduler.start("one", holds, group="left")
    scheduler.run_until(1.0)
    scheduler.kill("left")
    with lock:
        said.append("mine")
    assert said == ["mine"]


def test_a_wait_can_be_made_shorter(scheduler: Scheduler) -> None:
    said = []

    def ticks() -> None:
        scheduler.point("tick", 600.0)
        said.append(scheduler.now)

    scheduler.start("ticks", ticks, group="left")
    scheduler.run_until(10.0)
    scheduler.hasten("left", "tick", 2.0)
    scheduler.hasten("left", "tick", 50.0)
    scheduler.run_until(100.0)
    assert said == [12.0]
