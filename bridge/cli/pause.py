"""``mailbridge pause`` and ``mailbridge resume``: write nothing for now, and go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.output import AsJson, operator, print_json

if TYPE_CHECKING:
    from datetime import datetime

    from bridge.sync.orders import Scope

Everything = Annotated[bool, typer.Option("--all", help="Everything that is written.")]
OneRoute = Annotated[str, typer.Option("--route", metavar="NAME", help="What one route publishes.")]
OnePerson = Annotated[str, typer.Option("--account", metavar="ADDRESS", help="What is written as one person.")]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="Shown by mailbridge status.")]


def pause(
    context: typer.Context,
    everything: Everything = False,
    route: OneRoute = "",
    account: OnePerson = "",
    why: Why = "",
    as_json: AsJson = False,
) -> None:
    """Write nothing more: at all, for a route, or as a person. Mail is still looked at, and nothing is lost."""
    tell_paused(context, everything=everything, route=route, address=account, why=why, as_json=as_json)


def resume(
    context: typer.Context,
    everything: Everything = False,
    route: OneRoute = "",
    account: OnePerson = "",
    as_json: AsJson = False,
) -> None:
    """Go on with what was paused; what waited for it is due at once."""
    tell_resumed(context, everything=everything, route=route, address=account, as_json=as_json)


def tell_paused(
    context: typer.Context,
    *,
    everything: bool = False,
    route: str = "",
    address: str = "",
    why: str = "",
    as_json: bool = False,
) -> None:
    """Order a pause and say what it means; one that is there stays."""
    from bridge.cli.database import opened_store
    from bridge.clock import SystemClock
    from bridge.store import pauses
    from bridge.sync import orders

    now = SystemClock().now()
    with opened_store(context) as (settings, store), store.write() as session:
        scope = orders.scope_of(session, settings, everything=everything, route=route, address=address)
        begun = orders.pause(session, scope, now, who=operator(), why=why)
        row = pauses.lasting(session, scope.key)
        since, told = (row.since, row.why) if row else (now, "")
    if as_json:
        print_json({"scope": scope.key, "paused": True, "since": since, "why": told, "changed": begun})
        return
    typer.echo(_paused(scope, since, told, now, begun=begun))
    typer.echo(f"Go on with: mailbridge resume {scope.option}")


def tell_resumed(
    context: typer.Context, *, everything: bool = False, route: str = "", address: str = "", as_json: bool = False
) -> None:
    """Lift a pause and say what follows; where none is, say so."""
    from bridge.cli.database import START_IT, opened_store
    from bridge.clock import SystemClock
    from bridge.daemon.report import is_running
    from bridge.store import pauses
    from bridge.sync import orders

    now = SystemClock().now()
    with opened_store(context) as (settings, store), store.write() as session:
        scope = orders.scope_of(session, settings, everything=everything, route=route, address=address)
        ended = orders.resume(session, scope, now, who=operator())
        left = [orders.scope_of_pause(session, row) for row in pauses.in_force(session, now) if row.ordered]
        running = is_running(session, now)
    if as_json:
        print_json({"scope": scope.key, "paused": False, "changed": ended, "still_paused": [one.key for one in left]})
        return
    typer.echo(
        f"Goes on: {scope.words}. What waited for it is due now." if ended else f"Was not paused: {scope.words}."
    )
    for one in left:
        typer.echo(f"Still paused: {one.words}. Go on with: mailbridge resume {one.option}")
    if ended and not left:
        typer.echo("See: mailbridge status" if running else START_IT)


def _paused(scope: Scope, since: datetime, told: str, now: datetime, *, begun: bool) -> str:
    from bridge.daemon import words

    if begun:
        return f"Paused: {scope.words}. Mail is still looked at, nothing is written, and nothing is lost."
    return f"Was paused before: {scope.words}, {words.printable(told)}, {words.lasting(now - since)} ago."
