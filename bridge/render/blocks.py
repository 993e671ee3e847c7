"""The text of a mail as blocks: what both HTML and plain text become, and what storage format is written from.

A block never holds another of its own kind, save lists, and those are at most ``DEEPEST_LIST`` deep: so whatever the
mail's nesting was, walking blocks by recursion is safe.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

DEEPEST_LIST = 6
"""How deep lists stay nested; items further in join the list around them."""

Mark: TypeAlias = Literal["strong", "em", "u", "s", "sub", "sup", "code"]
MARKS: tuple[Mark, ...] = ("strong", "em", "u", "s", "sub", "sup", "code")
"""The inline marks, from the outermost to the innermost."""


@dataclass(frozen=True, slots=True)
class Run:
    """Text of one look: its marks, the address that it links to ('' for none), its colour ("rgb(r,g,b)" or '').

    ``file`` is the name of an attachment that the text links to, '' for none.
    """

    text: str
    marks: frozenset[Mark] = frozenset()
    href: str = ""
    colour: str = ""
    file: str = ""


@dataclass(slots=True)
class Line:
    """One line. ``tag`` is p or a heading; ``soft`` says that it goes on in the paragraph of the line before it.

    ``level`` counts the quotes around it.
    """

    runs: list[Run]
    tag: str = "p"
    soft: bool = False
    level: int = 0


@dataclass(slots=True)
class Pre:
    """Text whose blanks and line ends matter."""

    text: str
    level: int = 0


@dataclass(slots=True)
class Picture:
    """An attached picture on a line of its own; ``width`` in pixels or None."""

    file: str
    alt: str
    width: int | None = None


@dataclass(slots=True)
class Rule:
    """A horizontal line."""


@dataclass(slots=True)
class Listing:
    """A list; each item is a sequence of blocks."""

    ordered: bool
    items: list[list[Block]] = field(default_factory=list)


@dataclass(slots=True)
class Cell:
    """A cell of a table."""

    blocks: list[Block]
    header: bool = False
    colspan: int = 1
    rowspan: int = 1


@dataclass(slots=True)
class Table:
    """A table of data (tables that only lay a mail out are gone by now)."""

    rows: list[list[Cell]]


@dataclass(slots=True)
class Quote:
    """A block quote; ``mail`` says that its markup calls it quoted mail rather than the writer's own indent."""

    blocks: list[Block]
    mail: bool = False


@dataclass(slots=True)
class Region:
    """Blocks that the mail's markup calls a signature."""

    blocks: list[Block]


Block: TypeAlias = Line | Pre | Picture | Rule | Listing | Table | Quote | Region


def line(text: str, *, tag: str = "p", soft: bool = False, level: int = 0) -> Line:
    """Return a line of plain text."""
    return Line([Run(text)] if text else [], tag, soft, level)


def children(block: Block) -> Iterator[list[Block]]:
    """Yield the sequences of blocks inside a block, in reading order."""
    if isinstance(block, Listing):
        yield from block.items
    elif isinstance(block, Table):
        for row in block.rows:
            for cell in row:
                yield cell.blocks
    elif isinstance(block, Quote | Region):
        yield block.blocks


def visible(blocks: Sequence[Block]) -> str:
    """Return the visible text, a line for each line; pictures count by their alternative text."""
    parts: list[str] = []
    for block in blocks:
        if isinstance(block, Line):
            parts.append("".join(run.text for run in block.runs))
        elif isinstance(block, Pre):
            parts.append(block.text)
        elif isinstance(block, Picture):
            parts.append(block.alt)
        else:
            parts.extend(visible(inner) for inner in children(block))
    return "\n".join(parts)


def files_in(blocks: Sequence[Block]) -> Iterator[str]:
    """Yield the names of the attachments that the blocks show or link to."""
    for block in blocks:
        if isinstance(block, Picture):
            yield block.file
        elif isinstance(block, Line):
            yield from (run.file for run in block.runs if run.file)
        else:
            for inner in children(block):
                yield from files_in(inner)
