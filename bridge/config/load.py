"""The configuration file read from disk, and checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bridge.config.entries import Checked
from bridge.config.faults import ConfigFaults, Fault
from bridge.config.paths import SYSTEM, Places
from bridge.config.reading import check
from bridge.config.settings import Settings

_LARGEST = 1024 * 1024
_EXAMPLE = "Copy config.example.toml there, or name another file with --config."


def load(path: Path, environ: Mapping[str, str], places: Places = SYSTEM) -> Settings:
    """Return the settings of a file.

    Args:
        path: the configuration file.
        environ: the environment, whose ``MAILBRIDGE_SECTION__KEY`` go before the file.
        places: where the database and the key stand if the configuration does not say.

    Raises:
        ConfigFaults: the file cannot be read or is not valid; it carries every fault.
    """
    return settings_of(path, check_file(path, environ, places))


def check_file(path: Path, environ: Mapping[str, str], places: Places = SYSTEM) -> Checked:
    """Check a file; a file that cannot be read is one fault."""
    text = read_text(path)
    return Checked(None, (text,), ()) if isinstance(text, Fault) else check(text, environ, places)


def settings_of(path: Path, checked: Checked, *, running: bool = False) -> Settings:
    """Return the settings of a check, or raise its `ConfigFaults`; ``running`` as `render_faults` has it."""
    if checked.settings is None:
        raise ConfigFaults(path, checked.faults, running=running)
    return checked.settings


def read_text(path: Path) -> str | Fault:
    """Return the text of a file, or why it cannot be had."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except FileNotFoundError:
        return Fault(0, 0, "", f"is not there. {_EXAMPLE}")
    except OSError as error:
        return Fault(0, 0, "", f"cannot be read: {error.strerror}. Let the service's own user read it.")
    if len(content) > _LARGEST:
        return Fault(0, 0, "", "is larger than 1 MiB, which no configuration is. Was another file meant?")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        column = error.start - (before.rfind(b"\n") + 1) + 1
        return Fault(before.count(b"\n") + 1, column, "", "not UTF-8 text. Save the file as UTF-8.")
