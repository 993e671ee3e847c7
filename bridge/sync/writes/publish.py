"""Publishes a draft: the whole body at once, as version 1."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from bridge.confluence import Confluence
from bridge.confluence import Kind as ContainerKind
from bridge.errors import Conflict, NotFound
from bridge.store.tables import Entry, EntryState, Publication, PublicationState, Write
from bridge.sync.writes.base import EVER, Result


@dataclass(frozen=True, slots=True)
class Publish:
    """The body of a page or post; its id is fixed by the draft, so no second page can come of it."""

    publication_id: int
    entry_id: int
    content_kind: ContainerKind
    content_id: str
    title: str
    storage: str = field(repr=False)
    message: str
    kind: str = "publish"
    target: str = "content"
    settle: float = 30.0
    looks: int = 1

    def request(self, client: Confluence, write: Write) -> Result:
        """Publish it.

        Raises:
            TitleTaken: the title stands in the space; the caller tries the next one.
            Refused: Confluence does not take the body.
            Conflict: another version stands, and it is not ours.
        """
        try:
            content = client.publish(
                self.content_kind,
                self.content_id,
                title=self.title,
                storage=self.storage,
                version=1,
                message=f"{self.message} [{write.key}]",
            )
        except Conflict:
            # An earlier request of ours may stand although a look did not show it: what it saw was old, or half.
            found = self.look(client, write, write.sent_at or EVER)
            if found is None:
                raise
            return found
        return Result(content.id, content.url, content.version.number)

    def look(self, client: Confluence, write: Write, since: datetime) -> Result | None:
        """Say whether version 1 stands with our write key in its message; later versions by people change nothing."""
        try:
            content = client.content(self.content_kind, self.content_id)
        except NotFound:
            # What GET says of a never-published draft is not documented. Publishing again is safe: the id is fixed.
            return None
        if content.status == "draft":
            return None
        messages = [content.version.message]
        if content.version.number > 1:
            messages = [v.message for v in client.versions(self.content_kind, self.content_id) if v.number == 1]
        if any(f"[{write.key}]" in message for message in messages):
            return Result(content.id, content.url, content.version.number)
        return None

    def done(self, session: Session, write: Write, result: Result, now: datetime) -> None:
        """Mark the publication as published and its body entry as done."""
        publication = session.get_one(Publication, self.publication_id)
        publication.state, publication.published_at = PublicationState.PUBLISHED, now
        publication.title, publication.url = write.title or self.title, result.url
        publication.version = 1
        entry = session.get_one(Entry, self.entry_id)
        entry.state, entry.remote_id, entry.since = EntryState.DONE, result.remote_id, now
        entry.account_id = write.account_id
        entry.digest = hashlib.sha256(self.storage.encode()).hexdigest()
