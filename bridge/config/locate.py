"""Where each key of a TOML text stands, which ``tomllib`` does not tell.

This walks over text that ``tomllib`` has accepted already, so it need not know what is allowed: it only tells keys,
headers and values apart. Paths are tuples of keys and of positions in lists, counted from 0:
``("routes", 1, "label")``. Lines and columns are counted from 1, lines by line feeds as ``tomllib`` does.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import NamedTuple

KeyPath = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)+")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_QUOTED = {
    '"': re.compile(r'"(?:[^"\\\n]|\\.)*"'),
    "'": re.compile(r"'[^'\n]*'"),
    '"""': re.compile(r'"""(?:[^"\\]|\\[\s\S]|"{1,2}(?!"))*"{3,5}'),
    "'''": re.compile(r"'''(?:[^']|'{1,2}(?!'))*'{3,5}"),
}
_SCALAR = re.compile(r"[^,\]}#\n]*")


class Spot(NamedTuple):
    """A line and a column, both counted from 1."""

    line: int
    column: int


def locate(text: str) -> dict[KeyPath, Spot]:
    """Return where each key, each section and each item of a list begins.

    Args:
        text: TOML that ``tomllib.loads`` accepts. For any other text the answer may be incomplete.
    """
    walk = _Walk(text)
    walk.document()
    return walk.spots


def nearest(spots: Mapping[KeyPath, Spot], path: KeyPath) -> Spot:
    """Return the place of a path, else of the closest thing around it, else the first line."""
    while path:
        if path in spots:
            return spots[path]
        path = path[:-1]
    return Spot(1, 1)


class _Walk:
    """One walk over a text; ``spots`` fills as it goes."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.spots: dict[KeyPath, Spot] = {}
        self.lengths: dict[KeyPath, int] = {}
        self._line = 1
        self._line_start = 0
        self._counted = 0

    def document(self) -> None:
        """Walk over the whole text: headers, and the keys below them."""
        below: KeyPath = ()
        self.blank()
        while self.at < len(self.text):
            before = self.at
            if self.text.startswith("[", self.at):
                below = self.header()
            else:
                self.pair(below)
            self.blank()
            if self.at == before:
                return

    def header(self) -> KeyPath:
        """Walk over ``[a.b]`` or ``[[a.b]]``; return the path of the table that it opens."""
        start = self.at
        many = self.text.startswith("[[", self.at)
        self.at += 2 if many else 1
        self.blank()
        keys = self.keys()
        self.at += 2 if many else 1
        path: KeyPath = ()
        for number, (key, _) in enumerate(keys, start=1):
            path += (key,)
            if number == len(keys) and many:
                self.mark(path, start)
                self.lengths[path] = self.lengths.get(path, 0) + 1
            elif path not in self.lengths:
                self.mark(path, start)
            if path in self.lengths:
                path += (self.lengths[path] - 1,)
                self.mark(path, start)
        return path

    def pair(self, below: KeyPath) -> None:
        """Walk over ``a.b = value``."""
        path = below
        for key, start in self.keys():
            path += (key,)
            self.mark(path, start)
        self.at += 1
        self.blank()
        self.value(path)

    def keys(self) -> list[tuple[str, int]]:
        """Walk over a dotted key; return its parts, each with its offset."""
        found: list[tuple[str, int]] = []
        while True:
            start = self.at
            quote = self.text[self.at : self.at + 1]
            pattern = _QUOTED.get(quote, _BARE_KEY)
            match = pattern.match(self.text, self.at)
            if match is None:
                return found
            self.at = match.end()
            raw = match.group()
            found.append((_unquoted(raw) if quote in _QUOTED else raw, start))
            self.blank()
            if not self.text.startswith(".", self.at):
                return found
            self.at += 1
            self.blank()

    def value(self, path: KeyPath) -> None:
        """Walk over a value, into lists and inline tables."""
        opening = self.text[self.at : self.at + 1]
        if opening == "[":
            self.items(path)
        elif opening == "{":
            self.inline_table(path)
        else:
            long = self.text[self.at : self.at + 3]
            pattern = _QUOTED.get(long) or _QUOTED.get(opening) or _SCALAR
            match = pattern.match(self.text, self.at)
            self.at = match.end() if match else len(self.text)

    def items(self, path: KeyPath) -> None:
        """Walk over ``[a, b]``; each item has its position as the last part of its path."""
        self.at += 1
        self.blank()
        number = 0
        while self.at < len(self.text) and self.text[self.at] != "]":
            item = (*path, number)
            self.mark(item, self.at)
            self.value(item)
            number += 1
            self.comma()
        self.at += 1

    def inline_table(self, path: KeyPath) -> None:
        """Walk over ``{ a = 1, b.c = 2 }``."""
        self.at += 1
        self.blank()
        while self.at < len(self.text) and self.text[self.at] != "}":
            self.pair(path)
            self.comma()
        self.at += 1

    def comma(self) -> None:
        """Walk over the blanks and the comma between two items."""
        self.blank()
        if self.text.startswith(",", self.at):
            self.at += 1
            self.blank()

    def blank(self) -> None:
        """Walk over blanks, line ends and comments."""
        match = _BLANK.match(self.text, self.at)
        if match:
            self.at = match.end()

    def mark(self, path: KeyPath, offset: int) -> None:
        """Note where a path begins; its first mention counts. Offsets never go back, so lines are counted once."""
        if path in self.spots:
            return
        newlines = self.text.count("\n", self._counted, offset)
        if newlines:
            self._line += newlines
            self._line_start = self.text.rfind("\n", self._counted, offset) + 1
        self._counted = max(self._counted, offset)
        self.spots[path] = Spot(self._line, offset - self._line_start + 1)


def _unquoted(raw: str) -> str:
    """Return what a quoted key means; ``tomllib`` knows the escapes."""
    value = tomllib.loads(f"key = {raw}")["key"]
    return value if isinstance(value, str) else raw
