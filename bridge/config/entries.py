"""What a check found out: each key with its value and where that came from, and the settings or the faults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from bridge.config.faults import Fault
from bridge.config.settings import Settings


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from: the line of the file, or the variable of the environment."""

    source: Literal["default", "file", "environment"] = "default"
    line: int = 0
    variable: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A key, its value as it is written, and where that came from; of a route only what it says itself of [pages]."""

    key: str
    value: Any
    origin: Origin


@dataclass(frozen=True, slots=True)
class Checked:
    """The settings, or None where there are faults; and what each key was given, as far as it was right."""

    settings: Settings | None
    faults: tuple[Fault, ...]
    entries: tuple[Entry, ...]
