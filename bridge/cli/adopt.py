"""``mailbridge adopt``: find our pages and comments again after the database was lost."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from bridge.cli.output import FAILED, PARTLY, AsJson, note, operator, print_json

if TYPE_CHECKING:
    from bridge.daemon.opening import Opened
    from bridge.sync.adopt_order import Found


def adopt(context: typer.Context, as_json: AsJson = False) -> None:
    """Find what stands in Confluence already after the database was lost, so that nothing is published twice.

    Run it once everybody has connected again, and before they answer about the mail that is labelled. The service may
    run meanwhile. It only reads.
    """
    import logging

    from bridge.cli.database import places_of
    from bridge.daemon.logs import configure
    from bridge.daemon.opening import open_all

    configure(sys.stderr, as_json=False, level=logging.ERROR)
    with open_all(places_of(context).config) as opened:
        found = searched(opened)
    if as_json:
        print_json(
            {
                "pages": found.pages,
                "comments": found.comments,
                "threads": found.threads,
                "new": found.new,
                "searched": found.looked,
                "unread": found.unread,
            }
        )
    else:
        typer.echo("\n".join(text(found)))
    if not found.read:
        raise typer.Exit(FAILED)
    if found.unread:
        raise typer.Exit(PARTLY)


def searched(opened: Opened) -> Found:
    """Search, and tell on standard error what is searched as whom."""
    import tempfile
    from pathlib import Path

    from bridge.daemon.wiring import make_bridge
    from bridge.sync.adopt_order import adopt as search

    def told(place: str, person: str) -> None:
        note(f"Searching {place} as {person} ...")

    with (
        tempfile.TemporaryDirectory(prefix="mailbridge-") as spool,
        make_bridge(opened.oauth, opened.tokens, Path(spool)) as bridge,
    ):
        return search(bridge, told, who=operator())


def text(found: Found) -> list[str]:
    """Return what was found, what could not be read and whose move that is, and what comes next."""
    from bridge.daemon.words import count

    if not found.looked:
        return [
            "Nobody is connected to Confluence, so nothing could be searched.",
            "Have them connect first: mailbridge connect ADDRESS",
        ]
    pages, comments = count(found.pages, "page"), count(found.comments, "comment")
    news = f"{found.new:,}" if found.new else "none"
    lines = [f"Found {pages} and {comments} of {count(found.threads, 'thread')}, {news} of them new."]
    lines += [f"Not read as {one.person}: {one.place}. {one.problem}" for one in found.looked if one.problem]
    if found.unread:
        lines.append(
            "Nobody who is connected could read: "
            + "; ".join(found.unread)
            + ". What stands there might be published a second time. Mend that, then run it again: mailbridge adopt"
        )
    lines.append("Each thread takes what is its own when it is looked at. What waits for an answer: mailbridge held")
    return lines
