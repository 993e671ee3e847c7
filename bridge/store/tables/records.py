"""What happened, and facts about the database itself."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, Text
from sqlmodel import Field, SQLModel


class Event(SQLModel, table=True):
    """What happened, append-only; no subjects, no bodies.

    ``detail`` is JSON with the evidence of a decision (label ids, the rule, what of the quotes was cut), '' for none.
    """

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(index=True)
    route: str = ""
    account_id: int | None = Field(default=None, foreign_key="account.id")
    thread_id: str = Field(default="", index=True)
    what: str
    remote_id: str = ""
    version: int = 0
    cause: str = ""
    outcome: str = ""
    detail: str = Field(default="", sa_column=Column(Text, nullable=False))


class Pause(SQLModel, table=True):
    """Something that is not to be done for now.

    ``scope`` is "all", "route:NAME" or "account:ID" where a person ordered it, "site:CLOUD-ID", "app:PROVIDER" or
    "provider:PROVIDER" where a provider asked for it or does not answer. ``until`` is None for one that lasts until it
    is lifted.
    """

    scope: str = Field(primary_key=True)
    since: datetime
    until: datetime | None = None
    why: str = ""
    ordered: bool = False


class KeptInput(SQLModel, table=True):
    """The input of a body that Confluence refused, sealed, for ``explain``; gone after 14 days."""

    __tablename__ = "kept_input"

    id: int | None = Field(default=None, primary_key=True)
    entry_id: int = Field(foreign_key="entry.id", index=True)
    at: datetime
    expires_at: datetime = Field(index=True)
    cause: str = ""
    sealed: str = Field(sa_column=Column(Text, nullable=False))


class Meta(SQLModel, table=True):
    """Facts about the database itself: installation id, epoch, program version, the daemon's heartbeat."""

    key: str = Field(primary_key=True)
    value: str = ""
