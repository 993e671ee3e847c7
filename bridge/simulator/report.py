"""What a simulation tells a person: a table of what happened before it failed, and one line of figures."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.simulator.acts import table
from bridge.simulator.run import Outcome


def failure(outcome: Outcome) -> str:
    """Return a failing run as text: its seed, what was violated, and what happened, acts and strikes in their order."""
    order = outcome.order
    acts = f"the first {len(outcome.acts)} acts" if order.acts is not None else f"all {len(outcome.acts)} acts"
    lines = [f"Seed {order.seed} fails ({order.people} people, {order.days:g} days, {acts}):"]
    lines += [f"  {violation}" for violation in outcome.violations]
    lines += ["", *happened(outcome)]
    return "\n".join(lines)


def happened(outcome: Outcome) -> list[str]:
    """Return the table of what people did, with what struck between."""
    head, *rows = table(outcome.acts).splitlines()
    timed = [(act.at, row) for act, row in zip(outcome.acts, rows, strict=True)]
    timed += [(strike.at, f"{'':>5}  {strike.at:%d %H:%M:%S}  -- {strike.what}") for strike in outcome.strikes]
    return [head, *(row for _, row in sorted(timed, key=lambda one: one[0]))]


def figures(outcomes: Sequence[Outcome], seconds: float) -> str:
    """Return the last line: what was simulated, and how fast.

    Args:
        outcomes: the runs.
        seconds: how long they took.
    """
    events, polls, faults, crashes = (
        sum(getattr(one, name) for one in outcomes) for name in ("events", "polls", "faults", "crashes")
    )
    days = sum(one.virtual_days for one in outcomes)
    failed = sum(1 for one in outcomes if one.violations)
    seeds = f"{len(outcomes)} seed{'s' if len(outcomes) != 1 else ''}, {failed} failed"
    pace = days / seconds if seconds else 0.0
    return (
        f"{seeds}: {events} events, {polls} polls, {faults} faults, {crashes} crashes, {pace:.1f} virtual days a second"
    )
