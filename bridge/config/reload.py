"""The configuration of a running service: edits are seen, applied whole, or refused with the last good one kept."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

from bridge.config.faults import ConfigFaults, Fault, one_line, render_faults
from bridge.config.load import read_text
from bridge.config.paths import Places
from bridge.config.reading import check
from bridge.config.settings import Route, Settings

_Signature = tuple[int, int, int, int] | None


@dataclass(frozen=True, slots=True)
class Change:
    """A configuration that was applied, and which keys differ from the one before.

    Keys are named as in the file, of a route with its name: ``gmail.poll_every``, ``routes[engineering].space``;
    ``routes[hr]`` for a route that came or went, ``routes`` where only their order changed. It is empty where nothing
    but comments changed.
    """

    settings: Settings
    changed_keys: tuple[str, ...]


class ConfigFile:
    """The settings in force, and the file that they follow.

    Only one thread calls `poll` and `reload`; any thread may read the attributes, of which ``settings`` is always
    whole. ``faults`` is what is wrong with the file now, empty where it is what runs. ``keep_problem`` says why the
    last good copy could not be written, '' where it could.
    """

    def __init__(self, places: Places, environ: Mapping[str, str], *, strict: bool = False) -> None:
        """Read the file, or the last good copy where the file is faulty.

        Args:
            places: the file and the directory of the state, in which the last good copy stands.
            environ: the environment; kept, since a reload reads it again.
            strict: refuse a faulty file.

        Raises:
            ConfigFaults: the file is faulty, and strict was asked or there is no good copy of an earlier one.
        """
        self.places = places
        self.faults: tuple[Fault, ...] = ()
        self.keep_problem = ""
        self._environ = environ
        self._seen = self._waiting = _signature(places.config)
        settings = self._read()
        if settings is None and not strict:
            settings = self._last_good()
        if settings is None:
            raise ConfigFaults(places.config, self.faults)
        self.settings: Settings = settings

    @property
    def stale(self) -> bool:
        """Whether the settings in force are not what the file says now, since that is faulty."""
        return bool(self.faults)

    @property
    def problem(self) -> str:
        """What is wrong with the file, for a person, '' where nothing is."""
        return render_faults(self.places.config, self.faults, running=True) if self.faults else ""

    @property
    def log_line(self) -> str:
        """What is wrong with the file, on one line with its place, '' where nothing is."""
        return one_line(self.places.config, self.faults)

    def poll(self) -> Change | None:
        """Look whether the file was edited, by one ``stat``; apply an edit once it has stood still for one look.

        An editor may write a file in several steps, and half a file can be valid: so an edit counts at the second
        look that finds it the same. After a faulty edit the answer is None and ``faults`` is another tuple.
        """
        found = _signature(self.places.config)
        if found == self._seen:
            self._waiting = found
            return None
        if found != self._waiting:
            self._waiting = found
            return None
        return self.reload()

    def reload(self) -> Change | None:
        """Read the file now and apply it whole; None, with ``faults``, where it is faulty and the old one stays."""
        self._seen = self._waiting = _signature(self.places.config)
        settings = self._read()
        if settings is None:
            return None
        change = Change(settings, changed_keys(self.settings, settings))
        self.settings = settings
        return change

    def _read(self) -> Settings | None:
        text = read_text(self.places.config)
        if isinstance(text, Fault):
            self.faults = (text,)
            return None
        checked = check(text, self._environ, self.places)
        self.faults = checked.faults
        if checked.settings is not None:
            self._keep(text)
        return checked.settings

    def _last_good(self) -> Settings | None:
        text = read_text(self.places.last_good)
        return None if isinstance(text, Fault) else check(text, self._environ, self.places).settings

    def _keep(self, text: str) -> None:
        """Write the last good copy (mode 0600); a full disk must not keep a good configuration from being applied."""
        try:
            _write_atomically(self.places.last_good, text)
            self.keep_problem = ""
        except OSError as error:
            self.keep_problem = f"{self.places.last_good} cannot be written: {error.strerror}."


def changed_keys(before: Settings, after: Settings) -> tuple[str, ...]:
    """Return the keys whose values differ between two settings, sorted; see `Change` for how they are named."""
    old, new = _flat(before, ""), _flat(after, "")
    one_sided = {f"routes[{name}]" for name in _route_names(before) ^ _route_names(after)}
    found = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key) or (key in old) != (key in new)}
    kept = {key for key in found if not any(key.startswith(f"{route}.") for route in one_sided)}
    common = _route_names(before) & _route_names(after)
    if _order(before, common) != _order(after, common):
        kept.add("routes")
    return tuple(sorted(kept | one_sided))


def _route_names(settings: Settings) -> set[str]:
    return {route.name for route in settings.routes}


def _order(settings: Settings, names: set[str]) -> list[str]:
    return [route.name for route in settings.routes if route.name in names]


def _flat(value: Any, path: str) -> dict[str, Any]:
    """Return every leaf of a value of dataclasses by its path; what a route takes from [pages] is named as its own."""
    if not is_dataclass(value):
        return {path: value}
    flat: dict[str, Any] = {}
    for one in fields(value):
        inner = getattr(value, one.name)
        if one.name == "routes":
            for route in inner:
                flat |= _flat(route, f"routes[{route.name}]")
        elif isinstance(value, Route) and one.name == "pages":
            flat |= _flat(inner, path)
        else:
            flat |= _flat(inner, f"{path}.{one.name}" if path else one.name)
    return flat


def _signature(path: Path) -> _Signature:
    """Return what changes when a file is written, replaced or removed; a replacement has another inode."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev


def _write_atomically(path: Path, text: str) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with open(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if os.geteuid() == 0:
            # A command that root runs beside the service must leave a file that the service can read.
            owner = path.parent.stat()
            os.chown(name, owner.st_uid, owner.st_gid)
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
