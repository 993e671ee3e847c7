"""``mailbridge answer``: decide about what is held."""

from __future__ import annotations

from typing import Annotated

import typer

from bridge.cli.output import AsJson, print_json

_NOW = {
    "publish": "To be published{soon}: {what} of {address}.",
    "leave-out": "Left out: {what} of {address}. In Gmail nothing changes.",
    "new": "Left alone until a new mail comes: {what} of {address}.",
    "ignore": "Left alone: {what} of {address}.",
}


def answer(
    context: typer.Context,
    item: Annotated[str, typer.Argument(metavar="ID", help="As mailbridge held shows it.")],
    choice: Annotated[str, typer.Argument(metavar="CHOICE", help="One of the choices that stand beside it.")],
    as_json: AsJson = False,
) -> None:
    """Decide about what is held, in place of its person."""
    from bridge.cli.database import START_IT, opened_store
    from bridge.clock import SystemClock
    from bridge.daemon.report import is_running
    from bridge.daemon.words import count
    from bridge.sync.held import answer as give

    now = SystemClock().now()
    with opened_store(context) as (_, store):
        answered = give(store, item, choice, now)
        with store.read() as session:
            running = is_running(session, now)
    if as_json:
        print_json({"id": item, "address": answered.address, "choice": choice, "threads": len(answered.threads)})
        return
    what = "a reply" if answered.reason == "narrow reply" else count(len(answered.threads), "thread")
    soon = " within seconds" if running else ""
    typer.echo(_NOW[choice].format(what=what, address=answered.address, soon=soon))
    if choice == "publish" and not running:
        typer.echo(START_IT)
