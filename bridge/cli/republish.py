"""``mailbridge republish``: publish a thread anew whose page people removed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.output import AsJson, note, print_json

if TYPE_CHECKING:
    from bridge.daemon.opening import Opened
    from bridge.store.tables import Follow


def republish(
    context: typer.Context,
    thread: Annotated[str, typer.Argument(metavar="THREAD", help="Its id, or the address of what it became.")],
    as_json: AsJson = False,
) -> None:
    """Publish a thread anew whose page was removed, as a new page. One that stands is left as it is."""
    import logging

    from bridge.cli.database import START_IT, places_of
    from bridge.daemon.logs import configure
    from bridge.daemon.opening import open_all
    from bridge.daemon.report import is_running
    from bridge.store.tables import Mailbox, Publication
    from bridge.sync.named import bare_address
    from bridge.sync.republish import republish as order

    configure(sys.stderr, as_json=False, level=logging.ERROR)
    with open_all(places_of(context).config) as opened:
        for remark in opened.remarks:
            note(remark)
        follow = _chosen(opened, thread)
        _look(opened, follow)
        new = order(opened.store, follow.id or 0, opened.clock.now())
        with opened.store.read() as session:
            address = session.get_one(Mailbox, follow.mailbox_id).address
            old = session.get_one(Publication, follow.publication_id)
            running = is_running(session, opened.clock.now())
        observing = opened.settings.safety.mode == "observe"
    if as_json:
        print_json({"thread": follow.thread_id, "address": address, "publication": new.uid, "instead_of": old.uid})
        return
    typer.echo(f"To be published anew: thread {follow.thread_id} of {address}, in {new.space_key or 'the same place'}.")
    stood = bare_address(old.url) or old.content_id or "nothing stood there"
    typer.echo(f"  What was removed is not touched: {stood}")
    if observing:
        typer.echo('Nothing is written while [safety] mode is "observe".')
    typer.echo(f"What came of it: mailbridge explain {follow.thread_id}" if running else START_IT)


def _chosen(opened: Opened, thread: str) -> Follow:
    """Return the one follow that is meant: of several, the first whose person wrote the page.

    Raises:
        BridgeError: nothing is followed under that name, or several pages are meant.
    """
    from bridge.errors import BridgeError
    from bridge.store.tables import Mailbox, Publication
    from bridge.sync.named import named

    with opened.store.read() as session:
        found = named(session, thread)
        pages = {follow.publication_id for follow in found if follow.publication_id is not None}
        if len(pages) > 1:
            raise BridgeError("This thread became several pages. Name the one that was removed by its address.")
        mine = [follow for follow in found if follow.publication_id is not None]
        if not mine:
            raise BridgeError("Nothing of this thread was published yet.")
        page = session.get_one(Publication, mine[0].publication_id)
        writer = [one for one in mine if session.get_one(Mailbox, one.mailbox_id).account_id == page.account_id]
        return (writer or mine)[0]


def _look(opened: Opened, follow: Follow) -> None:
    """Ask Confluence what became of the page: it may have been removed a moment ago, or brought back."""
    import tempfile
    from pathlib import Path

    from bridge.daemon.wiring import make_bridge
    from bridge.sync.republish import look_at

    with (
        tempfile.TemporaryDirectory(prefix="mailbridge-") as spool,
        make_bridge(opened.oauth, opened.tokens, Path(spool)) as bridge,
    ):
        look_at(bridge, follow.id or 0)
