"""People, what they allowed, and their mailboxes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Column, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from bridge.store.tables.states import GrantState, state_type


class Account(SQLModel, table=True):
    """A person known to the bridge, named by the Google address that they signed in with (lower case)."""

    id: int | None = Field(default=None, primary_key=True)
    address: str = Field(unique=True)
    name: str = ""
    role: str = "member"
    paused: bool = False
    created_at: datetime


class Grant(SQLModel, table=True):
    """One account's delegated tokens at one provider, sealed at rest.

    ``sealed`` opens with ``bridge.oauth.seal`` only. ``generation`` grows with each new pair of tokens.
    ``refresh_owner`` and ``refresh_until`` are the lease under which one process refreshes.
    """

    __tablename__ = "oauth_grant"
    __table_args__ = (
        UniqueConstraint("account_id", "provider"),
        UniqueConstraint("provider", "subject"),
    )

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="account.id", index=True)
    provider: str
    subject: str
    name: str = ""
    scopes: str = ""
    sealed: str = Field(sa_column=Column(Text, nullable=False))
    expires_at: datetime | None = None
    state: GrantState = Field(default=GrantState.LIVE, sa_column=Column(state_type(GrantState), nullable=False))
    reason: str = ""
    state_since: datetime
    cloud_id: str = ""
    site_url: str = ""
    generation: int = 1
    refresh_owner: str = ""
    refresh_until: datetime | None = None
    refreshed_at: datetime
    connected_at: datetime
    last_used_at: datetime | None = None


class Consent(SQLModel, table=True):
    """A consent under way: what must be remembered between the link and the redirect.

    Only the digest of ``state`` is kept. ``sealed`` holds the PKCE verifier. ``outcome`` is '' until it is finished,
    then "connected", "choose site" (``choices`` lists the sites) or "failed" with ``detail`` for its person.
    """

    id: int | None = Field(default=None, primary_key=True)
    state_digest: str = Field(unique=True)
    provider: str
    address: str
    sealed: str = Field(sa_column=Column(Text, nullable=False))
    session: str = ""
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    outcome: str = ""
    detail: str = ""
    choices: list[dict[str, str]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))


class Mailbox(SQLModel, table=True):
    """A Gmail mailbox: its cursor (Gmail historyId), its labels, when it is due.

    ``cursor`` is None before the first full pass. ``cursor_from_profile_at`` is when getProfile gave it. ``labels_key``
    is the set of route labels that the last full pass looked for. ``backlog`` is the person's answer about mail that
    was labelled before they connected: "ask", "publish", "new", "ignore".
    """

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="account.id", unique=True)
    address: str = Field(unique=True)
    cursor: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    cursor_from_profile_at: datetime | None = None
    due_at: datetime = Field(index=True)
    news_at: datetime | None = None
    full_pass_at: datetime | None = None
    labels_looked_at: datetime | None = None
    labels_key: str = ""
    backlog: str = "ask"
    lease: str = ""
    lease_until: datetime | None = None
    paused_until: datetime | None = None
    reason: str = ""
    tries: int = 0
    looked_at: datetime | None = None


class Label(SQLModel, table=True):
    """A Gmail label of a mailbox, as it was called when last looked at."""

    __table_args__ = (UniqueConstraint("mailbox_id", "gmail_id"),)

    id: int | None = Field(default=None, primary_key=True)
    mailbox_id: int = Field(foreign_key="mailbox.id")
    gmail_id: str
    name: str
    gone_at: datetime | None = None


class TouchedThread(SQLModel, table=True):
    """A thread that may have changed; queued until looked at.

    ``history_id`` is the largest seen of it, ``generation`` grows each time it is touched again, ``tries`` counts the
    attempts to read it that did not end (a mail that kills the process is known by them), ``failures`` the providers'
    faults in a row. ``unsure`` marks one whose history record named no labels.
    """

    __tablename__ = "touched_thread"
    __table_args__ = (UniqueConstraint("mailbox_id", "thread_id"),)

    id: int | None = Field(default=None, primary_key=True)
    mailbox_id: int = Field(foreign_key="mailbox.id")
    thread_id: str
    history_id: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    generation: int = 1
    due_at: datetime = Field(index=True)
    tries: int = 0
    failures: int = 0
    unsure: bool = False
