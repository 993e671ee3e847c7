"""Inputs of bodies that Confluence refused: kept sealed for a time, so that the fault can be found."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlmodel import Session, col, select

from bridge.store.tables import KeptInput

KEPT = timedelta(days=14)
"""How long one is kept."""


def keep(session: Session, entry_id: int, now: datetime, *, cause: str, sealed: str) -> None:
    """Keep the input of an entry's body, in place of an earlier one of the same entry.

    Args:
        session: a write session.
        entry_id: whose body was refused.
        now: the instant.
        cause: what Confluence answered, in short.
        sealed: the input, as the seal gives it.
    """
    session.exec(delete(KeptInput).where(col(KeptInput.entry_id) == entry_id))
    session.add(KeptInput(entry_id=entry_id, at=now, expires_at=now + KEPT, cause=cause, sealed=sealed))


def of_entry(session: Session, entry_id: int, now: datetime) -> KeptInput | None:
    """Return what is kept of an entry; None where there is nothing, or its time is over."""
    query = select(KeptInput).where(KeptInput.entry_id == entry_id, col(KeptInput.expires_at) > now)
    return session.exec(query.order_by(col(KeptInput.id).desc())).first()


def purge(session: Session, now: datetime) -> int:
    """Delete what was kept long enough; return how many went."""
    return session.exec(delete(KeptInput).where(col(KeptInput.expires_at) <= now)).rowcount
