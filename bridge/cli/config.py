"""``mailbridge config``: check the configuration file, and show what is in force."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.config import Checked, Fault, Places

config_app = typer.Typer(help="Check the configuration file, show what is in force.", no_args_is_help=True)

_FAULTY = 2

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@config_app.command()
def check(context: typer.Context, as_json: AsJson = False) -> None:
    """Check the whole file; tell every fault with its line, and what is allowed."""
    from bridge.config import notes
    from bridge.config.secrets import secret_faults, secret_notes

    where, checked = _checked(context)
    settings = checked.settings
    faults = checked.faults if settings is None else secret_faults(checked, os.environ)
    if settings is None or faults:
        _refuse(where, faults, as_json)
    remarks = (*notes(settings), *secret_notes(settings, os.environ))
    if as_json:
        _print_json({"path": str(where.config), "valid": True, "faults": [], "notes": list(remarks)})
        return
    count = len(settings.routes)
    typer.echo(f"{where.config} is valid, with {'1 route' if count == 1 else f'{count} routes'}.")
    for remark in remarks:
        typer.echo(f"  {remark}")
    typer.echo("A running service applies it by itself; at once with: systemctl reload mailbridge")


@config_app.command()
def show(context: typer.Context, as_json: AsJson = False) -> None:
    """Show every key, its value and where it came from. Secrets are not shown."""
    from bridge.config import show as show_text
    from bridge.config import show_json

    where, checked = _checked(context)
    if checked.settings is None:
        _refuse(where, checked.faults, as_json)
    typer.echo((show_json if as_json else show_text)(where.config, checked.entries))


def _checked(context: typer.Context) -> tuple[Places, Checked]:
    """Check the file that ``--config`` before the command names, else the one that stands where it should."""
    from dataclasses import replace
    from pathlib import Path

    from bridge.config import check_file, places

    where = places(os.environ, os.geteuid())
    named = context.find_root().params.get("config")
    if named:
        where = replace(where, config=Path(named))
    return where, check_file(where.config, os.environ, where)


def _refuse(where: Places, faults: Sequence[Fault], as_json: bool) -> NoReturn:
    """Print the faults and end with the code for a faulty configuration."""
    from bridge.config import render_faults

    if as_json:
        listed = [
            {"line": fault.line or None, "column": fault.column or None, "key": fault.key, "what": fault.what}
            for fault in faults
        ]
        _print_json({"path": str(where.config), "valid": False, "faults": listed, "notes": []})
    else:
        typer.echo(render_faults(where.config, faults, running=os.path.exists(where.last_good)))
    raise typer.Exit(_FAULTY)


def _print_json(value: object) -> None:
    import json

    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
