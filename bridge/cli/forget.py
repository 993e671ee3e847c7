"""``mailbridge forget``: stop following a thread; what stands in Confluence stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.output import AsJson, operator, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlmodel import Session

    from bridge.store.tables import Follow


def forget(
    context: typer.Context,
    thread: Annotated[str, typer.Argument(metavar="THREAD", help="Its id, or the address of what it became.")],
    undo: Annotated[bool, typer.Option("--undo", help="Follow it again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Stop following a thread: nothing more of it is published, and nothing in Confluence changes."""
    from bridge.cli.database import opened_store
    from bridge.clock import SystemClock
    from bridge.sync import orders
    from bridge.sync.named import named

    order = orders.follow_again if undo else orders.forget
    now = SystemClock().now()
    with opened_store(context) as (_, store), store.write() as session:
        changed = order(session, named(session, thread), now, who=operator())
        told = [_facts(session, follow) for follow in changed]
    if as_json:
        print_json(told)
    else:
        typer.echo("\n".join(lines(told, thread, undo=undo)))


def lines(told: Sequence[dict[str, str]], thread: str, *, undo: bool) -> list[str]:
    """Return what came of it as the terminal shows it."""
    if not told:
        return ["Nothing was forgotten there." if undo else "It was not followed."]
    if undo:
        said = [f"Followed again: thread {one['thread']} of {one['address']}, route {one['route']}." for one in told]
        return [*said, "What came meanwhile is published now. See: mailbridge status"]
    said = []
    for one in told:
        said.append(f"Not followed any more: thread {one['thread']} of {one['address']}, route {one['route']}.")
        said.append(f"  Stays as it is: {one['url']}" if one["url"] else "  Nothing of it was published.")
    label = "Its label means nothing until it is taken off and put on again."
    return [*said, label, f"Take it back: mailbridge forget {thread} --undo"]


def _facts(session: Session, follow: Follow) -> dict[str, str]:
    from bridge.store.tables import Mailbox, Publication
    from bridge.sync.named import bare_address

    page = session.get(Publication, follow.publication_id) if follow.publication_id is not None else None
    return {
        "thread": follow.thread_id,
        "address": session.get_one(Mailbox, follow.mailbox_id).address,
        "route": follow.route,
        "url": bare_address(page.url) if page is not None else "",
    }
