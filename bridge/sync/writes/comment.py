"""Posts a comment on a page or post, or a reply to our own comment."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from bridge.confluence import Comment as RemoteComment
from bridge.confluence import Confluence
from bridge.confluence import Kind as ContainerKind
from bridge.render import find_key
from bridge.store.tables import Entry, EntryState, Publication, PublicationState, Write
from bridge.sync.writes.base import Result


@dataclass(frozen=True, slots=True)
class Comment:
    """One entry as a comment; with ``parent_id`` as a reply to that comment.

    ``marker`` is the entry key in its origin link, by which it is found again whoever its author is.
    ``is_body`` is true for the first mail of a publication that is itself a comment. Lists of comments lag: one look
    in vain proves nothing.
    """

    publication_id: int
    entry_id: int
    container_kind: ContainerKind
    container_id: str
    parent_id: str
    marker: str
    storage: str = field(repr=False)
    is_body: bool = False
    kind: str = "comment"
    title: str = ""
    settle: float = 120.0
    looks: int = 3

    @property
    def target(self) -> str:
        """The entry's row."""
        return f"entry {self.entry_id}"

    def request(self, client: Confluence, write: Write) -> Result:
        """Post it.

        Raises:
            PersonMustAct: commenting is not allowed, or the page is gone.
            Refused: Confluence does not take the body.
        """
        if self.parent_id:
            made = client.reply_to(self.parent_id, self.storage)
        else:
            made = client.comment_on(self.container_kind, self.container_id, self.storage)
        return Result(made.id, made.url, made.version.number)

    def look(self, client: Confluence, write: Write, since: datetime) -> Result | None:
        """Search the newest comments for the marker, back to ``since``; a list of replies holds no root comments."""
        listed: Iterable[RemoteComment] = (
            client.replies(self.parent_id)
            if self.parent_id
            else client.comments(self.container_kind, self.container_id)
        )
        for comment in listed:
            if (made := comment.version.created_at) is not None and made < since:
                return None
            if self.marker in find_key(comment.storage):
                return Result(comment.id, comment.url, comment.version.number)
        return None

    def done(self, session: Session, write: Write, result: Result, now: datetime) -> None:
        """Mark the entry as done; a first one makes its publication stand."""
        entry = session.get_one(Entry, self.entry_id)
        entry.state, entry.remote_id, entry.since = EntryState.DONE, result.remote_id, now
        entry.account_id = write.account_id
        entry.digest = hashlib.sha256(self.storage.encode()).hexdigest()
        if self.is_body:
            publication = session.get_one(Publication, self.publication_id)
            publication.state, publication.published_at = PublicationState.PUBLISHED, now
            publication.content_id, publication.url = result.remote_id, result.url
