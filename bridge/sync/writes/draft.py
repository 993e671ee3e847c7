"""Creates the draft of a page or post: space and title only, so that an orphan holds no word of the mail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from bridge.confluence import Confluence
from bridge.confluence import Kind as ContainerKind
from bridge.store import events
from bridge.store.tables import Publication, PublicationState, Write
from bridge.sync.writes.base import Result


@dataclass(frozen=True, slots=True)
class Draft:
    """The draft of a publication. It cannot be looked for: no list shows a draft."""

    publication_id: int
    content_kind: ContainerKind
    space_id: str
    parent_id: str
    title: str
    private: bool
    kind: str = "draft"
    target: str = "content"
    settle: float = 30.0
    looks: int = 1

    def request(self, client: Confluence, write: Write) -> Result:
        """Create the draft."""
        content = client.create_draft(
            self.content_kind,
            space_id=self.space_id,
            title=self.title,
            parent_id=self.parent_id,
            private=self.private,
        )
        return Result(content.id, content.url)

    def look(self, client: Confluence, write: Write, since: datetime) -> Result | None:
        """Find nothing: at most one empty draft a lost answer is left behind, seen by its author alone."""
        return None

    def done(self, session: Session, write: Write, result: Result, now: datetime) -> None:
        """Keep the id; say it where an earlier request may have left an empty draft."""
        publication = session.get_one(Publication, self.publication_id)
        publication.content_id = publication.page_id = result.remote_id
        publication.state = PublicationState.DRAFTED
        publication.title = self.title
        # Where the first writer could not write any more, who takes over owns the page.
        publication.account_id = write.account_id
        if write.tries > 1:
            events.tell(
                session,
                now,
                "orphan draft possible",
                route=publication.route,
                account_id=publication.account_id,
                cause=f"{write.tries} requests, {write.tries - 1} without an answer",
                outcome="an empty draft may stand among its author's drafts",
            )
