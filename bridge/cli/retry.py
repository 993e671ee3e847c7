"""``mailbridge retry``: try again what waits for somebody or for a service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.output import AsJson, operator, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlmodel import Session

    from bridge.store.tables import Follow

Thread = Annotated[str, typer.Argument(metavar="[THREAD]", help="Its id, or the address of what it became.")]


def retry(
    context: typer.Context,
    thread: Thread = "",
    everything: Annotated[bool, typer.Option("--all", help="All that waits.")] = False,
    account: Annotated[str, typer.Option("--account", metavar="ADDRESS", help="All that waits of one person.")] = "",
    as_json: AsJson = False,
) -> None:
    """Try waiting threads again now. What stands already is never written a second time."""
    from bridge.cli.database import START_IT, opened_store
    from bridge.clock import SystemClock
    from bridge.daemon.report import is_running
    from bridge.daemon.words import count
    from bridge.sync import orders

    now = SystemClock().now()
    with opened_store(context) as (settings, store), store.write() as session:
        wanted = _wanted(session, thread, account, everything=everything)
        found = orders.retry(session, wanted, now, who=operator())
        running, resting = is_running(session, now), _resting(session, now)
    if as_json:
        print_json(found)
        return
    if found.threads:
        typer.echo(f"{count(len(found.threads), 'thread')} {'is' if len(found.threads) == 1 else 'are'} due now.")
    else:
        typer.echo("Nothing waits that could be tried again.")
    if found.asked:
        verb = "waits" if len(found.asked) == 1 else "wait"
        typer.echo(f"{count(len(found.asked), 'thread')} {verb} for an answer: mailbridge held")
    for line in resting if found.threads else ():
        typer.echo(line)
    if found.threads and settings.safety.mode == "observe":
        typer.echo('Nothing is written while [safety] mode is "observe".')
    if found.threads:
        typer.echo(f"What came of it: mailbridge explain {found.threads[0]}" if running else START_IT)


def _wanted(session: Session, thread: str, account: str, *, everything: bool) -> Sequence[Follow]:
    from bridge.errors import BridgeError
    from bridge.store import accounts
    from bridge.sync import orders
    from bridge.sync.named import named

    if sum((bool(thread), bool(account), everything)) != 1:
        raise BridgeError("Say what to try again: THREAD, --account ADDRESS or --all.")
    if thread:
        return named(session, thread)
    if everything:
        return orders.failing(session)
    person = accounts.by_address(session, account)
    if person is None:
        raise BridgeError(f"{account} is not connected here. See: mailbridge accounts list")
    return orders.failing(session, account_id=person.id)


def _resting(session: Session, now: datetime) -> list[str]:
    from bridge.store import pauses
    from bridge.sync.orders import scope_of_pause

    scopes = [scope_of_pause(session, row) for row in pauses.in_force(session, now) if row.ordered]
    return [f"Paused: {scope.words}. Go on with: mailbridge resume {scope.option}" for scope in scopes]
