"""Repeats the marker in a page property, so that a lost database can be rebuilt from the pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bridge.confluence import Confluence
from bridge.confluence import Kind as ContainerKind
from bridge.errors import Conflict
from bridge.store.tables import Write
from bridge.sync.writes.base import EVER, RecordedAlone, Result

PROPERTY = "mailbridge.origin"


@dataclass(frozen=True, slots=True)
class OriginProperty(RecordedAlone):
    """The page property ``mailbridge.origin``; ``uid`` is the publication's, ``marker`` the body entry's key."""

    content_kind: ContainerKind
    content_id: str
    uid: str
    marker: str
    kind: str = "origin property"
    target: str = "content"
    title: str = ""
    settle: float = 30.0
    looks: int = 1

    def request(self, client: Confluence, write: Write) -> Result:
        """Set it; where it stands already, it is ours.

        Raises:
            Conflict: Confluence speaks of a conflict, and it does not stand.
        """
        value = {"publication": self.uid, "entry": self.marker}
        try:
            client.set_property(self.content_kind, self.content_id, PROPERTY, value)
        except Conflict:
            if self.look(client, write, write.sent_at or EVER) is None:
                raise
        return Result(self.content_id)

    def look(self, client: Confluence, write: Write, since: datetime) -> Result | None:
        """Say whether it stands."""
        standing = client.property(self.content_kind, self.content_id, PROPERTY)
        return Result(self.content_id) if standing is not None else None
