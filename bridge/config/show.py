"""The whole configuration as it is in force, each key with where it came from. No secret is in it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from bridge.config.addresses import without_password
from bridge.config.entries import Entry, Origin


def show(path: Path, entries: Sequence[Entry]) -> str:
    """Return the configuration as TOML, with the origin of each value behind it.

    Args:
        path: the file that was read.
        entries: every key, as a check returns them.
    """
    lines = [f"# {path}"]
    width = max((len(_line(entry)) for entry in entries if len(_line(entry)) <= 60), default=0)
    section = ""
    for entry in entries:
        opening = entry.key.rpartition(".")[0]
        if opening != section:
            section = opening
            lines += ["", "[[routes]]" if opening.startswith("routes[") else f"[{opening}]"]
        lines.append(f"{_line(entry):<{width}}  # {_told(entry.origin)}")
    return "\n".join(lines)


def show_json(path: Path, entries: Iterable[Entry]) -> str:
    """Return the same as one JSON object: ``path``, and ``values`` with ``key``, ``value``, ``from`` and its place."""
    values = [
        {
            "key": entry.key,
            "value": _public(entry),
            "from": entry.origin.source,
            "line": entry.origin.line or None,
            "variable": entry.origin.variable or None,
        }
        for entry in entries
    ]
    return json.dumps({"path": str(path), "values": values}, ensure_ascii=False, indent=2)


def _line(entry: Entry) -> str:
    return f"{entry.key.rpartition('.')[2]} = {_toml(_public(entry))}"


def _public(entry: Entry) -> Any:
    return without_password(entry.value) if entry.key == "store.url" else entry.value


def _toml(value: Any) -> str:
    """Write a value in TOML; the strings of JSON without control characters are those of TOML."""
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _told(origin: Origin) -> str:
    match origin.source:
        case "file":
            return f"line {origin.line}"
        case "environment":
            return origin.variable
        case _:
            return "default"
