"""What stands in both services of a sandbox in the end, ids and times aside: the normal form that runs are compared by.

Two runs of one story are equal where ``standing(first.world) == standing(second.world)``; ``difference`` says in lines
what one has and the other lacks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import unified_diff
from typing import Any

from bridge.sandbox.confluence_snapshot import snapshot
from bridge.sandbox.confluence_state import Page
from bridge.sandbox.world import World

_MARKER = re.compile(r"(mailbridge=)[0-9A-Za-z_-]+")
_KEY = re.compile(r"\[[0-9a-f]{8}\]")
_OURS = "mailbridge."
_SHOWN = 160


@dataclass(frozen=True, slots=True)
class Standing:
    """Every page, post and message as lines ``path = value``; ``empty_drafts`` stand beside them and are not compared.

    An empty draft is all that a lost answer may leave behind, seen by its author alone; who compares says how many
    there may be.
    """

    lines: tuple[str, ...]
    empty_drafts: int = 0

    def __eq__(self, other: object) -> bool:
        """Say whether the same stands; empty drafts aside."""
        return isinstance(other, Standing) and self.lines == other.lines

    def __hash__(self) -> int:
        """Hash what is compared."""
        return hash(self.lines)

    def without(self, *parts: str) -> Standing:
        """Return it without the lines whose path has one of these words."""
        words = [f".{part}" for part in parts]
        return replace(self, lines=tuple(line for line in self.lines if not any(word in line for word in words)))


def standing(world: World) -> Standing:
    """Return what stands in Confluence (its people's order of comments kept) and which labels lie on which mail."""
    wiki = world.atlassian.wiki
    shown = json.loads(json.dumps(snapshot(wiki), default=str))
    empty = [row for row in shown["drafts"] if not row["body"] and not row["files"]]
    shown["drafts"] = [row for row in shown["drafts"] if row not in empty]
    shown["notes"] = _notes(world)
    shown["mail"] = _mail(world)
    lines = tuple(_normal(line) for line in _lines(shown, ""))
    return Standing(lines, len(empty))


def difference(wanted: Standing, found: Standing, most: int = 60) -> str:
    """Return what was wanted and is not there (-), and what is there and was not wanted (+); '' where all is equal."""
    rows = list(unified_diff(wanted.lines, found.lines, "wanted", "found", lineterm="", n=1))
    cut = [row if len(row) <= _SHOWN else f"{row[:_SHOWN]}..." for row in rows[:most]]
    return "\n".join(cut + ([f"and {len(rows) - most} lines more"] if len(rows) > most else []))


def _notes(world: World) -> list[dict[str, Any]]:
    """Return what ``snapshot`` leaves out: the history's notes of each page, and the notes beside its files."""
    wiki = world.atlassian.wiki
    pages = [page for page in wiki.content.values() if not page.is_home and page.status != "draft"]
    rows = [
        {
            "page": page.title,
            "versions": [version.message for version in page.versions],
            "files": sorted([file.name, file.version.comment] for file in wiki.files_on(page.id)),
            "comments": len(wiki.comments_on(page.id)),
            "properties": _ours(page),
        }
        for page in pages
    ]
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))


def _ours(page: Page) -> list[str]:
    return sorted(key for key in page.properties if key.startswith(_OURS))


def _mail(world: World) -> dict[str, list[dict[str, Any]]]:
    """Return each mailbox's messages in Gmail's order with the names of their labels."""
    found: dict[str, list[dict[str, Any]]] = {}
    for address, mailbox in sorted(world.google.gmail.mailboxes.items()):
        names = {label.id: label.name for label in mailbox.labels}
        listed = sorted(mailbox.messages.values(), key=lambda message: (message.internal_date, message.id))
        found[address] = [
            {"subject": message.mime.header("Subject"), "labels": sorted(names.get(i, i) for i in message.label_ids)}
            for message in listed
        ]
    return found


def _lines(value: Any, path: str) -> Iterator[str]:
    """Yield a line for each leaf; lists keep their order, and an empty one has a line too."""
    if isinstance(value, Mapping) and value:
        for key in sorted(value):
            yield from _lines(value[key], f"{path}.{key}")
    elif isinstance(value, list) and value:
        for number, item in enumerate(value):
            yield from _lines(item, f"{path}[{number}]")
    else:
        yield f"{path} = {json.dumps(value, ensure_ascii=False, sort_keys=True)}"


def _normal(line: str) -> str:
    """Put a word in the place of what is another in each installation: markers, write keys, our properties' values."""
    if f".properties.{_OURS}" in line:
        return f"{line.partition(' = ')[0]} = ..."
    return _KEY.sub("[key]", _MARKER.sub(r"\1...", line))
