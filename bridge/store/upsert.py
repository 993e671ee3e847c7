"""Inserts that say what happens where the row is there already, in one statement, on both databases.

On PostgreSQL two processes may otherwise both find no row and both insert it.
"""

from __future__ import annotations

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel

Insert = sqlite.Insert | postgresql.Insert


def insert(session: Session, row: SQLModel) -> Insert:
    """Return the insert of a row that has no id yet, to be completed by ``on_conflict_do_update`` or ``..._nothing``.

    Rows that wait in the session are written first. A row of the same table that the session holds is not renewed.
    """
    session.flush()
    make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    return make(type(row)).values(row.model_dump(exclude={"id"}))
