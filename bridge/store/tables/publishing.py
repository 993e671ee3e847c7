"""What mail becomes in Confluence: follows, publications and their claims, entries, attachments and writes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Column, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from bridge.store.tables.states import (
    AttachmentState,
    EntryState,
    FollowState,
    PublicationState,
    WriteState,
    state_type,
)


class Follow(SQLModel, table=True):
    """One mailbox's thread under one route.

    ``reason`` is a code ("wait", "backlog", "brake", ...), ``detail`` the sentence for people, ``question`` what is
    asked ('' for nothing), ``answer`` what the person chose. ``history_id`` is the thread's at the last look.
    """

    __table_args__ = (UniqueConstraint("mailbox_id", "thread_id", "route"),)

    id: int | None = Field(default=None, primary_key=True)
    mailbox_id: int = Field(foreign_key="mailbox.id", index=True)
    thread_id: str
    route: str
    publication_id: int | None = Field(default=None, foreign_key="publication.id", index=True)
    state: FollowState = Field(default=FollowState.FOLLOWING, sa_column=Column(state_type(FollowState), nullable=False))
    reason: str = ""
    detail: str = ""
    question: str = ""
    answer: str = ""
    since: datetime
    subject: str = ""
    messages: int = 0
    history_id: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    labelled_at: datetime
    not_before: datetime
    tries: int = 0
    next_try_at: datetime | None = None


class Publication(SQLModel, table=True):
    """What a conversation became at one destination for one audience: a page, a post, or a comment on a given page.

    ``destination`` is ``cloud id / space id / kind / parent or container id or -``; ``audience`` '' for everybody who
    may see the place, or an account's id. ``content_id`` is the page's, post's or root comment's id, '' before it
    exists. ``page_id`` is where its files lie: itself, or the container of a comment.

    ``remote`` is what people made of it in Confluence, as last seen at ``remote_at``: '' (as usual), "trashed",
    "archived", "purged", "hidden" (this person is not shown it). ``epoch`` is the database's in which what stands in
    Confluence was last known; another one than ``meta`` has means: look for markers before the next write. ``round``
    grows each time that a person asks for it anew; ``successor_uid`` names the publication that came instead.
    """

    __table_args__ = (
        Index(
            "publication_content",
            "cloud_id",
            "content_id",
            unique=True,
            sqlite_where=text("content_id <> '' AND kind <> 'comment'"),
            postgresql_where=text("content_id <> '' AND kind <> 'comment'"),
        ),
        Index("publication_place", "destination", "audience"),
    )

    id: int | None = Field(default=None, primary_key=True)
    uid: str = Field(unique=True)
    destination: str
    audience: str = ""
    route: str = ""
    state: PublicationState = Field(
        default=PublicationState.PLANNED, sa_column=Column(state_type(PublicationState), nullable=False)
    )
    account_id: int = Field(foreign_key="account.id", index=True)
    cloud_id: str
    kind: str
    space_id: str
    space_key: str = ""
    parent_id: str = ""
    page_id: str = ""
    content_id: str = ""
    url: str = ""
    title: str = ""
    version: int = 0
    panel_date: datetime | None = None
    created_at: datetime
    published_at: datetime | None = None
    lease: str = ""
    lease_until: datetime | None = None
    tries: int = 0
    next_try_at: datetime | None = None
    reason: str = ""
    detail: str = ""
    remote: str = ""
    remote_at: datetime | None = None
    epoch: str = ""
    round: int = 0
    successor_uid: str = ""


class Claim(SQLModel, table=True):
    """Which publication owns a message at a destination; what makes two mailboxes meet in one page."""

    __table_args__ = (UniqueConstraint("destination", "audience", "message_key"),)

    id: int | None = Field(default=None, primary_key=True)
    destination: str
    audience: str = ""
    message_key: str
    publication_id: int = Field(foreign_key="publication.id", index=True)


class Entry(SQLModel, table=True):
    """One message inside a publication: the body itself, or a comment.

    ``key`` is the marker in its origin link. ``mailbox_id``, ``thread_id`` and ``message_id`` say where its mail can be
    read. A held entry has a ``reason``, a ``question`` and later an ``answer``. ``fallback`` marks one whose rendered
    body was refused, so that plain text stands instead.
    """

    __table_args__ = (UniqueConstraint("publication_id", "message_key"),)

    id: int | None = Field(default=None, primary_key=True)
    publication_id: int = Field(foreign_key="publication.id", index=True)
    message_key: str
    ordinal: int
    kind: str
    state: EntryState = Field(default=EntryState.PLANNED, sa_column=Column(state_type(EntryState), nullable=False))
    key: str = ""
    account_id: int | None = Field(default=None, foreign_key="account.id")
    mailbox_id: int = Field(foreign_key="mailbox.id", index=True)
    thread_id: str
    message_id: str
    sent_on: datetime
    reason: str = ""
    detail: str = ""
    question: str = ""
    answer: str = ""
    since: datetime
    remote_id: str = ""
    digest: str = ""
    fallback: bool = False


class Attachment(SQLModel, table=True):
    """A file of a publication on its page; its name is reserved here before it is uploaded.

    ``source`` is ``message key:part id``; ``size`` is in bytes; ``folded`` is the name casefolded.
    """

    __table_args__ = (
        UniqueConstraint("page_id", "folded"),
        UniqueConstraint("publication_id", "sha256", "inline"),
    )

    id: int | None = Field(default=None, primary_key=True)
    publication_id: int = Field(foreign_key="publication.id", index=True)
    entry_id: int = Field(foreign_key="entry.id", index=True)
    page_id: str
    name: str
    folded: str
    sha256: str
    size: int = Field(sa_column=Column(BigInteger, nullable=False))
    mime_type: str
    source: str
    inline: bool = False
    state: AttachmentState = Field(
        default=AttachmentState.RESERVED, sa_column=Column(state_type(AttachmentState), nullable=False)
    )
    remote_id: str = ""


class Write(SQLModel, table=True):
    """One change to a remote system: the intent, committed before the request is sent.

    ``target`` names what is written within the publication ("content", an entry's or an attachment's id). ``key`` is
    the write key that goes along (8 hex digits). ``status`` and ``answer`` are the last HTTP status and its cut text.
    ``sent_tick`` is ``sent_at`` on the monotonic clock of ``sent_boot``, which nobody sets. ``looks`` is how often
    it was looked for in vain since it was sent.
    """

    __table_args__ = (UniqueConstraint("publication_id", "kind", "target", "round"),)

    id: int | None = Field(default=None, primary_key=True)
    publication_id: int = Field(foreign_key="publication.id", index=True)
    entry_id: int | None = Field(default=None, foreign_key="entry.id")
    attachment_id: int | None = Field(default=None, foreign_key="attachment.id")
    mailbox_id: int | None = Field(default=None, foreign_key="mailbox.id")
    kind: str
    target: str
    round: int = 0
    account_id: int = Field(foreign_key="account.id")
    state: WriteState = Field(default=WriteState.PLANNED, sa_column=Column(state_type(WriteState), nullable=False))
    key: str
    title: str = ""
    sent_at: datetime | None = None
    look_after: datetime | None = None
    sent_boot: str = ""
    sent_tick: float = 0.0
    looks: int = 0
    not_before: datetime | None = None
    tries: int = 0
    status: int = 0
    answer: str = ""
    remote_id: str = ""
