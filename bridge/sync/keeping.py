"""Keeps, for ``explain``, what a mail was rendered to: which of its parts stand on the page and which were cut."""

from __future__ import annotations

from bridge.config import Route
from bridge.model import Message, Rendered
from bridge.sync.context import Bridge
from bridge.sync.evidence import tell_rendered
from bridge.sync.writes.perform import Performer


def keep_rendered(bridge: Bridge, performer: Performer, route: Route, message: Message, rendered: Rendered) -> None:
    """Keep the verdicts of one rendering; rendering it again to the same end adds nothing."""
    with bridge.store.write() as session:
        tell_rendered(
            session,
            rendered,
            route=route.name,
            account_id=performer.account_id,
            thread_id=performer.thread_id,
            message_id=message.gmail_id,
            now=bridge.clock.now(),
        )
