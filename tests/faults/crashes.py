"""``make crashes``: the daemon is killed before and after every request and every commit, and started again.

Its process is killed by SIGKILL before a request is sent, after it was sent (also so that it takes effect a minute
later), after its answer came, and before and after each commit; or it is stopped (SIGSTOP) where an intent is
committed, and woken when its leases are over and another one has done its work. The next daemon must bring both
services to what a run without a kill brings them to, ids and times aside; nothing may be written twice; and when every
thread is looked at anew, nothing may be written at all. At most one empty draft may be left where the answer to a draft
was lost.

Prints a table and what is wrong in it; the last line is ``N points, 0 lost, 0 twice, 0 stuck``. Exit code 1 where that
is not so.
"""

from __future__ import annotations

import argparse
import logging
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bridge.daemon.logs import configure

from faults.crashes_installed import MOMENTS, installed
from faults.crashes_points import Point
from faults.crashes_sandbox import Seen
from faults.crashes_stage import RESTART, Life, Stage

INTENT = "commit sync.writes.perform.perform"
PAST_LEASES = 660.0
"""Seconds after which every lease of a stopped daemon is over."""

DRAFTS = ("createPage", "createBlogPost")
OFFSET = "MAILBRIDGE_CRASH_OFFSET"
LOOKED_WITHIN = 120.0
"""Seconds within which a new daemon has looked at every mailbox; the lease of a refresh (90 s) may stand before it."""

SETTLED_WITHIN = 600.0
"""Seconds within which it has nothing left to do: settle times and looks in vain, and no lease of minutes."""


@dataclass(frozen=True, slots=True)
class Plain:
    """The run without a kill: its moments, by name; what stands after it."""

    points: tuple[Point, ...]
    seen: Seen
    settled_in: float


@dataclass(frozen=True, slots=True)
class Run:
    """One kill, and what came of it: ``lost``, ``twice`` and ``stuck`` say what is wrong, '' for nothing."""

    point: Point
    lost: str = ""
    twice: str = ""
    stuck: str = ""
    drafts: int = 0
    settled_in: float = 0.0

    @property
    def wrong(self) -> str:
        """What is wrong."""
        found = {"lost": self.lost, "twice": self.twice, "stuck": self.stuck}
        return "; ".join(f"{name}: {what}" for name, what in found.items() if what)


def plainly(stage: Stage) -> Plain:
    """Run without a kill, and give each moment its name.

    Raises:
        RuntimeError: that run is not in order.
    """
    with stage.sandbox() as sandbox:
        life = stage.live()
        seen = sandbox.seen()
    requests = sum(point.when == "sent" for point in life.points)
    if life.failed or seen.twice or requests != len(seen.operations):
        raise RuntimeError(f"{life.failed or seen.twice}, {requests} requests sent and {len(seen.operations)} seen")
    return Plain(tuple(_named(life.points, seen)), seen, life.settled_in)


def _named(points: Sequence[Point], seen: Seen) -> Iterable[Point]:
    """Yield every moment with the official name of its request; a write that was sent may take effect late too."""
    number = 0
    for point in points:
        if point.what.startswith("commit "):
            yield point
            if point.when == "after" and point.what == INTENT:
                yield replace(point, when="stopped")
            continue
        number += point.when == "before"
        named = replace(point, what=seen.operations[number - 1])
        yield named
        if named.when == "sent" and seen.writes[number - 1]:
            yield replace(named, late=True)


def killed(stage: Stage, plain: Plain, point: Point) -> Run:
    """Kill a daemon at a moment, start the next one, and compare what stands in the end."""
    late_at = sum(one.when == "sent" and not one.late for one in plain.points[: plain.points.index(point)])
    with stage.sandbox(late_at if point.late else 0) as sandbox:
        first = stage.live(point.number)
        if first.failed or not first.killed_at.startswith(f"{point.number} {point.when} "):
            return Run(point, stuck=f"the kill itself: {first.failed or first.killed_at or 'never reached'}")
        sandbox.ask("quiet")
        stage.clock.advance(RESTART)
        found: list[Seen] = []

        def at_rest() -> None:
            found.append(sandbox.seen())
            sandbox.ask("mark")

        second = stage.live(then=at_rest)
        if second.failed:
            return Run(point, stuck=second.failed.strip().splitlines()[-1])
        again = sandbox.seen().last_writes
    return _judged(point, plain, found[0], again, second)


def stopped(stage: Stage, plain: Plain, point: Point) -> Run:
    """Stop a daemon at a moment, let another one do its work once the leases are over, and wake it."""
    with stage.sandbox() as sandbox:
        found: list[Seen] = []
        others: list[Life] = []

        def meanwhile() -> None:
            stage.clock.advance(PAST_LEASES)
            others.append(stage.live())

        def at_rest() -> None:
            found.append(sandbox.seen())
            sandbox.ask("mark")

        first = stage.live(point.number, meanwhile=meanwhile)
        if first.failed or not first.stopped_at:
            return Run(point, stuck=f"who was stopped: {first.failed or 'never reached'}")
        third = stage.live(then=at_rest)
        failed = others[0].failed or third.failed
        if failed:
            return Run(point, stuck=failed.strip().splitlines()[-1])
        return _judged(point, plain, found[0], sandbox.seen().last_writes, others[0])


def _judged(point: Point, plain: Plain, seen: Seen, again: int, life: Life) -> Run:
    wanted, found = Counter(plain.seen.standing.lines), Counter(seen.standing.lines)
    lost, more = list((wanted - found).elements()), list((found - wanted).elements())
    doubled = list(seen.twice)
    if more and len(found) > len(wanted):
        doubled.append(f"{len(more)} lines too many, first {more[0][:120]}")
    allowed = 1 if _answer_of_a_draft_is_lost(plain, point) else 0
    if seen.standing.empty_drafts > allowed:
        doubled.append(f"{seen.standing.empty_drafts} empty drafts, and {allowed} may be")
    if again:
        doubled.append(f"{again} writes when all was looked at anew")
    late = life.looked_in > LOOKED_WITHIN or life.settled_in > SETTLED_WITHIN
    return Run(
        point,
        stuck=f"looked at all after {life.looked_in:g} s, at rest after {life.settled_in:g} s" if late else "",
        lost=f"{len(lost)} lines, first {lost[0][:120]}" if lost else "",
        twice="; ".join(doubled),
        drafts=seen.standing.empty_drafts,
        settled_in=life.settled_in,
    )


def _answer_of_a_draft_is_lost(plain: Plain, point: Point) -> bool:
    """Say whether a draft was sent and its result not committed when the kill came."""
    for one in reversed(plain.points[: plain.points.index(point) + 1]):
        if one.when == "after":
            return False
        if one.when == "sent" and one.what in DRAFTS:
            return True
    return False


def run_some(every: int, offset: int, part: int, parts: int) -> tuple[list[Run], Plain]:
    """Run every so-manieth moment, of those one part, in this process and its children."""
    configure(sys.stderr, as_json=False, level=logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="crashes-") as folder:
        stage = Stage(Path(folder) / "mailbridge")
        plain = plainly(stage)
        chosen = plain.points[offset % every :: every]
        runs = [(stopped if point.when == "stopped" else killed)(stage, plain, point) for point in chosen[part::parts]]
        stage.close()
    return runs, plain


def run_all(every: int, offset: int, jobs: int) -> list[Run]:
    """Run every so-manieth moment in some processes at once."""
    if jobs == 1:
        return run_some(every, offset, 0, 1)[0]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(run_some, [every] * jobs, [offset] * jobs, range(jobs), [jobs] * jobs))
    return sorted((run for runs, _ in found for run in runs), key=lambda run: (run.point.number, run.point.late))


def table(runs: Sequence[Run]) -> list[str]:
    """Return how many moments of each kind there were, and the longest time until all was at rest again."""
    columns = ("before", "sent", "late", "answered", "after", "stopped")
    rows: dict[str, Counter[str]] = {}
    longest: dict[str, float] = {}
    for run in runs:
        rows.setdefault(run.point.what, Counter())["late" if run.point.late else run.point.when] += 1
        longest[run.point.what] = max(longest.get(run.point.what, 0.0), run.settled_in)
    width = max(len(name) for name in rows)
    head = f"{'killed at':<{width}}" + "".join(f"{name:>10}" for name in columns) + "   at rest after"
    lines = [head]
    for name in sorted(rows, key=lambda one: (one.startswith("commit "), one)):
        counts = "".join(f"{rows[name][column] or '.':>10}" for column in columns)
        lines.append(f"{name:<{width}}{counts}   {longest[name]:7.0f} s")
    return lines


def last_line(runs: Sequence[Run]) -> str:
    """Return the count, and how many of them went wrong in which way."""
    lost, twice, stuck = (sum(bool(getattr(run, name)) for run in runs) for name in ("lost", "twice", "stuck"))
    return f"{len(runs)} points, {lost} lost, {twice} twice, {stuck} stuck"


def offset_of_the_commit() -> int:
    """Return a number that is another for each commit: from the environment, else from git, else 0."""
    if os.environ.get(OFFSET, "").isdigit():
        return int(os.environ[OFFSET])
    here = Path(__file__).parent
    try:
        head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=True).stdout
        return int(head.strip(), 16)
    except (OSError, subprocess.CalledProcessError, ValueError):
        return 0


def main(arguments: Sequence[str]) -> int:
    """Run, print, return the exit code."""
    parser = argparse.ArgumentParser(description="Kill the daemon before and after every request and every commit.")
    parser.add_argument("--every", type=int, default=1, help="only every so-manieth moment, chosen by the commit")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many processes at once")
    parser.add_argument("--only", type=int, default=0, help="only the so-manieth of all moments")
    parser.add_argument("--no-command", action="store_true", help="leave out the runs of the installed command")
    chosen = parser.parse_args(arguments)
    if chosen.only:
        runs = run_some(10**9, chosen.only - 1, 0, 1)[0]
    else:
        runs = run_all(chosen.every, offset_of_the_commit() if chosen.every > 1 else 0, chosen.jobs)
    print("\n".join(table(runs)))
    drafts = sum(run.drafts for run in runs)
    print(f"{drafts} empty drafts left behind where the answer to a draft was lost, seen by their author alone.")
    for run in runs:
        if run.wrong:
            print(f"WRONG at {run.point.name}: {run.wrong}")
    if not chosen.no_command and not chosen.only:
        for moment in MOMENTS:
            run = Run(Point(0, "answered", f"mailbridge run, {moment.name}"), stuck=installed(moment))
            print(f"{run.point.what}: {run.wrong or 'as without a kill'}", flush=True)
            runs.append(run)
    print(last_line(runs))
    return 1 if any(run.wrong for run in runs) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
