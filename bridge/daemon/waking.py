"""What a changed configuration sets going again."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from bridge.store import follows, mailboxes, threads
from bridge.store.tables import FollowState


def wake_all(session: Session, now: datetime) -> None:
    """Make everything due that another configuration may have mended.

    Args:
        session: a write session.
        now: the instant.
    """
    for follow in follows.waiting(session):
        if follow.state is FollowState.NEEDS_SOMEBODY:
            threads.wake(session, follow.mailbox_id, follow.thread_id, now)
    for box in mailboxes.everyone(session):
        mailboxes.due_now(session, box.id or 0, now)
