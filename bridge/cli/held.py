"""``mailbridge held``: what waits for a person's decision."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from bridge.cli.output import AsJson, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bridge.sync.held import Held


def held(context: typer.Context, as_json: AsJson = False) -> None:
    """List what waits for a person's decision, the longest waiting first."""
    from bridge.cli.database import opened_store
    from bridge.clock import SystemClock
    from bridge.sync.held import held as read_held

    with opened_store(context) as (settings, store), store.read() as session:
        found = read_held(session)
    subjects = settings.web.admin_sees_subjects
    if as_json:
        print_json([_as_object(item, subjects=subjects) for item in found])
    else:
        typer.echo("\n".join(lines(found, SystemClock().now(), subjects=subjects)))


def lines(found: Sequence[Held], now: datetime, *, subjects: bool) -> list[str]:
    """Return the questions as the terminal shows them: two lines each, what to answer last."""
    from bridge.daemon import words

    if not found:
        return ["Nothing waits for a decision."]
    waits = [words.since(item.since, now) for item in found]
    choices = [" ".join(item.choices) for item in found]
    widths = [
        max(map(len, column))
        for column in (
            ["id", *(item.id for item in found)],
            ["whose", *(item.address for item in found)],
            ["since", *waits],
        )
    ]
    verb = "waits" if len(found) == 1 else "wait"
    told = [f"{words.count(len(found), 'question')} {verb} for an answer."]
    told.append("  " + _columns(("id", "whose", "since"), widths) + "choices")
    for item, wait, choice in zip(found, waits, choices, strict=True):
        told.append("  " + _columns((item.id, item.address, wait), widths) + choice)
        told.append("      " + words.printable(f"{item.detail} {item.question}"))
        if subjects and item.subject:
            told.append("      Subject: " + words.printable(item.subject))
    told.append("Answer with: mailbridge answer ID CHOICE")
    return told


def _columns(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "".join(f"{cell:<{width}}   " for cell, width in zip(cells, widths, strict=True))


def _as_object(item: Held, *, subjects: bool) -> dict[str, object]:
    told = asdict(item)
    if not subjects:
        del told["subject"]
    return told
