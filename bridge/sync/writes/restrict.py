"""Restricts a draft to its author before a word of the mail is in it, and reads that back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bridge.confluence import Confluence
from bridge.errors import PersonMustAct
from bridge.store.tables import Write
from bridge.sync.writes.base import RecordedAlone, Result


@dataclass(frozen=True, slots=True)
class Restrict(RecordedAlone):
    """Reading and editing for one Atlassian account alone. Naturally repeatable."""

    content_id: str
    subject: str
    kind: str = "restrict"
    target: str = "content"
    title: str = ""
    settle: float = 0.0
    looks: int = 1

    def request(self, client: Confluence, write: Write) -> Result:
        """Set the restriction unless ``private=true`` has done so; believe only what is read back.

        Raises:
            PersonMustAct: the site took the request and did not restrict; nothing is published then.
        """
        if not self._stands(client):
            client.restrict(self.content_id, self.subject)
            if not self._stands(client):
                raise PersonMustAct(
                    "This site does not restrict the page to you, so nothing was published. "
                    'Ask its admin for the permission to restrict pages, or have the route say visibility = "space".',
                    provider="atlassian",
                )
        return Result(self.content_id)

    def look(self, client: Confluence, write: Write, since: datetime) -> Result | None:
        """Say whether the restriction stands."""
        return Result(self.content_id) if self._stands(client) else None

    def _stands(self, client: Confluence) -> bool:
        return client.readers(self.content_id) == frozenset({self.subject})
