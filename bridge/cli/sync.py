"""``mailbridge sync``: one pass of every mailbox now."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.output import FAILED, PARTLY, AsJson, note, print_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bridge.daemon.once import Pass
    from bridge.daemon.opening import Opened

_PLACES = 8


def sync(
    context: typer.Context,
    addresses: Annotated[list[str] | None, typer.Argument(metavar="ADDRESS", help="Whose; all if left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Look at every mailbox once, now, and publish what is labelled. It may run beside the service."""
    import logging

    from bridge.cli.database import places_of
    from bridge.daemon.logs import configure
    from bridge.daemon.once import text
    from bridge.daemon.opening import open_all

    configure(sys.stderr, as_json=False, level=logging.ERROR)
    with open_all(places_of(context).config) as opened:
        for remark in opened.remarks:
            note(remark)
        found = one_pass(opened, addresses or [])
        wait = opened.settings.safety.wait
    if as_json:
        print_json(found)
    else:
        typer.echo(text(found, wait))
    if not found.complete:
        raise typer.Exit(FAILED if found.failed and not (found.looked_at or found.busy) else PARTLY)


def one_pass(opened: Opened, addresses: Sequence[str]) -> Pass:
    """Make the pass, with a bar on standard error where that is a terminal."""
    import tempfile
    from functools import partial
    from pathlib import Path

    from bridge.daemon.once import Once, chosen
    from bridge.daemon.wiring import make_bridge
    from bridge.daemon.workers import sign_on
    from bridge.sync.mailbox import sync_mailbox

    boxes = chosen(opened.store, addresses)
    state = opened.config.places.state if opened.config is not None else None
    worker = sign_on("sync", opened.store, state, opened.clock, opened.chance)
    with (
        tempfile.TemporaryDirectory(prefix="mailbridge-") as spool,
        make_bridge(opened.oauth, opened.tokens, Path(spool)) as bridge,
        _bar(len(boxes)) as done,
    ):
        work = partial(sync_mailbox, bridge)
        found = Once(opened.store, opened.clock, work, owner=worker.name, places=_PLACES).run(boxes, done)
    worker.sign_off()
    return found


@contextmanager
def _bar(total: int) -> Iterator[Callable[[str], None]]:
    if not sys.stderr.isatty():
        yield lambda address: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("Mailboxes", total=total)
        yield lambda address: progress.update(task, advance=1, description=address)
