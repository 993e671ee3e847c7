"""Pauses: what is not to be done for now, and who said so."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, delete, or_, update
from sqlmodel import Session, col, select

from bridge.store.tables import Pause
from bridge.store.upsert import insert

ALL = "all"
"""The scope of everything that is written."""


def of_route(name: str) -> str:
    """Return the scope of a route."""
    return f"route:{name}"


def of_account(account_id: int) -> str:
    """Return the scope of a person."""
    return f"account:{account_id}"


def put(
    session: Session, scope: str, now: datetime, *, why: str, until: datetime | None = None, ordered: bool = False
) -> bool:
    """Begin a pause; one that is there stays as it is. Return whether it began now.

    Args:
        session: a write session.
        scope: what rests, as ``Pause`` says.
        now: the instant.
        why: for people.
        until: when it ends by itself, None for never.
        ordered: whether a person ordered it.
    """
    begins = lasting(session, scope) is None
    row = insert(session, Pause(scope=scope, since=now, until=until, why=why, ordered=ordered))
    session.exec(row.on_conflict_do_nothing(index_elements=["scope"]))
    return begins


def prolong(session: Session, scope: str, until: datetime) -> None:
    """Let a pause last until an instant; nothing where there is none."""
    session.exec(update(Pause).where(col(Pause.scope) == scope).values(until=until))


def lift(session: Session, scope: str) -> bool:
    """End a pause; return whether there was one."""
    return bool(session.exec(delete(Pause).where(col(Pause.scope) == scope)).rowcount)


def first(session: Session, scopes: Iterable[str], now: datetime) -> Pause | None:
    """Return the oldest pause that is in force for one of the scopes, None where nothing is paused."""
    query = select(Pause).where(col(Pause.scope).in_(sorted(set(scopes))), _in_force(now))
    return session.exec(query.order_by(col(Pause.since), col(Pause.scope)).limit(1)).first()


def lasting(session: Session, scope: str) -> Pause | None:
    """Return the pause of a scope, None where there is none."""
    return session.get(Pause, scope)


def in_force(session: Session, now: datetime) -> list[Pause]:
    """Return every pause that is in force, the oldest first."""
    return list(session.exec(select(Pause).where(_in_force(now)).order_by(col(Pause.since), col(Pause.scope))))


def _in_force(now: datetime) -> ColumnElement[bool]:
    return or_(col(Pause.until).is_(None), col(Pause.until) > now)
