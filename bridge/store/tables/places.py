"""Confluence sites and spaces, as last looked at."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel


class Site(SQLModel, table=True):
    """A Confluence site. It holds no rows yet: a site's pauses are kept in memory (``bridge.sync.budget``)."""

    id: int | None = Field(default=None, primary_key=True)
    cloud_id: str = Field(unique=True)
    url: str
    paused_until: datetime | None = None
    why: str = ""
    looked_at: datetime | None = None


class Space(SQLModel, table=True):
    """A space of a site, as last looked up by its key (``key``: casefolded, ``shown_key``: as Confluence writes it)."""

    __table_args__ = (UniqueConstraint("cloud_id", "key"),)

    id: int | None = Field(default=None, primary_key=True)
    cloud_id: str
    key: str
    shown_key: str
    space_id: str
    name: str = ""
    looked_at: datetime
