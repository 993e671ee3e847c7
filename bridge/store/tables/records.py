"""What happened, and facts about the database itself."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel


class Event(SQLModel, table=True):
    """What happened, append-only; no subjects, no bodies."""

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


class Meta(SQLModel, table=True):
    """Facts about the database itself: installation id, epoch, program version, the daemon's heartbeat."""

    key: str = Field(primary_key=True)
    value: str = ""
