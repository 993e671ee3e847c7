"""What is wrong with a configuration: faults with their place, and how they are told."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bridge.config.locate import KeyPath
from bridge.errors import ConfigError

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]{1,60}")


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing to mend.

    ``line`` and ``column`` are counted from 1; both are 0 where the fault is not in the text (a variable of the
    environment, a file that is not there). ``key`` is a path as people read it, ``atlassian.site`` or
    ``routes[2].replies`` with routes counted from 1, the name of a variable, or '' for the text as a whole. ``what``
    is a sentence that says what is allowed instead.
    """

    line: int
    column: int
    key: str
    what: str


class ConfigFaults(ConfigError):
    """The configuration is not valid; every fault at once, and the text for a person as message."""

    def __init__(self, path: Path, faults: Iterable[Fault], *, running: bool = False) -> None:
        self.path = path
        self.faults = tuple(faults)
        super().__init__(render_faults(path, self.faults, running))


class Wrong(ValueError):
    """A value is not what its key allows; ``parts`` has a sentence for each, with its position in a list or None."""

    def __init__(self, what: str = "", *, parts: Sequence[tuple[int | None, str]] = ()) -> None:
        self.parts = tuple(parts) or ((None, what),)
        super().__init__(" ".join(sentence for _, sentence in self.parts))


def key_name(path: KeyPath) -> str:
    """Write a path as people read it, positions counted from 1: ``routes[2].replies``."""
    name = ""
    for part in path:
        if isinstance(part, int):
            name += f"[{part + 1}]"
        else:
            word = part if _PLAIN_KEY.fullmatch(part) else quoted(part)
            name += f".{word}" if name else word
    return name


def render_faults(path: Path, faults: Sequence[Fault], running: bool) -> str:
    """Return the faults as the terminal and the log show them.

    Args:
        path: the file that they are of.
        faults: in the order in which they are shown.
        running: whether a service goes on with the last good configuration meanwhile.
    """
    one = len(faults) == 1
    state = "nothing was changed and the service runs on with the last good one" if running else "nothing was changed"
    lines = [f"{path} has {'1 fault' if one else f'{len(faults)} faults'}; {state}."]
    places = [_place(fault) for fault in faults]
    place_width = max(map(len, places), default=0)
    key_width = max((len(fault.key) for fault in faults), default=0)
    for place, fault in zip(places, faults, strict=True):
        key = f"{fault.key:<{key_width}}    " if fault.key else ""
        lines.append(f"  {place:<{place_width}}  {key}{fault.what}")
    lines.append(f"Mend {'it' if one else 'them'} and run this again.")
    return "\n".join(lines)


def one_line(path: Path, faults: Sequence[Fault]) -> str:
    """Return the first fault on one line for a log, as ``file:line:column: key: what``, and how many more there are."""
    if not faults:
        return ""
    first = faults[0]
    place = f"{path}:{first.line}:{first.column}" if first.line else f"{path}"
    key = f" {first.key}:" if first.key else ""
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{place}:{key} {first.what}{more}"


def either(words: Iterable[str], *, last: str = "or") -> str:
    """Return words as a sentence lists them: ``a, b or c``."""
    listed = list(words)
    return f" {last} ".join(filter(None, (", ".join(listed[:-1]), listed[-1]))) if listed else ""


def quoted(text: str) -> str:
    """Return a text in double quotes, cut where it is long, safe to print."""
    return json.dumps(text if len(text) <= 60 else text[:57] + "...", ensure_ascii=not text.isprintable())


def _place(fault: Fault) -> str:
    if fault.line:
        return f"line {fault.line}"
    if fault.key:
        return "environment" if fault.key.isupper() else "default"
    return "the file"
