"""``mailbridge simulate``: play a company's days from a seed. Hidden: it is for those who change the program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.output import FAILED

if TYPE_CHECKING:
    from bridge.simulator.run import Outcome


def simulate(
    seed: Annotated[int, typer.Option(help="The seed: it alone decides what happens.")] = 1,
    days: Annotated[float, typer.Option(help="How many virtual days.", min=0.01)] = 2.0,
    people: Annotated[int, typer.Option(help="How many people.", min=1)] = 4,
    seeds: Annotated[str, typer.Option(metavar="A..B", help="Many seeds, in place of --seed.")] = "",
    strikes: Annotated[str, typer.Option(help="Which strikes: 'all', 'none', or names with commas.")] = "all",
    acts: Annotated[int, typer.Option(help="Stop after so many acts; 0 for the whole time.", min=0)] = 0,
    shrink: Annotated[bool, typer.Option(help="Look for the shortest beginning that fails.")] = True,
    verbose: Annotated[bool, typer.Option("--verbose", help="Tell what happened, also where nothing failed.")] = False,
) -> None:
    """Play a company's days from a seed, with faults and crashes, and judge what stands at the end."""
    from bridge.clock import SystemClock
    from bridge.simulator.play import workshop
    from bridge.simulator.report import failure, figures, happened
    from bridge.simulator.run import Order
    from bridge.simulator.shrink import shortest

    clock = SystemClock()
    outcomes: list[Outcome] = []
    began = clock.monotonic()
    with workshop() as play:
        for one in _seeds(seeds, seed):
            outcome = play(Order(one, days, people, _kinds(strikes), acts or None))
            outcomes.append(outcome)
            if outcome.violations:
                typer.echo(failure(shortest(outcome, play) if shrink else outcome))
            elif verbose:
                typer.echo("\n".join([f"Seed {one}: {outcome.digest[:16]}", *happened(outcome)]))
    typer.echo(figures(outcomes, clock.monotonic() - began))
    if any(outcome.violations for outcome in outcomes):
        raise typer.Exit(FAILED)


def _seeds(text: str, one: int) -> range:
    if not text:
        return range(one, one + 1)
    first, dots, last = text.partition("..")
    if not dots or not first.isdecimal() or not last.isdecimal() or int(last) < int(first):
        raise typer.BadParameter("Write two numbers with two dots between them, as 1..1000.", param_hint="--seeds")
    return range(int(first), int(last) + 1)


def _kinds(text: str) -> frozenset[str]:
    from bridge.simulator.strikes import A_DAY

    if text in ("all", "none"):
        return frozenset(A_DAY if text == "all" else ())
    named = frozenset(word.strip() for word in text.split(","))
    unknown = sorted(named - A_DAY.keys())
    if unknown:
        known = ", ".join(A_DAY)
        raise typer.BadParameter(f"There is no strike named {unknown[0]}. Use {known}.", param_hint="--strikes")
    return named
