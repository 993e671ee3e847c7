"""Refused inputs: one an entry, gone when their time is over."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import Session, select

from bridge.store import kept
from bridge.store.tables import KeptInput

from support import rows
from support.rows import NOW


def test_an_input_is_kept_for_fourteen_days(session: Session) -> None:
    box = rows.mailbox(session)
    entry = rows.entry(session, rows.publication(session, box), box)
    kept.keep(session, entry.id or 0, NOW, cause="BAD_REQUEST", sealed="x")
    found = kept.of_entry(session, entry.id or 0, NOW)
    assert found is not None
    assert (found.sealed, found.cause, found.expires_at) == ("x", "BAD_REQUEST", NOW + timedelta(days=14))
    almost, over = NOW + timedelta(days=14, seconds=-1), NOW + timedelta(days=14)
    assert kept.purge(session, almost) == 0
    assert kept.of_entry(session, entry.id or 0, almost) is not None
    assert kept.of_entry(session, entry.id or 0, over) is None
    assert kept.purge(session, over) == 1
    assert session.exec(select(KeptInput)).all() == []


def test_the_newest_input_of_an_entry_takes_the_place_of_an_older_one(session: Session) -> None:
    box = rows.mailbox(session)
    publication = rows.publication(session, box)
    first, second = (rows.entry(session, publication, box, key, ordinal=n) for n, key in enumerate(("m1", "m2")))
    for entry, sealed in ((first, "old"), (second, "other"), (first, "new")):
        kept.keep(session, entry.id or 0, NOW, cause="", sealed=sealed)
    assert {row.sealed for row in session.exec(select(KeptInput))} == {"new", "other"}
