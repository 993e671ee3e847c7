"""Blocks -> storage format. Every element that a mail's text can become is written in this file.

What Confluence's editor does not hold somewhere is written as the nearest thing that it does: a heading in a list or a
quote as a bold paragraph, a table in a quote beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from bridge.render import escape
from bridge.render.blocks import MARKS, Block, Line, Listing, Picture, Pre, Quote, Region, Rule, Run, Table

_Within = Literal["root", "item", "cell", "quote"]


@dataclass(frozen=True, slots=True)
class Place:
    """What may stand where the text goes: ``pictures`` (else links to them), ``headings``, expands (``folds``)."""

    pictures: bool
    headings: bool
    folds: bool


PAGE = Place(pictures=True, headings=True, folds=True)
COMMENT = Place(pictures=False, headings=False, folds=False)
"""Nobody has seen ``ac:image`` or an expand render in a comment yet: this is the one place to switch them on."""


def write(blocks: Sequence[Block], place: Place) -> str:
    """Return the blocks in storage format."""
    return "".join(_write(_without_loose_rules(blocks), place, "root"))


def write_within(blocks: Sequence[Block], place: Place, most: int) -> tuple[str, bool]:
    """Return as many of the blocks as take at most ``most`` bytes of UTF-8, and whether all of them did.

    The cut is made between blocks; of a single line or sample that is larger than all the room a part is kept.
    """
    whole = write(blocks, place)
    if len(whole) * 4 <= most or len(whole.encode()) <= most:
        return whole, True
    kept: list[Block] = []
    left = most
    for block in blocks:
        size = len(write([block], place).encode())
        if size > left:
            if not kept and isinstance(block, Line | Pre):
                kept.append(_shortened(block, left))
            break
        kept.append(block)
        left -= size
    return write(kept, place), False


def paragraph(text: str) -> str:
    """Return plain text as a paragraph."""
    return f"<p>{escape.text(text)}</p>"


def file_link(name: str, text: str) -> str:
    """Return a link to an attachment of the page."""
    return (
        f'<ac:link><ri:attachment ri:filename="{escape.attribute(name)}"/>'
        f"<ac:plain-text-link-body>{escape.cdata(text)}</ac:plain-text-link-body></ac:link>"
    )


def expand(title: str, content: str) -> str:
    """Return content in storage format behind a title that opens it."""
    return (
        f'<ac:structured-macro ac:name="expand"><ac:parameter ac:name="title">{escape.text(title)}</ac:parameter>'
        f"<ac:rich-text-body>{content}</ac:rich-text-body></ac:structured-macro>"
    )


def _write(blocks: Sequence[Block], place: Place, within: _Within) -> Iterator[str]:
    lines: list[Line] = []
    for block in blocks:
        if isinstance(block, Line):
            if lines and not (block.soft and block.tag == lines[0].tag and block.level == lines[0].level):
                yield _paragraph(lines, place, within)
                lines = []
            lines.append(block)
            continue
        if lines:
            yield _paragraph(lines, place, within)
            lines = []
        yield from _block(block, place, within)
    if lines:
        yield _paragraph(lines, place, within)


def _block(block: Block, place: Place, within: _Within) -> Iterator[str]:
    if isinstance(block, Pre):
        yield (
            '<ac:structured-macro ac:name="code"><ac:plain-text-body>'
            f"{escape.cdata(block.text)}</ac:plain-text-body></ac:structured-macro>"
        )
    elif isinstance(block, Picture):
        yield _picture(block, place)
    elif isinstance(block, Rule):
        if within in {"root", "cell"}:
            yield "<hr/>"
    elif isinstance(block, Listing):
        yield _listing(block, place)
    elif isinstance(block, Table):
        yield _table(block, place)
    elif isinstance(block, Quote):
        yield from _quote(block, place)
    elif isinstance(block, Region):
        yield from _write(block.blocks, place, within)


def _paragraph(lines: Sequence[Line], place: Place, within: _Within) -> str:
    tag = lines[0].tag
    bold = tag != "p" and (not place.headings or within in {"item", "quote"})
    written = "<br/>".join(_runs(line.runs, bold=bold, plain=tag != "p" and not bold) for line in lines)
    return f"<p>{written}</p>" if bold else f"<{tag}>{written}</{tag}>"


def _runs(runs: Sequence[Run], *, bold: bool, plain: bool) -> str:
    parts: list[str] = []
    for (href, file), group in groupby(runs, key=lambda run: (run.href, run.file)):
        members = list(group)
        if file:
            parts.append(file_link(file, "".join(run.text for run in members)))
            continue
        text = "".join(_run(run, bold=bold, plain=plain) for run in members)
        parts.append(f'<a href="{escape.attribute(href)}">{text}</a>' if href else text)
    return "".join(parts)


def _run(run: Run, *, bold: bool, plain: bool) -> str:
    """Return a run with its marks; a heading (``plain``) is bold by itself, and code takes no other mark."""
    written = escape.text(run.text)
    if run.text.isspace():
        return written
    if "code" in run.marks:
        return f"<code>{written}</code>"
    marks = run.marks | {"strong"} if bold else run.marks - {"strong"} if plain else run.marks
    if run.colour:
        written = f'<span style="color: {run.colour};">{written}</span>'
    for mark in reversed(MARKS):
        if mark in marks and not (mark == "u" and run.href):
            written = f"<{mark}>{written}</{mark}>"
    return written


def _picture(picture: Picture, place: Place) -> str:
    if not place.pictures:
        return f"<p>{file_link(picture.file, picture.alt or picture.file)}</p>"
    width = f' ac:width="{picture.width}"' if picture.width else ""
    return (
        f'<ac:image ac:alt="{escape.attribute(picture.alt)}" ac:layout="center"{width}>'
        f'<ri:attachment ri:filename="{escape.attribute(picture.file)}"/></ac:image>'
    )


def _listing(listing: Listing, place: Place) -> str:
    tag = "ol" if listing.ordered else "ul"
    items = "".join(f"<li>{''.join(_write(_begun(item), place, 'item'))}</li>" for item in listing.items)
    return f"<{tag}>{items}</{tag}>"


def _begun(item: Sequence[Block]) -> Sequence[Block]:
    """Return an item that begins with a paragraph, as the editor demands; a bare inner list gets an empty one."""
    return item if isinstance(item[0], Line) else [Line([]), *item]


def _table(table: Table, place: Place) -> str:
    rows: list[str] = []
    for number, row in enumerate(table.rows):
        cells: list[str] = []
        for cell in row:
            tag = "th" if cell.header else "td"
            rowspan = min(cell.rowspan, len(table.rows) - number)
            spans = f' colspan="{cell.colspan}"' if cell.colspan > 1 else ""
            spans += f' rowspan="{rowspan}"' if rowspan > 1 else ""
            content = "".join(_write(cell.blocks, place, "cell")) or "<p></p>"
            cells.append(f"<{tag}{spans}>{content}</{tag}>")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table><tbody>{''.join(rows)}</tbody></table>"


def _quote(quote: Quote, place: Place) -> Iterator[str]:
    for is_table, group in groupby(quote.blocks, key=lambda block: isinstance(block, Table)):
        members = list(group)
        if is_table:
            yield from _write(members, place, "root")
        elif written := "".join(_write(members, place, "quote")):
            yield f"<blockquote>{written}</blockquote>"


def _without_loose_rules(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks without horizontal lines at the ends and without a second one in a row."""
    kept: list[Block] = []
    for block in blocks:
        if isinstance(block, Rule) and (not kept or isinstance(kept[-1], Rule)):
            continue
        kept.append(block)
    while kept and isinstance(kept[-1], Rule):
        kept.pop()
    return kept


def _shortened(block: Line | Pre, most: int) -> Line | Pre:
    """Return the beginning of a block that would fill the page alone; a character takes 6 bytes at most."""
    room = max(most - 200, 0) // 6
    if isinstance(block, Pre):
        return Pre(block.text[:room], block.level)
    kept: list[Run] = []
    for run in block.runs:
        if len(run.text) + 200 > room:
            kept.append(replace(run, text=run.text[:room]))
            break
        kept.append(run)
        room -= len(run.text) + 200
    return replace(block, runs=kept)
