"""From the text of the file and the environment to settings, or to every fault at once. Pure.

What a key is worth: its default, else what the file says, else what the variable ``MAILBRIDGE_SECTION__KEY`` says.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bridge.config.entries import Checked, Entry, Origin
from bridge.config.environment import from_environment
from bridge.config.faults import Fault, Wrong, key_name
from bridge.config.keys import Key, keys_of
from bridge.config.locate import KeyPath, Spot, locate, nearest
from bridge.config.paths import SYSTEM, Places
from bridge.config.rules import route_conflicts, store_conflicts
from bridge.config.settings import SECTIONS, Pages, Route, Settings
from bridge.config.unknown import unknown_key, unknown_section
from bridge.config.values import told

_PLACE = re.compile(r"\s*\(at (?:line ([0-9]+), column ([0-9]+)|end of document)\)\Z")
_ROUTE_KEYS = keys_of(Route) | keys_of(Pages)


def check(text: str, environ: Mapping[str, str], places: Places = SYSTEM) -> Checked:
    """Check a whole configuration.

    Args:
        text: the TOML text of the file.
        environ: the environment; of it only ``MAILBRIDGE_SECTION__KEY`` is read.
        places: where the database and the key stand if the configuration does not say.
    """
    try:
        document = tomllib.loads(text)
        spots = locate(text)
    except RecursionError:
        return Checked(None, (Fault(1, 1, "", "not valid TOML: lists or tables stand too deep in each other."),), ())
    except ValueError as error:
        return Checked(None, (_syntax(text, error),), ())
    given, faults = from_environment(environ)
    reading = _Reading(document, spots, given, faults)
    settings = reading.settings(places)
    ordered = tuple(sorted(set(reading.faults)))
    return Checked(None if ordered else settings, ordered, tuple(reading.entries))


class _Reading:
    """One reading of a document; faults and entries gather as it goes on."""

    def __init__(
        self,
        document: dict[str, Any],
        spots: Mapping[KeyPath, Spot],
        given: Mapping[tuple[str, str], tuple[str, Any]],
        faults: list[Fault],
    ) -> None:
        self.document = document
        self.spots = spots
        self.given = given
        self.faults = faults
        self.entries: list[Entry] = []

    def settings(self, places: Places) -> Settings | None:
        """Read every section and route; None where a fault keeps the settings from being made."""
        for name in self.document:
            if name not in SECTIONS and name != "routes":
                self.fault((name,), unknown_section(name, self.document[name]))
        own: dict[str, Any] = {"url": places.database_url, "seal_key_file": str(places.seal_key)}
        read: dict[str, Any] = {}
        for name, section in SECTIONS.items():
            keys = keys_of(section)
            if name == "store":
                keys = {key: replace(one, default=own.get(key, one.default)) for key, one in keys.items()}
            read[name] = self.table((name,), keys, self.section(name))
        self.conflicts("store", store_conflicts(self.entries))
        routes = self.routes(read["pages"])
        if self.faults:
            return None
        made = {name: section(**read[name]) for name, section in SECTIONS.items()}
        return Settings(**made, routes=routes)

    def section(self, name: str) -> dict[str, Any]:
        """Return the table of a section, empty where it is missing or is none."""
        table = self.document.get(name, {})
        if isinstance(table, dict):
            return table
        self.fault((name,), f"{told(table)} is not a section. Write [{name}] once, on a line of its own.")
        return {}

    def table(
        self, path: KeyPath, keys: Mapping[str, Key], table: Mapping[str, Any], quiet: frozenset[str] = frozenset()
    ) -> dict[str, Any]:
        """Read one table; ``quiet`` are keys that stay out of the answer unless the table has them."""
        for name in table:
            if name not in keys:
                self.fault((*path, name), unknown_key(str(path[0]), name, tuple(keys)))
        read: dict[str, Any] = {}
        for name, key in keys.items():
            variable, raw = self.given.get((str(path[0]), name), ("", None))
            where = (*path, name)
            if variable:
                origin = Origin("environment", variable=variable)
            elif name in table:
                raw, origin = table[name], Origin("file", line=nearest(self.spots, where).line)
            elif name in quiet:
                continue
            elif key.default is None:
                self.fault(where, f"is missing. {key.missing}")
                continue
            else:
                raw, origin = key.default, Origin()
            try:
                read[name] = key.kind.parse(raw)
                self.entries.append(Entry(key_name(where), raw, origin))
            except Wrong as wrong:
                for position, what in wrong.parts:
                    self.fault(where if position is None else (*where, position), what, variable)
        return read

    def routes(self, pages: dict[str, Any]) -> tuple[Route, ...]:
        """Read the routes; ``pages`` is what [pages] says."""
        tables = self.document.get("routes", [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self.fault(("routes",), "is not a list of routes. Write [[routes]], with two brackets, above each route.")
            return ()
        routes: list[Route] = []
        names: dict[str, int] = {}
        page_keys = frozenset(keys_of(Pages))
        for number, table in enumerate(tables):
            path: KeyPath = ("routes", number)
            read = self.table(path, _ROUTE_KEYS, table, page_keys)
            name = read.get("name", "")
            first = names.setdefault(name.casefold(), number) if name else number
            if first != number:
                line = nearest(self.spots, ("routes", first)).line
                what = f'"{name}" is the name of the route in line {line} already. Give this one another name.'
                self.fault((*path, "name"), what)
            for key, what in route_conflicts(read, frozenset(table)):
                self.fault((*path, key), what)
            if not self.faults:
                own = {key: read.pop(key) for key in page_keys & read.keys()}
                if read["publish_as"] == "comment":
                    read["page_labels"] = ()
                routes.append(Route(**read, pages=Pages(**(pages | own))))
        return tuple(routes)

    def conflicts(self, section: str, found: Mapping[str, str]) -> None:
        """Note what does not go together in a section: a sentence for each key."""
        for key, what in found.items():
            self.fault((section, key), what, self.given.get((section, key), ("", None))[0])

    def fault(self, path: KeyPath, what: str, variable: str = "") -> None:
        """Note a fault at a path of the file, or of a variable."""
        spot = Spot(0, 0) if variable else nearest(self.spots, path)
        self.faults.append(Fault(spot.line, spot.column, variable or key_name(path), what))


def _syntax(text: str, error: ValueError) -> Fault:
    """Return the fault of a text that is no TOML; ``tomllib`` tells its place in its message only (before 3.14)."""
    message = str(error)
    place = _PLACE.search(message)
    if place and place[1]:
        line, column = int(place[1]), int(place[2])
    else:
        lines = text.rstrip("\n").split("\n")
        line, column = (len(lines), len(lines[-1]) + 1) if place else (1, 1)
    reason = _PLACE.sub("", message).strip()
    known = {
        "Cannot overwrite a value": "the same key stands here a second time",
        "Cannot declare": "the same section stands here a second time",
        "Expected '=' after a key in a key/value pair": "a key and = are expected here",
        "Invalid value": "the value is not complete or not in quotes",
        "Unclosed array": "a list is not closed with ]",
        "Unterminated string": "a text is not closed with its quotes",
        "Expected newline or end of document after a statement": "something stands behind the end of the value",
    }
    words = next((mine for theirs, mine in known.items() if reason.startswith(theirs)), reason[:1].lower() + reason[1:])
    return Fault(line, column, "", f"not valid TOML: {words}.")
