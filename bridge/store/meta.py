"""Facts about the database itself, and what the running daemon says of itself."""

from __future__ import annotations

from sqlalchemy import delete
from sqlmodel import Session, col, select

from bridge.clock import Chance
from bridge.store.tables import Meta
from bridge.store.upsert import insert


def get(session: Session, key: str) -> str:
    """Return a value, '' where it was never set."""
    return session.exec(select(col(Meta.value)).where(Meta.key == key)).first() or ""


def put(session: Session, key: str, value: str) -> None:
    """Set a value."""
    row = insert(session, Meta(key=key, value=value))
    session.exec(row.on_conflict_do_update(index_elements=["key"], set_={"value": value}))


def drop(session: Session, key: str) -> None:
    """Forget a value."""
    session.exec(delete(Meta).where(col(Meta.key) == key))


def installation(session: Session, chance: Chance) -> str:
    """Return the installation's id, made at the first call; markers and write keys are derived from it."""
    if not get(session, "installation"):
        row = insert(session, Meta(key="installation", value=chance.token(12)))
        session.exec(row.on_conflict_do_nothing(index_elements=["key"]))
    return get(session, "installation")
