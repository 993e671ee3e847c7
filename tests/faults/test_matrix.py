"""A part of the matrix, chosen by the commit: all calls with one fault each, and all faults on one call."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from bridge.sandbox.journal import Seen

from faults.matrix import picked, table, wrong
from faults.matrix_calls import CALLS
from faults.matrix_cells import Cell, Run, cells
from faults.matrix_outcomes import COLUMNS, declared
from faults.matrix_runs import Ran
from faults.matrix_writes import twice_written
from support.shared import ROOT
from support.sync import NOW

CELL = Cell(CALLS[0], COLUMNS[0])


@pytest.mark.timeout(600)
def test_the_part_of_the_matrix_that_the_commit_chooses() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "faults.matrix", "--pick"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
        check=False,
        timeout=590,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    last = done.stdout.strip().splitlines()[-1]
    found = re.fullmatch(r"(\d+) cells, 0 lost, 0 twice, 0 stuck", last)
    assert found is not None, last
    assert int(found[1]) >= len(CALLS)


@pytest.mark.parametrize("number", [0, 1, 12345678901234567890])
def test_a_pick_has_every_call_once_and_one_call_with_every_fault(number: int) -> None:
    chosen = picked(number)
    assert {cell.call for cell in chosen} == set(CALLS)
    whole = CALLS[number % len(CALLS)]
    assert [cell for cell in chosen if cell.call == whole] != []
    assert len([c for c in chosen if c.call == whole]) == len([c for c in cells() if c.call == whole])


def test_all_picks_together_are_the_whole_table() -> None:
    seen = {(cell.call.name, cell.column.text) for number in range(len(CALLS)) for cell in picked(number)}
    assert len(seen) == len(cells())


def _run(**ran: object) -> Run:
    return Run(CELL, "rule", "once", Ran(**{"outcome": "recovers", "struck": 1, **ran}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("run", "verdict"),
    [
        (_run(), ""),
        (_run(lost=("page",)), "lost: page"),
        (_run(extra=("page",)), "twice: page"),
        (_run(twice=("comment x 2 times",)), "twice: comment x 2 times"),
        (_run(silent="nothing says why it waits"), "stuck: nothing says why it waits"),
        (_run(outcome=""), "stuck: "),
        (_run(outcome="waits"), "waits, and was declared to be: recovers"),
        (_run(outcome="fallback", lost=("body",)), "fallback, and was declared to be: recovers"),
        (_run(struck=0), "the fault struck nothing"),
    ],
)
def test_whatever_is_not_as_declared_is_told(run: Run, verdict: str) -> None:
    assert declared(CELL.call, CELL.column, "once") == "recovers"
    assert run.wrong == verdict
    assert bool(wrong([run])) == bool(verdict)


def test_the_table_is_readable_at_160_columns() -> None:
    runs = [Run(cell, "rule", cell.column.forms[0], Ran("recovers", 1)) for cell in cells()]
    assert max(len(line) for line in table(runs)) <= 160


def _posted(value: str, operation: str = "createFooterComment") -> Seen:
    body = f'{{"body": {{"value": "{value}"}}}}'.encode()
    return Seen(NOW, "atlassian", operation, "POST", "/x", "", "ada@example.com", 200, True, request_body=body)


def test_a_comment_counts_by_its_marker() -> None:
    one, other = (_posted(f"<a href='https://mail.google.com/mail/?mailbridge={key}'>x</a>") for key in ("k1", "k2"))
    assert twice_written([one, other]) == []
    assert twice_written([one, other, one]) == ["comment k1 2 times"]
