"""``mailbridge explain``: all that is known about one thread, and what was done with it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.output import AsJson, print_json

if TYPE_CHECKING:
    from pathlib import Path


def explain(
    context: typer.Context,
    thread: Annotated[str, typer.Argument(metavar="THREAD", help="Its id, or the address of what it became.")],
    as_json: AsJson = False,
) -> None:
    """Tell all that is known about one thread. It asks neither Google nor Atlassian."""
    from bridge.cli.database import opened_store, places_of
    from bridge.clock import SystemClock
    from bridge.daemon.explaining import explain as read
    from bridge.daemon.explaining_text import text
    from bridge.sync.named import named

    now = SystemClock().now()
    lines = route_lines(places_of(context).config)
    with opened_store(context) as (settings, store), store.read() as session:
        subjects = settings.web.admin_sees_subjects
        found = read(session, named(session, thread), settings, now, lines=lines, subjects=subjects)
    if as_json:
        print_json(found)
    else:
        typer.echo(text(found, now))


def route_lines(config: Path) -> dict[str, int]:
    """Return the line of each route's table in a configuration file, by its name; {} where the file is faulty."""
    from bridge.config import ConfigFaults, load
    from bridge.config.load import read_text
    from bridge.config.locate import locate

    try:
        settings = load(config, os.environ)
    except ConfigFaults:
        return {}
    text = read_text(config)
    spots = locate(text) if isinstance(text, str) else {}
    found = {}
    for number, route in enumerate(settings.routes):
        spot = spots.get(("routes", number))
        if spot is not None:
            found[route.name] = spot.line
    return found
