"""The cells of the matrix, their runs, and what is wrong in one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from faults.matrix_calls import CALLS, Call
from faults.matrix_outcomes import COLUMNS, MAY_MISS, Column, Form, declared
from faults.matrix_runs import About, Plain, Ran, plainly, under
from faults.matrix_scenes import SCENE
from faults.matrix_stage import Stage

LATER = ("reset-after", "late", "503")
"""The faults that also strike the last request of an operation in its scene."""

ABOUT: Mapping[str, About] = {
    **dict.fromkeys(("draft", "body", "restriction"), "first"),
    **dict.fromkeys(("gmail", "consent"), "reading"),
}
"""What is to be seen to beside, by the kind of call."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One call under one fault."""

    call: Call
    column: Column


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a cell, and what came of it."""

    cell: Cell
    rule: str
    form: Form
    ran: Ran
    failed: str = ""

    @property
    def wrong(self) -> str:
        """What is not as declared, '' where all is."""
        wanted = declared(self.cell.call, self.cell.column, self.form)
        if self.failed:
            return f"failed: {self.failed.strip().splitlines()[-1]}"
        if not self.ran.whole:
            return self.verdict
        if self.ran.outcome != wanted:
            return f"{self.ran.outcome}, and was declared to be: {wanted}"
        return "" if self.ran.struck or self.missed else "the fault struck nothing"

    @property
    def missed(self) -> bool:
        """Whether the fault found nothing to strike, as some may: such a run proves nothing and is not counted."""
        return not self.failed and not self.ran.struck and self.cell.column.kind in MAY_MISS

    @property
    def verdict(self) -> str:
        """ "lost", "twice" or "stuck", with the first thing that is so; '' where none is."""
        if self.failed or self.ran.silent or not self.ran.outcome:
            return f"stuck: {self.failed[-200:] or self.ran.silent}"
        if self.ran.twice:
            return f"twice: {self.ran.twice[0]}"
        if self.ran.outcome != "fallback" and self.ran.lost:
            return f"lost: {self.ran.lost[0][:120]}"
        if self.ran.outcome != "fallback" and self.ran.extra:
            return f"twice: {self.ran.extra[0][:120]}"
        return ""


def cells() -> list[Cell]:
    """Return every cell, in the table's order."""
    return [Cell(call, column) for call in CALLS for column in COLUMNS if column.befalls(call)]


def run_scene(name: str, wanted: Sequence[Cell]) -> list[Run]:
    """Run cells of one scene, in this process and its children."""
    found: list[Run] = []
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(SCENE[name], Path(folder) / "mailbridge")
        plain = plainly(stage)
        for cell in wanted:
            found += [_run(stage, plain, cell, rule, form) for rule, form in rules(cell, plain)]
        stage.close()
    return found


def rules(cell: Cell, plain: Plain) -> Iterator[tuple[str, Form]]:
    """Yield the rules of a cell: once at the call, once at the last of its kind in the scene, and lasting."""
    call, column = cell.call, cell.column
    base = f"{column.text} {call.operation}"
    if "once" in column.forms:
        yield f"{base} nth={call.nth}", "once"
        last = sum(operation == call.operation for operation, _, _ in plain.calls)
        if last > call.nth and column.text in LATER and call.kind not in ("gmail", "refresh", "consent"):
            yield f"{base} nth={last}", "once"
    if "lasting" in column.forms:
        yield f"{base} nth={call.nth} times=always", "lasting"


def run_cell(cell: Cell) -> list[Run]:
    """Run one cell, with the requests of each of its runs."""
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(SCENE[cell.call.scene], Path(folder) / "mailbridge")
        plain = plainly(stage)
        found = [_run(stage, plain, cell, rule, form, detail=True) for rule, form in rules(cell, plain)]
        stage.close()
    return found


def _run(stage: Stage, plain: Plain, cell: Cell, rule: str, form: Form, *, detail: bool = False) -> Run:
    try:
        return Run(cell, rule, form, under(stage, rule, plain, about=ABOUT.get(cell.call.kind, ""), detail=detail))
    except RuntimeError as error:
        return Run(cell, rule, form, Ran(), str(error))


def run_all(wanted: Iterable[Cell], processes: int, told: Callable[[list[Run]], None]) -> list[Run]:
    """Run cells in some processes at once, each with one scene at a time; ``told`` gets the runs of each part."""
    parts = list(_parts(wanted))
    found: list[Run] = []
    with get_context("spawn").Pool(processes) as pool:
        for runs in pool.imap_unordered(_run_part, parts):
            told(runs)
            found += runs
    return found


def _run_part(part: tuple[str, list[Cell]]) -> list[Run]:
    return run_scene(*part)


def _parts(wanted: Iterable[Cell], most: int = 40) -> Iterator[tuple[str, list[Cell]]]:
    by_scene: dict[str, list[Cell]] = {}
    for cell in wanted:
        by_scene.setdefault(cell.call.scene, []).append(cell)
    for name, listed in by_scene.items():
        for start in range(0, len(listed), most):
            yield name, listed[start : start + most]
