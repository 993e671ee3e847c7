"""What is written down when Confluence does not take a body: from then on it is the mail's bare words."""

from __future__ import annotations

from bridge.config import Route
from bridge.errors import Refused, TooLarge
from bridge.store import events
from bridge.store.tables import Entry, Publication
from bridge.sync.context import Bridge
from bridge.sync.writes.perform import Performer


def fall_back(
    bridge: Bridge,
    performer: Performer,
    route: Route,
    publication: Publication,
    entry: Entry,
    refused: Refused | TooLarge,
) -> None:
    """Remember that an entry is plain text, so that its refused body is not sent again, and tell why as an event."""
    with bridge.store.write() as session:
        session.get_one(Entry, entry.id).fallback = True
        events.tell(
            session,
            bridge.clock.now(),
            "body refused",
            route=route.name,
            account_id=performer.account_id,
            thread_id=performer.thread_id,
            remote_id=publication.content_id,
            cause=refused.answer.reason[:200],
            outcome="plain text instead",
        )
