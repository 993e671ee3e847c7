"""Spaces as last looked up by their key."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from bridge.store.tables import Space
from bridge.store.upsert import insert


def find(session: Session, cloud_id: str, key: str) -> Space | None:
    """Return what is known of a space; upper and lower case of the key are the same."""
    query = select(Space).where(Space.cloud_id == cloud_id, Space.key == key.casefold())
    return session.exec(query.execution_options(populate_existing=True)).first()


def of_site(session: Session, cloud_id: str) -> list[str]:
    """Return the ids of the spaces of a site that were ever looked up: those of routes."""
    query = select(col(Space.space_id)).where(Space.cloud_id == cloud_id).distinct()
    return sorted(session.exec(query))


def save(session: Session, cloud_id: str, key: str, space_id: str, name: str, now: datetime) -> None:
    """Remember a space under its key as Confluence writes it."""
    row = Space(cloud_id=cloud_id, key=key.casefold(), shown_key=key, space_id=space_id, name=name, looked_at=now)
    changes = {"shown_key": key, "space_id": space_id, "name": name, "looked_at": now}
    session.exec(insert(session, row).on_conflict_do_update(index_elements=["cloud_id", "key"], set_=changes))
