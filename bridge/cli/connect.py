"""``mailbridge connect``: connect a person's Gmail and Confluence."""

from __future__ import annotations

from typing import Annotated

import typer

from bridge.cli.output import FAILED


def connect(
    context: typer.Context,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="The person's Google address.")],
    again: Annotated[bool, typer.Option("--again", help="Also connect anew what is connected already.")] = False,
) -> None:
    """Connect a person's Gmail and Confluence: two links to open, as that person."""
    import sys

    from bridge.cli.connecting import Connecting, listening
    from bridge.cli.database import places_of
    from bridge.cli.output import note
    from bridge.cli.terminal import Terminal
    from bridge.daemon.opening import open_all

    with open_all(places_of(context).config, make_key=True) as opened:
        for remark in opened.remarks:
            note(remark)
        with listening(opened):
            terminal = Terminal(sys.stdin, opened.clock)
            connected = Connecting(opened, address.strip().lower(), terminal, typer.echo, again=again).run()
    if not connected:
        raise typer.Exit(FAILED)
