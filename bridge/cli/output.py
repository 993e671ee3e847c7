"""What every command shares when it prints: JSON, and the one map from errors to exit codes."""

from __future__ import annotations

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON alone.")]

FAILED, PARTLY = 1, 3


def print_json(value: object) -> None:
    """Print a value as JSON; dataclasses as objects, instants in ISO 8601."""
    import json
    from dataclasses import asdict, is_dataclass
    from datetime import datetime

    def known(other: object) -> object:
        if is_dataclass(other) and not isinstance(other, type):
            return asdict(other)
        if isinstance(other, datetime):
            return other.isoformat()
        raise TypeError(f"{type(other).__name__} has no form in JSON")

    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=known))


def operator() -> str:
    """Return who gives an order on this machine: their login name, for the record of events."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody without a name on this machine"


def note(sentence: str) -> None:
    """Tell something beside the data, on standard error."""
    typer.echo(sentence, err=True)


def exit_code(error: Exception) -> int | None:
    """Return the exit code of an error that the bridge raises on purpose, None for any other."""
    from bridge.errors import BridgeError, ConfigError, SchemaTooNew, StoreDamaged, StoreLocked, Temporary

    codes: tuple[tuple[type[BridgeError], int], ...] = (
        (ConfigError, 2),
        (StoreLocked, 11),
        (StoreDamaged, 65),
        (Temporary, 75),
        (SchemaTooNew, 78),
        (BridgeError, FAILED),
    )
    return next((code for kind, code in codes if isinstance(error, kind)), None)
