"""Follows: one mailbox's thread under one route."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from bridge.store.tables import Follow, FollowState

OPEN = (FollowState.FOLLOWING, FollowState.HELD, FollowState.NEEDS_SOMEBODY)
"""The states in which a change of the thread matters."""

FORGOTTEN = "forgotten"
"""The reason of a follow that somebody ordered to be let go."""


def of_thread(session: Session, mailbox_id: int, thread_id: str) -> list[Follow]:
    """Return the follows of a thread in a mailbox."""
    query = select(Follow).where(Follow.mailbox_id == mailbox_id, Follow.thread_id == thread_id)
    return list(session.exec(query.order_by(col(Follow.id))))


def of_any_mailbox(session: Session, thread_id: str) -> list[Follow]:
    """Return the follows of a thread id in whichever mailbox has it."""
    return list(session.exec(select(Follow).where(Follow.thread_id == thread_id).order_by(col(Follow.id))))


def of_threads(session: Session, mailbox_id: int, thread_ids: Iterable[str]) -> dict[str, list[Follow]]:
    """Return the follows of many threads in a mailbox, by thread id."""
    found: dict[str, list[Follow]] = {}
    wanted = sorted(set(thread_ids))
    for start in range(0, len(wanted), 500):
        query = select(Follow).where(
            Follow.mailbox_id == mailbox_id, col(Follow.thread_id).in_(wanted[start : start + 500])
        )
        for follow in session.exec(query.order_by(col(Follow.id))):
            found.setdefault(follow.thread_id, []).append(follow)
    return found


def of_mailbox(session: Session, mailbox_id: int) -> list[Follow]:
    """Return every follow of a mailbox."""
    return list(session.exec(select(Follow).where(Follow.mailbox_id == mailbox_id).order_by(col(Follow.id))))


def of_publication(session: Session, publication_id: int) -> list[Follow]:
    """Return who follows a publication."""
    return list(session.exec(select(Follow).where(Follow.publication_id == publication_id).order_by(col(Follow.id))))


def fresh(session: Session, mailbox_id: int, since: datetime) -> list[Follow]:
    """Return the follows that the brake counts: labelled since a time, no backlog, not answered."""
    query = select(Follow).where(
        Follow.mailbox_id == mailbox_id,
        col(Follow.labelled_at) >= since,
        col(Follow.reason) != "backlog",
        col(Follow.answer) == "",
        col(Follow.state).in_((FollowState.FOLLOWING, FollowState.HELD)),
    )
    return list(session.exec(query.order_by(col(Follow.id))))


def waiting(session: Session) -> list[Follow]:
    """Return the follows that wait for somebody, the longest waiting first."""
    query = select(Follow).where(col(Follow.state).in_((FollowState.HELD, FollowState.NEEDS_SOMEBODY)))
    return list(session.exec(query.order_by(col(Follow.since), col(Follow.id))))


def counts(session: Session) -> dict[FollowState, int]:
    """Return how many follows are in each state."""
    query = select(col(Follow.state), func.count()).group_by(col(Follow.state))
    return dict(session.exec(query).all())
