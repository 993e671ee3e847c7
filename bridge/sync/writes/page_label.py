"""Puts the route's labels on a page or post, once: a label that a person takes off stays off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bridge.confluence import Confluence
from bridge.confluence import Kind as ContainerKind
from bridge.store.tables import Write
from bridge.sync.writes.base import RecordedAlone, Result


@dataclass(frozen=True, slots=True)
class PageLabel(RecordedAlone):
    """The labels of a publication. Naturally repeatable."""

    content_kind: ContainerKind
    content_id: str
    names: tuple[str, ...]
    kind: str = "page label"
    target: str = "content"
    title: str = ""
    settle: float = 30.0
    looks: int = 1

    def request(self, client: Confluence, write: Write) -> Result:
        """Add them."""
        client.add_labels(self.content_id, self.names)
        return Result(self.content_id)

    def look(self, client: Confluence, write: Write, since: datetime) -> Result | None:
        """Say whether all of them stand."""
        standing = {name.casefold() for name in client.labels(self.content_kind, self.content_id)}
        return Result(self.content_id) if {name.casefold() for name in self.names} <= standing else None
