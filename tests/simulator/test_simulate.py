from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from bridge.cli.main import app
from bridge.simulator import play as playing
from bridge.simulator.acts import Act
from bridge.simulator.model_case import Violation
from bridge.simulator.report import failure, figures, happened
from bridge.simulator.run import ALL, Order, Outcome
from bridge.simulator.shrink import shortest
from bridge.simulator.strikes import Strike

Play = Callable[[Order], Outcome]
NOON = datetime(2026, 4, 20, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def play() -> Iterator[Play]:
    with playing.workshop() as made:
        yield made


def outcome(acts: int, *, fails: bool, seed: int = 7) -> Outcome:
    made = [Act(number, NOON.replace(minute=number), "ada@example.com", "write", "c1") for number in range(1, acts + 1)]
    return Outcome(
        order=Order(seed, 2.0, 4),
        violations=(Violation("nothing lost", "m1 stands nowhere.", "c1", (2,)),) if fails else (),
        acts=tuple(made),
        strikes=(Strike(NOON.replace(minute=1, second=30), "left is killed"),),
        events=3,
        polls=20,
        faults=2,
        crashes=1,
        virtual_days=2.5,
        requests=40,
        digest="d",
    )


def test_one_seed_is_one_exact_replay(play: Play) -> None:
    order = Order(3, 0.6, 3)
    first, second = play(order), play(order)
    assert first == second
    assert first.requests > 50
    assert play(replace(order, seed=4)).digest != first.digest


def test_a_run_that_ends_earlier_is_the_same_up_to_there(play: Play) -> None:
    order = Order(5, 0.6, 3)
    whole = play(order)
    part = play(replace(order, acts=12))
    assert part.acts[:12] == whole.acts[:12]
    assert part.virtual_days < whole.virtual_days


def test_another_process_with_other_hashes_replays_the_same() -> None:
    script = (
        "from bridge.simulator.play import workshop\n"
        "from bridge.simulator.run import Order\n"
        "with workshop() as play:\n"
        "    print(play(Order(2, 0.4, 3)).digest)\n"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_the_shortest_beginning_that_fails_is_found() -> None:
    tried = []

    def simulate(order: Order) -> Outcome:
        assert order.acts is not None
        tried.append(order.acts)
        return outcome(order.acts, fails=order.acts >= 13)

    found = shortest(outcome(40, fails=True), simulate)
    assert len(found.acts) == 13
    assert len(tried) <= 6


def test_where_no_shorter_run_fails_the_whole_one_is_told() -> None:
    whole = outcome(9, fails=True)
    assert shortest(whole, lambda order: outcome(order.acts or 0, fails=False)) == whole


def test_a_failure_tells_seed_rule_and_what_happened_in_its_order() -> None:
    text = failure(outcome(3, fails=True)).splitlines()
    assert text[0] == "Seed 7 fails (4 people, 2 days, all 3 acts):"
    assert text[1] == "  nothing lost: m1 stands nowhere. (c1) Acts 2."
    assert text[3].split() == ["#", "day", "and", "time", "who", "what", "conv.", "details"]
    assert [line.split()[0] for line in text[4:]] == ["1", "20", "2", "3"]
    assert text[5].endswith("20 12:01:30  -- left is killed")
    assert happened(outcome(0, fails=False))[1:] == [text[5]]


def test_the_last_line_gives_all_figures() -> None:
    two = [outcome(3, fails=True), outcome(3, fails=False)]
    assert figures(two, 2.0) == (
        "2 seeds, 1 failed: 6 events, 40 polls, 4 faults, 2 crashes, 2.5 virtual days a second"
    )


def test_the_command_plays_seeds_and_says_so_in_one_line() -> None:
    told = CliRunner().invoke(app, ["simulate", "--seeds", "1..2", "--days", "0.2", "--people", "2"])
    assert told.exit_code == 0, told.output
    last = told.output.splitlines()[-1]
    assert last.startswith("2 seeds, 0 failed: ")
    assert last.endswith(" virtual days a second")


def test_the_command_ends_with_1_where_a_seed_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def workshop() -> Iterator[Play]:
        yield lambda order: outcome(order.acts or 9, fails=(order.acts or 9) >= 5)

    monkeypatch.setattr(playing, "workshop", workshop)
    told = CliRunner().invoke(app, ["simulate", "--seed", "7"])
    assert told.exit_code == 1
    assert "Seed 7 fails" in told.output
    assert told.output.count(" write ") == 5
    assert "1 seed, 1 failed: " in told.output.splitlines()[-1]


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--seeds", "9..1", "Write two numbers with two dots between them"),
        ("--strikes", "rain", "There is no strike named rain."),
    ],
)
def test_a_wrong_word_is_told(option: str, value: str, sentence: str) -> None:
    told = CliRunner().invoke(app, ["simulate", option, value])
    assert told.exit_code == 2
    assert sentence in " ".join(told.output.split())


def test_every_kind_of_strike_is_known_to_the_command() -> None:
    assert {"fault", "kill", "stop", "sleep", "reboot", "clock", "backup", "restore"} == ALL
