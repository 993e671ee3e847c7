"""``mailbridge log``: who read and wrote what, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.output import AsJson, print_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bridge.store.tables import Event


def log(
    context: typer.Context,
    account: Annotated[str, typer.Option("--account", metavar="ADDRESS", help="Of one person.")] = "",
    thread: Annotated[str, typer.Option("--thread", metavar="ID", help="Of one thread.")] = "",
    route: Annotated[str, typer.Option("--route", metavar="NAME", help="Under one route.")] = "",
    what: Annotated[str, typer.Option("--what", metavar="WORD", help='As "mail read", "publish", "paused".')] = "",
    since: Annotated[str, typer.Option("--since", metavar="TIME", help='As "2h", "7d" or "2026-03-03 12:00".')] = "",
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="Likewise; UTC.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=1_000_000, help="At most so many.")] = 200,
    as_json: AsJson = False,
) -> None:
    """Tell what happened, the newest last: every mail that was read, every change in Confluence, every order."""
    from bridge.cli.database import opened_store
    from bridge.clock import SystemClock
    from bridge.daemon.telling import as_object
    from bridge.errors import BridgeError
    from bridge.store import accounts, events
    from bridge.sync.named import thread_of

    now = SystemClock().now()
    begin, end = instant(since, now), instant(until, now)
    with opened_store(context) as (_, store), store.read() as session:
        person = accounts.by_address(session, account) if account else None
        if account and person is None:
            raise BridgeError(f"{account} is not connected here. See: mailbridge accounts list")
        found = events.chosen(
            session,
            account_id=person.id if person is not None else None,
            thread_id=thread_of(thread),
            route=route,
            what=what,
            since=begin,
            until=end,
            limit=limit,
        )
        names = {one.id or 0: one.address for one in accounts.everyone(session)}
    if as_json:
        print_json([as_object(event, names.get(event.account_id or 0, "")) for event in found])
    else:
        typer.echo("\n".join(lines(found, names, limit)))


def lines(found: Sequence[Event], names: Mapping[int, str], limit: int) -> list[str]:
    """Return the events as the terminal shows them: a heading for each day, a line for each event."""
    from bridge.daemon.telling import sentence
    from bridge.daemon.words import count, printable, upper_first
    from bridge.render.dates import day

    if not found:
        return ["Nothing was written down that fits.", "Events are kept for 400 days. All of them: mailbridge log"]
    told = [f"{count(len(found), 'event')}, the newest last{' (--limit has more)' if len(found) == limit else ''}."]
    wide = max(len(names.get(event.account_id or 0, "")) for event in found)
    deep = max(len(event.thread_id) for event in found)
    today = ""
    for event in found:
        if (date := day(event.at, "UTC")) != today:
            today = date
            told.append(f"{date} (UTC)")
        address = names.get(event.account_id or 0, "")
        said = upper_first(printable(sentence(event)))
        route = f" [{event.route}]" if event.route else ""
        told.append(f"  {event.at:%H:%M:%S}  {address:<{wide}}  {event.thread_id:<{deep}}  {said}{route}".rstrip())
    return [*told, "More about a thread: mailbridge explain THREAD       All fields: --json"]


def instant(written: str, now: datetime) -> datetime | None:
    """Return the instant that "2h", "7d" (ago) or "2026-03-03 12:00" (UTC) means, None for ''.

    Raises:
        BridgeError: it is neither.
    """
    import re
    from datetime import UTC, datetime, timedelta

    from bridge.errors import BridgeError

    if not written:
        return None
    units = {"s": "seconds", "min": "minutes", "h": "hours", "d": "days"}
    try:
        if span := re.fullmatch(r"(\d{1,6}) ?(s|min|h|d)", written.strip()):
            return now - timedelta(**{units[span[2]]: int(span[1])})
        found = datetime.fromisoformat(written.strip())
    except (ValueError, OverflowError):
        raise BridgeError(f'"{written}" is no time. Write "2h", "7d", "2026-03-03" or "2026-03-03 12:00".') from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
