"""``make faults``: every HTTP request that the product makes, times every fault that can befall it.

Prints the table (calls down, faults across) and what is wrong in it; the last line is ``N cells, 0 lost, 0 twice, 0
stuck``. Exit code 1 where a run is not as ``matrix_outcomes`` declares it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from bridge.sandbox.faults import CATALOGUE, OPERATIONS

from faults.matrix_calls import CALLS
from faults.matrix_cells import Cell, Run, cells, run_all, run_cell
from faults.matrix_outcomes import COLUMNS

ROOT = Path(__file__).resolve().parents[2]
PROCESSES = 2
LEGEND = (
    "R recovers by itself   W waits, says whose move it is, and is whole once the cause is gone   F other content",
    "w recovers from one, waits while it lasts   - had nothing to strike   . cannot befall   ! is not as declared",
)


def picked(number: int) -> list[Cell]:
    """Return all calls with one fault each, and all faults on one call, chosen by a number."""
    every = cells()
    chosen: dict[tuple[str, str], Cell] = {}
    for place, call in enumerate(CALLS):
        listed = [cell for cell in every if cell.call == call]
        cell = listed[(number + 7 * place) % len(listed)]
        chosen[call.name, cell.column.text] = cell
    whole = CALLS[number % len(CALLS)]
    chosen |= {(whole.name, cell.column.text): cell for cell in every if cell.call == whole}
    return list(chosen.values())


def pick_of_commit() -> int:
    """Return the number by which CI picks: of MAILBRIDGE_PICK, else of the commit, else 0."""
    given = os.environ.get("MAILBRIDGE_PICK", "")
    if given:
        return int(given)
    asked = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=10
    )
    return int(asked.stdout.strip() or "0", 16) if asked.returncode == 0 else 0


def table(runs: Sequence[Run]) -> list[str]:
    """Return the table as lines of at most 160 characters."""
    shown = letters(runs)
    used = [column for column in COLUMNS if any(text == column.text for _, text in shown)]
    width = max(len(call.name) for call in CALLS)
    tall = max(len(column.text) for column in used)
    lines = [" " * width + " " + " ".join(column.text.rjust(tall)[row] for column in used) for row in range(tall)]
    for call in CALLS:
        row = [shown.get((call.name, column.text), " " if column.befalls(call) else ".") for column in used]
        if any(letter not in ". " for letter in row):
            lines.append(f"{call.name:<{width}} {' '.join(row)}")
    return [*lines, *LEGEND]


def letters(runs: Iterable[Run]) -> Mapping[tuple[str, str], str]:
    """Return the table's letter by call and fault."""
    by_cell: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        by_cell.setdefault((run.cell.call.name, run.cell.column.text), []).append(run)
    return {key: _letter(listed) for key, listed in by_cell.items()}


def _letter(runs: Sequence[Run]) -> str:
    if any(run.wrong for run in runs):
        return "!"
    outcomes = {run.ran.outcome for run in runs if not run.missed}
    if not outcomes:
        return "-"
    if "fallback" in outcomes:
        return "F"
    return "w" if len(outcomes) == 2 else {"recovers": "R", "waits": "W"}[outcomes.pop()]


def counted(runs: Sequence[Run]) -> list[str]:
    """Return how the cells were counted, and the last line."""
    struck = [run for run in runs if not run.missed]
    number = len({(run.cell.call.name, run.cell.column.text) for run in struck})
    verdicts = Counter(run.verdict.partition(":")[0] for run in runs if run.verdict)
    operations = {run.cell.call.operation for run in runs}
    least = sum(
        kind.applies(*OPERATIONS[operation], operation) for operation in operations for kind in CATALOGUE.values()
    )
    return [
        f"{len({run.cell.call.name for run in runs})} calls of {len(operations)} operations; each call x each of "
        f"{len({run.cell.column.text for run in runs})} faults that can befall it is a cell.",
        f"Operations x kinds that apply to their method: {least}. Runs, some cells have two or three: {len(struck)}.",
        f"{number} cells, {verdicts['lost']} lost, {verdicts['twice']} twice, {verdicts['stuck']} stuck",
    ]


def wrong(runs: Iterable[Run]) -> list[str]:
    """Return a line for each run that is not as declared."""
    return [f"{run.cell.call.name}: {run.rule}: {run.wrong}" for run in runs if run.wrong]


def show(call: str, fault: str) -> int:
    """Print one cell's story; return the exit code."""
    found = [cell for cell in cells() if (cell.call.name, cell.column.text) == (call, fault)]
    if not found:
        print(f"There is no cell {call} x {fault}. The calls: {', '.join(one.name for one in CALLS)}.")
        return 1
    bad = False
    for run in run_cell(found[0]):
        ran, bad = run.ran, bad or bool(run.wrong)
        print(
            f"{run.rule}\n  in the scene: {run.cell.call.scene}; struck {ran.struck} times; {ran.outcome or 'no rest'}"
        )
        for name, lines in (("status", ran.reasons), ("other content", ran.told), ("twice", ran.twice)):
            print("".join(f"  {name}: {line}\n" for line in lines), end="")
        print(
            "".join(f"  - {line[:150]}\n" for line in ran.lost) + "".join(f"  + {line[:150]}\n" for line in ran.extra)
        )
        print("".join(f"    {line}\n" for line in ran.story) + (f"  NOT AS DECLARED: {run.wrong}" if run.wrong else ""))
        print(run.failed)
    return int(bad)


def main(arguments: Sequence[str]) -> int:
    """Run what is asked for, print it, return the exit code."""
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--cell", nargs=2, metavar=("CALL", "FAULT"), help="show the story of one cell")
    parser.add_argument("--pick", action="store_true", help="a part of the table, chosen by the commit, as CI does")
    parser.add_argument("--processes", type=int, default=PROCESSES, help="how many at once (default: 2)")
    asked = parser.parse_args(arguments)
    if asked.cell:
        return show(*asked.cell)
    wanted = picked(pick_of_commit()) if asked.pick else cells()
    done = 0

    def told(part: list[Run]) -> None:
        nonlocal done
        done += len({run.cell for run in part})
        print(f"{done} of {len(wanted)} cells", file=sys.stderr)

    runs = run_all(wanted, asked.processes, told)
    bad = wrong(runs)
    print("\n".join([*table(runs), *bad, *counted(runs)]))
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
