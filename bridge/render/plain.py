"""Plain text -> blocks. Lines stay lines, blank lines part paragraphs, and no markup is guessed.

Only what was plainly meant for a fixed width stays so: patches, tables drawn with characters, indented samples.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bridge.model import Look
from bridge.render import links
from bridge.render.blocks import Block, Line, Pre, Run

_TAB = 8
_INDENTED = re.compile(r"^(?: {2}|\t)\s*\S")
_DEEPLY_INDENTED = re.compile(r"^(?: {4}|\t)\s*\S")
_COLUMNS = re.compile(r"\S(?: {3,}|\t+)\S")
_DRAWN = re.compile(r"^\s*(?:\+[-=+]{2,}|\|.*\|\s*$)")
_ITEM = re.compile(r"^\s{0,3}(?:[-*+•·–]|\(?\w{1,3}[.)])\s")
_INNER_ITEM = re.compile(r"^\s*(?:[-*•·–]|\(?(?:\d{1,2}|[a-z])[.)])\s")
_PATCH = re.compile(r"^(?:diff (?:--git|-\S+) |Index: \S)")
_MOST_BLANKS = 80
_BLANK_RUN = re.compile(r" {3,}")


def blocks(text: str, look: Look, *, level: int = 0) -> list[Block]:
    """Return the text as lines and preformatted blocks, with http(s) addresses as links.

    Args:
        text: line ends are line feeds.
        look: says whether links that act are disarmed.
        level: how many quotes stand around it.
    """
    made: list[Block] = []
    for chunk, preformatted in _chunks(text.split("\n")):
        if preformatted:
            if made and isinstance(made[-1], Pre):
                made[-1].text += "\n\n" + "\n".join(chunk)
            else:
                made.append(Pre("\n".join(chunk), level))
        else:
            made.extend(line(row, look, soft=number > 0, level=level) for number, row in enumerate(chunk))
    return made


def line(text: str, look: Look, *, soft: bool = False, level: int = 0) -> Line:
    """Return one line of text with its addresses as links and its indent as no-break spaces."""
    bare = text.lstrip(" \t")
    indent = text[: len(text) - len(bare)].expandtabs(_TAB)
    shown = "\u00a0" * min(len(indent), _MOST_BLANKS) + _BLANK_RUN.sub(_kept_blanks, bare)
    runs: list[Run] = []
    at = 0
    for start, end in links.bare_addresses(shown):
        address = shown[start:end]
        if look.action_links == "drop" and links.acts(address, ""):
            continue
        runs.extend([Run(shown[at:start])] if start > at else [])
        runs.append(Run(address, href=links.safe_address(address)))
        at = end
    if at < len(shown):
        runs.append(Run(shown[at:]))
    return Line(runs, soft=soft, level=level)


def _kept_blanks(match: re.Match[str]) -> str:
    return "\u00a0" * min(len(match[0]) - 1, _MOST_BLANKS) + " "


def _chunks(rows: list[str]) -> Iterator[tuple[list[str], bool]]:
    """Yield runs of lines without blank ones between them, and whether each is preformatted.

    From the first line of a patch on all is one preformatted run, blank lines included.
    """
    chunk: list[str] = []
    for number, row in enumerate(rows):
        row = row.rstrip()
        if _starts_patch(row, rows[number + 1] if number + 1 < len(rows) else ""):
            if chunk:
                yield chunk, _is_preformatted(chunk)
            yield _stripped([r.rstrip() for r in rows[number:]]), True
            return
        if row:
            chunk.append(row)
        elif chunk:
            yield chunk, _is_preformatted(chunk)
            chunk = []
    if chunk:
        yield chunk, _is_preformatted(chunk)


def _starts_patch(row: str, following: str) -> bool:
    return bool(_PATCH.match(row)) or (row.startswith("--- ") and following.startswith("+++ "))


def _is_preformatted(chunk: list[str]) -> bool:
    indented = [row for row in chunk if _INDENTED.match(row)]
    if len(indented) == len(chunk):
        return len(chunk) > 1 or bool(_DEEPLY_INDENTED.match(chunk[0]))
    if sum(1 for row in chunk if _COLUMNS.search(row) or _DRAWN.match(row)) >= 2:
        return True
    listed = all(_ITEM.match(row) for row in chunk if row not in indented) or any(map(_INNER_ITEM.match, indented))
    return not listed and len(indented) >= 2 and len(indented) * 2 >= len(chunk)


def _stripped(rows: list[str]) -> list[str]:
    """Return the rows without blank ones at the end."""
    last = max((number for number, row in enumerate(rows) if row), default=-1)
    return rows[: last + 1]
