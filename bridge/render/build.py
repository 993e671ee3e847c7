"""Puts blocks together while a tree is walked: lines out of text, lists and tables out of their parts.

The builder never refuses anything. What may not stand somewhere (a list too deep, a table in a list, a quote in a
quote) is opened in name only, and its content joins what is around it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from bridge.render.blocks import (
    DEEPEST_LIST,
    Block,
    Cell,
    Line,
    Listing,
    Mark,
    Picture,
    Quote,
    Region,
    Run,
    Table,
    children,
    visible,
)

_BLANKS = re.compile(r"[ \t\n\r\f]+")
_DEEPEST_TABLE = 12
_MOST_SPAN = 100
_LONG_CELL = 160

FrameKind = Literal["root", "quote", "region", "list", "item", "table", "row", "cell"]


@dataclass(slots=True)
class TableHints:
    """What a table's markup says about its use: ``data``, ``layout`` or neither."""

    data: bool = False
    layout: bool = False


@dataclass(slots=True)
class _Frame:
    kind: FrameKind
    blocks: list[Block] = field(default_factory=list)
    ordered: bool = False
    mail: bool = False
    items: list[list[Block]] = field(default_factory=list)
    rows: list[list[Cell]] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    hints: TableHints = field(default_factory=TableHints)
    header: bool = False
    colspan: int = 1
    rowspan: int = 1


class Builder:
    """Takes text, breaks and openings in document order; ``finish`` returns the blocks."""

    def __init__(self) -> None:
        self._frames = [_Frame("root")]
        self._runs: list[Run] = []
        self._soft = False
        self.tag = "p"
        self.quotes = 0

    def text(self, text: str, marks: frozenset[Mark], href: str, colour: str, *, keep_lines: bool = False) -> None:
        """Add text; blanks collapse as in a browser, line ends too unless they are kept."""
        if keep_lines and "\n" in text:
            first, *others = text.split("\n")
            self.text(first, marks, href, colour)
            for other in others:
                self.line_break()
                self.text(other, marks, href, colour)
            return
        text = _BLANKS.sub(" ", text)
        if text.startswith(" ") and (not self._runs or self._runs[-1].text.endswith(" ")):
            text = text[1:]
        if text:
            self._add(Run(text, marks, href, colour))

    def file(self, name: str, text: str) -> None:
        """Add a link to an attachment."""
        self._add(Run(text, file=name))

    def line_break(self) -> None:
        """End the line; a second break in a row ends the paragraph."""
        if self._runs:
            self._end_line()
            self._soft = True
        else:
            self._soft = False

    def soft_boundary(self) -> None:
        """A division without margins begins or ends: a new line, not a new paragraph."""
        if self._runs:
            self._end_line()
            self._soft = True

    def boundary(self) -> None:
        """A paragraph begins or ends."""
        if self._runs:
            self._end_line()
        self._soft = False

    def block(self, block: Block) -> None:
        """Add a block that stands for itself; the text around it goes on in lines of its own."""
        self.boundary()
        self._top().blocks.append(block)

    def open_quote(self, mail: bool) -> bool:
        """Open a block quote; False where it is one in name only (its text is counted as quoted all the same)."""
        self.quotes += 1
        self.boundary()
        if any(frame.kind in {"quote", "list"} for frame in self._frames):
            return False
        self._frames.append(_Frame("quote", mail=mail))
        return True

    def close_quote(self, opened: bool) -> None:
        """Close what ``open_quote`` answered for."""
        self.boundary()
        self.quotes -= 1
        if opened:
            frame = self._pop("quote")
            if frame.blocks:
                self._top().blocks.append(Quote(frame.blocks, frame.mail))

    def open_region(self) -> bool:
        """Open a signature; False where it is one in name only."""
        self.boundary()
        if any(frame.kind in {"region", "quote", "list"} for frame in self._frames):
            return False
        self._frames.append(_Frame("region"))
        return True

    def close_region(self) -> None:
        """Close a signature."""
        self.boundary()
        frame = self._pop("region")
        if frame.blocks:
            self._top().blocks.append(Region(frame.blocks))

    def open_list(self, ordered: bool) -> bool:
        """Open a list; False where lists are too deep already."""
        self.boundary()
        if sum(frame.kind == "list" for frame in self._frames) >= DEEPEST_LIST:
            return False
        self._frames.append(_Frame("list", ordered=ordered))
        return True

    def close_list(self) -> None:
        """Close a list; text between its items has become an item of its own."""
        self.boundary()
        frame = self._pop("list")
        if frame.blocks:
            frame.items.append(frame.blocks)
        items = [item for item in frame.items if item]
        if items:
            self._top().blocks.append(Listing(frame.ordered, items))

    def open_item(self) -> bool:
        """Open an item; False outside a list."""
        self.boundary()
        top = self._top()
        if top.kind != "list":
            return False
        if top.blocks:
            top.items.append(top.blocks)
            top.blocks = []
        self._frames.append(_Frame("item"))
        return True

    def close_item(self) -> None:
        """Close an item."""
        self.boundary()
        frame = self._pop("item")
        self._top().items.append(frame.blocks)

    def open_table(self, hints: TableHints) -> bool:
        """Open a table; False in a list or where tables are too deep already."""
        self.boundary()
        if any(frame.kind == "list" for frame in self._frames):
            return False
        if sum(frame.kind == "table" for frame in self._frames) >= _DEEPEST_TABLE:
            return False
        self._frames.append(_Frame("table", hints=hints))
        return True

    def close_table(self) -> None:
        """Close a table; one that only lays out its content is replaced by it."""
        self.boundary()
        frame = self._pop("table")
        into = self._top().blocks
        into.extend(frame.blocks)
        rows = [row for row in frame.rows if any(cell.blocks for cell in row)]
        if not rows:
            return
        if _is_data(rows, frame.hints):
            for row in rows:
                for cell in row:
                    cell.blocks = _flat(cell.blocks)
            into.append(Table(rows))
            return
        for row in rows:
            for cell in row:
                into.extend(cell.blocks)

    def open_row(self) -> bool:
        """Open a row; False outside a table."""
        self.boundary()
        if self._top().kind != "table":
            return False
        self._frames.append(_Frame("row"))
        return True

    def close_row(self) -> None:
        """Close a row."""
        self.boundary()
        frame = self._pop("row")
        top = self._top()
        top.blocks.extend(frame.blocks)
        if frame.cells:
            top.rows.append(frame.cells)

    def open_cell(self, header: bool, colspan: int, rowspan: int) -> bool:
        """Open a cell; False outside a row."""
        self.boundary()
        if self._top().kind != "row":
            return False
        spans = (min(max(span, 1), _MOST_SPAN) for span in (colspan, rowspan))
        self._frames.append(_Frame("cell", header=header, colspan=next(spans), rowspan=next(spans)))
        return True

    def close_cell(self) -> None:
        """Close a cell."""
        self.boundary()
        frame = self._pop("cell")
        self._top().cells.append(Cell(frame.blocks, frame.header, frame.colspan, frame.rowspan))

    def finish(self) -> list[Block]:
        """Return the blocks; everything that was opened has been closed."""
        self.boundary()
        return self._frames[0].blocks

    def _top(self) -> _Frame:
        return self._frames[-1]

    def _pop(self, kind: FrameKind) -> _Frame:
        frame = self._frames.pop()
        if frame.kind != kind:
            raise AssertionError(f"{kind} closed, but {frame.kind} is open")
        return frame

    def _add(self, run: Run) -> None:
        if self._runs:
            last = self._runs[-1]
            if (last.marks, last.href, last.colour, last.file, run.file) == (run.marks, run.href, run.colour, "", ""):
                self._runs[-1] = Run(last.text + run.text, run.marks, run.href, run.colour)
                return
        self._runs.append(run)

    def _end_line(self) -> None:
        runs, self._runs = self._runs, []
        while runs and runs[-1].text.endswith(" ") and not runs[-1].file:
            last = runs.pop()
            if stripped := last.text.rstrip(" "):
                runs.append(Run(stripped, last.marks, last.href, last.colour))
                break
        if all(run.text.isspace() for run in runs):
            self._soft = False
            return
        self._top().blocks.append(Line(runs, self.tag, self._soft, self.quotes))


def _is_data(rows: list[list[Cell]], hints: TableHints) -> bool:
    """Tell a table of data from one that lays out a newsletter; the markup's own word counts first."""
    widest = max(sum(1 for cell in row if cell.blocks) for row in rows)
    if hints.layout or widest < 2:
        return False
    cells = [cell for row in rows for cell in row]
    if hints.data or len({cell.header for cell in cells}) > 1:  # newsletters lay out with th alone
        return True
    if len(rows) < 2 or any(isinstance(block, Table) for cell in cells for block in cell.blocks):
        return False
    if any(isinstance(block, Picture | Region | Quote) for cell in cells for block in cell.blocks):
        return False
    full = sum(1 for row in rows if sum(1 for cell in row if cell.blocks) >= 2)
    return full * 2 > len(rows) and all(len(visible(cell.blocks)) <= _LONG_CELL for cell in cells)


def _flat(blocks: list[Block]) -> list[Block]:
    """Return the blocks of a cell with tables and signatures inside replaced by what they hold."""
    flat: list[Block] = []
    for block in blocks:
        if isinstance(block, Table | Region):
            for inner in children(block):
                flat.extend(_flat(inner))
        else:
            flat.append(block)
    return flat
