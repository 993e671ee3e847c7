"""What happened, append-only: no subjects, no bodies."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlmodel import Session, col, select

from bridge.store.tables import Event

KEPT = timedelta(days=400)
"""How long an event is kept."""


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


def tell_news(
    session: Session,
    at: datetime,
    what: str,
    *,
    detail: str,
    thread_id: str,
    route: str = "",
    account_id: int | None = None,
    cause: str = "",
) -> None:
    """Write one event down unless the last of its kind said the very same of this thread, route, person and cause."""
    query = select(col(Event.detail)).where(
        Event.thread_id == thread_id,
        Event.what == what,
        Event.route == route,
        Event.cause == cause,
        col(Event.account_id) == account_id,
    )
    if session.exec(query.order_by(col(Event.id).desc()).limit(1)).first() != detail:
        tell(session, at, what, route=route, account_id=account_id, thread_id=thread_id, cause=cause, detail=detail)


def of_thread(session: Session, thread_id: str) -> list[Event]:
    """Return a thread's events, oldest first."""
    return list(session.exec(select(Event).where(Event.thread_id == thread_id).order_by(col(Event.id))))


def last(session: Session, what: str, *, account_id: int | None = None, thread_id: str = "") -> Event | None:
    """Return the newest event of a name, of one person or thread; None where there is none."""
    query = select(Event).where(Event.what == what)
    if account_id is not None:
        query = query.where(Event.account_id == account_id)
    if thread_id:
        query = query.where(Event.thread_id == thread_id)
    return session.exec(query.order_by(col(Event.id).desc()).limit(1)).first()


def after(session: Session, event_id: int, limit: int = 200) -> list[Event]:
    """Return the events after one, oldest first."""
    return list(session.exec(select(Event).where(col(Event.id) > event_id).order_by(col(Event.id)).limit(limit)))


def chosen(
    session: Session,
    *,
    account_id: int | None = None,
    thread_id: str = "",
    route: str = "",
    what: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 200,
) -> list[Event]:
    """Return the newest events that fit, oldest first.

    Args:
        session: for reading.
        account_id: whose, None for everybody's.
        thread_id: of which thread, '' for all.
        route: likewise.
        what: a part of the event's name, '' for all.
        since: not before.
        until: before.
        limit: at most so many.
    """
    query = select(Event)
    if account_id is not None:
        query = query.where(Event.account_id == account_id)
    if thread_id:
        query = query.where(Event.thread_id == thread_id)
    if route:
        query = query.where(Event.route == route)
    if what:
        query = query.where(col(Event.what).contains(what, autoescape=True))
    if since is not None:
        query = query.where(col(Event.at) >= since)
    if until is not None:
        query = query.where(col(Event.at) < until)
    return list(session.exec(query.order_by(col(Event.id).desc()).limit(limit)))[::-1]


def purge(session: Session, before: datetime, limit: int = 5000) -> int:
    """Delete the oldest events from before a time, at most so many; return how many went."""
    old = select(col(Event.id)).where(col(Event.at) < before).order_by(col(Event.at)).limit(limit)
    return session.exec(delete(Event).where(col(Event.id).in_(old))).rowcount
