"""What happened, append-only: no subjects, no bodies."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from bridge.store.tables import Event


def tell(
    session: Session,
    at: datetime,
    what: str,
    *,
    route: str = "",
    account_id: int | None = None,
    thread_id: str = "",
    remote_id: str = "",
    version: int = 0,
    cause: str = "",
    outcome: str = "",
    detail: str = "",
) -> None:
    """Write one event down."""
    session.add(
        Event(
            at=at,
            what=what,
            route=route,
            account_id=account_id,
            thread_id=thread_id,
            remote_id=remote_id,
            version=version,
            cause=cause,
            outcome=outcome,
            detail=detail,
        )
    )


def of_thread(session: Session, thread_id: str) -> list[Event]:
    """Return a thread's events, oldest first."""
    return list(session.exec(select(Event).where(Event.thread_id == thread_id).order_by(col(Event.id))))


def after(session: Session, event_id: int, limit: int = 200) -> list[Event]:
    """Return the events after one, oldest first."""
    return list(session.exec(select(Event).where(col(Event.id) > event_id).order_by(col(Event.id)).limit(limit)))
