"""Confluence sites and spaces, as last looked at, and what was found of ours in them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
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


class Mark(SQLModel, table=True):
    """Something of ours that was found in Confluence by its marker, after the database had lost sight of it.

    ``kind`` is "page", "blogpost" or "comment"; ``content_id`` its own id, ``page_id`` that of the page which it is or
    stands on, ``parent_id`` the page above it, or the comment that it replies to. ``key`` is the marker, ``mail`` the
    sha256 of the Message-ID that stands beside it ('' for a mail without one), ``uid`` the publication's as its
    property says, ``author`` an Atlassian account id. ``status`` is Confluence's; ``epoch`` that of the last look.
    """

    __table_args__ = (UniqueConstraint("cloud_id", "content_id"), Index("mark_mail", "cloud_id", "mail"))

    id: int | None = Field(default=None, primary_key=True)
    cloud_id: str
    space_id: str
    kind: str
    content_id: str
    page_id: str = Field(index=True)
    parent_id: str = ""
    key: str
    mail: str = ""
    uid: str = ""
    author: str = ""
    status: str = ""
    title: str = ""
    url: str = ""
    epoch: str = ""


class Search(SQLModel, table=True):
    """A place that was searched for marks in an epoch, as a person; ``container`` is the page commented on, or ''."""

    __table_args__ = (UniqueConstraint("epoch", "cloud_id", "space_id", "kind", "container", "account_id"),)

    id: int | None = Field(default=None, primary_key=True)
    epoch: str
    cloud_id: str
    space_id: str
    kind: str
    container: str = ""
    account_id: int
    done_at: datetime
